"""The paper's own labels of a run's scenarios, where its runs are imported into the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend, imported_identity
from steertui.core.verdict import Label
from steertui.paper.importing import is_published_run
from steertui.paper.item_by_item import Items
from steertui.paper.published import PUBLISHED
from steertui.store import Store

JUDGE = f"{JudgeKind.PAPER.prefix}gpt-5.2"
"""Who labelled them."""


@dataclass(frozen=True, slots=True)
class PaperLabels:
    """The paper's items that a run has, too: the same condition's name, the task to the byte.

    Attributes:
        model: the imported model's identity.
        items: their labels by condition and scenario, in the run's names.
        trials: by scenario, the keys of the imported answers.
        odd: conditions whose imported counts are not the published ones: then these are other
            runs than the paper's, and there are no items.
    """

    model: str
    items: Items
    trials: Mapping[str, tuple[str, ...]]
    odd: tuple[str, ...]


def is_imported(table: Table) -> bool:
    """Whether the table's answers were imported and not made here."""
    return table.setting.backend is ModelBackend.IMPORTED


def is_papers(table: Table) -> bool:
    """Whether the answers are the paper's own, and not of another run of its program."""
    return is_published_run(table.setting.model)


def is_own(table: Table) -> bool:
    """Whether both answers and labels are the paper's."""
    return is_papers(table) and table.judge is not None and table.judge.id == JUDGE


def paper_labels(store: Store, table: Table, model: str) -> PaperLabels | None:
    """Return the paper's items of one of its models; None where they are not imported."""
    sql = """SELECT t.key, s.task, c.name AS condition, v.label FROM trials AS t
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE t.model = ? AND v.label IS NOT NULL ORDER BY t.rowid"""
    rows = store.query(sql, [JUDGE, imported_identity(model)])
    if not rows:
        return None
    tasks = _tasks(store, table)
    odd = _odd(model, rows)
    items: dict[tuple[str, str], Label] = {}
    trials: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for name in tasks.get(row["task"], ()):
            trials[name] = (*trials.get(name, ()), row["key"])
            items[row["condition"], name] = Label(row["label"])
    return PaperLabels(imported_identity(model), {} if odd else items, trials, odd)


def _tasks(store: Store, table: Table) -> dict[str, list[str]]:
    """Return the names of a table's scenarios by their task."""
    sql = """SELECT DISTINCT s.name, s.task FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN scenarios AS s ON s.id = t.scenario
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    found: dict[str, list[str]] = {}
    arm = table.setting
    for row in store.query(sql, [table.experiment, arm.model, arm.temperature]):
        found.setdefault(row["task"], []).append(row["name"])
    return found


def _odd(model: str, rows: list[dict[str, str]]) -> tuple[str, ...]:
    found = []
    for condition in dict.fromkeys(row["condition"] for row in rows):
        labels = [row["label"] for row in rows if row["condition"] == condition]
        published = PUBLISHED.get((model, condition))
        counts = {label: labels.count(label) for label in Label}
        if published is None or any(
            getattr(published.total, label) != count for label, count in counts.items()
        ):
            found.append(condition)
    return tuple(found)
