"""Models screen: what it says of weights in every state, and what its keys do with them."""

import shutil
import socket
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.assets.catalogue import catalogue
from steertui.assets.fetch.download import partial_path
from steertui.assets.hub.cache import all_cached_weights, repository_folder
from steertui.core.model import demo_path
from steertui.tui.app import SteertuiApp
from steertui.tui.models.models_screen import ModelsScreen
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.session import Session
from steertui.tui.widgets.job_page import Job, JobLine, JobProgress
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.stable_table import StableTable
from tests.fixtures.hub_server import HubServer
from tests.fixtures.screens import drive, press, wait_for_question, wait_idle, wait_until

REPO, FILE = "maker/Small-GGUF", "Small-Q4_K_M.gguf"
NAME = f"{REPO}/{FILE}"


def rows(app: SteertuiApp) -> dict[str, list[str]]:
    """Return the table's cells by the name of the model."""
    table = app.screen.query_one(StableTable)
    cells = ([str(cell) for cell in table.get_row_at(i)] for i in range(table.row_count))
    return {name: others for name, *others in cells}


async def details(pilot: Pilot[None], app: SteertuiApp, name: str) -> str:
    """Move the cursor to a model; return its details."""
    app.screen.query_one(StableTable).move_cursor(row=list(rows(app)).index(name))
    await wait_idle(pilot)
    return str(app.screen.query_one("#model-text", Static).content)


def test_an_interrupted_download_is_shown_with_its_bytes(hub: HubServer, tmp_path: Path) -> None:
    model = next(m for m in catalogue() if m.weights[0].sha256 and not m.weights[0].gated)
    weights = model.weights[0]
    partial = partial_path(repository_folder(weights.repo) / "blobs", weights.sha256)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"GGUF" + b"\0" * 1_999_996)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6")
        name = f"{model.name}:{weights.quant}"
        assert rows(app)[name][2] == "2 MB of it"
        text = await details(pilot, app, name)
        assert text.startswith("2 MB of the first file are downloaded; f resumes\n")
        assert f"licence {model.licence}" in text
        assert not {"v", "d"} & app.screen.active_bindings.keys()
        await press(pilot, "enter")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        assert plan.experiment.models == [name]
        await press(pilot, "6", "j", "enter")
        assert len(plan.experiment.models) == 2
        assert plan.experiment.models[0] == name

    drive(Session(tmp_path / "a.db"), story)


def test_damaged_weights_are_found_downloaded_again_and_deleted(
    hub: HubServer, tmp_path: Path
) -> None:
    hub.add(REPO, FILE, demo_path())

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6", "a")
        app.screen.query_one(Input).value = f"{REPO}:Q4_K_M"
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, ModelsScreen)
        assert screen.result == f"{REPO}:Q4_K_M: downloaded and verified"
        assert "verified: " in await details(pilot, app, NAME)
        await press(pilot, "v")
        assert screen.result == f"{NAME}: verified"
        assert {"v", "d"} <= app.screen.active_bindings.keys()
        blob = all_cached_weights()[0].paths[0].resolve()
        content = bytearray(blob.read_bytes())
        content[-1] ^= 1
        blob.write_bytes(content)
        await press(pilot, "v")
        assert "sha256" in screen.result
        assert rows(app)[NAME][2] == "damaged"
        assert "damaged: " in await details(pilot, app, NAME)
        await press(pilot, "f")
        assert "downloaded and verified" in screen.result
        assert blob.read_bytes() == demo_path().read_bytes()
        await details(pilot, app, NAME)
        await press(pilot, "d")
        assert FILE in await wait_for_question(pilot)
        await press(pilot, "escape")
        assert blob.exists()
        await press(pilot, "d", "enter")
        assert not blob.exists()
        assert NAME not in rows(app)

    drive(Session(tmp_path / "a.db"), story)


def test_own_files_are_listed_with_their_template_and_taken_into_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    own = Path("models") / "mine-Q4_0.gguf"
    shutil.copy(demo_path(), own)
    Path("broken.gguf").write_bytes(b"no GGUF")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6")
        assert list(rows(app))[:2] == ["broken.gguf", str(own)]
        assert rows(app)[str(own)][0] == "own file"
        assert "get the file again" in await details(pilot, app, "broken.gguf")
        text = await details(pilot, app, str(own))
        assert "quantisation Q8_0 (by its name Q4_0)" in text
        assert "template: its own, " in text
        assert not {"f", "v", "d"} & app.screen.active_bindings.keys()
        await press(pilot, "a")
        app.screen.query_one(Input).value = "broken.gguf"
        await press(pilot, "enter")
        problem = str(app.screen.query_one(Problem).content)
        assert "broken.gguf: on this machine, so there is nothing to download" in problem
        await press(pilot, "escape")
        await details(pilot, app, str(own))
        await press(pilot, "enter")
        assert isinstance(app.screen, PlanScreen)
        assert app.screen.experiment.models == [str(own)]

    drive(Session(tmp_path / "a.db"), story)


@pytest.mark.slow  # for the time after which a silent hub is given up
@pytest.mark.parametrize(("begin", "cancel"), [("f", "c"), ("a", "escape")])
def test_a_download_says_at_once_what_it_does_and_that_it_is_cancelled(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str, cancel: str
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6")
        model = next(m for m in catalogue() if m.weights[0].sha256 and not m.weights[0].gated)
        await details(pilot, app, f"{model.name}:{model.weights[0].quant}")
        line = app.screen.query_one(JobLine)
        await pilot.press(begin)
        if begin == "f":
            await wait_until(pilot, lambda: "asking the hub for" in str(line.content), seconds=5)
        else:
            await wait_until(pilot, lambda: bool(app.screen.query(Input)), seconds=5)
            form = app.screen
            form.query_one(Input).value = f"{REPO}:Q4_K_M"
            await pilot.press("enter")
            await wait_until(pilot, lambda: "checking" in str(form.query_one(Problem).content))
        await pilot.press(cancel)
        await wait_until(pilot, lambda: "cancelling" in str(line.content), seconds=5)
        silent.close()
        await wait_idle(pilot)
        screen = app.screen
        assert isinstance(screen, ModelsScreen)
        assert not screen.is_busy

    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never answers
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        drive(Session(tmp_path / "a.db"), story)


@pytest.mark.slow
def test_leaving_during_a_task_goes_on_and_quitting_asks(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"

    def endless() -> Job:
        try:
            while True:
                time.sleep(0.2)  # as a real step takes
                yield JobProgress("reading", 1, 2, "1 of 2")
        finally:
            stopped.touch()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press("6")
        await wait_until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        screen = app.screen
        assert isinstance(screen, ModelsScreen)
        screen.begin(endless())
        await pilot.press("1")
        await wait_until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await pilot.press("q")
        assert "on Models" in await wait_for_question(pilot)
        await pilot.press("escape", "6")
        await wait_until(pilot, lambda: app.screen is screen)
        assert screen.is_busy
        assert not stopped.exists()
        await pilot.press("c")
        await wait_until(pilot, lambda: not screen.is_busy)
        assert stopped.exists()
        assert "f resumes" in screen.result

    drive(Session(tmp_path / "a.db"), story)
