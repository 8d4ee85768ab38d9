"""Answers that mean harm, on every screen of a real terminal: drawn as text and nothing else."""

import random
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.tmux import Tmux, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]

SNIPPETS = (
    "\x1b]0;PWNED\x07", "\x1b]2;PWNED\x1b\\", "\x1b[2J\x1b[H", "\x1bc", "\x1b[?1049l", "\x1b[?25h",
    "\x1bP$q\"p\x1b\\", "\x1b]52;c;cHduZWQ=\x07", "\x9b31m", "\x1b[31;1mred\x1b[0m", "\x07\x08\x7f",
    "\x1b]8;;http://x\x07link\x1b]8;;\x07", "[bold red]boo[/bold red]", "[@click=app.leave]x[/]",
    "[/]", "[link=x]y[/link]", "\\[", "{self}", "%s", "\u202eabc\u202c", "\u2066x\u2069",
    "a\u200bb\u200dc\ufeff", "Z" + "\u0300\u0301\u0302\u0323" * 40, "\U0001f468\u200d\U0001f469",
    "漢字かな", "עברית", "العربية", "\r\n", "\r", "\t", "\x00", "\ud7ff", "\ufffd", "\U000e0041",
    "é", "ﷺ", "𒐫", "\u0e33", "👩🏽‍🚀",
)  # fmt: skip


def hostile(dice: random.Random, number: int) -> str:
    """Return one answer: noise of bytes, snippets, or a line of a million characters."""
    if number % 2500 == 1:
        return "x" * 1_000_000
    if number % 2500 == 2:
        return "漢\u0301\x1b[31m" * 200_000
    noise = dice.randbytes(dice.randrange(200)).decode("utf-8", errors="replace")
    return "".join(dice.choice([*SNIPPETS, noise, " "]) for _ in range(dice.randrange(1, 40)))


def spoil(db: Path, texts: Sequence[str]) -> None:
    """Write the texts over a database's answers, reasonings and judges' reasons."""
    with Store(db, must_exist=True) as store:
        keys = store.column("SELECT key FROM trials ORDER BY rowid")
    rows = [(text, text, key) for key, text in zip(keys, texts, strict=False)]
    with closing(sqlite3.connect(db)) as raw, raw:
        raw.executemany("UPDATE generations SET answer = ?, reasoning = ? WHERE trial = ?", rows)
        raw.executemany("UPDATE verdicts SET reason = ? WHERE trial = ?", [r[1:] for r in rows])


def shapes(written: bytes) -> set[bytes]:
    """Return the control characters and escape sequences of a stream, their numbers taken out."""
    text = written.decode("utf-8", errors="replace")
    found = re.findall(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_^X].|\x1b.|[\x00-\x1f\x7f-\x9f]", text)
    return {re.sub(rb"\d+(?:[;:]\d+)*", b"N", one.encode()) for one in found}


def walk(terminal: Tmux) -> float:
    """Go through every screen; return the longest from a key to what it changed, in seconds."""
    terminal.run("--db", "a.db")
    terminal.wait("read the trials in a.db")
    longest = 0.0

    def press(key: str, *then: str) -> None:
        nonlocal longest
        begin = time.perf_counter()
        terminal.press(key)
        if then:
            terminal.wait(*then)
        elif terminal.read(2.0):  # not every key changes what is seen
            longest = max(longest, time.perf_counter() - begin)

    press("3", "10,032 trials")
    terminal.settle()
    for _ in range(4):
        press("Down")
    for _ in range(15):
        press("PageDown")
    press("u")
    terminal.settle()
    press("g", "baseline · ")
    terminal.settle()
    press("Right")
    press("u")
    terminal.settle()
    press("Escape", "10,032 trials")
    press("2", "scenario × condition")
    terminal.settle()
    for _ in range(5):
        press("Down")
    press("4", "gap pro")
    press("5", "1 ▲ convergence")
    terminal.settle()
    press("1", "of ", "/10,032")
    press("Escape", "10,032 trials")
    terminal.press("q")
    terminal.wait("ended 0")
    terminal.check_sane()
    return longest


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harmless")
    assert large.write(folder / "a.db", models=3, samples=11, words=40) == 10_032
    return folder


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
def test_ten_thousand_hostile_answers_change_nothing_but_the_text(
    harmless: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    with (
        closing(sqlite3.connect(harmless / "a.db")) as source,
        closing(sqlite3.connect(tmp_path / "a.db")) as copy,
    ):
        source.backup(copy)
    dice = random.Random(7)
    spoil(tmp_path / "a.db", [hostile(dice, n) for n in range(10_032)])
    with Tmux(harmless, size) as terminal:
        title = terminal.variable("pane_title")
        walk(terminal)
        usual = shapes(terminal.written)
    with Tmux(tmp_path, size) as terminal:
        longest = walk(terminal)
        assert terminal.variable("pane_title") == title
        assert shapes(terminal.written) <= usual
        assert longest < 1.0


def test_markup_in_an_answer_is_read_as_it_was_written(tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=1, samples=1, words=40)
    text = "[bold red]boo[/bold red] [@click=app.leave]x[/] [/] {0} %s \\[b] :smile:"
    spoil(tmp_path / "a.db", [text] * 304)
    with Tmux(tmp_path, (120, 40)) as terminal:
        terminal.run("--db", "a.db")
        terminal.wait("read the trials in a.db")
        terminal.press("3")
        shown = terminal.wait("304 trials", "[@click=app.leave]x[/]")
        assert "[bold red]boo[/bold red]" in shown
        assert ":smile:" in shown
        terminal.press("g")
        terminal.wait("[bold red]boo[/bold", "[@click=app.leave]x", "esc Back")
        terminal.press("Escape")
        terminal.wait("304 trials", "q Quit")
        terminal.press("q")
        terminal.wait("ended 0")
