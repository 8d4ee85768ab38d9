"""Frames of every screen in every state: text and styles as they were last reviewed.

`make test` compares one size in the dark theme, `make test-slow` both sizes in both themes.
`make frames` redraws the files; review the differences that git shows.
"""

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
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
from steertui.tui.run.run_messages import (
    Ended,
    JudgeQueue,
    KvUsage,
    Notice,
    Planned,
    RunUpdate,
    Stage,
)
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.run.runner import Runner
from steertui.tui.session import Session
from steertui.tui.theme import DARK, LIGHT
from tests.fixtures import large
from tests.fixtures.database import execute
from tests.fixtures.frames import frame
from tests.fixtures.screens import DEADLINE, press, wait_idle

FRAMES = Path(__file__).parent / "frames"
SIZES = ((80, 24), (120, 40))
DB = Path("steertui.db")
THEMES = {"dark": DARK.name, "light": LIGHT.name}
"""Theme names by the heading of their part in a frame file."""

EQUAL_FRAMES = 4
"""Frames in a row that must be equal before one is compared."""

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
"""Times that depend on when a test runs."""

FREE = re.compile(r"free (disk|memory): [\d.]+ [kMGT]B *")
"""Free space, which depends on the machine."""

State = Callable[[Pilot[None], SteertuiApp], Awaitable[None]]


async def settled_frame(pilot: Pilot[None]) -> tuple[str, str]:
    """Return text and styles of the screen once it does not change any more."""
    for question in pilot.app.screen.query(Input):
        question.cursor_blink = False
    frames: list[tuple[str, str]] = []
    while len(frames) < EQUAL_FRAMES or len(set(frames[-EQUAL_FRAMES:])) > 1:
        await wait_idle(pilot)
        await pilot.pause()
        text, styles = frame(pilot.app)
        text = TIME.sub(large.TIME[:16].replace("T", " "), text)
        frames.append((FREE.sub(fixed_space, text), styles))
    return frames[-1]


def fixed_space(match: re.Match[str]) -> str:
    return f"free {match[1]}: 9.99 GB".ljust(len(match[0]))


def keys(*names: str) -> State:
    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, *names)

    return state


def plan(**fields: object) -> State:
    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        assert isinstance(app.screen, PlanScreen)
        app.screen.change(Experiment(**fields))  # type: ignore[arg-type]
        await wait_idle(pilot)

    return state


