"""Recent experiments: listed on Start and in the dialog, opened again, out of date if changed."""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.analysis.label_queue import QueueOrder, build_queue
from steertui.core.experiment import Experiment
from steertui.core.verdict import Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.paths import DEMO_DB
from steertui.store import Store
from steertui.tui import app as app_module
from steertui.tui.app import SteertuiApp
from steertui.tui.open_dialog import OpenDialog
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.read.trial_list import TrialList
from steertui.tui.recent import UP_TO_DATE, RecentExperiment, load_recent
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session, open_session
from steertui.tui.theme import DARK, LIGHT
from steertui.tui.widgets.experiment_list import HEADS, ExperimentList, list_content
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.prompts import Confirm
from tests.fixtures import grouped
from tests.fixtures.database import enlarge, execute, select
from tests.fixtures.program import call
from tests.fixtures.screens import Story, drive, press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up

NUMBERS = ("32", "64", "2,736", "100,928")
"""Numbers of trials."""


def drive_stored(db: Path, story: Story) -> None:
    """Open the database's newest experiment and run the story."""
    drive(open_session(None, db, Overrides(threads=1)), story)


async def nothing(pilot: Pilot[None], app: SteertuiApp) -> None:
    await wait_idle(pilot)


def write(db: Path, *, unanswered: int = 0) -> str:
    """Write a database of 12 trials; return its experiment's id."""
    id = made_up(db, [f"answer {n}" for n in range(12)], is_paired=True)
    execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment().to_toml()])
    execute(db, "DELETE FROM generations WHERE id > ?", [12 - unanswered])
    return id


@pytest.mark.parametrize(("unanswered", "screen"), [(0, ResultsScreen), (3, RunScreen)])
def test_the_next_day_enter_opens_the_last_experiment_from_another_folder(
    tmp_path: Path, unanswered: int, screen: type
) -> None:
    db = tmp_path / "yesterday" / "a.db"
    db.parent.mkdir()
    id = write(db, unanswered=unanswered)
    drive_stored(db, nothing)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "enter")
        assert (app.session.db, app.session.id) == (db.resolve(), id)
        assert isinstance(app.screen, screen)

    drive(Session(tmp_path / "today.db"), story)
    assert not (tmp_path / "today.db").exists()


def test_an_older_experiment_of_the_database_is_opened_in_run_and_results(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    older = write(db)
    newer = made_up(db, ["other"] * 4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.session.id == newer
        await press(pilot, "2", "ctrl+o")
        assert isinstance(app.screen, OpenDialog)
        ids = [app.screen.query_one(ExperimentList).at(row).id for row in (0, 1)]
        assert ids == [newer, older]
        await press(pilot, "down", "enter", "2")
        assert app.session.id == older
        assert isinstance(app.screen, RunScreen)
        assert len(app.screen.run.places) == 12
        await press(pilot, "4")
        shown = str(app.screen.query_one("#sentences", Static).render())
        assert "12 answers" in shown

    drive_stored(db, story)


def test_the_named_database_is_listed_first_before_it_was_ever_seen(
    tmp_path: Path, state_home: Path
) -> None:
    seen, named = tmp_path / "seen.db", tmp_path / "named.db"
    write(seen)
    id = write(named)
    drive_stored(seen, nothing)
    file = state_home / "steertui" / "screens" / "recent.json"
    (entry,) = json.loads(file.read_text())
    # Later than any look at the named database, which is noted only after the list is shown.
    file.write_text(json.dumps([entry | {"seen_at": time.time() + 600}]))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "enter")
        assert (app.session.db.resolve(), app.session.id) == (named.resolve(), id)
        assert isinstance(app.screen, ResultsScreen)

    drive_stored(named, story)


def test_a_typed_path_opens_a_database_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    write(first)
    shutil.copy(first, second)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "slash", "x", "y", "z", "enter")
        for name, expected in ((tmp_path / "gone" / "none.db", first), (second, second)):
            assert app.current_mode == "read"
            assert app.screen.query_one("#search", Input).value == "xyz"
            await press(pilot, "ctrl+o", "tab")
            app.screen.query_one(Input).value = str(name)
            await press(pilot, "enter")
            assert app.session.db == expected
            if expected == first:
                assert isinstance(app.screen, OpenDialog)
                assert app.screen.query_one(Input).value == str(name)
                problem = str(app.screen.query_one("#problem", Static).render())
                assert "its folder does not exist; create it" in problem
                await press(pilot, "escape")
        assert not (tmp_path / "gone").exists()
        await press(pilot, "3")
        assert not app.screen.query_one("#search", Input).value
        assert app.screen.query_one(TrialList).border_title == "12 trials"

    drive_stored(first, story)


