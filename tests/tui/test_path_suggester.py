"""Completion of paths in input lines."""

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.tui.app import SteertuiApp
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.session import Session
from steertui.tui.widgets.path_suggester import PathSuggester
from tests.fixtures.screens import drive, press, wait_until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with files, a folder and a hidden file; it is the home, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    for name in ("small.gguf", "small-2.gguf", "models/big model.gguf", ".hidden", "a, b.gguf"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("sm", "small-2.gguf"),
        ("small.", "small.gguf"),
        ("mo", "models/"),
        ("models/b", "models/big model.gguf"),
        ("~/mo", "~/models/"),
        ("demo, models/b", "demo, models/big model.gguf"),
        ("a, b", "a, b.gguf"),
        ('demo, "a, b', None),
        ('demo, "a', 'demo, "a, b.gguf'),
        (".h", ".hidden"),
        ("models/", None),
        ("", None),
        ("nothing", None),
        ("none/such", None),
        ("small.gguf/x", None),
    ],
)
def test_a_path_is_completed(typed: str, suggested: str | None) -> None:
    assert asyncio.run(PathSuggester().get_suggestion(typed)) == suggested


def test_the_right_arrow_takes_the_completion_of_a_model_file(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1", "enter", "tab", *"models/b")
        line = app.screen.query_one(Input)
        await wait_until(pilot, lambda: line.cursor_at_end)
        await pilot.pause(0.2)
        await press(pilot, "right", "enter")
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        assert screen.experiment.models[-1] == "models/big model.gguf"
        await press(pilot, "enter", "tab", "end", *', "a, b.gguf"')
        assert "a comma separates values" in str(app.screen.query_one("#taken", Static).render())
        await press(pilot, "enter")
        assert screen.experiment.models[-2:] == ["models/big model.gguf", "a, b.gguf"]
        await press(pilot, "enter")
        assert app.screen.query_one(Input).value == 'models/big model.gguf, "a, b.gguf"'
        await press(pilot, "enter", "enter")
        assert screen.experiment.models[-1] == "a, b.gguf"

    drive(Session(tmp_path / "a.db"), story)
