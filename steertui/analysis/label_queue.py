"""Annotation queue: answers for a person to label, stratified by condition and judge's label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from steertui.analysis.label_sample import random_key
from steertui.core.judge_kind import JudgeKind
from steertui.core.typed_name import NameRule
from steertui.core.verdict import Label, Verdict
from steertui.errors import JudgeError
from steertui.store import Store
from steertui.store.judge_queries import UnlabelledAnswer, unlabelled_answers


class QueueOrder(StrEnum):
    """Order within a stratum: smallest margin first, or random."""

    UNCERTAIN = "uncertain"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """An answer to label. Condition and label are not shown to the annotator.

    Attributes:
        key: key of the trial.
        category: the scenario's category.
        task: the task without the suffix, which would reveal the condition.
        answer: the answer after the reasoning.
        condition: name of the condition.
        label: the reference judge's label, None if it has none.
        margin: difference between the judge's two largest label probabilities, 0 to 1; 1 if it
            gives no probabilities.
        random_key: sort key in the random order (`label_sample.random_key`).
        is_random: whether the item's stratum is in random order.
        reference: the judge whose labels and margins define the queue, "" for none.
        former: row id of the annotator's newest label of the answer, 0 for none.
    """

    key: str
    category: str
    task: str
    answer: str
    condition: str
    label: Label | None
    margin: float
    random_key: str
    is_random: bool = False
    reference: str = ""
    former: int = 0


class AlreadyLabelledError(JudgeError):
    """The annotator's name has labelled the answer since it was drawn."""


_NAME = NameRule(r"[\w.@+-]", r"[\w.@+-]", 40)


def annotator_id(name: str) -> str:
    """Return the judge id of a person; raises JudgeError for an invalid name."""
    fault = _NAME.fault(name)
    if fault:
        raise JudgeError(
            f"annotator {name}: not a valid name: it {fault}; use 1 to 40 letters, digits or "
            ". _ - @ +"
        )
    return f"{JudgeKind.HUMAN.prefix}{name}"


def build_queue(
    store: Store,
    experiment: str,
    annotator: str,
    reference: str = "",
    order: QueueOrder = QueueOrder.UNCERTAIN,
    *,
    again: str = "",
) -> list[QueueItem]:
    """Return the answers that the annotator has not labelled, in turn from every stratum.

    A stratum has one condition and one label of the reference judge. Within it, the order is
    `order`, but random if no answer has a margin. The random order is the same for everyone; its
    beginning is a random sample of the stratum, which the correction of rates requires. Labels of
    only the most uncertain answers understate the judge's agreement with the annotator.
    `again` is the key of an answer that is returned although it has a label, "" for none.
    """
    answers = unlabelled_answers(store, experiment, annotator, reference, again)
    items = map(_item, answers)
    strata: dict[tuple[str, str], list[QueueItem]] = {}
    for item in sorted(items, key=lambda item: _rank(item, order)):
        strata.setdefault((item.condition, item.label or ""), []).append(item)
    turns = []
    for stratum in strata.values():
        is_random = order is QueueOrder.RANDOM or all(item.margin == 1.0 for item in stratum)
        for turn, item in enumerate(stratum):
            queued = replace(item, is_random=is_random, reference=reference)
            turns.append((turn, item.random_key, queued))
    return [item for _, _, item in sorted(turns, key=lambda entry: entry[:2])]


def add_label(store: Store, annotator: str, item: QueueItem, label: Label, note: str = "") -> None:
    """Store an annotator's label and the order that the item was drawn in.

    It supersedes an earlier label that the item was drawn with. Raises AlreadyLabelledError, and
    stores nothing, if the same name has labelled the answer since: another person may use it.
    """
    name = annotator.removeprefix(JudgeKind.HUMAN.prefix)
    store.add_judge(annotator, annotator, {"kind": "a person", "name": name, "title": ""})
    ordering = QueueOrder.RANDOM if item.is_random else QueueOrder.UNCERTAIN
    verdict = Verdict(annotator, label, reason=note)
    is_added = store.add_drawn_label(
        item.key, verdict, item.former, ordering=ordering, reference=item.reference
    )
    if not is_added:
        raise AlreadyLabelledError(
            f"{name} has labelled this answer in another program since it was drawn here: that "
            "label stays, and this one is not stored; two people need two names "
            "(option --annotator of the command label)"
        )


def _item(answer: UnlabelledAnswer) -> QueueItem:
    names = (
        answer.model,
        str(answer.temperature),
        answer.scenario,
        answer.condition,
        str(answer.sample),
    )
    return QueueItem(
        key=answer.key,
        category=answer.category,
        task=answer.task,
        answer=answer.answer,
        condition=answer.condition,
        label=answer.label,
        margin=_margin([p for p in answer.probabilities if p is not None]),
        random_key=random_key(names),
        former=answer.former,
    )


def _margin(probabilities: Sequence[float]) -> float:
    if len(probabilities) < 2:
        return 1.0
    second, first = sorted(probabilities)[-2:]
    return first - second


def _rank(item: QueueItem, order: QueueOrder) -> tuple[float, str]:
    return (item.margin if order is QueueOrder.UNCERTAIN else 0.0, item.random_key)