def test_a_long_check_of_an_opened_database_is_said_until_it_ends(tmp_path: Path) -> None:
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    write(first)
    shutil.copy(first, second)
    enlarge(second)
    said = []

    class Listening(SteertuiApp):
        CSS_PATH = str(Path(app_module.__file__).with_name("steertui.tcss"))

        def notify(self, message: str, **options: Any) -> None:
            said.append(message)
            super().notify(message, **options)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "ctrl+o", "tab")
        app.screen.query_one(Input).value = str(second)
        await press(pilot, "enter")
        await wait_until(pilot, lambda: app.session.db == second)
        assert said == [f"{second}: checking the content, 100 MB …"]
        await wait_until(pilot, lambda: not app.screen.query("Toast"))

    drive(open_session(None, first, Overrides(threads=1)), story, app_class=Listening)


def test_a_path_without_a_database_begins_a_new_experiment_after_a_question(tmp_path: Path) -> None:
    """A plan of one's own starts from the defaults, not from the experiment that was open."""
    old, new = tmp_path / "a.db", tmp_path / "new.db"
    write(old)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for answer, expected in (("escape", old), ("enter", new)):
            await press(pilot, "ctrl+o", "tab")
            app.screen.query_one(Input).value = str(new)
            await press(pilot, "enter")
            assert isinstance(app.screen, Confirm)
            await press(pilot, answer)
            assert app.session.db == expected
            if isinstance(app.screen, OpenDialog):
                assert app.screen.query_one(Input).value == str(new)
                await press(pilot, "escape")
        assert isinstance(app.screen, PlanScreen)
        assert app.screen.experiment == Experiment()
        assert app.session.id == ""
        assert not new.exists()
        await press(pilot, "0")
        shown = str(app.screen.query_one("#start-text", Static).render())
        assert "plan an experiment with your own model" in shown

    drive_stored(old, story)


def test_a_changed_database_shows_no_gap_and_a_missing_one_is_not_listed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    write(db)
    with Store(db) as store:
        store.add_judge("openai:fake", "fake", {"kind": "server", "title": ""})
        for n, (key,) in enumerate(select(db, "SELECT trial FROM generations ORDER BY id")):
            label = (Label.CONVERGENCE, Label.NO_CONVERGENCE)[n % 2]
            store.add_verdict(str(key), Verdict("openai:fake", label))
    drive_stored(db, nothing)
    (entry,) = load_recent()
    assert entry.shown_gap.startswith("+100.0 [")
    assert entry.shown_judge == "fake"
    assert entry.state == "12 labels pending"  # those of the demo judge, which is the planned one
    later = time.time() + 600
    os.utime(db, (later, later))
    (entry,) = load_recent()
    assert (entry.shown_gap, entry.shown_judge, entry.state) == ("", "", "newer changes")
    db.unlink()
    assert load_recent() == []


def test_a_run_that_ends_with_the_program_leaves_no_overtaken_count_in_the_list(
    tmp_path: Path,
) -> None:
    """The program ends less than a minute after the run began, with answers stored since."""
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        for _ in range(500):
            await pilot.pause(0.02)
            if load_recent() and select(db, "SELECT 1 FROM generations LIMIT 1"):
                break
        assert app.is_at_work
        app.exit()

    experiment = Experiment(limit=12, max_tokens=128)
    drive(Session(db, experiment, overrides=Overrides(threads=1)), story, first="running")
    done = len(select(db, "SELECT id FROM generations"))
    (entry,) = load_recent()
    assert 0 < done < entry.trials
    assert entry.state in ("newer changes", f"{entry.trials - done} unanswered")


