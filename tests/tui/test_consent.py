"""Consent on the screens: a stored experiment is confirmed once before it contacts a host."""

from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from steertui.analysis.label_queue import add_label, build_queue
from steertui.core.experiment import Experiment
from steertui.core.verdict import Label
from steertui.engine.sizing import Overrides
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.origin import TYPED
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.run_screen import ENTER_FILES, STOPPED, RunScreen
from steertui.tui.run.runner import COSTS
from steertui.tui.session import Session, open_session
from steertui.tui.widgets.prompts import Confirm
from tests.fixtures.database import execute
from tests.fixtures.frames import frame
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.recorder import Recorder
from tests.fixtures.run_screens import run_screen
from tests.fixtures.screens import Story, drive, press, wait_for_question, wait_until
from tests.fixtures.stored_answers import made_up

UNANSWERED = "3 trials unanswered: r runs them"

OWN_CONDITIONS = """format = 1
[[condition]]
name = "baseline"
[[condition]]
name = "mine"
suffix = "My own suffix."
"""

OWN_EXPERIMENT = Experiment(
    conditions=["baseline", "mine"], judges=["none"], limit=2, max_tokens=16
)


def count_answers(db: Path) -> int:
    with Store(db, must_exist=True) as store:
        return int(store.column("SELECT count(*) FROM generations")[0])


def store_received(db: Path, experiment: Experiment) -> None:
    """Write a database whose newest experiment is `experiment`, with answers missing."""
    made_up(db, ["an answer"] * 4)
    execute(db, "UPDATE experiment_plans SET toml = ?", [experiment.to_toml()])
    execute(db, "DELETE FROM generations WHERE id > 1")


def drive_newest(db: Path, story: Story) -> None:
    """Open the database's newest experiment and run the story."""
    drive(open_session(None, db, Overrides(threads=1)), story)


def server_experiment(url: str) -> Experiment:
    return Experiment(models=[f"server:one@{url}"], judges=["none"], limit=2, max_tokens=16)


async def decline_on_plan(pilot: Pilot[None], app: SteertuiApp) -> None:
    """Decline to run the open experiment, then a changed plan of it, which is kept."""
    run, stored = app.screen, app.session.id
    assert isinstance(run, RunScreen)
    for limit in (2, 1):
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        changed = replace(plan.experiment, limit=limit)
        plan.change(changed, plan.origin)
        await press(pilot, "r")
        assert "Run it?" in await wait_for_question(pilot)
        await press(pilot, "escape")
        assert (app.screen, app.session.id, run.state) == (run, stored, UNANSWERED)
        assert run.query_one(Matrix).selected_key()
        assert app.session.plan.experiment == changed


