"""Dialogs: nothing typed or chosen is lost, wrong values are corrected in place."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import JudgeError
from steertui.planning.experiment_files import load_experiment
from steertui.planning.origin import origin_of
from steertui.planning.reach import LARGE_DOWNLOAD
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.open_dialog import OpenDialog
from steertui.tui.plan.fields import FIELDS, problem_of, with_field
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.recent import RecentExperiment
from steertui.tui.session import Session
from steertui.tui.widgets.choose_many import ChooseMany
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.download_question import download_question
from steertui.tui.widgets.experiment_list import ExperimentList
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.key_line import KeyLine
from steertui.tui.widgets.line_dialog import LineDialog
from steertui.tui.widgets.moves import MoveList
from steertui.tui.widgets.prompts import NumberPrompt, TextPrompt
from tests.fixtures.hub_server import HubServer
from tests.fixtures.screens import drive, press, wait_idle, wait_until

DIALOGS: dict[type, Callable[[], LineDialog[Any]]] = {
    ChooseMany: lambda: ChooseMany("Which?", [("one", "one")], [], hint="or others"),
    OpenDialog: lambda: OpenDialog(
        [RecentExperiment("a.db", "a", "demo", 1, 1, gap="", seen_at=0.0)]
    ),
}
"""Dialogs with a list, which has the focus, and an input line."""

TYPED = "a\u3000b\u200c\u200d\u00a0c"
"""Text with characters of keyboards that Python calls not printable: wide space, joiners."""


async def plan(pilot: Pilot[None], app: SteertuiApp, field: str) -> PlanScreen:
    """Show Plan with the cursor on a field."""
    await press(pilot, "1")
    screen = app.screen
    assert isinstance(screen, PlanScreen)
    fields = screen.query_one("#fields", MoveList)
    fields.highlighted = fields.get_option_index(field)
    return screen


@pytest.mark.parametrize("kind", [ChooseMany, OpenDialog])
def test_text_typed_at_once_after_tab_is_not_lost(tmp_path: Path, kind: type) -> None:
    """While the app is busy, several keys wait: each goes where the one before it leads."""
    dialog = DIALOGS[kind]()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(dialog)
        await wait_until(pilot, lambda: dialog.focused is not None)
        for key in ("tab", *TYPED):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: dialog.query_one(Input).has_focus)
        await wait_idle(pilot)
        assert dialog.query_one(Input).value == TYPED

    drive(Session(tmp_path / "a.db"), story)


@pytest.mark.parametrize("kind", [ChooseMany, OpenDialog])
def test_text_typed_into_the_list_is_for_the_line(tmp_path: Path, kind: type) -> None:
    """Nothing is lost, so that Enter takes it, not only the value under the cursor."""
    dialog = DIALOGS[kind]()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(dialog)
        await wait_until(pilot, lambda: dialog.focused is not None)
        for key in "\u200cgG\u3000jk":
            app.post_message(Key(key, key))
        await wait_idle(pilot)
        line = dialog.query_one(Input)
        assert line.value == "\u200cgG\u3000jk"
        dialog.query_one(MoveList if kind is ChooseMany else ExperimentList).focus()
        await press(pilot, ".", "d", "b")
        assert line.value == f"\u200cgG\u3000jk{dialog.SEPARATOR}.db"
        dialog.query_one(MoveList if kind is ChooseMany else ExperimentList).focus()
        await wait_idle(pilot)
        app.post_message(Paste('a\r\n\n "b, c", d\n'))
        await wait_idle(pilot)
        pasted = 'a, "b, c", d' if kind is ChooseMany else 'a "b, c", d'
        assert line.value == f"\u200cgG\u3000jk{dialog.SEPARATOR}.db{dialog.SEPARATOR}{pasted}"
        if kind is ChooseMany:
            dialog.query_one(MoveList).focus()
            await press(pilot, "enter")
            assert app.screen is not dialog

    drive(Session(tmp_path / "a.db"), story)


def test_several_pasted_lines_are_one_line_of_text(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "name")
        await press(pilot, "enter")
        app.post_message(Paste("a name\n  on two lines\n"))
        await wait_idle(pilot)
        await press(pilot, "enter")
        assert screen.experiment.name == "a name on two lines"

    drive(Session(tmp_path / "a.db"), story)


def test_fields_that_read_no_file_are_changed_though_a_database_names_a_file(
    tmp_path: Path,
) -> None:
    """Keys typed for a dialog that cannot open are dropped; they do not act on the screens."""
    stored = Experiment(conditions_file="other.toml")
    session = Session(tmp_path / "a.db", experiment=stored)
    session.origin = origin_of(stored, "a.db", is_database=True)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "conditions")
        for key in ("enter", "tab", "4"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_idle(pilot)
        assert app.screen is screen
        for field in ("models", "scenarios", "judges"):
            await plan(pilot, app, field)
            await press(pilot, "enter")
            assert isinstance(app.screen, ChooseMany), field
            await press(pilot, "escape")

    drive(session, story)


def enter_key(app: SteertuiApp) -> tuple[str, str]:
    """Return what the key bar and the line of keys name for Enter; "" for nothing."""
    active = app.screen.active_bindings.get("enter")
    keys = dict(app.screen.query_one(KeyLine).keys)
    return (active.binding.description if active else ""), keys["enter"]


def test_enter_on_a_value_that_is_not_ticked_ticks_it_and_then_takes_it(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "conditions")
        before = screen.experiment.conditions
        await press(pilot, "enter", "end")
        assert enter_key(app) == ("Tick", "tick")
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseMany)
        assert enter_key(app) == ("OK", "OK")
        assert "placebo" in str(app.screen.query_one("#taken", Static).render())
        await press(pilot, "enter")
        assert screen.experiment.conditions == [*before, "placebo"]

    drive(Session(tmp_path / "a.db"), story)


def test_none_and_a_judge_exclude_each_other(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "judges")
        for keys, judges in (
            (("home", "space", "down", "space"), ["local:demo"]),
            (("home", "space"), ["none"]),
        ):
            await press(pilot, "enter", *keys, "enter")
            assert screen.experiment.judges == judges
        with pytest.raises(JudgeError, match="judges: none and a judge are named; leave one"):
            with_field(screen.experiment, "judges", ["none", "local:demo"])

    drive(Session(tmp_path / "a.db"), story)


def test_keys_typed_at_once_before_enter_are_not_lost(tmp_path: Path) -> None:
    name = "anothermodelofmyown"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "models")
        await press(pilot, "enter", "tab")
        for key in name:
            app.simulate_key(key)
        app.simulate_key("enter")
        await wait_idle(pilot)
        assert screen.experiment.models[-1] == name
        await press(pilot, "enter")  # the typed value is edited, not ticked
        assert app.screen.query_one(Input).value == name
        app.screen.query_one(Input).value = "other.gguf"
        await press(pilot, "tab", "tab")
        app.screen.query_one(Input).focus()
        await press(pilot, "enter")
        assert name not in screen.experiment.models
        assert screen.experiment.models[-1] == "other.gguf"

    drive(Session(tmp_path / "a.db"), story)


def test_text_typed_at_once_before_saving_is_in_the_saved_condition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await plan(pilot, app, "conditions")
        await press(pilot, "a")
        area = app.screen.query_one(TextArea)
        area.text = 'suffix = "x"\n# '
        area.focus()
        area.move_cursor(area.document.end)
        for key in "abcdefghij":
            app.simulate_key(key)
        app.simulate_key("ctrl+s")
        await wait_idle(pilot)
        assert area.text.endswith("abcdefghij")
        assert isinstance(app.screen, PlanScreen)

    drive(Session(tmp_path / "a.db"), story)
    assert load_conditions(tmp_path / "steertui-conditions.toml")["my-condition"].suffix == "x"


@pytest.mark.parametrize("key", ["w", "o"])
def test_a_refused_path_is_kept_in_its_dialog(tmp_path: Path, key: str) -> None:
    """A missing folder, a folder, a file of other content, and a name that no file can have."""
    (tmp_path / "notes.toml").write_text("my own notes", encoding="utf-8")
    good = tmp_path / "good.toml"
    if key == "o":
        good.write_text(Experiment(temperatures=[0.5]).to_toml(), encoding="utf-8")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "samples")
        await press(pilot, key)
        for wrong in ("missing/x.toml", ".", "notes.toml", "x" * 300 + ".toml"):
            line = app.screen.query_one(Input)
            line.value = str(tmp_path / wrong)
            await press(pilot, "enter")
            assert isinstance(app.screen, TextPrompt)
            assert app.screen.query_one(Input).value == str(tmp_path / wrong)
            problem = str(app.screen.query_one("#problem", Static).render())
            assert problem.startswith("! ")
            assert str(tmp_path) in problem
        app.screen.query_one(Input).value = str(good)
        await press(pilot, "enter")
        assert app.screen is screen
        assert load_experiment(good) == screen.experiment

    drive(Session(tmp_path / "a.db"), story)
    assert (tmp_path / "notes.toml").read_text(encoding="utf-8") == "my own notes"


def test_an_experiment_gets_a_name_on_plan_by_which_lists_show_it(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "name")
        await press(pilot, "enter")
        dialog = app.screen
        for wrong in ("all", "beef", "a/b", "-x", "x" * 61, "a\nb"):
            dialog.query_one(Input).value = wrong
            await press(pilot, "enter")
            assert app.screen is dialog
            assert "is no name" in str(dialog.query_one("#problem", Static).render())
        dialog.query_one(Input).value = "pilot 2"
        await press(pilot, "enter")
        assert screen.experiment.name == "pilot 2"
        screen.change(replace(screen.experiment, limit=1, max_tokens=1))
        await press(pilot, "r")
        await wait_until(pilot, lambda: bool(app.session.id) and not app.is_at_work)
        assert [e.title for e in await app.recent_experiments()] == ["pilot 2: demo, 3 trials"]
        await press(pilot, "1")
        screen.change(replace(screen.experiment, name=""))
        await press(pilot, "w")  # without a name there is none in the file
        app.screen.query_one(Input).value = str(tmp_path / "unnamed.toml")
        await press(pilot, "enter")
        assert not load_experiment(tmp_path / "unnamed.toml").name

    drive(Session(db, overrides=Overrides(threads=1)), story)
    with Store(db) as store:
        assert list(store.experiment_names().values()) == [("pilot 2",)]


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("temperatures", "0 2 5 0.2,1 0.7", "-0.1 5.01 ten nan 1e9 0,0.0 0,5 1,2,0 -0,5"),
        ("samples", "1 1000 10000", "0 -1 10001 1e9 0.5 ten"),
        ("max_tokens", "1 1000000", "0 -1 1000001 1e9 1.5"),
        ("max_tokens_thinking", "0 1000000", "-1 1e9"),
        ("judge_max_tokens", "1 1000000", "0 1e9"),
        ("judge_temperature", "0 5", "-1 nan inf"),
        ("limit", "0 1000000", "-1 1e9 0.5"),
        ("top_k", "0 1000000", "-1 1e9"),
        ("top_p", "1e-6 1", "0 1.1 nan"),
        ("min_p", "0 1", "-0.1 1.1"),
        ("repetition_penalty", "0.01 10", "0 10.1"),
        ("presence_penalty", "-10 10", "-10.1 inf"),
        ("seed", "0 9223372036854775807", "-1 9223372036854775808 1e9"),
    ],
)
def test_numbers_at_their_limits_are_accepted_and_those_beyond_refused(
    name: str, accepted: str, refused: str
) -> None:
    field = FIELDS[name]
    for typed in accepted.split():
        assert not problem_of(Experiment(), field, typed)
    for typed in ("", *refused.split(), "9" * 5000):
        problem = problem_of(Experiment(), field, typed)
        assert problem.startswith(f"{field.title}: ")
        assert "; " in problem
        assert problem.count(name) == field.title.count(name)
        is_integer = isinstance(getattr(Experiment(), name), int)
        assert "is not a number" not in problem or not is_integer
        assert "''" not in problem


def test_a_field_with_few_values_offers_exactly_them(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, "thinking")
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseOne)
        await press(pilot, "j", "enter")
        assert screen.experiment.thinking == "force"
        await press(pilot, "enter", "j", "escape")
        assert screen.experiment.thinking == "force"

    drive(Session(tmp_path / "a.db"), story)
    for field in FIELDS.values():
        for value in field.values:
            assert getattr(with_field(Experiment(), field.name, value), field.name) == value


@pytest.mark.parametrize(
    ("field", "wrong", "right", "value"),
    [
        ("samples", "many", "3", 3),
        ("samples", "-1", "3", 3),
        ("temperatures", "0, warm", "0, 0.5", [0.0, 0.5]),
        ("max_tokens", "0", "64", 64),
    ],
)
def test_a_wrong_value_is_corrected_in_the_dialog(
    tmp_path: Path, field: str, wrong: str, right: str, value: object
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = await plan(pilot, app, field)
        await press(pilot, "enter")
        dialog = app.screen
        dialog.query_one(Input).value = wrong
        await press(pilot, "enter")
        assert app.screen is dialog
        assert isinstance(dialog, TextPrompt)
        assert dialog.query_one(Input).value == wrong
        problem = str(dialog.query_one("#problem", Static).render())
        assert problem.startswith("! ")
        assert "max_tokens" not in problem
        dialog.query_one(Input).value = right
        await press(pilot, "enter")
        assert getattr(screen.experiment, field) == value

    drive(Session(tmp_path / "a.db"), story)


def test_the_question_before_a_download_names_files_total_and_free_space() -> None:
    assert download_question([("small", LARGE_DOWNLOAD)]) == ""
    question = download_question([("a", LARGE_DOWNLOAD), ("b", 1), ("c", 0)])
    assert question.startswith("Download 1.00 GB and files of unknown size? ")
    assert "free" in question
    assert "c, size unknown" in question
    assert download_question([("c", 0)]).startswith("Download files of unknown size? ")


@pytest.mark.parametrize("keys", [("1", "w"), ("1", "o"), ("6", "a"), ("7", "i")])
def test_an_empty_line_is_refused_in_the_dialog(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, *keys)
        dialog = app.screen
        dialog.query_one(Input).value = " "
        await press(pilot, "enter")
        assert app.screen is dialog
        assert "is empty" in str(dialog.query_one("#problem", Static).render())

    drive(Session(tmp_path / "a.db"), story)


def test_a_number_out_of_range_is_refused_in_the_dialog(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2", "n")
        dialog = app.screen
        assert isinstance(dialog, NumberPrompt)
        for value in ("", "5000"):
            dialog.query_one(Input).value = value
            await press(pilot, "enter")
            assert app.screen is dialog
            assert "0 to 1,024" in str(dialog.query_one("#problem", Static).render())

    drive(Session(tmp_path / "a.db"), story)


def test_a_form_whose_job_fails_is_shown_again_with_its_values(
    tmp_path: Path, hub: HubServer
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "6", "a")
        app.screen.query_one(Input).value = "nobody/nothing:Q4_K_M"
        await press(pilot, "enter")
        for _ in range(2):
            dialog = app.screen
            assert isinstance(dialog, FormDialog)
            assert dialog.query_one(Input).value == "nobody/nothing:Q4_K_M"
            assert "nobody/nothing" in str(dialog.query_one("#problem", Static).render())
            await press(pilot, "escape", "a")

    drive(Session(tmp_path / "a.db"), story)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_message_does_not_cover_the_key_bar(tmp_path: Path, size: tuple[int, int]) -> None:
    async def run() -> None:
        app = SteertuiApp(Session(tmp_path / "a.db"))
        async with app.run_test(size=size, notifications=True) as pilot:
            app.notify("A sentence of some words that wraps. " * 6, markup=False)
            await wait_idle(pilot)
            toast, keys = (app.screen.query_one(name).region for name in ("Toast", "Footer"))
            assert toast.area
            assert not toast.overlaps(keys)

    asyncio.run(run())


@pytest.mark.parametrize("keys", [("1", "enter"), ("1", "a"), ("1", "c"), ("7", "t"), ("8", "t")])
def test_the_keys_of_a_dialog_are_on_the_smallest_screen(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, *keys)
        line = app.screen.query_one(".keys")
        assert line.region.area
        assert app.screen.query_one(".question").content_region.contains_region(line.region)
        assert line.region.bottom < app.screen.query_one("Footer").region.y

    drive(Session(tmp_path / "a.db"), story, (80, 24))
