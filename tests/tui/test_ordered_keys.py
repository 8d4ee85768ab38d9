"""Keys that are typed at once: each acts on the screen to which the keys before it lead."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from steertui.core.experiment import DEMO_EXPERIMENT, Experiment
from steertui.engine.sizing import Overrides
from steertui.paths import DEMO_DB
from steertui.store import Store
from steertui.tui import app as app_module
from steertui.tui.app import SteertuiApp
from steertui.tui.open_dialog import OpenDialog
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.read.compare_screen import CompareScreen
from steertui.tui.recent import RecentExperiment
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session, open_session
from steertui.tui.start_screen import StartScreen
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.prompts import TextPrompt
from tests.fixtures import large
from tests.fixtures.screens import (
    Story,
    drive,
    press,
    type_at_once,
    wait_for_question,
    wait_idle,
    wait_until,
)

T = TypeVar("T")


class SlowList(SteertuiApp):
    """App whose list of experiments is read only when a test allows it."""

    CSS_PATH = str(Path(app_module.__file__).with_name("steertui.tcss"))

    def __init__(self, session: Session, first: str = "start") -> None:
        super().__init__(session, first)
        self.may_list = asyncio.Event()

    async def recent_experiments(self) -> list[RecentExperiment]:
        """Return the experiments, when the test allows it."""
        await self.may_list.wait()
        return await super().recent_experiments()


class SlowSession(Session):
    """Session whose queries take a tenth of a second longer."""

    async def with_store(self, function: Callable[[Store], T]) -> T:
        """Return the function's result."""
        await asyncio.sleep(0.1)
        return await super().with_store(function)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ordered") / "a.db"
    large.write(path, models=2, samples=1, words=4)
    return path


def drive_stored(db: Path, story: Story, app_class: type[SteertuiApp] = SteertuiApp) -> None:
    drive(open_session(None, db, Overrides(threads=1)), story, app_class=app_class)


def test_text_typed_with_the_key_that_opens_a_dialog_is_in_its_line(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "1 w q 2 a")
        await wait_idle(pilot)
        assert isinstance(app.screen, TextPrompt)
        assert app.screen.query_one(Input).value == "q2a"
        type_at_once(app, "escape g j enter tab q m")
        await wait_idle(pilot)
        assert isinstance(app.screen, ChooseMany)
        assert app.screen.query_one(Input).value == "qm"
        type_at_once(app, "enter 2 1 w x")
        await wait_until(pilot, lambda: isinstance(app.screen, TextPrompt))
        await wait_idle(pilot)
        assert app.screen.query_one(Input).value == "x"
        plan = app.screen_stack[0]
        assert isinstance(plan, PlanScreen)
        assert "qm" in plan.experiment.models

    drive(Session(tmp_path / "a.db"), story)


def test_text_typed_while_a_dialog_reads_its_choices_waits_for_it(
    tmp_path: Path,
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, SlowList)
        type_at_once(app, "1 ctrl+o q 1 . d b")
        await pilot.pause()
        app.may_list.set()
        await wait_until(pilot, lambda: isinstance(app.screen, OpenDialog))
        await wait_idle(pilot)
        assert app.screen.query_one(Input).value == "q1.db"

    drive(Session(tmp_path / "a.db"), story, app_class=SlowList)


def test_ctrl_c_leaves_while_keys_wait(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "ctrl+o a ctrl+c")
        await wait_until(pilot, lambda: not app.is_running, seconds=10)

    drive(Session(tmp_path / "a.db"), story, app_class=SlowList)


class Impatient(SlowList):
    """App that holds no key for long."""

    HOLD_LIMIT = 0.05


def test_a_key_acts_after_a_time_though_the_dialog_before_it_never_opens(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "ctrl+o 1")
        await wait_until(pilot, lambda: isinstance(app.screen, PlanScreen), seconds=10)

    drive(Session(tmp_path / "a.db"), story, app_class=Impatient)


def test_keys_of_dialogs_in_a_row_go_to_each(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "3 e enter 1 2")
        await wait_idle(pilot)
        assert isinstance(app.screen, TextPrompt)
        assert app.screen.query_one(Input).value == "12"

    drive_stored(db, story)


@pytest.mark.parametrize(
    ("digit", "key", "shown"),
    [("4", "r", ReportScreen), ("2", "b", CompareScreen)],
)
def test_a_key_typed_with_the_digit_of_its_screen_acts_there(
    db: Path, digit: str, key: str, shown: type
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, f"{digit} {key}")
        await wait_idle(pilot)
        assert isinstance(app.screen, shown)

    drive_stored(db, story)


def test_a_key_typed_with_3_acts_on_the_first_trial_though_queries_are_slow(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        type_at_once(app, "3 b")
        await wait_idle(pilot)
        assert isinstance(app.screen, CompareScreen)

    opened = open_session(None, db, Overrides(threads=1))
    drive(SlowSession(opened.db, opened.experiment, opened.id, opened.overrides), story)


def test_enter_before_the_list_of_experiments_is_read_opens_the_first(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, SlowList)
        assert isinstance(app.screen, StartScreen)
        assert "enter" not in app.screen.active_bindings
        type_at_once(app, "enter")
        await pilot.pause()
        app.may_list.set()
        await wait_until(pilot, lambda: isinstance(app.screen, RunScreen | ResultsScreen))
        assert app.session.db == db

    drive_stored(db, story, SlowList)


def test_a_plan_is_kept_while_another_experiment_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        changed = Experiment(models=["my-model.gguf"], seed=7)
        plan.change(changed)
        app.open(DEMO_DB, DEMO_EXPERIMENT)
        await press(pilot, "0", "1")
        assert plan.experiment == DEMO_EXPERIMENT
        await press(pilot, "ctrl+o")
        type_at_once(app, "s t e e r t u i . d b enter enter")
        await wait_idle(pilot)
        assert isinstance(app.screen, PlanScreen)
        assert plan.experiment == changed
        for key in ("q", "ctrl+q"):
            await press(pilot, key, "ctrl+q")  # the second key asks no second question
            question = await wait_for_question(pilot)
            assert "the changed plan of steertui.db. Quit and lose it?" in question
            await press(pilot, "escape")
            assert isinstance(app.screen, PlanScreen)
        await press(pilot, "w", "enter")
        await wait_until(pilot, lambda: not app.session.unsaved)
        assert app.session.draft  # saved in a file, which quitting does not lose

    drive(Session(Path("steertui.db")), story)
