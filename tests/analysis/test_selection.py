"""What is shown changes no number: every selection has the verdicts of the whole experiment."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from steertui.analysis.comparisons import compare_tables
from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.sentences import GapResult
from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.analysis.trial_warning import TrialWarning
from steertui.paper.comparison import compare_with_paper
from steertui.store import Store
from tests.fixtures import large, replica

Facts = dict[object, object]


def results(summary: Summary) -> Facts:
    """Return every comparison of the shown tables, and between them, by what it compares."""
    found: Facts = {}
    for table in summary.tables:
        for result in table.comparisons:
            found[table.key, result.gap.first, result.gap.second] = _numbers(result)
        if table.primary:
            found[table.key, "over settings"] = table.primary_over_settings
            for category in table.categories:
                assert category.comparison is not None
                found[table.key, category.name] = _numbers(category.comparison)
    for comparison in compare_tables(summary):
        for line in comparison.lines:
            gap = line.comparison.gap
            found[comparison.title, line.what, gap.first, gap.second] = _numbers(line.comparison)
    return found


def _numbers(result: GapResult) -> tuple[object, ...]:
    return result.gap, result.test, result.finding, result.sentence


def warnings(summary: Summary) -> set[tuple[object, TrialWarning]]:
    return {(table.key, warning) for table in summary.tables for warning in table.warnings}


def agreements(summary: Summary) -> Facts:
    return {
        (panel.title, pair.first, pair.second, what): agreement
        for panel in judge_panels(summary)
        for pair in panel.agreement.comparisons
        for what, agreement in (("all", pair.overall), *pair.by_condition.items())
    }


def subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("selection") / "a.db"
    large.write(path, models=3, samples=1, judges=2, words=4)
    return path


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_no_selection_changes_a_number(db: Path, step: int) -> None:
    """Compare every `step`-th selection of models, judges and conditions with the whole."""
    conditions = tuple(large.CHANCES)
    with Store(db) as store:
        whole = summarise(store, ReportFilter(all_pairs=True))
        everything, all_warnings = results(whole), warnings(whole)
        all_agreements = agreements(whole)
        selections = [
            ReportFilter(models=models, judges=judges, conditions=shown, all_pairs=True)
            for models in ((), ("made-0",), ("made-0", "made-2"))
            for judges in ((), (large.judge_id(1),))
            for shown in subsets(conditions)
        ]
        assert len(selections) == 96
        for selection in selections[::step]:
            summary = summarise(store, selection)
            found = results(summary)
            assert found.items() <= everything.items(), selection
            assert warnings(summary) <= all_warnings
            assert agreements(summary).items() <= all_agreements.items()
            assert {c for t in summary.tables for c in t.conditions} == {
                *(selection.conditions or conditions)
            }
    assert len(everything) > 100


def test_exploratory_pairs_change_no_declared_result(db: Path) -> None:
    with Store(db) as store:
        declared, explored = (
            summarise(store, ReportFilter(all_pairs=is_exploring)) for is_exploring in (False, True)
        )
    assert results(declared).items() <= results(explored).items()


def test_another_experiment_changes_no_number(tmp_path: Path) -> None:
    replica.write(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        whole = summarise(store, ReportFilter(("all",)))
        for experiment in whole.experiments:
            alone = summarise(store, ReportFilter((experiment,)))
            assert results(alone).items() <= results(whole).items()


def test_the_comparison_with_the_paper_keeps_its_family(tmp_path: Path) -> None:
    replica.write(tmp_path / "a.db", lambda _, i, label: None if i < 3 else label)
    with Store(tmp_path / "a.db") as store:
        (whole,) = compare_with_paper(store, summarise(store, ReportFilter()))
        (pro,) = compare_with_paper(store, summarise(store, ReportFilter(conditions=("pro",))))
    assert [d.what for d in pro.differences] == ["pro"]
    (expected,) = [d for d in whole.differences if d.what == "pro"]
    assert (pro.differences[0].test, pro.differences[0].standing) == (
        expected.test,
        expected.standing,
    )
    assert pro.sentences == (whole.sentences[1],)