def test_received_experiment_is_confirmed_once(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Recorder() as server:
        store_received(db, server_experiment(server.url))

        async def decline(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "1", "0", "c")
            assert isinstance(app.screen, Confirm)
            shown = "\n".join(str(s.render()) for s in app.screen.query(Static))
            assert f"contacts {server.url} (model one)" in shown
            await press(pilot, "escape", "r", "escape")
            assert isinstance(app.screen, RunScreen)
            assert not app.screen.is_at_work
            await decline_on_plan(pilot, app)

        async def agree(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "c", "enter")
            assert isinstance(app.screen, RunScreen)

        async def resume(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "c")
            assert isinstance(app.screen, RunScreen)

        drive_newest(db, decline)
        assert not server.received
        drive_newest(db, agree)
        assert server.received
        execute(db, "DELETE FROM generations")
        before = len(server.received)
        drive_newest(db, resume)
        assert len(server.received) > before


def test_typed_experiment_is_resumed_without_confirmation(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def run_typed(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.session.open(db, server_experiment(server.url), origin=app.session.origin)
        await app.start()
        await press(pilot, "2")

    async def resume(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.session.origin.is_database
        await press(pilot, "2", "r")
        assert isinstance(app.screen, RunScreen)

    with Recorder() as server:
        drive_newest(db, run_typed)
        assert server.received
        execute(db, "DELETE FROM generations")
        before = len(server.received)
        drive_newest(db, resume)
        assert len(server.received) > before


def test_file_named_by_a_database_is_not_read(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Recorder() as server:
        experiment = Experiment(
            models=[f"server:one@{server.url}"],
            judges=["none"],
            limit=2,
            template="/proc/self/environ",
        )
        store_received(db, experiment)

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "2")
            assert isinstance(app.screen, RunScreen)
            assert app.screen.state == f"3 trials unanswered: {ENTER_FILES}"
            await press(pilot, "0", "c")
            assert isinstance(app.screen, RunScreen)
            assert not app.screen.is_at_work
            notices = [notice.text for notice in app.screen.run.notices]
            assert any("reads no file because a database names it" in n for n in notices), notices
            await press(pilot, "1")
            assert isinstance(app.screen, PlanScreen)
            assert app.screen.estimate
            assert "reads no file" in app.screen.estimate.error
            await press(pilot, "r")
            assert isinstance(app.screen, PlanScreen)

        drive_newest(db, story)
    assert not server.received


def test_own_conditions_file_is_read_again_on_resuming(tmp_path: Path) -> None:
    """A run of the user's own conditions resumes; a changed file is asked about."""
    db, file = tmp_path / "a.db", tmp_path / "own.toml"
    file.write_text(OWN_CONDITIONS, encoding="utf-8")
    own = replace(OWN_EXPERIMENT, conditions_file=str(file))

    async def run_typed(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.session.open(db, own, origin=TYPED)
        await app.start()
        await press(pilot, "2")

    async def resume(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "0", "c")
        assert isinstance(app.screen, RunScreen)
        await wait_until(pilot, lambda: count_answers(db) == 4)

    async def ask(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2", "r")
        assert isinstance(app.screen, Confirm)
        shown = "\n".join(str(s.render()) for s in app.screen.query(Static))
        assert f"reads {file}, which has changed since you agreed to it" in shown
        await press(pilot, "escape", "1")
        estimate = str(app.screen.query_one("#estimate", Static).render())
        assert "unknown until you agree to run this experiment" in " ".join(estimate.split())
        assert "r asks whether to run this experiment" in estimate

    drive_newest(db, run_typed)
    assert count_answers(db) == 4
    execute(db, "DELETE FROM generations WHERE id > 1")
    drive_newest(db, resume)
    execute(db, "DELETE FROM generations WHERE id > 1")
    file.write_text(OWN_CONDITIONS.replace("My own", "Another"), encoding="utf-8")
    drive_newest(db, ask)
    assert count_answers(db) == 1


def test_cost_of_a_paid_judge_is_confirmed_before_the_run(tmp_path: Path) -> None:
    fake = Fake()

    async def decline(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        await pilot.press("r")
        question = await wait_for_question(pilot)
        assert question.startswith(COSTS)
        assert "12 labels pending, about $" in question
        await press(pilot, "escape")
        await wait_until(pilot, lambda: not run_screen(app).is_at_work)
        assert run_screen(app).state == STOPPED

    async def agree(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        await pilot.press("r")
        await wait_for_question(pilot)
        await press(pilot, "enter")

    with Loopback(fake) as server:
        experiment = Experiment(judges=[f"openai:one@{server.url}"], limit=4, max_tokens=8)
        options = JudgeServerOptions(price="2,8")
        db = tmp_path / "a.db"
        drive(Session(db, experiment, server_options=options), decline)
        asked_before = len(fake.bodies)
        with Store(db) as store:
            assert store.experiments() == []  # a declined plan is not the newest experiment
        drive(Session(db, experiment, server_options=options), agree)
    assert len(fake.bodies) > asked_before


def test_labels_by_hand_are_none_of_the_judge_of_a_received_experiment(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = Experiment(
        models=["model.gguf"], scenarios=["scenarios.csv"], judges=["local:judge.gguf"]
    )
    id = made_up(db, ["an answer"] * 4)
    execute(db, "UPDATE experiment_plans SET toml = ?", [experiment.to_toml()])
    with Store(db) as store:
        (item, *_) = build_queue(store, id, "human:ada")
        add_label(store, "human:ada", item, Label.NONSENSICAL)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.state == f"4 labels pending: {ENTER_FILES}"
        await press(pilot, "0")
        assert "4 labels pending" in frame(app)[0]

    drive_newest(db, story)
