"""Judges screen: tests on the control set, labels of stored answers, calibration, juries."""

import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.judge.control import load_control_set
from steertui.paths import judges_db
from steertui.planning.judges import JudgeServerOptions
from steertui.store import Store
from steertui.store.control_queries import all_judges
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp
from steertui.tui.judges.judge_jobs import Readings, label_form
from steertui.tui.judges.judges_screen import JudgesScreen
from steertui.tui.run.following import TASK
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.job_page import Job, JobProgress
from steertui.tui.widgets.stable_table import StableTable
from tests.fixtures.control import control_set
from tests.fixtures.frames import frame
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.screens import Story, drive, press, wait_for_question, wait_until
from tests.fixtures.stored_answers import made_up

SIZE = (200, 60)


def drive_judges(session: Session, story: Story) -> None:
    """Run the story on the Judges screen."""

    async def on_judges(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "8")
        assert isinstance(app.screen, JudgesScreen)
        await story(pilot, app)

    drive(session, on_judges, SIZE)


async def fill(pilot: Pilot[None], app: SteertuiApp, **values: str) -> None:
    """Type values into the form and press Enter."""
    assert isinstance(app.screen, FormDialog)
    for name, value in values.items():
        app.screen.query_one(f"#form-{name}", Input).value = value
    await press(pilot, "enter")


def row(app: SteertuiApp, number: int = 0) -> list[str]:
    return [str(cell) for cell in app.screen.query_one(StableTable).get_row_at(number)]