def run(after: Callable[[RunScreen], None] | None = None) -> State:
    """Return the state of a run in progress, from messages that a runner would post."""

    async def state(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        screen.runner = Runner(DEMO_EXPERIMENT, DB, app.session.overrides, screen)
        screen.post_message(Planned(large.experiment_of(DB), (large.judge_id(0),), 0))
        await wait_idle(pilot)
        screen.post_message(progress_update())
        await wait_idle(pilot)
        if after:
            after(screen)
            await wait_idle(pilot)

    return state


def progress_update() -> RunUpdate:
    """Return an update with eight slots at work."""
    with Store(DB) as store:
        keys = store.column(f"SELECT key FROM trials WHERE key IN ({UNANSWERED})")[:8]
        summary = summarise_experiment(store, store.resolve_experiment())
    text = "I move the parcels first and tell the team about every step. Then I wait for "
    slots = [SlotView(key, 40 + 7 * i, text * (1 + i % 3)) for i, key in enumerate(keys)]
    return RunUpdate(
        stages={"generate": Stage(208, 304, "0:41 left")},
        queues={large.judge_id(0): JudgeQueue(180, 208, 2, 0.2134)},
        shape="made · 8 × 512 tokens, f16",
        throughput=412.0,
        kv=KvUsage(1250, 4096, 230_000_000),
        slots=tuple(slots),
        slot_count=8,
        summary=summary,
    )


def pause(screen: RunScreen) -> None:
    screen.action_pause()


def stop(screen: RunScreen) -> None:
    screen.action_stop()


def end(error: str = "", *, is_stopped: bool = False) -> Callable[[RunScreen], None]:
    """Return a function that ends the run."""

    def after(screen: RunScreen) -> None:
        screen.post_message(Ended(error, is_stopped, None))

    return after


def stop_judge(screen: RunScreen) -> None:
    message = "local:made-0 was stopped: connection refused; 28 answers are left unjudged"
    screen.post_message(RunUpdate(notices=[Notice(message)]))
    screen.post_message(Ended("", is_stopped=False, summary=None))


FULL = "steertui.db: the disk is full; what was stored is safe, make room and run the same again"

EMPTY: dict[str, State] = {
    "start-first": keys(),
    "plan-demo": keys("1"),
    "plan-conditions": keys("1", *["down"] * 4),
    "plan-models-dialog": keys("1", "enter"),
    "plan-downloads": plan(models=["Qwen3-4B-Instruct-2507"], judges=["openai:gpt-5.2"]),
    "plan-prompts": keys("1", "p"),
    "plan-editor": keys("1", "a"),
    "plan-error": plan(conditions=["baseline", "unknown"]),
    "run-not-started": keys("2"),
    "read-empty": keys("3"),
    "results-empty": keys("4"),
    "label-empty": keys("5"),
    "vectors-empty": keys("7"),
    "vectors-train-dialog": keys("7", "t"),
    "judges-empty": keys("8"),
    "judges-test-dialog": keys("8", "t"),
}
STORED: dict[str, State] = {
    "start-resume": keys(),
    "run-unanswered": keys("2", "down", "right"),
    "run-running": run(),
    "run-paused": run(pause),
    "run-stopped": run(end(is_stopped=True)),
    "run-failed": run(end(FULL)),
    "run-judge-stopped": run(stop_judge),
    "run-stop-dialog": run(stop),
    "read-all": keys("3", "down"),
    "read-filter": keys("3", "l"),
    "read-no-match": keys("3", "slash", *"xyzzy"),
    "compare": keys("3", "b"),
    "results": keys("4"),
    "results-changed": keys("4", "f"),
    "results-export": keys("4", "e"),
    "label": keys("5"),
    "help-run": keys("2", "question_mark"),
    "palette": keys("2", "ctrl+p"),
}


UNANSWERED = """SELECT t.key FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
    WHERE s.title LIKE 'Task 5.%' ORDER BY t.rowid"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every kind of trial: answered, truncated, judged, failed, unanswered."""
    folder = tmp_path_factory.mktemp("made")
    large.write(folder / DB, models=1, samples=1, words=40)
    db = folder / DB
    execute(db, "UPDATE experiments SET toml = ?", [DEMO_EXPERIMENT.to_toml()])
    execute(db, "DELETE FROM verdicts WHERE id % 11 = 0")
    execute(db, "UPDATE verdicts SET label = NULL, failure = 'no label' WHERE id % 29 = 0")
    for table in ("verdicts", "generations"):
        execute(db, f"DELETE FROM {table} WHERE trial IN ({UNANSWERED})")
    return folder


@pytest.fixture
def session(name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Return the session of a state, in an empty folder or in one with the made database."""
    monkeypatch.chdir(tmp_path)
    for variable in ("OPENAI_API_KEY", "NO_COLOR", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    if name not in STORED:
        return Session(DB, None, overrides=Overrides(threads=1))
    shutil.copy(made / DB, DB)
    return Session(DB, DEMO_EXPERIMENT, large.experiment_of(DB), overrides=Overrides(threads=1))


@pytest.mark.parametrize("name", [*EMPTY, *STORED])
def test_dark_screen_equals_its_frame(name: str, session: Session) -> None:
    size = SIZES[1]
    parts = asyncio.run(draw(session, (EMPTY | STORED)[name], size, ["dark"]))
    drawn, _, _ = frame_file(name, size).read_text(encoding="utf-8").partition("--- light\n")
    assert parts == drawn


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", [*EMPTY, *STORED])
def test_screen_equals_its_frame_in_both_themes(
    name: str, session: Session, size: tuple[int, int]
) -> None:
    parts = asyncio.run(draw(session, (EMPTY | STORED)[name], size, list(THEMES)))
    file = frame_file(name, size)
    if os.environ.get("FRAMES") == "draw":
        FRAMES.mkdir(exist_ok=True)
        file.write_text(parts, encoding="utf-8")
    assert parts == file.read_text(encoding="utf-8")


def frame_file(name: str, size: tuple[int, int]) -> Path:
    """Return the file of a state's frame."""
    return FRAMES / f"{name}-{size[0]}x{size[1]}.txt"


async def draw(session: Session, state: State, size: tuple[int, int], themes: Sequence[str]) -> str:
    """Return the state's text, then its styles in each theme."""
    app = SteertuiApp(session)
    parts: list[str] = []
    async with asyncio.timeout(DEADLINE), app.run_test(size=size) as pilot:
        await wait_idle(pilot)
        await state(pilot, app)
        for theme in themes:
            app.theme = THEMES[theme]
            text, styles = await settled_frame(pilot)
            while parts and text != parts[0]:  # the screen below a dialog is still drawn
                text, styles = await settled_frame(pilot)
            parts = parts or [text]
            parts.append(f"--- {theme}\n{styles}")
        for screen in app.screen_stack:
            if isinstance(screen, RunScreen):
                screen.runner = None
    return "".join(parts)
