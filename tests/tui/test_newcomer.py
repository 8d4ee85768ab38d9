"""A newcomer's whole way in a real terminal, by keys that the screen names and no others."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.tmux import PROMPT, Tmux, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]

Step = tuple[str, str, tuple[str, ...]]
"""What the screen says, the key it names there, and what is on the screen afterwards."""

WAY: tuple[Step, ...] = (
    ("enter   run the demo", "Enter", ("144 answers", "Up to date: 4 shows the results")),
    ("4 shows the results", "4", ("pro converges more than anti", "nothing about real models")),
    ("f Moved", "f", ("labels that moved: enter shows one side by side", "baseline")),
    ("enter shows one side by side", "Enter", ("baseline · ", "esc Back")),
    ("esc Back", "Escape", ("labels that moved",)),
    ("5 Label", "5", ("1 ▲ convergence", "labelled", "0/144")),
    ("1 ▲ convergence", "1", ("1/144",)),
    ("2 · no convergence", "2", ("2/144",)),
    ("3 ■ safety refusal", "3", ("3/144",)),
    ("4 ? nonsensical", "4", ("4/144",)),
    ("u Undo", "u", ("4/144",)),
    ("4 ? nonsensical", "4", ("4/144",)),
    ("1 ▲ convergence", "1", ("5/144",)),
    ("esc Leave", "Escape", ("144 trials", "e Export")),
    ("e Export", "e", ("one page to read", "enter  take it")),
    ("enter  take it", "Enter", ("To which file?", "steertui-demo.html")),
    ("enter  take it", "Enter", ("Written: ",)),
    ("q Quit", "q", (PROMPT,)),
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 70)])
def test_a_newcomer_goes_from_the_start_to_an_export_by_the_keys_named(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with Tmux(tmp_path, size) as terminal:
        terminal.run()
        for says, key, then in WAY:
            terminal.wait(says)
            terminal.press(key)
            terminal.wait(*then, seconds=400)
        terminal.wait("ended 0")
        terminal.check_sane()
    page = (tmp_path / "steertui-demo.html").read_text(encoding="utf-8")
    assert "<html" in page
    with closing(sqlite3.connect(tmp_path / "steertui-demo.db")) as db:
        count = "SELECT count(*) FROM current_verdicts WHERE judge LIKE 'human:%'"
        assert db.execute(count).fetchall() == [(5,)]
        answered = "SELECT count(*) FROM generations"
        assert db.execute(answered).fetchall() == [(144,)]


def test_every_screen_can_be_seen_at_the_smallest_size_and_none_is_cut_off(tmp_path: Path) -> None:
    with Tmux(tmp_path, (80, 24)) as terminal:
        terminal.run("--demo", "--limit", "4")
        terminal.wait("Up to date: 4 shows")
        for key, says in (
            ("1", "16 = "), ("2", "scenario × condition"), ("3", "16 trials"),
            ("4", "nothing about real models"), ("6", "fits here"), ("5", "labelled"),
            ("]", "free in"), ("0", "run the demo"),
        ):  # fmt: skip
            terminal.press(key)
            lines = terminal.wait(says).rstrip("\n").splitlines()
            assert len(lines) == 24
            assert "q Quit" in lines[-1], lines[-1]
        terminal.press("q")
        terminal.wait("ended 0")
