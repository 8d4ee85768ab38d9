"""The Run screen: labels of judges and of persons, and those that are pending."""

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from steertui.core.experiment import Experiment
from steertui.core.model import STAND_IN_TITLE
from steertui.core.verdict import Label, Verdict
from steertui.planning.judges import DEFAULT_OPTIONS, find_judges
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import DONE, RunScreen
from tests.fixtures.database import execute, select
from tests.fixtures.frames import frame
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.run_screens import drive_stored, run_screen
from tests.fixtures.screens import press
from tests.fixtures.stored_answers import made_up


def test_labels_of_a_person_are_no_work_of_a_plan_without_a_judge(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    plan = Experiment(judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [plan])
    label_by_hand(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).state == DONE
        line = str(run_screen(app).query_one("#activity", Static).render())
        assert "1 label" in line.split(" · ")
        assert "3 unjudged" in line

    drive_stored(db, story)


def test_labels_of_a_planned_judge_are_shown_before_those_of_a_person(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment().to_toml()])
    label_by_hand(db)
    with Store(db) as store:
        store.add_judge("local:x", "x", {"kind": "a local model", "title": ""})
        scripted = {"kind": "a local model", "title": STAND_IN_TITLE}
        store.add_judge("local:scripted", "scripted", scripted)
        for (key,) in select(db, "SELECT trial FROM generations LIMIT 2"):
            store.add_verdict(str(key), Verdict("local:x", Label.CONVERGENCE))
            store.add_verdict(str(key), Verdict("local:scripted", Label.CONVERGENCE))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).run.judge == "local:x"
        assert "demo: not evidence" in frame(app)[0]  # rates of one judge of three are the demo's
        assert run_screen(app).state == "4 labels pending: r judges the answers"  # by the demo
        line = str(run_screen(app).query_one("#activity", Static).render())
        assert line.strip().startswith("4 answers · 5 labels · 4 labels pending")  # 2, 2 and 1

    drive_stored(db, story)


def test_labels_given_on_another_screen_are_shown_at_once(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    plan = Experiment(judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [plan])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).run.grid.labelled == 0
        await press(pilot, "5", "c", "n", "2")
        assert run_screen(app).run.grid.labelled == 2
        await press(pilot, "5", "u", "2")
        assert run_screen(app).run.grid.labelled == 1

    drive_stored(db, story)


def label_by_hand(db: Path) -> None:
    """Store the label of a person for the first answer."""
    ((key,),) = select(db, "SELECT trial FROM generations LIMIT 1")
    with Store(db) as store:
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        store.add_verdict(str(key), Verdict("human:ada", Label.CONVERGENCE))


def test_labels_pending_are_those_of_all_planned_judges(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    with Loopback(Fake(models=("one", "two"))) as server:
        names = [f"openai:{name}@{server.url}" for name in ("one", "two")]
        execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment(judges=names).to_toml()])
        (first, _) = find_judges(names, "steertui", hide_suffix=False, options=DEFAULT_OPTIONS)
        with Store(db) as store:
            store.add_judge(first.id, first.name, {**first.settings, "title": ""})
            for (key,) in select(db, "SELECT trial FROM generations LIMIT 3"):
                store.add_verdict(str(key), Verdict(first.id, Label.CONVERGENCE))

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "2")
            assert run_screen(app).run.judge == first.id
            assert run_screen(app).state == "5 labels pending: r judges the answers"
            line = str(run_screen(app).query_one("#activity", Static).render())
            assert "5 labels pending" in line
            await press(pilot, "0")
            assert "5 labels pending" in frame(app)[0]
            assert "c   resume: 5 labels are pending in" in frame(app)[0]
            await press(pilot, "c")  # asks about the hosts first
            assert isinstance(app.screen_stack[-2], RunScreen)
            await press(pilot, "escape")

        drive_stored(db, story)
