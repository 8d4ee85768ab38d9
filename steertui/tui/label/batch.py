"""Batch of answers that a person labels without seeing condition, judge's label or agreement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.judge_caveats import sample_caveat
from steertui.analysis.label_queue import QueueItem, QueueOrder, build_queue
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label
from steertui.printable import one_line
from steertui.store import Store
from steertui.units import quantity

DEFAULT_SIZE = 100
"""Answers per batch; with 90 % agreement, its 95 % interval is then 82 to 95 %."""


@dataclass
class LabelBatch:
    """Answers of one batch, in the order in which they are labelled.

    Only at the end of a batch the agreement is shown.

    Attributes:
        order: chosen order of the answers within a stratum.
        waiting: answers without a label, the next one first.
        labelled: answers with a label, the last one at the end.
        has_ended: whether the annotator ended the batch.
        kept: by an answer's key, the label that stays stored beside its next one.
        answers: answers of the experiment when the batch was drawn, before a run stored more.
    """

    order: QueueOrder = QueueOrder.RANDOM
    waiting: list[QueueItem] = field(default_factory=list)
    labelled: list[QueueItem] = field(default_factory=list)
    has_ended: bool = False
    kept: dict[str, Label] = field(default_factory=dict)
    answers: int = 0

    @property
    def drawn_order(self) -> QueueOrder:
        """Order of the answers: random, whatever was chosen, if the judge has no probabilities."""
        items = [*self.waiting, *self.labelled]
        is_random = bool(items) and all(item.is_random for item in items)
        return QueueOrder.RANDOM if is_random else self.order

    @property
    def item(self) -> QueueItem | None:
        """The answer to label now; None if all are labelled."""
        return self.waiting[0] if self.waiting else None

    @property
    def replaced(self) -> Label | None:
        """The label that the answer has already and keeps beside the next one; None for none."""
        return self.kept.get(self.item.key) if self.item else None

    @property
    def reopened(self) -> int:
        """Number of answers to label whose label is stored and stays."""
        return sum(bool(item.former) for item in self.waiting)

    @property
    def size(self) -> int:
        """Number of answers in the batch."""
        return len(self.waiting) + len(self.labelled)

    @property
    def is_full(self) -> bool:
        """Whether all answers are labelled and the batch can be ended."""
        return bool(self.labelled) and not self.waiting and not self.has_ended

    def advance(self) -> None:
        """Move the first waiting answer to the labelled ones."""
        self.labelled.append(self.waiting.pop(0))

    def drop(self, item: QueueItem) -> None:
        """Remove an answer, whose label was refused, from the batch."""
        self.waiting = [other for other in self.waiting if other.key != item.key]
        self.labelled = [other for other in self.labelled if other.key != item.key]

    def go_back(self, item: QueueItem) -> None:
        """Make a labelled answer the next one to label; it may be of an earlier batch."""
        self.drop(item)
        self.waiting.insert(0, item)

    def reopen(self, item: QueueItem, kept: Label | None) -> None:
        """Make an answer the next one to label, whose stored label `kept` stays, None for none."""
        self.go_back(item)
        if kept:
            self.kept[item.key] = kept

    def skip(self) -> None:
        """Move the first waiting answer to the end."""
        self.waiting.append(self.waiting.pop(0))


class LabelCounts(NamedTuple):
    """How many answers the annotator has labelled, and how many answers there are."""

    labelled: int
    answers: int


class Agreement(NamedTuple):
    """Agreement of the annotator with a judge.

    Attributes:
        judge: the judge's id, "" for none.
        name: the judge's name.
        text: equal labels with their interval, and kappa; "" if no answer has both labels.
        caveats: sentences on how the labelled answers were drawn.
        disagreements: answers with different labels.
    """

    judge: str = ""
    name: str = ""
    text: str = ""
    caveats: tuple[str, ...] = ()
    disagreements: int = 0


def draw_batch(
    store: Store, experiment: str, annotator: str, size: int, order: QueueOrder
) -> LabelBatch:
    """Return a batch of at most `size` answers without a label of the annotator."""
    queue = build_queue(store, experiment, annotator, first_judge(store, experiment), order)
    return LabelBatch(order, queue[:size], answers=len(store.answered_keys(experiment)))


class Reopened(NamedTuple):
    """The answer of a label that was taken back.

    Attributes:
        item: to label again.
        kept: its label that stays stored beside the next one; None for none.
    """

    item: QueueItem
    kept: Label | None


def take_back(store: Store, experiment: str, annotator: str, batch: LabelBatch) -> Reopened | None:
    """Take the annotator's last label in the experiment back; return None without any.

    The last label is the newest one in the database, of whichever batch and program, whose answer
    does not wait in the batch: that of a waiting answer was taken back before. It is removed,
    and the label that it replaced counts again, unless the annotator saw the agreement with the
    judge after giving it. Then it stays, and the next label of the answer replaces it.
    """
    last = store.last_label(experiment, annotator, [item.key for item in batch.waiting])
    if last is None:
        return None
    if not last.is_final:
        store.remove_label(annotator, last.key)
    judge = first_judge(store, experiment)
    queue = build_queue(store, experiment, annotator, judge, batch.order, again=last.key)
    item = next(item for item in queue if item.key == last.key)
    return Reopened(item, last.kept)


def count_labels(store: Store, experiment: str, annotator: str) -> LabelCounts:
    """Return the annotator's progress in the experiment."""
    return LabelCounts(
        store.count_judged(experiment, annotator), len(store.answered_keys(experiment))
    )


def show_agreement(store: Store, experiment: str, annotator: str) -> Agreement:
    """Return the agreement with the experiment's first judge, and store that it was shown.

    Without a judge, or without an answer that both labelled, nothing is stored.
    """
    judge = first_judge(store, experiment)
    if not judge:
        return Agreement()
    pair = compare_judges(store, experiment, [annotator, judge]).comparisons[0]
    name = one_line(pair.second.name)
    overall = pair.overall
    if overall.low is None or overall.high is None:
        return Agreement(judge, name)
    kappa = "" if overall.kappa is None else f", kappa {overall.kappa:.2f}"
    limits = f"(95 % interval {100 * overall.low:.0f} to {100 * overall.high:.0f} %)"
    store.add_agreement_view(experiment, annotator)
    return Agreement(
        judge,
        name,
        f"{overall.agreed} of {quantity(overall.items, 'label')} as {name} {limits}{kappa}",
        tuple(sample_caveat(store, experiment, pair.first)),
        overall.items - overall.agreed,
    )


def first_judge(store: Store, experiment: str) -> str:
    """Return the id of the first judge that is not a person; "" for none."""
    judges: Sequence[str] = [
        judge.id for judge in store.judges(experiment) if judge.kind is not JudgeKind.HUMAN
    ]
    return next(iter(judges), "")
