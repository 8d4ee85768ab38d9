"""Numbers of the Results screen, counted outside the thread that draws."""

from typing import NamedTuple

from steertui.analysis.judge_agreement import JudgeAgreement, compare_judges
from steertui.analysis.summary import Summary, summarise_experiment
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.setup_queries import scenario_titles
from steertui.tui.results.heat_map import has_heat_map


class Counted(NamedTuple):
    """What the screen shows of an experiment.

    Attributes:
        summary: rates, gaps and sentences; the categories of its tables are computed.
        agreement: that of the judges; None for fewer than two.
        titles: titles of the scenarios by id.
    """

    summary: Summary
    agreement: JudgeAgreement | None
    titles: dict[str, str]


def count(store: Store, experiment: str, policy: Policy) -> Counted:
    """Return the numbers of an experiment."""
    summary = summarise_experiment(store, experiment, policy)
    for table in summary.tables:
        has_heat_map(table)
    has_several = len(store.judges(experiment)) > 1
    agreement = compare_judges(store, experiment) if has_several else None
    return Counted(summary, agreement, scenario_titles(store))
