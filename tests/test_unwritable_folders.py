"""User folders that cannot be written: a run continues, and what has to write says where."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.engine.sizing import Overrides
from steertui.file_notes import FileNotes
from steertui.paths import judges_db
from steertui.steering.library import vector_path
from steertui.tui.app import SteertuiApp
from steertui.tui.judges.judges_screen import JudgesScreen
from steertui.tui.session import Session
from steertui.tui.widgets.form_dialog import FormDialog
from tests.fixtures.ordinary_user import call as ordinary_call
from tests.fixtures.program import call
from tests.fixtures.screens import drive, press

RUN = ("--batch", "--demo", "--limit", "1", "--conditions", "pro,anti", "--max-tokens", "8")


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place below a file for all folders of the user, so that none can be created."""
    (tmp_path / "file").touch()
    for name in ("STATE", "CACHE", "DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "file" / name.lower()))
    return tmp_path


def test_a_run_and_the_list_of_its_judges_need_no_folder_of_the_user(closed: Path) -> None:
    code, _, err = call(*RUN, "--threads", "1", "--db", "a.db", cwd=closed)
    assert code == 0, err
    code, out, err = call("judges", "list", "a.db", cwd=closed)
    assert (code, err) == (0, "")
    assert "local:demo" in out
    for command in (("report", "a.db"), ("inspect", "a.db"), ("vector", "list"), ("models",)):
        code, _, err = call(*command, cwd=closed)
        assert code == 0, err


def test_a_test_of_a_judge_says_where_it_would_be_stored(closed: Path) -> None:
    code, out, err = call("judges", "test", "demo", cwd=closed)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert f"{judges_db().parent}: cannot be created (Not a directory)" in err
    assert "XDG_STATE_HOME" in err


def test_what_needs_the_cache_says_so(closed: Path) -> None:
    code, _, err = call(
        "--batch", "--preset", "demo-steering", "--limit", "1", "--db", "v.db", cwd=closed
    )
    assert code == 1
    assert "hidden-states" in err
    assert err.rstrip().endswith("set XDG_CACHE_HOME to a folder that can be written")


def test_judges_is_shown_without_the_folder(closed: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "8")
        assert isinstance(app.screen, JudgesScreen)
        await press(pilot, "t")
        assert isinstance(app.screen, FormDialog)
        await press(pilot, "enter")
        problem = app.screen.query_one("#problem", Static)
        assert f"{judges_db().parent}: cannot be created" in str(problem.render())

    drive(Session(closed / "a.db", overrides=Overrides(threads=1)), story, (160, 40))


def test_a_vector_that_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = vector_path("mine")
    path.parent.mkdir(parents=True)
    path.touch()
    path.parent.chmod(0o555)
    done = ordinary_call("vector", "rm", "--yes", "mine", cwd=tmp_path)
    path.parent.chmod(0o755)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{path}: cannot be removed (Permission denied)" in done.stderr


def test_a_note_that_cannot_be_removed_is_left(closed: Path) -> None:
    notes = FileNotes(lambda: closed / "file" / "below", "key")
    notes.forget(closed / "file")
