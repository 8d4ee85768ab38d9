"""Messages on the screens: keys in place of the commands of a remedy, and the user's own words."""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import steertui
from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.grouping import DoseUnit
from steertui.errors import ModelError, ScenarioError, WithRemedy, prefixed
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.fields import FIELDS, problem_of
from steertui.tui.plan.group_forms import dose_form
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from steertui.tui.widgets.form import first_problem
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.prompts import TextPrompt
from steertui.tui.widgets.screen_words import COMMANDS, in_screen_words
from tests.fixtures.screens import drive, press, wait_idle, wait_until

SOURCE = Path(steertui.__file__).parent
ABOVE = frozenset({"cli", "headless", "tui"})
"""Packages whose messages reach no screen, or are written for it."""
COMMANDS_ONLY = frozenset(
    {"coherence", "db", "debias", "judge", "limit", "model", "rubric", "temperature"}
)
"""Options in messages that only commands print."""


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


def test_no_message_below_the_screens_names_an_option_that_is_a_field() -> None:
    fields = {name.replace("_", "-") for name in FIELDS} - {"name"}
    options = {n for t in messages() for n in re.findall(r"--([a-z][a-z-]*[a-z])", t)}
    named = options & {*fields, *(name.removesuffix("s") for name in fields), "db", "convention"}
    assert named <= COMMANDS_ONLY


def test_every_command_with_a_screen_has_a_word() -> None:
    commands = {c for t in messages() for c in re.findall(r"`steertui ([a-z-]+)", t)}
    screens = {title.lower() for title in PAGES.values()} | {"vector", "judge", "models", "report"}
    assert commands & screens
    assert commands & screens <= {words.partition(" ")[0] for words in COMMANDS}


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [
        ("remove it with `steertui vector rm a`", "remove it with 7 Vectors, key d"),
        ("`steertui models pull A:Q4` downloads it", "6 Models, key f downloads it"),
        ("see `steertui doctor`", "see `steertui doctor`"),
        ("wait for it, or watch it in `steertui`", "wait for it, or watch it in 2 Run"),
        ("run `steertui sources pull a`", "run `steertui sources pull a`"),  # r may have no run
    ],
)
def test_commands_of_a_remedy_become_screens(remedy: str, shown: str) -> None:
    users = "`steertui judge` --db max_tokens"
    assert in_screen_words(WithRemedy(users, remedy)) == f"{users}; {shown}"
    error = ModelError(WithRemedy(users, remedy))
    assert str(error) == f"{users}; {remedy}"
    assert in_screen_words(prefixed("--db: ", str(error))) == f"--db: {users}; {shown}"
    assert in_screen_words(f"{users}; {remedy}") == f"{users}; {remedy}"


def test_words_of_the_user_are_shown_as_they_are(tmp_path: Path) -> None:
    """Option names and keys of fields in a typed value, a question or a path are not replaced."""
    users = "strengths: --db top_k: run the command again.toml"
    assert users in problem_of(Experiment(), FIELDS["name"], users)
    assert first_problem(lambda: load_conditions(tmp_path / users)).startswith(
        str(tmp_path / users)
    )
    values = {"name": "a", "base": users, "vector": "v", "layers": "", "strengths": "0"}
    limits = dict.fromkeys(("max_nonsense", "max_repetition", "max_loss"), "")
    form = dose_form(DoseUnit.VECTOR, [], lambda *_: _refuse(users))
    assert form.check({**values, **limits}) == f"dose axis a: base: no condition {users}"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert isinstance(app.screen, RunScreen)
        assert "enter" not in app.screen.active_bindings  # no trial is planned yet
        app.screen.show_error(users)
        await wait_idle(pilot)
        notice = " ".join(str(app.screen.query_one("#notices", Static).render()).split())
        assert notice == f"! {users}"

    drive(Session(tmp_path / "a.db", Experiment()), story)


def _refuse(users: str) -> None:
    raise ScenarioError(f"dose axis a: base: no condition {users}")


def test_an_error_on_plan_names_the_screen_that_helps(tmp_path: Path) -> None:
    experiment = Experiment(models=["Qwen3-99B:Q4_K_M"])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        text = " ".join(str(app.screen.query_one("#estimate", Static).render()).split())
        assert "6 Models" in text
        assert "steertui models" not in text
        problem = WithRemedy("`steertui judge`", "see `steertui judge`")
        app.push_screen(TextPrompt("Which?", "a", check=lambda _: problem))
        await press(pilot, "enter")
        shown = str(app.screen.query_one("#problem", Static).render())
        assert shown == "! `steertui judge`; see 8 Judges, key l"

    drive(Session(tmp_path / "a.db", experiment), story)


def test_a_message_in_the_corner_names_keys(tmp_path: Path) -> None:
    async def run() -> None:
        app = SteertuiApp(Session(tmp_path / "a.db"))
        async with app.run_test(notifications=True) as pilot:
            app.notify(WithRemedy("--template", "see `steertui report`"), markup=False)
            await wait_until(pilot, lambda: bool(app.screen.query("Toast")))
            shown = str(app.screen.query_one("Toast", Static).render())
            assert "--template; see 4 Results, key r" in shown

    asyncio.run(run())


def test_a_screen_names_its_own_keys_without_its_number() -> None:
    message = WithRemedy("", "test it with `steertui judges test`, then see `steertui report`")
    assert (
        in_screen_words(message, here="Judges") == "test it with key t, then see 4 Results, key r"
    )
