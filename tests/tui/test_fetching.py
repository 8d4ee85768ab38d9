"""The screen fetches what its experiment lacks, and shows how far it is."""

import asyncio
from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from tests.fixtures.hub_server import Fault, HubServer

REPO, FILE = "maker/Small-GGUF", "Small-Q4_K_M.gguf"


def run(db: Path) -> tuple[dict[str, object], str]:
    """Return the stages that the Run screen was told of, and what it said at the end."""
    found: dict[str, object] = {}
    said = ""

    async def story() -> None:
        nonlocal said
        experiment = Experiment(models=[f"{REPO}:Q4_K_M"], limit=2, max_tokens=8)
        app = SteertuiApp(Session(db, experiment, wish=Overrides(threads=1)), "running")
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await app.workers.wait_for_complete()
            await pilot.pause()
            screen = next(s for s in app.screen_stack if isinstance(s, RunScreen))
            found.update(screen.run.stages)
            said = screen.state

    asyncio.run(story())
    return found, said


def test_a_run_from_the_screen_fetches_first(hub: HubServer, tmp_path: Path) -> None:
    hub.add(REPO, FILE, demo_path())
    hub.faults.append(Fault(cut=1000))
    run(tmp_path / "a.db")
    assert hub.sent == demo_path().stat().st_size
    with Store(tmp_path / "a.db") as store:
        (experiment,) = store.experiments()
        assert len(store.answered(str(experiment["id"]))) == 6


def test_what_cannot_be_fetched_is_a_sentence_on_the_screen(hub: HubServer, tmp_path: Path) -> None:
    _, said = run(tmp_path / "a.db")
    assert said == "failed: r tries again"
    assert hub.sent == 0
