"""Batch of answers that a person labels without seeing condition, judge's label or agreement."""

import asyncio
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
        replaced: the label that the next answer has already and keeps beside the new one; None for
            none.
        writing: lock of the store, so that labels and their removal are stored in order.
    """

    order: QueueOrder = QueueOrder.RANDOM
    waiting: list[QueueItem] = field(default_factory=list)
    labelled: list[QueueItem] = field(default_factory=list)
    has_ended: bool = False
    replaced: Label | None = None
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

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
    def size(self) -> int:
        """Number of answers in the batch."""
        return len(self.waiting) + len(self.labelled)

    @property
    def is_full(self) -> bool:
        """Whether all answers are labelled and the batch can be ended."""
        return bool(self.labelled) and not self.waiting and not self.has_ended

    def advance(self) -> None:
        """Move the first waiting answer to the labelled ones."""
        self.replaced = None
        self.labelled.append(self.waiting.pop(0))

    def drop(self, item: QueueItem) -> None:
        """Remove a labelled answer, whose label was refused, from the batch."""
        self.labelled.remove(item)

    def go_back(self, item: QueueItem) -> None:
        """Make a labelled answer the next one to label; it may be of an earlier batch."""
        if item in self.labelled:
            self.labelled.remove(item)
        self.waiting.insert(0, item)

    def skip(self) -> None:
        """Move the first waiting answer to the end."""
        self.replaced = None
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
    return LabelBatch(order, queue[:size])


class Reopened(NamedTuple):
    """The answer of a label that was taken back.

    Attributes:
        item: to label again.
        kept: the label, if it stays stored beside the next one; None if it was removed.
    """

    item: QueueItem
    kept: Label | None


def take_back(store: Store, experiment: str, annotator: str, order: QueueOrder) -> Reopened | None:
    """Take the annotator's last label in the experiment back; return None without any.

    The last label is the newest one in the database, of whichever batch and program. It is removed,
    and the label that it replaced counts again, unless the annotator saw the agreement with the
    judge after giving it. Then it stays, and the next label of the answer replaces it.
    """
    last = store.last_label(experiment, annotator)
    if last is None:
        return None
    if not last.is_final:
        store.remove_label(annotator, last.key)
    judge = first_judge(store, experiment)
    queue = build_queue(store, experiment, annotator, judge, order, again=last.key)
    item = next(item for item in queue if item.key == last.key)
    return Reopened(item, last.label if last.is_final else None)


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
