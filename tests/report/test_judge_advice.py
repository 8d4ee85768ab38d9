"""Sentences on judges and stand-ins say no more than is known."""

from pathlib import Path

from steertui.analysis.judge_overview import judge_overviews
from steertui.analysis.summary import (
    PARTLY_STAND_IN_WARNING,
    STAND_IN_WARNING,
    summarise_experiment,
)
from steertui.core.model import STAND_IN_TITLE
from steertui.core.verdict import Label, Verdict
from steertui.report.judge_tables import advice
from steertui.store import Store
from tests.fixtures import grouped


def test_a_judge_that_is_not_measured_is_not_called_unusable(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.5)
    grouped.write(tmp_path / "a.db", conditions, lambda *_: Label.CONVERGENCE, 2)
    with Store(tmp_path / "a.db") as store:
        overviews = judge_overviews(store)
    assert [overview.worth for overview in overviews] == [None]
    assert advice(overviews, []).startswith("None of these judges is known to be usable; test one")


def test_numbers_of_a_real_judge_are_not_called_those_of_the_demo(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.5)
    experiment = grouped.write(tmp_path / "a.db", conditions, lambda *_: Label.CONVERGENCE, 2)
    with Store(tmp_path / "a.db") as store:
        assert not {STAND_IN_WARNING, PARTLY_STAND_IN_WARNING} & {
            *summarise_experiment(store, experiment).notices
        }
        store.add_judge("local:demo#1", "local:demo", {"title": STAND_IN_TITLE})
        for trial in store.column("SELECT trial FROM verdicts"):
            store.add_verdict(str(trial), Verdict("local:demo#1", Label.CONVERGENCE))
        notices = summarise_experiment(store, experiment).notices
    assert PARTLY_STAND_IN_WARNING in notices
    assert STAND_IN_WARNING not in notices