def test_an_experiment_with_unscored_answers_is_not_up_to_date(tmp_path: Path) -> None:
    """A run was killed while the unsteered model scored the answers of a dose axis."""
    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4)
    grouped.write(db, conditions, lambda *_: None, 4, loglik=lambda *_: -1.0)
    toml = Experiment(judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [toml])
    execute(db, "DELETE FROM answer_logliks WHERE trial IN (SELECT trial FROM generations LIMIT 3)")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.state == "3 answers unscored: r scores them"
        await press(pilot, "0")
        shown = str(app.screen.query_one("#start-text", Static).render())
        assert f"resume:3answersareunscoredin{db}" in "".join(
            shown.split()
        )  # a long path is broken

    drive_stored(db, story)
    (entry,) = load_recent()
    assert entry.state == "3 unscored"
    toml = Experiment(coherence="none", judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [toml])
    drive_stored(db, nothing)
    (entry,) = load_recent()
    assert entry.state == UP_TO_DATE


def entry(db: str, title: str, gap: str = "+78.6 [+62.6, +87.4]") -> RecentExperiment:
    return RecentExperiment(
        db=db,
        id=db + title,
        title=title,
        trials=108,
        answered=108,
        gap=gap,
        seen_at=0.0,
        judge="local:made-0",
    )


def test_one_pending_label_is_singular() -> None:
    plain = entry("a.db", "x")
    assert replace(plain, pending=1).state == "1 label pending"
    assert replace(plain, pending=2000).state == "2,000 labels pending"


@pytest.mark.parametrize("width", [126, 116, 76, 60])
def test_the_list_tells_experiments_apart_in_every_width_and_cuts_nothing(width: int) -> None:
    experiments = [
        entry("/data/monday/steertui.db", "Qwen3-4B-Instruct-2507, 108 trials"),
        entry("/data/tuesday/steertui.db", "Qwen3-4B-Instruct-2507, 108 trials"),
    ]
    content = list_content(experiments, width, palette(dark=True))
    assert content.width <= width
    names = [row[0].plain for row in content.rows]
    assert content.heads[0].plain == "database"
    assert [Path(name).parts[-2:] for name in names] == [
        ("monday", "steertui.db"),
        ("tuesday", "steertui.db"),
    ]
    titles = [row[1].plain for row in content.rows]
    assert ("…" in titles[0]) == (width < 126)
    shown = {cell.plain for cell in content.rows[0]}
    assert ("+78.6 [+62.6, +87.4]" in shown) == (width > 60)


@pytest.mark.parametrize("width", [60, 74, 80, 100])
def test_the_number_of_trials_is_never_shortened(width: int) -> None:
    titles = [f"Über-Projekt 1: SmolLM2-135M-Instruct.Q4_1.gguf, {n} trials" for n in NUMBERS]
    experiments = [entry(f"/data/{n}.db", title) for n, title in enumerate(titles)]
    rows = list_content(experiments, width, palette(dark=True)).rows
    shown = [" ".join(cell.plain for cell in row) for row in rows]
    assert all(f", {n} trials" in line for n, line in zip(NUMBERS, shown, strict=True))


def test_long_descriptions_are_whole_while_there_is_room() -> None:
    title = "Qwen3-4B-Instruct-2507, gemma-3-270m-it and SmolLM2-135M-Instruct, 324 trials"
    content = list_content([entry("/data/a.db", title, gap="")], 170, palette(dark=True))
    assert content.rows[0][1].plain == title
    assert [head.plain for head in content.heads] == list(HEADS)


