"""The paper's own labels of a run's scenarios, from imported runs in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend, imported_identity
from steertui.core.verdict import Label
from steertui.paper.importing import is_published_run
from steertui.paper.item_by_item import PaperItems
from steertui.paper.published import PUBLISHED
from steertui.store import Store
from steertui.store.judge_queries import PublishedLabel, published_labels
from steertui.store.setup_queries import scenarios_by_task

PAPER_JUDGE = f"{JudgeKind.PAPER.prefix}gpt-5.2"
"""Judge id of the paper's labels."""


@dataclass(frozen=True, slots=True)
class PaperLabels:
    """The paper's items that a run has as well: same condition name, same task to the byte.

    Attributes:
        model: identity of the imported model.
        items: labels by condition and scenario, in the run's names; empty if `mismatched`.
        trials: by scenario, the keys of the imported answers.
        mismatched: conditions whose imported counts are not the published ones; such runs are not
            the paper's.
    """

    model: str
    items: PaperItems
    trials: Mapping[str, tuple[str, ...]]
    mismatched: tuple[str, ...]


def is_imported(table: Table) -> bool:
    """Whether the table's answers were imported, not generated here."""
    return table.setting.backend is ModelBackend.IMPORTED


def is_paper_run(table: Table) -> bool:
    """Whether the answers are the paper's, not those of another run of its program."""
    return is_published_run(table.setting.model)


def is_paper_table(table: Table) -> bool:
    """Whether both answers and labels are the paper's."""
    return is_paper_run(table) and table.judge is not None and table.judge.id == PAPER_JUDGE


def paper_labels(store: Store, table: Table, model: str) -> PaperLabels | None:
    """Return the paper's items of one of its models; None if they are not imported."""
    rows = published_labels(store, imported_identity(model), PAPER_JUDGE)
    if not rows:
        return None
    names = scenarios_by_task(store, table.experiment, table.setting)
    mismatched = _mismatched_conditions(model, rows)
    items: dict[tuple[str, str], Label] = {}
    trials: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for name in names.get(row.task, ()):
            trials[name] = (*trials.get(name, ()), row.key)
            items[row.condition, name] = row.label
    return PaperLabels(
        model=imported_identity(model),
        items={} if mismatched else items,
        trials=trials,
        mismatched=mismatched,
    )


def _mismatched_conditions(model: str, rows: list[PublishedLabel]) -> tuple[str, ...]:
    """Return the conditions whose imported label counts are not the published ones."""
    mismatched = []
    for condition in dict.fromkeys(row.condition for row in rows):
        labels = [row.label for row in rows if row.condition == condition]
        published = PUBLISHED.get((model, condition))
        if published is None or any(
            getattr(published.total, label) != labels.count(label) for label in Label
        ):
            mismatched.append(condition)
    return tuple(mismatched)
