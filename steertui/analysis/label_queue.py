"""A queue of answers to label by hand: some of every kind, the doubtful first, nothing shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from steertui.analysis.label_sample import random_key
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label, Verdict
from steertui.errors import JudgeError
from steertui.store import Store

ORDERS = ("doubtful", "random")


@dataclass(frozen=True, slots=True)
class QueueItem:
    """An answer to be labelled, and what is hidden until it is.

    Attributes:
        key: the trial's.
        task: without the suffix, which would give the condition away.
        condition: hidden.
        label: the reference judge's, hidden; None where it has none.
        margin: between its two likeliest labels, 0 to 1; 1 where it gives no likelihoods.
        place: in the random order.
        is_random: whether the queue took its stratum in that order.
        reference: the judge whose labels and margins made the queue, "" for none.
    """

    key: str
    category: str
    task: str
    answer: str
    condition: str
    label: Label | None
    margin: float
    place: str
    is_random: bool = False
    reference: str = ""


def annotator_id(name: str) -> str:
    """Return a person's id as a judge; raises JudgeError for a name that is none."""
    if not re.fullmatch(r"[\w.@+-]{1,40}", name):
        raise JudgeError(f"--as {name}: give a name of letters, digits and . _ - @ +")
    return f"{JudgeKind.HUMAN.prefix}{name}"


def build_queue(
    store: Store, experiment: str, who: str, reference: str = "", order: str = "doubtful"
) -> list[QueueItem]:
    """Return what the person has not labelled yet, in turn from every condition × label.

    Within such a stratum the smallest margins come first, or ("random", and where no answer has a
    margin) the order is `draw.mixed`: the same for everyone, and a random sample of each stratum,
    as a correction of rates needs. Doubtful items first understate a judge's agreement with a
    person.
    """
    sql = """SELECT t.key, s.category, s.task, g.answer, c.name AS condition, v.label,
            m.name AS model, t.temperature, s.name AS scenario, t.sample,
            v.p_convergence, v.p_no_convergence, v.p_safety_refusal, v.p_nonsensical
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition
        JOIN models AS m ON m.sha256 = t.model
        JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS w
            WHERE w.trial = t.key AND w.judge = ? AND w.label IS NOT NULL)"""
    items = [_item(row) for row in store.query(sql, [reference, experiment, who])]
    strata: dict[tuple[str, str], list[QueueItem]] = {}
    for item in sorted(items, key=lambda i: _rank(i, order)):
        strata.setdefault((item.condition, item.label or ""), []).append(item)
    turns = []
    for stratum in strata.values():
        is_random = order == "random" or all(item.margin == 1.0 for item in stratum)
        drawn = (replace(item, is_random=is_random, reference=reference) for item in stratum)
        turns += [(turn, item.place, item) for turn, item in enumerate(drawn)]
    return [item for _, _, item in sorted(turns, key=lambda found: found[:2])]


def add_label(store: Store, who: str, item: QueueItem, label: Label, note: str = "") -> None:
    """Store a person's label of an item of the queue, and how the queue came to it; a later label
    of the same person for the same answer supersedes it."""
    name = who.removeprefix(JudgeKind.HUMAN.prefix)
    store.add_judge(who, who, {"kind": "a person", "name": name, "title": ""})
    store.add_hand_queue(who, item.key, "random" if item.is_random else "doubtful", item.reference)
    store.add_verdict(item.key, Verdict(who, label, reason=note))


def _item(row: dict[str, object]) -> QueueItem:
    chances = [row[f"p_{label}"] for label in Label]
    margin = _margin([float(str(p)) for p in chances if p is not None])
    label = Label(str(row["label"])) if row["label"] else None
    key, category, task, answer, condition = (
        str(row[name]) for name in ("key", "category", "task", "answer", "condition")
    )
    names = ("model", "temperature", "scenario", "condition", "sample")
    place = random_key([str(row[name]) for name in names])
    return QueueItem(key, category, task, answer, condition, label, margin, place)


def _margin(chances: Sequence[float]) -> float:
    if len(chances) < 2:
        return 1.0
    second, first = sorted(chances)[-2:]
    return first - second


def _rank(item: QueueItem, order: str) -> tuple[float, str]:
    return (item.margin if order == "doubtful" else 0.0, item.place)
