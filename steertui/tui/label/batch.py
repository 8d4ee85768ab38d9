"""Batch of answers that a person labels without seeing condition, judge's label or agreement."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.label_queue import QueueItem, QueueOrder, build_queue
from steertui.core.judge_kind import JudgeKind
from steertui.printable import one_line
from steertui.store import Store

DEFAULT_SIZE = 100
"""Answers per batch; with 90 % agreement, its 95 % interval is then 82 to 95 %."""


@dataclass
class LabelBatch:
    """Answers of one batch, in the order in which they are labelled.

    Labels can be taken back while the batch is in memory and has not ended. Only at its end the
    agreement is shown.

    Attributes:
        order: order of the answers within a stratum.
        waiting: answers without a label, the next one first.
        labelled: answers with a label, the last one at the end.
        has_ended: whether the annotator ended the batch.
        writing: lock of the store, so that labels and their removal are stored in order.
    """

    order: QueueOrder = QueueOrder.RANDOM
    waiting: list[QueueItem] = field(default_factory=list)
    labelled: list[QueueItem] = field(default_factory=list)
    has_ended: bool = False
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

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

    @property
    def can_undo(self) -> bool:
        """Whether there is a label to take back."""
        return bool(self.labelled) and not self.has_ended

    def advance(self) -> None:
        """Move the first waiting answer to the labelled ones."""
        self.labelled.append(self.waiting.pop(0))

    def go_back(self, item: QueueItem) -> None:
        """Make a labelled answer the next one to label."""
        self.labelled.remove(item)
        self.waiting.insert(0, item)

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
        judge: the judge's id.
        text: equal labels with their interval, and kappa.
        disagreements: answers with different labels.
    """

    judge: str
    text: str
    disagreements: int


def draw_batch(
    store: Store, experiment: str, annotator: str, size: int, order: QueueOrder
) -> LabelBatch:
    """Return a batch of at most `size` answers without a label of the annotator."""
    queue = build_queue(store, experiment, annotator, first_judge(store, experiment), order)
    return LabelBatch(order, queue[:size])


def count_labels(store: Store, experiment: str, annotator: str) -> LabelCounts:
    """Return the annotator's progress in the experiment."""
    return LabelCounts(
        store.count_judged(experiment, annotator), len(store.answered_keys(experiment))
    )


def agreement_with_judge(store: Store, experiment: str, annotator: str) -> Agreement | None:
    """Return the agreement with the experiment's first judge; None if it is undefined."""
    judge = first_judge(store, experiment)
    if not judge:
        return None
    pair = compare_judges(store, experiment, [annotator, judge]).comparisons[0]
    overall = pair.overall
    if overall.low is None or overall.high is None:
        return None
    kappa = "" if overall.kappa is None else f", kappa {overall.kappa:.2f}"
    limits = f"[{100 * overall.low:.0f}, {100 * overall.high:.0f}] %"
    name = one_line(pair.second.name)
    text = f"{overall.agreed} of {overall.items} labels as {name} {limits}{kappa}"
    return Agreement(judge, text, overall.items - overall.agreed)


def first_judge(store: Store, experiment: str) -> str:
    """Return the id of the first judge that is not a person; "" for none."""
    judges: Sequence[str] = [
        judge.id for judge in store.judges(experiment) if judge.kind is not JudgeKind.HUMAN
    ]
    return next(iter(judges), "")
