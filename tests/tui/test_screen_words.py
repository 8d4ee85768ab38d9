"""Messages on the screens: fields and keys in place of options and commands."""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import steertui
from steertui.core.experiment import Experiment
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.fields import FIELDS
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.prompts import TextPrompt
from steertui.tui.widgets.screen_words import COMMANDS, OPTIONS, in_screen_words
from tests.fixtures.screens import drive, press, wait_idle, wait_until

SOURCE = Path(steertui.__file__).parent
ABOVE = frozenset({"cli", "headless", "tui"})
"""Packages whose messages reach no screen, or are written for it."""


def messages() -> Iterator[str]:
    """Yield the texts of the packages below the screens, docstrings left out."""
    for file in SOURCE.rglob("*.py"):
        if file.relative_to(SOURCE).parts[0] in ABOVE:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        statements = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in statements:
                yield str(node.value)  # type: ignore[attr-defined]


def test_every_option_that_is_a_field_and_every_command_with_a_screen_has_a_word() -> None:
    texts = list(messages())
    options = {n for t in texts for n in re.findall(r"--([a-z][a-z-]*[a-z])", t)}
    names = {name.replace("_", "-") for name in FIELDS}
    fields = options & {*names, *(name.removesuffix("s") for name in names)}
    assert fields
    assert fields <= OPTIONS.keys()
    commands = {c for t in texts for c in re.findall(r"`steertui ([a-z-]+)", t)}
    screens = {title.lower() for title in PAGES.values()} | {"vector", "judge", "models", "report"}
    assert commands & screens
    assert commands & screens <= {words.split()[0] for words in COMMANDS}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("x: prompt and --max-tokens need 9", "x: prompt and maximum tokens need 9"),
        ("at the limit; raise max_tokens", "at the limit; raise maximum tokens"),
        ("x: busy; run the same command again later", "x: busy; press the same key again later"),
        ("remove it with `steertui vector rm a`", "remove it with 7 Vectors, key d"),
        ("`steertui models pull A:Q4` downloads it", "6 Models, key f downloads it"),
        ("see `steertui doctor`", "see `steertui doctor`"),
        ("run `steertui sources pull a`", "run `steertui sources pull a`"),  # r may have no run
        ("--max-cost 3 is kept", "--max-cost 3 is kept"),
        ("a -- b, --x", "a -- b, --x"),
    ],
)
def test_options_become_fields_and_commands_become_screens(message: str, shown: str) -> None:
    assert in_screen_words(message) == shown


def test_an_error_on_plan_names_the_screen_that_helps(tmp_path: Path) -> None:
    experiment = Experiment(models=["Qwen3-99B:Q4_K_M"])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        text = " ".join(str(app.screen.query_one("#estimate", Static).render()).split())
        assert "6 Models" in text
        assert "steertui models" not in text
        app.push_screen(TextPrompt("Which?", "a", check=lambda _: "raise --max-tokens"))
        await press(pilot, "enter")
        assert "! raise maximum tokens" in str(app.screen.query_one("#problem", Static).render())
        await press(pilot, "escape", "2")
        assert isinstance(app.screen, RunScreen)
        app.screen.show_error("a.db: the disk is full; free some space and run the command again")
        await wait_idle(pilot)
        notice = " ".join(str(app.screen.query_one("#notices", Static).render()).split())
        assert notice == "! a.db: the disk is full; free some space and press r"

    drive(Session(tmp_path / "a.db", experiment), story)


def test_a_message_in_the_corner_names_fields(tmp_path: Path) -> None:
    async def run() -> None:
        app = SteertuiApp(Session(tmp_path / "a.db"))
        async with app.run_test(notifications=True) as pilot:
            app.notify("give one as --template", markup=False)
            await wait_until(pilot, lambda: bool(app.screen.query("Toast")))
            shown = str(app.screen.query_one("Toast", Static).render())
            assert "give one as chat template" in shown

    asyncio.run(run())


def test_a_screen_names_its_own_keys_without_its_number() -> None:
    message = "test it with `steertui judges test`, then see `steertui report`"
    assert (
        in_screen_words(message, here="Judges") == "test it with key t, then see 4 Results, key r"
    )
