"""A run from the screen downloads missing weights first and shows the progress."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.planning.reach import LARGE_DOWNLOAD
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import FAILED, RunScreen
from steertui.tui.session import Session
from tests.fixtures.hub_server import Fault, HubServer
from tests.fixtures.screens import drive, press, wait_for_question, wait_idle

REPO, FILE = "maker/Small-GGUF", "Small-Q4_K_M.gguf"


def run_from_screen(db: Path) -> str:
    """Run an experiment with a model of the hub; return the Run screen's final state."""
    state = ""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        nonlocal state
        await wait_idle(pilot)
        screen = next(s for s in app.screen_stack if isinstance(s, RunScreen))
        state = screen.state

    experiment = Experiment(models=[f"{REPO}:Q4_K_M"], limit=2, max_tokens=8)
    drive(Session(db, experiment, overrides=Overrides(threads=1)), story, first="running")
    return state


def test_run_downloads_missing_weights_first(hub: HubServer, tmp_path: Path) -> None:
    hub.add(REPO, FILE, demo_path())
    hub.faults.append(Fault(cut=1000))
    run_from_screen(tmp_path / "a.db")
    assert hub.sent == demo_path().stat().st_size
    with Store(tmp_path / "a.db") as store:
        (experiment,) = store.experiments()
        assert len(store.answered_keys(experiment.id)) == 6


def test_failed_download_is_reported_on_the_screen(hub: HubServer, tmp_path: Path) -> None:
    assert run_from_screen(tmp_path / "a.db") == FAILED
    assert hub.sent == 0


@contextmanager
def large_file(hub: HubServer, folder: Path) -> Iterator[None]:
    """Let the hub list a file that is larger than what is downloaded without a question."""
    sparse = folder / "large.gguf"
    with sparse.open("wb") as file:
        file.truncate(LARGE_DOWNLOAD + 1)
    hub.add(REPO, FILE, sparse)
    yield
    assert hub.gets() == 0


def test_large_download_of_a_run_is_confirmed(hub: HubServer, tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        await pilot.press("r")
        assert (await wait_for_question(pilot)).startswith("Download 1.00 GB?")
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen)
        assert not app.screen.is_at_work

    with large_file(hub, tmp_path):
        experiment = Experiment(models=[f"{REPO}:Q4_K_M"], limit=2, max_tokens=8)
        drive(Session(tmp_path / "a.db", experiment), story)


def test_large_download_of_another_repository_is_confirmed(hub: HubServer, tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6", "a")
        app.screen.query_one(Input).value = f"{REPO}:Q4_K_M"
        await pilot.press("enter")
        assert (await wait_for_question(pilot)).startswith("Download 1.00 GB?")
        await press(pilot, "escape")

    with large_file(hub, tmp_path):
        drive(Session(tmp_path / "a.db"), story)


def test_app_ends_while_a_run_waits_for_an_answer(hub: HubServer, tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        await pilot.press("r")
        assert await wait_for_question(pilot)

    with large_file(hub, tmp_path):
        experiment = Experiment(models=[f"{REPO}:Q4_K_M"], limit=2, max_tokens=8)
        drive(Session(tmp_path / "a.db", experiment), story)
