"""A queue of answers to label by hand: some of every kind, the doubtful first, nothing shown."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from steertui.errors import JudgeError
from steertui.store import Store
from steertui.verdict import Label, Verdict

ORDERS = ("doubtful", "random")


@dataclass(frozen=True, slots=True)
class Item:
    """An answer to be labelled, and what is hidden until it is.

    Attributes:
        key: the trial's.
        task: without the suffix, which would give the condition away.
        condition: hidden.
        label: the reference judge's, hidden; None where it has none.
        margin: between its two likeliest labels, 0 to 1; 1 where it gives no likelihoods.
    """

    key: str
    category: str
    task: str
    answer: str
    condition: str
    label: Label | None
    margin: float


def person(name: str) -> str:
    """Return a person's id as a judge; raises JudgeError for a name that is none."""
    if not re.fullmatch(r"[\w.@+-]{1,40}", name):
        raise JudgeError(f"--as {name}: give a name of letters, digits and . _ - @ +")
    return f"human:{name}"


def build(
    store: Store, experiment: str, who: str, reference: str = "", order: str = "doubtful"
) -> list[Item]:
    """Return what the person has not labelled yet, in turn from every condition × label.

    Within such a stratum the smallest margins come first, or ("random") the order is by a hash
    of the trial's key: the same for everyone, and a random sample of each stratum, as a
    correction of rates needs. Doubtful items first understate a judge's agreement with a person.
    """
    sql = """SELECT t.key, s.category, s.task, g.answer, c.name AS condition, v.label,
            v.p_convergence, v.p_no_convergence, v.p_safety_refusal, v.p_nonsensical
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS w
            WHERE w.trial = t.key AND w.judge = ? AND w.label IS NOT NULL)"""
    items = [_item(row) for row in store.query(sql, [reference, experiment, who])]
    strata: dict[tuple[str, str], list[Item]] = {}
    for item in sorted(items, key=lambda i: _rank(i, order)):
        strata.setdefault((item.condition, item.label or ""), []).append(item)
    turns = [
        (turn, _mixed(item.key), item)
        for stratum in strata.values()
        for turn, item in enumerate(stratum)
    ]
    return [item for _, _, item in sorted(turns, key=lambda found: found[:2])]


def add_label(
    store: Store, who: str, key: str, label: Label, note: str = "", order: str = "doubtful"
) -> None:
    """Store a person's label; a later one of the same person for the same answer supersedes it.

    `order` is that of the queue it came from (see `build`).
    """
    name = who.removeprefix("human:")
    store.add_judge(who, who, {"kind": "a person", "name": name, "title": ""})
    store.add_hand_queue(who, key, order)
    store.add_verdict(key, Verdict(who, label, reason=note))


def _item(row: dict[str, object]) -> Item:
    chances = [row[f"p_{label}"] for label in Label]
    margin = _margin([float(str(p)) for p in chances if p is not None])
    label = Label(str(row["label"])) if row["label"] else None
    key, category, task, answer, condition = (
        str(row[name]) for name in ("key", "category", "task", "answer", "condition")
    )
    return Item(key, category, task, answer, condition, label, margin)


def _margin(chances: Sequence[float]) -> float:
    if len(chances) < 2:
        return 1.0
    second, first = sorted(chances)[-2:]
    return first - second


def _rank(item: Item, order: str) -> tuple[float, str]:
    return (item.margin if order == "doubtful" else 0.0, _mixed(item.key))


def _mixed(key: str) -> str:
    return hashlib.sha256(f"queue{key}".encode()).hexdigest()
