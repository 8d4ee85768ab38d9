"""Forms of the Plan screen: a dose axis and a contest are written, planned, and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.condition_files import load_conditions
from steertui.core.grouping import DoseUnit
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.group_forms import contest_form, contest_members, dose_form, dose_members
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.session import Session
from steertui.tui.widgets.form_dialog import FormDialog
from tests.fixtures.screens import drive, press

OWN = Path("steertui-conditions.toml")

VECTOR = ("d", "enter")
LINES = ("d", "G", "enter")
"""Keys on Plan that open the form of a kind of dose axis."""


async def fill(pilot: Pilot[None], app: SteertuiApp, *keys: str, **values: str) -> PlanScreen:
    """Open a form on Plan by keys, type the values and press Enter."""
    await press(pilot, "1", *keys)
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


def test_a_contest_without_known_conditions_names_no_example() -> None:
    """The conditions file of a stored experiment is not read."""
    known = [load_conditions()["pro"]]
    assert "such as pro;" in contest_form(known, lambda *_: None).lines[1].hint
    assert "such as" not in contest_form([], lambda *_: None).lines[1].hint


def test_a_dose_axis_is_written_and_its_conditions_are_planned() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await fill(pilot, app, *LINES, name="ladder")
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
        await fill(pilot, app, *LINES, name="ladder", strengths="1")
        screen = await fill(pilot, app, "c", name="both", defences="anti", attacks="pro, ladder@1")
        cells = {f"{d}×{a}" for d in ("none", "anti") for a in ("none", "pro", "ladder@1")}
        assert screen.estimate
        assert cells <= {c.name for c in screen.estimate.conditions}
        assert screen.estimate.size.trials > 0

    drive(Session(Path("a.db")), story)


def problem(app: SteertuiApp) -> str:
    assert isinstance(app.screen, FormDialog)
    return str(app.screen.query_one("#problem", Static).render())


def test_a_wrong_group_keeps_the_form_open_and_writes_nothing() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await fill(pilot, app, *LINES, name="")
        for values, sentence in (
            ({}, "! name: is empty; enter one"),
            ({"name": "pro"}, "shipped"),
            ({"name": "-x"}, "! name: '-x' is no name for a condition: it begins with '-'"),
            ({"name": "x", "suffix_lines": ""}, "! condition: is empty"),
            ({"suffix_lines": "unknown"}, "no condition unknown"),
            ({"suffix_lines": "pro", "strengths": "a"}, "! numbers of lines: 'a' is not a number"),
            ({"strengths": "99"}, "numbers of lines: 99 lines; give whole numbers"),
            ({"strengths": "1", "max_nonsense": "2"}, "! max. nonsense: '2' is not a number from"),
            ({"max_nonsense": "0.1", "max_loss": "-1"}, "! max. loss: '-1' is not a number from 0"),
        ):
            await retype(pilot, app, **values)
            assert sentence in problem(app), values
        await press(pilot, "escape", "c")
        await retype(pilot, app, name="both", defences="anti", attacks="nobody")
        assert "attacks: no condition nobody" in problem(app)
        assert not OWN.exists()

    drive(Session(Path("a.db")), story)


@pytest.mark.parametrize("unit", DoseUnit)
def test_the_first_values_of_every_axis_are_accepted_once_it_has_a_name(unit: DoseUnit) -> None:
    added: list[Mapping[str, Any]] = []
    form = dose_form(unit, list(load_conditions().values()), lambda _, keys: added.append(keys))
    names = {"name": "x", "vector": "v", "file": "a.gguf"}
    values = {line.name: line.value or names.get(line.name, "") for line in form.lines}
    assert form.problem(values) == ""
    assert added[0]["name"] == "x"
    empty = {line.name: "" for line in form.lines}
    assert form.problem(empty) == "name: is empty; enter one"


def test_the_form_says_what_a_line_accepts_before_it_is_wrong() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1", *VECTOR)
        shown = []
        for _ in app.screen.query(Input):
            shown.append(str(app.screen.query_one("#form-hint", Static).render()))
            await press(pilot, "tab")
        assert shown[0].startswith("name: of the axis")
        assert "strengths: by spaces; 0 is added" in shown
        assert all(": " in hint for hint in shown)

    drive(Session(Path("a.db")), story)


def test_a_name_with_spaces_is_found_in_a_list_with_commas() -> None:
    values = {"defences": "a without line 2, b", "attacks": "c d"}
    members = contest_members({"name": "x", "margin": "0.1", "reference": "", **values})
    assert members["defences"] == ["a without line 2", "b"]
    assert members["attacks"] == ["c", "d"]


@pytest.mark.parametrize(
    ("typed", "found"), [("0.2 0.4", [0.2, 0.4]), ("0.2,0.4", [0.2, 0.4]), ("1, 2", [1.0, 2.0])]
)
def test_doses_are_numbers_by_spaces_or_commas(typed: str, found: list[float]) -> None:
    assert dose_members(DoseUnit.ADAPTER, doses(typed))["strengths"] == found


@pytest.mark.parametrize("typed", ["0,5", "0.2 0,5", "1,5, 2", "0,1,2"])
def test_a_decimal_comma_is_refused_as_a_dose(typed: str) -> None:
    form = dose_form(DoseUnit.ADAPTER, (), lambda *_: pytest.fail("written"))
    assert "for one number, or " in form.problem(doses(typed))


def doses(typed: str) -> dict[str, str]:
    """Return the values of an adapter's axis with these scales."""
    lines = dose_form(DoseUnit.ADAPTER, (), lambda *_: None).lines
    values = {line.name: line.value for line in lines}
    return {**values, "name": "x", "file": "x.gguf", "strengths": typed}


def test_a_name_that_the_file_has_is_refused() -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await fill(pilot, app, *LINES, name="ladder")
        before = OWN.read_bytes()
        await fill(pilot, app, "c", name="ladder", defences="anti", attacks="pro")
        assert "already has" in str(app.screen.query_one("#problem", Static).render())
        assert OWN.read_bytes() == before

    drive(Session(Path("a.db")), story)
