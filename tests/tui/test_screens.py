"""Screens on a stored run, used by keys: read, compare, label, export and plan."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.coordinate import Coordinate
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static, TextArea

from steertui.analysis.summary import ReportFilter
from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.verdict import Label
from steertui.engine.sizing import Overrides
from steertui.planning.experiment_files import load_experiment
from steertui.planning.presets import PRESETS
from steertui.report.command import write_report
from steertui.store import Store
from steertui.store.trial_filter import TrialFilter, find_trials
from steertui.store.trials import list_trials
from steertui.tui.app import SteertuiApp
from steertui.tui.plan.condition_editor import ConditionEditor
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.read.compare_screen import CompareScreen
from steertui.tui.read.filter_bar import KEYS
from steertui.tui.read.trial_list import TrialList
from steertui.tui.session import open_session
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.screen_words import Problem
from tests.fixtures.program import call
from tests.fixtures.rehashing import rehash

Steps = Callable[[Pilot[None], SteertuiApp], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("done")
    code, _, err = call("--batch", "--demo", "--limit", "12", "--db", "a.db", cwd=folder)
    assert code == 0, err
    return folder / "a.db"


@pytest.fixture
def db(finished_run: Path, tmp_path: Path) -> Path:
    target = tmp_path / "a.db"
    with closing(sqlite3.connect(finished_run)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def run_steps(db: Path, steps: Steps, size: tuple[int, int] = (120, 40)) -> None:
    async def run() -> None:
        app = SteertuiApp(open_session(None, db, Overrides(threads=1)))
        async with app.run_test(size=size, notifications=True) as pilot:
            await wait_for_workers(pilot)
            await steps(pilot, app)

    asyncio.run(run())


async def wait_for_workers(pilot: Pilot[None]) -> None:
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    await pause_briefly(pilot)


async def pause_briefly(pilot: Pilot[None]) -> None:
    """Wait a moment; a worker that waits for a dialog is still running afterwards."""
    for _ in range(20):
        await pilot.pause(0.02)


@pytest.mark.slow
def test_every_screen_and_its_help_open_at_every_size(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        for key in ("1", "2", "3", "4", "6", "5", "right_square_bracket", "0"):
            await press(pilot, key)
            await press(pilot, "question_mark")
            assert type(app.screen).__name__ == "HelpScreen"
            await press(pilot, "escape")

    for size in ((80, 24), (250, 70)):
        run_steps(db, steps, size)


def test_search_and_filter_show_the_matching_trials_of_the_store(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        trials = app.screen.query_one(TrialList)
        assert len(trials) == 48
        await press(pilot, "c", "down", "down", "enter")  # all, baseline, pro
        assert len(trials) == 12
        long_text = app.screen.query_one("#text", LongText)  # the trial under the cursor
        assert trials.line
        assert str(long_text.border_title).startswith(f"{trials.line.title} · pro")
        await press(pilot, "slash", *"will", "enter")
        with Store(db) as store:
            wanted = TrialFilter(condition="pro", search="will")
            rows = find_trials(store, wanted)
            lines = list_trials(store, rows, "")
        assert len(trials) == len(rows) > 0
        assert all(line.condition == "pro" for line in lines)
        await press(pilot, "x")
        assert len(trials) == 48
        await press(pilot, "y")  # a terminal does not say whether it takes a copy
        assert app.clipboard
        assert "was sent to the terminal's clipboard" in str(app.screen.query_one("Toast").render())

    run_steps(db, steps)


def test_every_filter_key_opens_its_choice_while_the_list_has_the_focus(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3")
        assert isinstance(app.focused, TrialList)
        for name, key in KEYS.items():
            await press(pilot, key)
            assert isinstance(app.screen, ChooseOne), name
            await press(pilot, "escape")

    run_steps(db, steps)


def test_the_compare_screen_shows_all_conditions_and_closes(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "down", "b")
        assert isinstance(app.screen, CompareScreen)
        columns = [c for c in app.screen.query(LongText) if c.has_class("column")]
        titles = [str(column.border_title) for column in columns]
        assert titles == ["baseline", "pro", "anti", "placebo"]
        await press(pilot, "escape")
        assert app.screen.query(TrialList)

    run_steps(db, steps)


def test_enter_on_a_count_opens_exactly_its_trials(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        table = app.screen.query_one("#rates-table", DataTable)
        count = int(str(table.get_cell_at(Coordinate(1, 2))))  # pro, convergence
        table.focus()
        table.move_cursor(row=1, column=2)
        await press(pilot, "enter")
        trials = app.screen.query_one(TrialList)
        assert len(trials) == count > 0
        assert trials.line
        assert (trials.line.condition, trials.line.label) == ("pro", Label.CONVERGENCE)

    run_steps(db, steps)


def test_enter_on_a_count_opens_trials_of_one_temperature(tmp_path: Path) -> None:
    axis = ("--temperature", "0", "--temperature", "0.7")
    code, _, err = call("--batch", "--demo", "--limit", "3", *axis, "--db", "a.db", cwd=tmp_path)
    assert code == 0, err

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "t", "down", "enter")  # the second table
        table = app.screen.query_one("#rates-table", DataTable)
        table.focus()
        table.move_cursor(row=0, column=1)
        await press(pilot, "enter")
        trials = app.screen.query_one(TrialList)
        assert len(trials) == 3
        assert trials.line
        assert trials.line.temperature == 0.7
        assert "temperature 0.7" in str(app.screen.query_one("#chips", Static).content)
        await press(pilot, "t", "up", "enter")  # the other one
        assert trials.line
        assert trials.line.temperature == 0.0

    run_steps(tmp_path / "a.db", steps)


def test_an_export_contains_every_trial(db: Path) -> None:
    target = db.parent / "out.csv"

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "e", "down", "enter")
        app.screen.query_one(Input).value = str(target)
        await press(pilot, "enter")
        await wait_for_workers(pilot)

    run_steps(db, steps)
    assert len(target.read_text(encoding="utf-8").splitlines()) >= 49


def test_an_export_from_read_says_that_filters_do_not_apply(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "slash", "x", "enter", "e")
        asked = str(app.screen.query(Static).first().render())
        assert re.search(
            r"Export all \d+ trials of this experiment, whatever the filters, as", asked
        )

    run_steps(db, steps)


def test_an_export_has_the_policy_of_results(db: Path) -> None:
    target = db.parent / "out.json"
    asked: list[str] = []

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "o", "down", "down", "enter", "e")
        asked.extend(str(part.content) for part in app.screen.query(Static))
        await press(pilot, "end", "enter")
        app.screen.query_one(Input).value = str(target)
        await press(pilot, "enter")
        await wait_for_workers(pilot)

    run_steps(db, steps)
    tables = json.loads(target.read_text(encoding="utf-8"))["tables"]
    assert {table["policy"] for table in tables} == {"exclude-refusals"}
    assert "trials of this experiment under policy exclude-refusals as" in " ".join(asked)


def test_an_export_replaces_only_an_unchanged_export_after_confirmation(db: Path) -> None:
    target = db.parent / "out.csv"
    write_report(db, "trials-csv", ReportFilter(), target)
    first = target.read_bytes()

    def export(name: Path, *keys: str) -> None:
        async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "4", "e", "down", "enter")
            app.screen.query_one(Input).value = str(name)
            await press(pilot, "enter", *keys)
            await wait_for_workers(pilot)

        run_steps(db, steps)

    with closing(sqlite3.connect(db)) as raw, raw:
        raw.execute("UPDATE generations SET answer = 'changed'")
    rehash(db)
    export(target, "escape", "escape")
    assert target.read_bytes() == first
    export(target, "enter")
    second = target.read_bytes()
    assert second != first
    target.write_bytes(second + b"mine")
    export(target, "escape")
    assert target.read_bytes() == second + b"mine"
    tables = Store(db).experiments()
    export(db, "escape")
    assert Store(db, must_exist=True).experiments() == tables


def test_the_dialog_of_an_export_keeps_a_path_that_cannot_be_written(db: Path) -> None:
    target = db.parent / "out.csv"

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "e", "down", "enter")
        refused = (db, db.parent / "missing" / "out.csv", db.parent, Path("/proc/out.csv"))
        for wrong in refused:
            app.screen.query_one(Input).value = str(wrong)
            await pilot.press("enter")
            for _ in range(200):
                shown = app.screen.query(Problem)
                if shown and str(wrong) in str(shown.first().render()):
                    break
                await pilot.pause(0.02)
            assert app.screen.query_one(Problem).display
            assert app.screen.query_one(Input).value == str(wrong)
        app.screen.query_one(Input).value = str(target)
        await press(pilot, "enter")
        await wait_for_workers(pilot)

    run_steps(db, steps)
    assert target.exists()


def test_saving_an_experiment_replaces_only_an_unchanged_file_after_confirmation(db: Path) -> None:
    target = db.parent / "mine.toml"

    def save(*keys: str) -> None:
        async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "1", "w")
            app.screen.query_one(Input).value = str(target)
            await press(pilot, "enter", *keys)
            await wait_for_workers(pilot)

        run_steps(db, steps)

    target.write_text("samples = 3  # my own\n", encoding="utf-8")
    save("escape")
    assert target.read_text(encoding="utf-8") == "samples = 3  # my own\n"
    target.unlink()
    save()
    saved = target.stat().st_mtime_ns
    save("escape", "escape")
    assert target.stat().st_mtime_ns == saved
    save("enter")
    assert target.stat().st_mtime_ns != saved
    load_experiment(target)


def test_the_editor_of_a_condition_keeps_what_is_typed_until_its_name_is_free(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(db.parent)
    own = db.parent / "steertui-conditions.toml"
    own.write_text("format = 1\n# mine\n[[condition]]\nname = 'taken'\n", encoding="utf-8")
    before = own.read_text(encoding="utf-8")

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        await wait_for_workers(pilot)
        await press(pilot, "a")
        area = app.screen.query_one(TextArea)
        area.text = area.text.replace("freedom", "liberty")
        for name in ("pro", "taken", "", "two words", "hey!", "-x"):
            app.screen.query_one(Input).value = name
            await press(pilot, "ctrl+s")
            assert isinstance(app.screen, ConditionEditor)
            problem = str(app.screen.query_one("#problem", Static).render())
            assert problem.startswith("! ")
            assert name in problem
            assert own.read_text(encoding="utf-8") == before
        app.screen.query_one(Input).value = "free"
        await press(pilot, "ctrl+s")
        shown = app.screen
        assert isinstance(shown, PlanScreen)
        assert shown.experiment.conditions[-1] == "free"

    run_steps(db, steps)
    assert own.read_text(encoding="utf-8").startswith(before)
    assert {"free", "taken", "pro"} < set(load_conditions(own))


def test_the_plan_counts_new_trials_after_every_change(db: Path) -> None:
    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        await wait_for_workers(pilot)
        screen = app.screen
        assert isinstance(screen, PlanScreen)
        shown = screen.query_one("#estimate", Static)
        assert "48 answered before, 0 to do" in str(shown.content)
        await press(pilot, "down", "down", "down", "enter")  # scenarios at most
        app.screen.query_one(Input).value = "18"
        await press(pilot, "enter")
        await wait_for_workers(pilot)
        assert screen.experiment.limit == 18
        assert "72 = 1 model × 18 scenarios × 4 conditions" in str(shown.content)
        assert "48 answered before, 24 to do" in str(shown.content)

    run_steps(db, steps)


def test_control_characters_of_answers_are_not_drawn(db: Path) -> None:
    hostile = "\x1b[2J\x07[bold]x[/bold]\u202e" + "e\u0301\u0301\u0301" * 50 + "漢字" * 5000
    with closing(sqlite3.connect(db)) as raw, raw:
        raw.execute("UPDATE generations SET answer = ?, text = ?", (hostile, hostile))
    rehash(db)

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        for keys in (("3", "down"), ("2", "down"), ("5",), ("3", "b")):
            await press(pilot, *keys)
            drawn = app.export_screenshot()
            assert not {"\x1b", "\x07", "\u202e"} & set(drawn)

    run_steps(db, steps, (80, 24))


def test_a_preset_or_file_replaces_a_changed_plan_only_after_a_question(
    db: Path, tmp_path: Path
) -> None:
    file = tmp_path / "other.toml"
    file.write_text(Experiment(samples=5).to_toml(), encoding="utf-8")

    async def steps(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        changed = replace(plan.experiment, limit=3, samples=2)
        plan.change(changed)
        await press(pilot, "l", "enter")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape")
        assert plan.experiment == changed
        await press(pilot, "o")
        app.screen.query_one(Input).value = str(file)
        await press(pilot, "enter", "escape", "escape")
        assert plan.experiment == changed
        await press(pilot, "l", "enter", "enter")
        assert plan.experiment == next(iter(PRESETS.values()))
        await press(pilot, "l", "down", "enter")  # nothing is lost: no question
        assert plan.experiment == list(PRESETS.values())[1]

    run_steps(db, steps)


def test_a_changed_plan_never_shows_the_estimate_of_the_plan_before(tmp_path: Path) -> None:
    """Neither its numbers nor its error, which would keep r from running."""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        panel = plan.query_one("#estimate", Static)
        plan.change(Experiment(conditions=["none"]))
        await wait_for_workers(pilot)
        assert "no such condition" in str(panel.render())
        plan.change(Experiment(limit=2))
        assert str(panel.render()).startswith("Estimating")
        await wait_for_workers(pilot)
        assert "6 = 1 model × 2 scenarios × 3 conditions" in str(panel.render())

    run_steps(tmp_path / "a.db", story)
