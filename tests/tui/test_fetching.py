"""A run from the screen fetches missing weights after one question, and shows the progress."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.planning.reach import LARGE_DOWNLOAD
from steertui.planning.supply import SILENT
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.run.fetching import VERIFICATION, supply_in_stages
from steertui.tui.run.run_screen import FAILED, RunScreen
from steertui.tui.session import Session
from tests.fixtures.hub_models import name, repository, serve_models
from tests.fixtures.hub_server import Fault, HubServer
from tests.fixtures.screens import drive, press, wait_for_question, wait_idle

REPO, FILE = "maker/Small-GGUF", "Small-Q4_K_M.gguf"


EXPERIMENT = Experiment(models=[f"{REPO}:Q4_K_M"], limit=2, max_tokens=8)


def run_from_screen(db: Path, experiment: Experiment = EXPERIMENT) -> str:
    """Run an experiment; return the Run screen's final state and its notices."""
    state = ""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        nonlocal state
        await wait_idle(pilot)
        screen = next(s for s in app.screen_stack if isinstance(s, RunScreen))
        state = "\n".join([screen.state, *(notice.text for notice in screen.run.notices)])

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


def test_a_local_file_is_verified_and_not_downloaded(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(demo_path().read_bytes())
    os.truncate(own, SILENT + 1)
    experiment = Experiment(models=[str(own)], limit=1)
    stages = [*supply_in_stages(experiment, tmp_path / "a.db", lambda _: True)]
    assert {name for stage in stages for name in stage} == {VERIFICATION}
    assert stages[-1][VERIFICATION].rate == "verified"


def test_failed_download_is_reported_on_the_screen(hub: HubServer, tmp_path: Path) -> None:
    assert run_from_screen(tmp_path / "a.db").startswith(FAILED)
    assert hub.sent == 0


def test_a_model_without_a_file_does_not_end_the_others(hub: HubServer, tmp_path: Path) -> None:
    serve_models(hub, tmp_path, "AC")
    models = [name("A"), "maker/None-GGUF:Q8_0", name("C")]
    shown = run_from_screen(tmp_path / "a.db", Experiment(models=models, limit=1, max_tokens=8))
    assert not shown.startswith(FAILED)
    assert shown.count("fetched in") == 2
    assert "maker/None-GGUF" in shown
    with Store(tmp_path / "a.db") as store:
        (experiment,) = store.experiments()
        assert len(store.answered_keys(experiment.id)) == 6


def test_one_question_is_asked_for_the_weights_of_all_models(
    hub: HubServer, tmp_path: Path
) -> None:
    size = LARGE_DOWNLOAD // 2 + 1
    for letter in "AB":
        hub.state(repository(letter), f"Small{letter}-Q8_0.gguf", size, "0" * 64, "1" * 40)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        await pilot.press("r")
        question = await wait_for_question(pilot)
        assert question.startswith("Download 1.00 GB?")
        assert "SmallA" in question
        assert "SmallB" in question
        await press(pilot, "escape")

    experiment = Experiment(models=[name("A"), name("B")], limit=1, max_tokens=8)
    drive(Session(tmp_path / "a.db", experiment), story)
    assert hub.gets() == 0


def test_a_judge_that_is_not_reached_leaves_no_new_database(tmp_path: Path) -> None:
    experiment = Experiment(judges=["openai:none@http://127.0.0.1:9/v1"], limit=1)
    assert run_from_screen(tmp_path / "a.db", experiment).startswith(FAILED)
    assert not (tmp_path / "a.db").exists()


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
        drive(Session(tmp_path / "a.db", EXPERIMENT), story)


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
        drive(Session(tmp_path / "a.db", EXPERIMENT), story)
