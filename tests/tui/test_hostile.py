"""Hostile answers on every screen of a real terminal: drawn as text, without other effects."""

import random
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.rehashing import rehash
from tests.fixtures.tmux import Tmux, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]

SNIPPETS = (
    "\x1b]0;PWNED\x07",
    "\x1b]2;PWNED\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1bc",
    "\x1b[?1049l",
    "\x1b[?25h",
    '\x1bP$q"p\x1b\\',
    "\x1b]52;c;cHduZWQ=\x07",
    "\x9b31m",
    "\x1b[31;1mred\x1b[0m",
    "\x07\x08\x7f",
    "\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "[bold red]boo[/bold red]",
    "[@click=app.quit]x[/]",
    "[/]",
    "[link=x]y[/link]",
    "\\[",
    "{self}",
    "%s",
    "\u202eabc\u202c",
    "\u2066x\u2069",
    "a\u200bb\u200dc\ufeff",
    "Z" + "\u0300\u0301\u0302\u0323" * 40,
    "\U0001f468\u200d\U0001f469",
    "漢字かな",
    "עברית",
    "العربية",
    "\r\n",
    "\r",
    "\t",
    "\x00",
    "\ud7ff",
    "\ufffd",
    "\U000e0041",
    "é",
    "ﷺ",
    "𒐫",
    "\u0e33",
    "👩🏽‍🚀",
)


def hostile(rng: random.Random, number: int) -> str:
    """Return one answer: random bytes, snippets, or a line of a million characters."""
    if number % 2500 == 1:
        return "x" * 1_000_000
    if number % 2500 == 2:
        return "漢\u0301\x1b[31m" * 200_000
    noise = rng.randbytes(rng.randrange(200)).decode("utf-8", errors="replace")
    return "".join(rng.choice([*SNIPPETS, noise, " "]) for _ in range(rng.randrange(1, 40)))


def overwrite_texts(db: Path, texts: Sequence[str]) -> None:
    """Overwrite the database's answers, reasonings and judges' reasons."""
    with Store(db, must_exist=True) as store:
        keys = store.column("SELECT key FROM trials ORDER BY rowid")
    rows = [(text, text, key) for key, text in zip(keys, texts, strict=False)]
    with closing(sqlite3.connect(db)) as raw, raw:
        raw.executemany("UPDATE generations SET answer = ?, reasoning = ? WHERE trial = ?", rows)
        raw.executemany("UPDATE verdicts SET reason = ? WHERE trial = ?", [r[1:] for r in rows])
    rehash(db)


def control_sequences(written: bytes) -> set[bytes]:
    """Return the control characters and escape sequences of a stream, without their numbers."""
    text = written.decode("utf-8", errors="replace")
    sequences = re.findall(
        r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_^X].|\x1b.|[\x00-\x1f\x7f-\x9f]", text
    )
    return {re.sub(rb"\d+(?:[;:]\d+)*", b"N", sequence.encode()) for sequence in sequences}


def visit_screens(terminal: Tmux) -> None:
    """Open every screen with texts of answers, and move in it."""
    terminal.run("--db", "a.db")
    terminal.wait("experiment of a.db")

    def press(key: str, *then: str) -> None:
        terminal.press(key)
        if then:
            terminal.wait(*then)
        else:
            terminal.read(2.0)  # not every key changes the screen

    press("3", "10,032 trials")
    terminal.settle()
    for _ in range(4):
        press("Down")
    for _ in range(15):
        press("PageDown")
    press("u")
    terminal.settle()
    press("b", " scenarios")
    terminal.settle()
    press("Right")
    press("u")
    terminal.settle()
    press("Escape", "10,032 trials")
    press("2", "scenario × condition")
    terminal.settle()
    for _ in range(5):
        press("Down")
    press("4", "▶ ")
    press("5", "c ▲ convergence")
    terminal.settle()
    press("c", "1/100")
    press("3", "10,032 trials")
    terminal.press("q")
    terminal.wait("ended 0")
    terminal.check_sane()


@pytest.fixture(scope="module")
def harmless_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harmless")
    assert large.write(folder / "a.db", models=3, samples=11, words=40) == 10_032
    return folder


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
def test_ten_thousand_hostile_answers_cause_no_new_control_sequences(
    harmless_folder: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    with (
        closing(sqlite3.connect(harmless_folder / "a.db")) as source,
        closing(sqlite3.connect(tmp_path / "a.db")) as copy,
    ):
        source.backup(copy)
    rng = random.Random(7)
    overwrite_texts(tmp_path / "a.db", [hostile(rng, n) for n in range(10_032)])
    with Tmux(harmless_folder, size) as terminal:
        title = terminal.variable("pane_title")
        visit_screens(terminal)
        expected = control_sequences(terminal.written)
    with Tmux(tmp_path, size) as terminal:
        visit_screens(terminal)
        assert terminal.variable("pane_title") == title
        assert control_sequences(terminal.written) <= expected


def test_markup_in_an_answer_is_shown_literally(tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=1, samples=1, words=40)
    text = "[bold red]boo[/bold red] [@click=app.quit]x[/] [/] {0} %s \\[b] :smile:"
    overwrite_texts(tmp_path / "a.db", [text] * 304)
    with Tmux(tmp_path, (120, 40)) as terminal:
        terminal.run("--db", "a.db")
        terminal.wait("experiment of a.db")
        terminal.press("3")
        shown = terminal.wait("304 trials", "[@click=app.quit]x[/]")
        assert "[bold red]boo[/bold red]" in shown
        assert ":smile:" in shown
        terminal.press("b")
        terminal.wait("[bold red]boo[/bold", "[@click=app.quit]x", "of 76 scenarios")
        terminal.press("Escape")
        terminal.wait("304 trials", "q Quit", gone="of 76 scenarios")
        terminal.press("q")
        terminal.wait("ended 0")
