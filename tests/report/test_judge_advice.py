"""Sentences on judges and stand-ins say no more than is known."""

import time
from pathlib import Path

from steertui.analysis.judge_overview import combined_overviews, judge_overviews
from steertui.analysis.summary import (
    PARTLY_STAND_IN_WARNING,
    STAND_IN_WARNING,
    summarise_experiment,
)
from steertui.core.model import STAND_IN_TITLE
from steertui.core.verdict import Label, Verdict
from steertui.planning.control_answers import store_control_set
from steertui.report.judge_tables import advice, overview_row
from steertui.store import Store
from tests.fixtures import grouped
from tests.fixtures.control import control_set, true_label
from tests.fixtures.stored_answers import made_up


def test_a_judge_that_is_not_measured_is_not_called_unusable(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.5)
    grouped.write(tmp_path / "a.db", conditions, lambda *_: Label.CONVERGENCE, 2)
    with Store(tmp_path / "a.db") as store:
        overviews = judge_overviews(store)
        key = str(store.column("SELECT trial FROM generations LIMIT 1")[0])
        store.add_judge("paper:gpt-5.2", "paper:gpt-5.2", {"kind": "paper", "title": ""})
        store.add_verdict(key, Verdict("paper:gpt-5.2", Label.CONVERGENCE))
        published = judge_overviews(store)[-1]
    assert overview_row(published)[:2] == ("paper:gpt-5.2", "imported")
    assert (published.labels, published.published) == (1, None)
    assert advice([published], []).startswith("None of these judges can label other answers; ")
    of_both = advice([published, *overviews], [])
    assert of_both.startswith("None of the judges that are not imported is known to be usable; ")
    assert [overview.worth for overview in overviews] == [None]
    assert advice(overviews, []).startswith("None of these judges is known to be usable; test one")


def test_a_judge_measured_in_another_database_is_measured_and_the_best_is_first(
    tmp_path: Path,
) -> None:
    """The open database knows one judge, unmeasured; that of the tests has measured two."""
    experiment = made_up(tmp_path / "a.db", ["one", "two", "three"])
    given = {"openai:good": 1, "openai:poor": 3}
    with Store(tmp_path / "a.db") as store:
        store.add_judge("openai:poor", "poor", {"kind": "server", "title": ""})
        for answer in store.unjudged_answers(experiment, "openai:poor"):
            store.add_verdict(answer.key, Verdict("openai:poor", Label.CONVERGENCE))
        found = judge_overviews(store)
    assert [overview.worth for overview in found] == [None]
    with Store(tmp_path / "b.db") as store:
        control = store_control_set(store, control_set(per_label=12))
        for judge, step in given.items():
            store.add_judge(judge, judge, {"kind": "server", "title": ""})
            for number, answer in enumerate(store.unjudged_answers(control, judge)):
                label = true_label(answer.answer)
                wrong = Label.NONSENSICAL if number % step else label
                store.add_verdict(answer.key, Verdict(judge, wrong))
        measured = judge_overviews(store)
    combined = combined_overviews([*found, *measured])
    assert [overview.judge.id for overview in combined] == [*given]
    assert combined[1].worth == measured[1].worth is not None
    assert combined[1].labels == 3 + 48


def test_seconds_per_label_leave_out_the_time_between_two_runs_of_a_judge(tmp_path: Path) -> None:
    """A pause that is longer than the labels around it is none of their time."""
    experiment = made_up(tmp_path / "a.db", [str(number) for number in range(6)])
    with Store(tmp_path / "a.db") as store:
        store.add_judge("local:a", "a", {"kind": "local", "title": ""})
        for number, answer in enumerate(store.unjudged_answers(experiment, "local:a")):
            time.sleep(0.5 if number == 3 else 0.002)
            store.add_verdict(answer.key, Verdict("local:a", Label.CONVERGENCE, seconds=0.02))
        (overview,) = judge_overviews(store)
    assert overview.seconds is not None
    assert 0.002 <= overview.seconds <= 0.02


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
