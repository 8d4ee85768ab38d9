"""Screenshots are saved in the working folder, and a failure names the file and the reason."""

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from textual.pilot import Pilot

from steertui.tui import app as app_module
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session
from tests.fixtures.screens import drive, press, wait_until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home without Downloads"))
    folder = tmp_path / "work [1]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


class Noting(SteertuiApp):
    """App that keeps its messages."""

    CSS_PATH = str(Path(app_module.__file__).with_name("steertui.tcss"))
    messages: ClassVar[list[str]] = []

    def notify(self, message: str, **options: Any) -> None:
        """Keep a message and show it."""
        self.messages.append(message)
        super().notify(message, **options)


def shoot(db: Path, times: int) -> list[str]:
    """Take screenshots of Plan by the command of the palette; return the messages."""
    Noting.messages.clear()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        commands = {each.title: each.callback for each in app.get_system_commands(app.screen)}
        for _ in range(times):
            commands["Screenshot"]()
        await wait_until(pilot, lambda: len(Noting.messages) == times)

    drive(Session(db), story, app_class=Noting)
    return list(Noting.messages)


def test_screenshots_have_names_of_their_own_in_the_working_folder(folder: Path) -> None:
    messages = shoot(folder / "a.db", 3)
    files = sorted(folder.glob("steertui-plan-*.svg"))
    assert len(files) == 3
    assert sorted(messages) == sorted(f"Saved: {file}" for file in files)
    assert all(file.read_text().startswith("<svg") for file in files)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, also of root")
def test_a_folder_that_takes_no_file_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/proc")
    (message,) = shoot(tmp_path / "a.db", 1)
    assert message.startswith("/proc/steertui-plan-")
    assert "cannot be written (" in message
