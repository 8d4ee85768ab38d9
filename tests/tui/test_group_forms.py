"""Forms of the Plan screen: a dose axis and a contest are written, planned, and checked."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.condition_files import load_conditions
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.session import Session
from steertui.tui.widgets.form_dialog import FormDialog
from tests.fixtures.screens import drive, press

OWN = Path("steertui-conditions.toml")


async def fill(pilot: Pilot[None], app: SteertuiApp, key: str, **values: str) -> PlanScreen:
    """Open the form of a key on Plan, type the values and press Enter."""
    await press(pilot, "1", key)
    await retype(pilot, app, **values)
    return next(s for s in app.screen_stack if isinstance(s, PlanScreen))


async def retype(pilot: Pilot[None], app: SteertuiApp, **values: str) -> None:
    assert isinstance(app.screen, FormDialog)
    for name, value in values.items():
        app.screen.query_one(f"#form-{name}", Input).value = value
    await press(pilot, "enter")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_dose_axis_is_written_and_its_conditions_are_planned() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await fill(pilot, app, "d", name="ladder", way="lines", of="pro", strengths="")
        assert app.screen is screen
        assert screen.experiment.conditions[-1] == "ladder"
        assert screen.experiment.conditions_file == str(OWN)
        doses = [name for name in load_conditions(OWN) if name.startswith("ladder@")]
        assert len(doses) > 1
        assert screen.estimate
        assert not screen.estimate.error
        assert {*doses} <= {c.name for c in screen.estimate.conditions}

    drive(Session(Path("a.db")), story)


def test_a_contest_is_written_after_an_axis_and_its_cells_are_planned() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await fill(pilot, app, "d", name="ladder", way="lines", of="pro", strengths="1")
        screen = await fill(pilot, app, "c", name="both", defences="anti", attacks="pro, ladder@1")
        cells = {f"{d}×{a}" for d in ("none", "anti") for a in ("none", "pro", "ladder@1")}
        assert screen.estimate
        assert cells <= {c.name for c in screen.estimate.conditions}
        assert screen.estimate.size.trials > 0

    drive(Session(Path("a.db")), story)


def test_a_wrong_group_keeps_the_form_open_and_writes_nothing() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await fill(pilot, app, "d", name="", way="lines", of="pro")
        for values, word in (
            ({}, "name"),
            ({"name": "pro"}, "shipped"),
            ({"name": "x", "way": "magic"}, "magic"),
            ({"way": "lines", "of": ""}, "of"),
            ({"of": "unknown"}, "unknown"),
            ({"of": "pro", "strengths": "a"}, "strengths"),
            ({"way": "vector", "of": "v", "strengths": "0.5", "nonsense": "much"}, "much"),
        ):
            await retype(pilot, app, **values)
            assert isinstance(app.screen, FormDialog), values
            assert word in str(app.screen.query_one("#problem", Static).render())
        await press(pilot, "escape", "c")
        await retype(pilot, app, name="both", defences="anti", attacks="nobody")
        assert "nobody" in str(app.screen.query_one("#problem", Static).render())
        assert not OWN.exists()

    drive(Session(Path("a.db")), story)


def test_a_name_that_the_file_has_is_refused() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await fill(pilot, app, "d", name="ladder", way="lines", of="pro", strengths="")
        before = OWN.read_bytes()
        await fill(pilot, app, "c", name="ladder", defences="anti", attacks="pro")
        assert "already has" in str(app.screen.query_one("#problem", Static).render())
        assert OWN.read_bytes() == before

    drive(Session(Path("a.db")), story)
