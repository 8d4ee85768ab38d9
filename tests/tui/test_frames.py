"""Every screen in every state, at two sizes, dark and light: as it was when somebody looked at it.

`make frames` draws them anew; then look at what git says has changed.
"""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import DEMO_EXPERIMENT, Experiment
from steertui.engine.events import SlotView
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.run.run_messages import Ended, Kv, Notice, Planned, Queue, Stage, Ticked
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.run.runner import Runner
from steertui.tui.session import Session
from tests.fixtures import large
from tests.fixtures.frames import frame

FRAMES = Path(__file__).parent / "frames"
SIZES = ((80, 24), (120, 40))
DB = Path("steertui.db")

pytestmark = pytest.mark.slow

State = Callable[[Pilot[None], SteertuiApp], Awaitable[None]]


async def rest(pilot: Pilot[None]) -> None:
    """Wait until no worker is at work but those that wait for an answer to a question."""
    calm = 0
    while calm < 4:
        await pilot.pause(0.01)
        busy = [w for w in pilot.app.workers if w.is_running and w.group != "default"]
        calm = 0 if busy else calm + 1


async def settled(pilot: Pilot[None]) -> tuple[str, str]:
    """Return the screen as it stands once it has not changed for a moment."""
    for question in pilot.app.screen.query(Input):
        question.cursor_blink = False
    seen: list[tuple[str, str]] = []
    while len(seen) < 4 or len(set(seen[-4:])) > 1:
        await rest(pilot)
        seen.append(frame(pilot.app))
    return seen[-1]


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await rest(pilot)


def keys(*names: str) -> State:
    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, *names)

    return state


def plan(**fields: object) -> State:
    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        assert isinstance(app.screen, PlanScreen)
        app.screen.change(Experiment(**fields))  # type: ignore[arg-type]
        await rest(pilot)

    return state


def run(after: Callable[[RunScreen], None] | None = None) -> State:
    """A run at work: what its thread would tell, told by hand."""

    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        session = app.session
        screen.runner = Runner(DEMO_EXPERIMENT, DB, session.wish, screen)
        screen.post_message(Planned("large", "local:made-0/x", False))
        await rest(pilot)
        with Store(DB) as store:
            waiting = store.column("SELECT key FROM trials WHERE key LIKE '0|s5.%'")[:8]
            summary = summarise_experiment(store, "large")
        told = "I move the parcels first and tell the team about every step. Then I wait for "
        slots = tuple(SlotView(k, 40 + 7 * i, told * (1 + i % 3)) for i, k in enumerate(waiting))
        screen.post_message(Ticked(
            stages={"generate": Stage(208, 304, "0:41 left")},
            queues={"judge-0": Queue(180, 208, 2, 0.2134)}, shape="made · 8 × 512 tokens, f16",
            speed=412.0, kv=Kv(1250, 4096, 230_000_000), slots=slots, room=8, summary=summary,
        ))  # fmt: skip
        await rest(pilot)
        if after:
            after(screen)
            await rest(pilot)

    return state


def paused(screen: RunScreen) -> None:
    screen.action_pause()


def stop(screen: RunScreen) -> None:
    screen.action_stop()


def ended(trouble: str = "", *, stopped: bool = False) -> Callable[[RunScreen], None]:
    def after(screen: RunScreen) -> None:
        screen.post_message(Ended(trouble, stopped, None))

    return after


def judge_stopped(screen: RunScreen) -> None:
    told = "judge-0 was stopped: connection refused; 28 answers are left unjudged"
    screen.post_message(Ticked(notices=[Notice(told)]))
    screen.post_message(Ended("", False, None))


FULL = "steertui.db: the disk is full; what was stored is safe, make room and run the same again"

EMPTY: dict[str, State] = {
    "start-first": keys(),
    "plan-demo": keys("1"),
    "plan-conditions": keys("1", *["down"] * 4),
    "plan-pick": keys("1", "enter"),
    "plan-to-fetch": plan(models=["Qwen3-4B-Instruct-2507"], judges=["openai:gpt-5.2"]),
    "plan-trouble": plan(conditions=["baseline", "nobody"]),
    "run-nothing": keys("2"),
    "read-nothing": keys("3"),
    "results-nothing": keys("4"),
    "label-nothing": keys("5"),
}
STORED: dict[str, State] = {
    "start-go-on": keys(),
    "run-left": keys("2", "down", "right"),
    "run-running": run(),
    "run-paused": run(paused),
    "run-stopped": run(ended(stopped=True)),
    "run-failed": run(ended(FULL)),
    "run-judge-stopped": run(judge_stopped),
    "run-stop-asked": run(stop),
    "read-all": keys("3", "down"),
    "read-filter": keys("3", "l"),
    "read-no-match": keys("3", "slash", *"xyzzy"),
    "beside": keys("3", "g"),
    "results": keys("4"),
    "results-moved": keys("4", "f"),
    "results-export": keys("4", "e"),
    "label": keys("5"),
    "help-run": keys("2", "question_mark"),
    "palette": keys("2", "ctrl+p"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every kind of trial: answered, cut, judged, failed, waiting."""
    folder = tmp_path_factory.mktemp("made")
    large.write(folder / DB, models=1, samples=1, words=40)
    with Store(folder / DB) as store, store._writing() as db:
        db.execute("UPDATE experiments SET toml = ?", [DEMO_EXPERIMENT.to_toml()])
        db.execute("DELETE FROM verdicts WHERE id % 11 = 0")
        db.execute("UPDATE verdicts SET label = NULL, failure = 'no label' WHERE id % 29 = 0")
        db.execute("DELETE FROM verdicts WHERE trial LIKE '%s5.%'")
        db.execute("DELETE FROM generations WHERE trial LIKE '%s5.%'")
    return folder


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", [*EMPTY, *STORED])
def test_a_screen_looks_as_it_did(
    name: str, size: tuple[int, int], made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("OPENAI_API_KEY", "NO_COLOR", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    session = Session(DB, None, wish=Overrides(threads=1))
    if name in STORED:
        shutil.copy(made / DB, DB)
        session = Session(DB, DEMO_EXPERIMENT, "large", wish=Overrides(threads=1))
    drawn = asyncio.run(draw(session, (EMPTY | STORED)[name], size))
    file = FRAMES / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("FRAMES") == "draw":
        FRAMES.mkdir(exist_ok=True)
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


async def draw(session: Session, state: State, size: tuple[int, int]) -> str:
    """Return the state's text, and how it is drawn in the dark and in the light."""
    app = SteertuiApp(session)
    async with app.run_test(size=size) as pilot:
        await rest(pilot)
        await state(pilot, app)
        text, dark = await settled(pilot)
        app.theme = "steertui-light"
        await rest(pilot)
        again, light = await settled(pilot)
        assert again.splitlines() == text.splitlines()
        for screen in app.screen_stack:
            if isinstance(screen, RunScreen):
                screen.runner = None
    return f"{text}--- dark\n{dark}--- light\n{light}"
