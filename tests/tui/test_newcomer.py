"""First use in a real terminal, from the start to an export, by keys that the screen names."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fixtures.database import select
from tests.fixtures.tmux import PROMPT, Tmux, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]


class Step(NamedTuple):
    """One key press: the hint on the screen, the key, and texts that follow."""

    hint: str
    key: str
    then: tuple[str, ...]


STEPS = (
    Step("enter   run the demo", "Enter", ("144 answers", "Up to date: 4 shows the results")),
    Step(
        "4 shows the results", "4", ("Answers converge more often under pro", "about real models")
    ),
    Step("f Changed", "f", ("changed labels: enter compares", "baseline")),
    Step("enter compares the answers", "Enter", ("baseline", "esc Back", "of 36 scenarios")),
    Step("esc Back", "Escape", ("changed labels",)),
    Step("5 Label", "5", ("c ▲ convergence", "labelled", "0/100", "random order")),
    Step("c ▲ convergence", "c", ("1/100",)),
    Step("n · no convergence", "n", ("2/100",)),
    Step("r ■ safety refusal", "r", ("3/100",)),
    Step("x ? nonsensical", "x", ("4/100", "4 of 144 ")),
    Step("u Undo", "u", ("3/100", "3 of 144 ")),
    Step("x ? nonsensical", "x", ("4/100",)),
    Step("c ▲ convergence", "c", ("5/100",)),
    Step("3 Read", "3", ("144 trials", "e Export")),
    Step("e Export", "e", ("HTML: one page", "enter  OK")),
    Step("enter  OK", "Enter", ("To which file?", "steertui-demo.html")),
    Step("enter  OK", "Enter", ("Written: ",)),
    Step("q Quit", "q", (PROMPT,)),
)

SCREENS = (
    ("1", "16 = "),
    ("2", "scenario × condition"),
    ("3", "16 trials"),
    ("4", "about real models"),
    ("6", "on disk"),
    ("5", "labelled"),
    ("]", "free in"),
    ("0", "run the demo"),
)
"""Keys of all screens, and a text that each shows."""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 70)])
def test_named_keys_lead_from_the_start_to_an_export(tmp_path: Path, size: tuple[int, int]) -> None:
    with Tmux(tmp_path, size) as terminal:
        terminal.run()
        for step in STEPS:
            terminal.wait(step.hint)
            terminal.press(step.key)
            terminal.wait(*step.then, seconds=400)
        terminal.wait("ended 0")
        terminal.check_sane()
    page = (tmp_path / "steertui-demo.html").read_text(encoding="utf-8")
    assert "<html" in page
    db = tmp_path / "steertui-demo.db"
    labels = "SELECT count(*) FROM current_verdicts WHERE judge LIKE 'human:%'"
    assert select(db, labels) == [(5,)]
    assert select(db, "SELECT count(*) FROM generations") == [(144,)]


def test_every_screen_fits_the_smallest_size(tmp_path: Path) -> None:
    with Tmux(tmp_path, (80, 24)) as terminal:
        terminal.run("--demo", "--limit", "4")
        terminal.wait("Up to date: 4 shows")
        for key, text in SCREENS:
            terminal.press(key)
            lines = terminal.wait(text).rstrip("\n").splitlines()
            assert len(lines) == 24
            assert "q Quit" in lines[-1], lines[-1]
        terminal.press("q")
        terminal.wait("ended 0")