def test_start_wraps_texts_under_themselves(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        text = str(app.screen.query_one("#start-text", Static).render())
        keys = text.split("\n\n")[0]
        leads = [line[:10] for line in keys.splitlines()]
        assert "" in [lead.strip() for lead in leads]
        assert all(not lead.strip() or lead.endswith("   ") for lead in leads)

    drive(Session(tmp_path / "a.db"), story, size=(60, 24))


@pytest.mark.parametrize("text", ["", "no JSON", '[{"db": 1}]', "[1]", '{"a": []}'])
def test_a_damaged_list_is_an_empty_one(state_home: Path, text: str) -> None:
    file = state_home / "steertui" / "screens" / "recent.json"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert load_recent() == []


def test_the_theme_is_remembered(tmp_path: Path) -> None:
    async def switch(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.theme == DARK.name
        await press(pilot, "ctrl+t")

    async def check(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.theme == LIGHT.name

    drive(Session(tmp_path / "a.db"), switch)
    drive(Session(tmp_path / "a.db"), check)


def test_the_demo_has_no_gap_in_the_list(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    code, _, err = call("--batch", "--demo", "--limit", "2", "--db", "a.db", cwd=tmp_path)
    assert code == 0, err
    drive_stored(db, nothing)
    (entry,) = load_recent()
    assert (entry.shown_gap, entry.state) == ("demo: not shown", "up to date")
    assert entry.shown_judge == ""


def test_a_gap_over_too_few_labels_for_an_interval_is_not_listed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    write(db)
    person = "human:ann#steertui"
    conditions = {str(key): name for key, name in select(db, "SELECT key, condition FROM answers")}
    with Store(db) as store:
        experiment = store.resolve_experiment()
        queue = build_queue(store, experiment, "ann", "", QueueOrder.RANDOM)
    keys = [item.key for item in queue]
    for keys_now, gap, judge in (
        (keys[:4], "too few pairs", ""),
        (keys[4:], "+100.0 [", "human:ann"),
    ):
        with Store(db) as store:
            store.add_judge(person, "human:ann", {"kind": "a person", "title": ""})
            for key in keys_now:
                is_pro = conditions[key] == "pro"
                label = Label.CONVERGENCE if is_pro else Label.NO_CONVERGENCE
                store.add_drawn_label(
                    key, Verdict(person, label), 0, ordering="random", reference=""
                )
        drive_stored(db, nothing)
        (entry,) = load_recent()
        assert entry.gap.startswith(gap)
        assert entry.judge == judge


def test_labels_by_hand_do_not_replace_the_gap_of_the_model_judge(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    write(db)
    person = "human:ann#steertui"
    with Store(db) as store:
        store.add_judge("openai:fake", "fake", {"kind": "server", "title": ""})
        store.add_judge(person, "human:ann", {"kind": "a person", "title": ""})
        keys = [str(key) for (key,) in select(db, "SELECT trial FROM generations ORDER BY id")]
        for n, key in enumerate(keys):
            label = (Label.CONVERGENCE, Label.NO_CONVERGENCE)[n % 2]
            store.add_verdict(key, Verdict("openai:fake", label))
    drive_stored(db, nothing)
    (before,) = load_recent()
    assert before.judge == "fake"
    for labelled, judge in ((1, "fake"), (12, "fake (judges differ)")):
        with Store(db) as store:
            for n, key in enumerate(keys[:labelled]):
                label = (Label.NO_CONVERGENCE, Label.CONVERGENCE)[n % 2]
                store.add_verdict(key, Verdict(person, label))
        drive_stored(db, nothing)
        (after,) = load_recent()
        assert (after.gap, after.judge) == (before.gap, judge)


@pytest.mark.parametrize("moves", [[], ["tab"], ["tab", "tab"]])
def test_enter_on_start_opens_what_the_text_says_whatever_has_the_focus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    db = tmp_path / "a.db"
    id = write(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, *moves, "enter")
        assert (app.session.db, app.session.id) == (db, id)
        assert isinstance(app.screen, ResultsScreen)

    drive_stored(db, story)
    assert not (tmp_path / DEMO_DB).exists()
