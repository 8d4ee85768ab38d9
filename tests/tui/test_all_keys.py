"""Keys: each binding of the screens is enabled in some state, and its key runs its action there."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.widgets import Input

from steertui import tui
from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session, open_session
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.stable_table import StableTable
from tests.fixtures import large
from tests.fixtures.database import execute
from tests.fixtures.dialogs import DIALOGS
from tests.fixtures.hub_server import HubServer
from tests.fixtures.program import call
from tests.fixtures.recording_app import SCREENS, Recording
from tests.fixtures.rehashing import rehash
from tests.fixtures.screens import Story, drive, press, wait_idle, wait_until


def declared() -> set[str]:
    """Return the ids of all bindings that are declared in the screens' package."""
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        importlib.import_module(module.name)
    classes = [c for c in subclasses(DOMNode) if c.__module__.startswith(tui.__name__)]
    bindings = [b for c in classes for b in vars(c).get("BINDINGS", ()) if isinstance(b, Binding)]
    return {binding.id for binding in bindings if binding.id}


def subclasses(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


IN_A_TERMINAL = {"app.interrupt", "app.suspend"}
"""Bindings that need a real terminal: tests/tui/test_terminal.py presses their keys."""

REPO, FILE = "maker/Small-GGUF", "Small-Q4_K_M.gguf"
"""Weights on the hub."""

BATCH = "5 b tab 2 enter"
"""Keys that begin a batch of two answers on Label."""

STORED = (
    *SCREENS.values(),
    "1 tab",
    "1 p n m",
    "3 j j b n",
    "3 slash a",
    "3 slash a enter",
    "5 c",
    f"{BATCH} c r",
    f"{BATCH} c r enter",
)
"""Keys that lead to states of the screens with stored answers."""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return a database of two models, samples and judges, whose answers have a reasoning."""
    path = tmp_path / "a.db"
    large.write(path, models=2, samples=2, judges=2, words=4)
    execute(path, "UPDATE generations SET reasoning = 'Because.'")
    rehash(path)
    return path


async def press_all(pilot: Pilot[None], app: Recording) -> set[str]:
    """Press the keys of all enabled bindings, none of which acts; return their ids."""
    app.runs_actions = False
    bindings = [active.binding for active in app.screen.active_bindings.values()]
    pressed = {binding.id or "" for binding in bindings if await runs(pilot, app, binding)}
    app.runs_actions = True
    return pressed


async def runs(pilot: Pilot[None], app: Recording, binding: Binding) -> bool:
    """Press the key of a binding if it is enabled; return False if it is not.

    A run that goes on meanwhile may disable it.
    """
    if not binding.id or binding.id not in enabled(app):
        return False
    app.actions.clear()
    await pilot.press(binding.key)
    await wait_until(pilot, lambda: binding.action in app.actions or binding.id not in enabled(app))
    return binding.action in app.actions


def drive_and_press(
    session: Session, way: Story | None, size: tuple[int, int] = (120, 40), first: str = "start"
) -> set[str]:
    """Go the way, and press all keys at its end; return the ids of their bindings."""
    pressed: set[str] = set()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert isinstance(app, Recording)
        if way:
            await way(pilot, app)
        pressed.update(await press_all(pilot, app))

    drive(session, story, size, first=first, app_class=Recording)
    return pressed


def keys(text: str) -> Story:
    async def way(pilot: Pilot[None], _: SteertuiApp) -> None:
        await wait_idle(pilot)
        await press(pilot, *text.split())

    return way


def until_enabled(text: str, binding: str) -> Story:
    """Press keys without a wait for workers, until a binding is enabled."""

    async def way(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press(*text.split())
        await wait_until(pilot, lambda: binding in enabled(app))

    return way


def enabled(app: SteertuiApp) -> set[str]:
    bindings = app.screen.active_bindings.values()
    return {active.binding.id or "" for active in bindings if active.enabled}


def opened(kind: str, folder: Path) -> Story:
    async def way(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(DIALOGS[kind][0](folder))
        await wait_idle(pilot)

    return way


async def nothing_ticked(pilot: Pilot[None], app: SteertuiApp) -> None:
    app.push_screen(ChooseMany("Which?", [("a", "A"), ("b", "B")], []))
    await wait_idle(pilot)


async def downloaded(pilot: Pilot[None], app: SteertuiApp) -> None:
    """Download weights on Models, and move the cursor to them."""
    await press(pilot, "6", "a")
    app.screen.query_one(Input).value = f"{REPO}:Q4_K_M"
    await press(pilot, "enter", "g")
    table = app.screen.query_one(StableTable)
    while "models.verify" not in enabled(app) and table.cursor_row < table.row_count - 1:
        await press(pilot, "j")


async def train(pilot: Pilot[None], app: SteertuiApp) -> None:
    """Begin to train a vector on many scenarios."""
    rows = [f"s{i},Water the garden of the school. {'Think twice. ' * 40}" for i in range(400)]
    Path("many.csv").write_text("\n".join(["id,task", *rows]), encoding="utf-8")
    await press(pilot, "7", "t")
    for name, value in {"name": "b", "scenarios": "many.csv", "limit": "0"}.items():
        app.screen.query_one(f"#form-{name}", Input).value = value
    await until_enabled("enter", "job.cancel")(pilot, app)


def demo_session(folder: Path, *others: str) -> Session:
    experiment = Experiment(models=["demo", *others])
    return Session(folder / "run.db", experiment, overrides=Overrides(threads=1))


def pressed_in_a_run(folder: Path) -> set[str]:
    """Press the keys of a run, of a paused one, of a stopped one, and of the next start."""

    ways = {"1": "plan.show", "j": "run.follow", "p": "run.resume", "s enter": "run.start"}
    pressed: set[str] = set()
    for key, shown in ways.items():

        async def way(pilot: Pilot[None], app: SteertuiApp) -> None:
            await until_enabled("", "run.pause")(pilot, app)
            await until_enabled(key, shown)(pilot, app)  # noqa: B023

        pressed |= drive_and_press(demo_session(folder), way, (80, 24), "running")
    stopped = open_session(None, folder / "run.db", Overrides(threads=1))
    return pressed | drive_and_press(stopped, until_enabled("0", "start.resume"))


@pytest.mark.slow
def test_every_binding_is_enabled_somewhere_and_runs_its_action(
    db: Path, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pressed = drive_and_press(Session(tmp_path / "new.db"), None)
    for text in STORED:
        pressed |= drive_and_press(open_session(None, db, Overrides(threads=1)), keys(text))
    for kind in DIALOGS:
        pressed |= drive_and_press(Session(tmp_path / "new.db"), opened(kind, tmp_path))
    pressed |= drive_and_press(Session(tmp_path / "new.db"), nothing_ticked)
    assert call("vector", "train", "a", "--model", "demo", "--limit", "6", cwd=tmp_path)[0] == 0
    pressed |= drive_and_press(Session(tmp_path / "new.db"), keys("7"))
    hub.add(REPO, FILE, demo_path())
    pressed |= drive_and_press(Session(tmp_path / "new.db"), downloaded)
    pressed |= drive_and_press(demo_session(tmp_path), train)
    pressed |= drive_and_press(demo_session(tmp_path, "no.gguf"), keys("1 p"))
    pressed |= pressed_in_a_run(tmp_path)
    assert declared() - pressed == IN_A_TERMINAL
