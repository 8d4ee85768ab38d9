"""Effect of the suffix on a judge: its labels with and without the suffix, compared."""

from dataclasses import dataclass

from steertui.analysis.comparisons import ComparisonLine, judge_differences
from steertui.analysis.summary import ReportFilter, summarise
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class Blindness:
    """Differences for one model at one temperature.

    Attributes:
        title: model, temperature, and what is compared.
        lines: gap first; paired by scenario.
    """

    title: str
    lines: tuple[ComparisonLine, ...]


def measure_blindness(store: Store, experiment: str, seeing: str, blind: str) -> list[Blindness]:
    """Return the differences of the judge that sees the suffix and the one that does not.

    Both are given by id.
    """
    tables = summarise(store, ReportFilter((experiment,), judges=(seeing, blind))).tables
    by_judge = {
        judge: {t.setting: t for t in tables if t.judge and t.judge.id == judge}
        for judge in (seeing, blind)
    }
    return [
        Blindness(
            f"{setting.name}, temperature {setting.temperature:g}: the suffix shown or not",
            judge_differences(one, by_judge[blind][setting]),
        )
        for setting, one in by_judge[seeing].items()
        if setting in by_judge[blind]
    ]