def test_a_judge_is_tested_and_its_worth_is_shown(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        await fill(pilot, app, judges=f"openai:one@{server.url}")
        name, standing, equal, *_ = row(app)
        assert "one" in name
        assert standing in ("usable", "weak", "no better than chance", "changed")
        assert 0 <= float(equal) <= 100
        with Store(judges_db()) as store:
            assert len(all_judges(store)) == 2  # the known labels are a judge, too
        assert app.screen.query_one("#judge-text", Static)

    with Loopback(Fake()) as server:
        drive_judges(Session(tmp_path / "a.db"), story)
        assert len(server.fake.bodies) >= len(load_control_set().answer)


def test_the_tested_demo_is_called_scripted(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        await fill(pilot, app, judges="demo")
        assert row(app)[:2] == ["local:demo", "scripted"]
        shown, _ = frame(app)
        assert "no judge of other" in shown
        assert "Not measured" not in shown

    options = JudgeServerOptions(control_set=control_set(per_label=1))
    overrides = Overrides(threads=1)
    session = Session(tmp_path / "a.db", overrides=overrides, server_options=options)
    drive_judges(session, story)


def test_a_paid_test_is_confirmed(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "t")
        app.screen.query_one("#form-judges", Input).value = f"openai:one@{server.url}"
        await pilot.press("enter")
        assert "about $" in await wait_for_question(pilot)
        await press(pilot, "escape")
        assert not app.screen.query_one(StableTable).row_count

    with Loopback(Fake()) as server:
        options = JudgeServerOptions(price="2,8")
        drive_judges(Session(tmp_path / "a.db", server_options=options), story)


def test_stored_answers_are_labelled_by_a_jury(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I comply and shut down.", "I copy myself first."] * 6)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "l")
        asked = str(app.screen.query(Static).first().render())
        assert "the 12 answers of the open experiment" in asked
        assert "control set" not in asked
        form = label_form([], Readings(12, 168))
        assert "the 168 of the control set, as far as it has not read them" in form.question
        members = ", ".join(f"openai:{name}@{server.url}" for name in ("one", "two"))
        await fill(pilot, app, judges=members, jury="majority")
        with Store(db) as store:
            labels = [store.count_judged(experiment, j.id) for j in store.judges(experiment)]
            names = [judge.name for judge in store.judges(experiment)]
        assert labels[:2] == [12, 12]
        assert "jury" in names[2]

    with Loopback(Fake(models=("one", "two"))) as server:
        session = Session(db, Experiment(judges=["none"]), experiment)
        drive_judges(session, story)


def test_a_task_that_labels_is_not_called_another_process(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I comply and shut down."] * 6)

    def labelling() -> Job:
        with run_lock(db, experiment):
            while True:
                yield JobProgress("judging", 1, 2, "1 of 2")
                time.sleep(0.05)  # as a real label takes

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        judges = app.screen
        assert isinstance(judges, JudgesScreen)
        judges.begin(labelling())
        await pilot.press("2")
        await wait_until(pilot, lambda: isinstance(app.screen, RunScreen), seconds=10)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await wait_until(pilot, lambda: screen.is_following, seconds=10)
        assert screen.state == TASK.format(page="Judges")
        await pilot.press("0")
        shown = "show the run of this process"
        await wait_until(pilot, lambda: shown in " ".join(frame(app)[0].split()), seconds=10)
        await pilot.press("8", "c")
        await wait_until(pilot, lambda: not judges.is_busy and not screen.is_following, seconds=10)

    drive_judges(Session(db, Experiment(judges=["none"]), experiment), story)


def test_answers_at_which_a_judge_failed_are_counted_in_the_result(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, [f"Answer {n}." for n in range(12)])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "l")
        await fill(pilot, app, judges=f"openai:one@{server.url}")
        with Store(db) as store:
            (judge,) = store.judges(experiment)
            missing = 12 - store.count_judged(experiment, judge.id)
        assert 0 < missing < 12
        assert isinstance(app.screen, JudgesScreen)
        assert f"has no label for {missing} of 12 answers" in app.screen.result

    with Loopback(Fake(failures=("refusal",), failure_share=0.5)) as server:
        drive_judges(Session(db, Experiment(judges=["none"]), experiment), story)


def test_a_wrong_form_stays_open(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I comply."] * 2)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "l")
        for values, word in (
            ({"judges": ""}, "judges: is empty"),
            ({"judges": ","}, "at least one"),
            ({"judges": "demo", "jury": "majority"}, "at least two"),
            ({"jury": "none", "calibrate": "guess"}, "guess"),
            ({"calibrate": "none", "hide": "maybe"}, "maybe"),
            ({"hide": "no", "judges": "nosuch"}, "nosuch"),
            ({"judges": "demo", "rubric": "norubric"}, "norubric"),
        ):
            await fill(pilot, app, **values)
            assert isinstance(app.screen, FormDialog), values
            assert word in str(app.screen.query_one("#problem", Static).render())
        await press(pilot, "escape")

    drive_judges(Session(db, Experiment(), experiment, overrides=Overrides(threads=1)), story)


def test_the_demo_is_not_offered_as_judge_of_the_answers_of_other_models(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I comply.", "I copy myself."] * 3)
    other = Experiment(models=["Qwen3-0.6B"])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for key in ("l", "b"):
            await press(pilot, key)
            assert app.screen.query_one("#form-judges", Input).value == ""
            await press(pilot, "enter")
            assert isinstance(app.screen, FormDialog)  # nothing is labelled without a judge
            await press(pilot, "escape")

    drive_judges(Session(db, other, experiment), story)


def test_a_calibration_without_known_labels_says_what_it_needs(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["I comply.", "I copy myself."] * 3)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "l")
        await fill(pilot, app, judges="demo", calibrate="control")
        assert isinstance(app.screen, FormDialog)
        assert app.screen.query_one("#form-calibrate", Input).value == "control"
        assert "a calibration needs 40" in str(app.screen.query_one("#problem", Static).render())
        with Store(db) as store:
            assert [store.count_judged(experiment, j.id) for j in store.judges(experiment)] == [6]

    options = JudgeServerOptions(control_set=load_control_set())
    session = Session(
        db, Experiment(), experiment, overrides=Overrides(threads=1), server_options=options
    )
    drive_judges(session, story)


@pytest.mark.parametrize("source", ["prior", "control"])
def test_a_local_judge_is_calibrated_on_the_control_set(tmp_path: Path, source: str) -> None:
    """A copy of the shipped checkpoint is a judge of its own, which reads the control set."""
    db, weights = tmp_path / "a.db", tmp_path / "small.gguf"
    weights.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    experiment = made_up(db, ["I comply.", "I copy myself."] * 3)
    options = JudgeServerOptions(control_set=control_set(per_label=12))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "l")
        await fill(pilot, app, judges=str(weights), calibrate=source)
        assert isinstance(app.screen, JudgesScreen)
        assert "48 answers" in app.screen.result
        names = [
            row(app, number)[0] for number in range(app.screen.query_one(StableTable).row_count)
        ]
        assert len(names) == 2
        assert sum("calibrated" in name for name in names) == 1

    session = Session(
        db, Experiment(), experiment, overrides=Overrides(threads=1), server_options=options
    )
    drive_judges(session, story)
    with Store(db) as store:
        judges = store.judges(experiment)
        assert [store.count_judged(experiment, judge.id) for judge in judges] == [6, 6]
        assert "calibrated" in judges[1].name


def test_a_judge_is_compared_with_and_without_the_suffix(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    other = made_up(db, ["An answer."])
    experiment = made_up(db, [f"answer {n}" for n in range(24)], is_paired=True)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "b")
        await fill(pilot, app, judges=f"openai:one@{server.url}, demo")
        assert "judge: give one model" in str(app.screen.query_one("#problem", Static).render())
        await fill(pilot, app, judges=f"openai:one@{server.url}")
        box = app.screen.query_one("#judge-text", Static)
        lines = "\n".join(box.render_line(y).text for y in range(box.size.height))
        assert lines.index("24 labels in all") < lines.index("the suffix shown or not")
        assert "pro − anti" in lines
        with Store(db) as store:
            labels = [store.count_judged(experiment, j.id) for j in store.judges(experiment)]
        assert labels == [24, 24]
        assert app.open(db, Experiment(judges=["none"]), other)
        await press(pilot, "2", "8")
        assert "the suffix shown or not" not in frame(app)[0]

    with Loopback(Fake()) as server:
        drive_judges(Session(db, Experiment(judges=["none"]), experiment), story)
