"""The Run screen while another process runs an experiment of the same database."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label, Verdict
from steertui.planning.judges import DEFAULT_OPTIONS, Judge, find_judges
from steertui.planning.origin import TYPED
from steertui.store import Store
from steertui.store.progress_queries import survey
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp
from steertui.tui.run import follower, following
from steertui.tui.run.following import FOLLOWING, OTHER
from steertui.tui.run.grid import make_grid
from steertui.tui.run.run_messages import JudgeQueue, Notice, RunUpdate, Stage
from steertui.tui.run.run_screen import FAILED, NOT_RUN, RunScreen
from steertui.tui.run.run_state import RunState, StoredState
from steertui.tui.run.status_lines import StageLine, activity_parts, notices_text, stage_line
from steertui.tui.run.stored_totals import StoredTotals
from steertui.tui.session import Draft
from steertui.tui.widgets.label_style import ON_DARK
from tests.fixtures.database import execute, select
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.run_screens import SMALL, drive_run, drive_stored, run_screen, stored
from tests.fixtures.screens import press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


def test_second_process_on_a_locked_database_follows_and_runs_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_until(pilot, lambda: run_screen(app).state == FAILED)
        notices = [notice.text for notice in run_screen(app).run.notices]
        assert notices == [
            f"{db}: another steertui is running on it; wait for it, or watch it in `steertui`"
        ]
        shown = app.screen.query_one("#notices", Static)
        await wait_until(
            pilot, lambda: "watch it in 2 Run" in " ".join(str(shown.render()).split())
        )
        assert not db.exists()
        lock.close()
        await press(pilot, "r")
        await wait_until(pilot, lambda: stored(db) == [(18, 18)])

    with contextlib.ExitStack() as lock:
        lock.enter_context(run_lock(db, ""))
        drive_run(db, story)


def test_a_viewer_says_whether_the_other_process_runs_the_open_experiment(tmp_path: Path) -> None:
    """The experiment planned last is not the one that runs if an older one is resumed."""
    db = tmp_path / "a.db"
    older = made_up(db, ["an answer"] * 2)
    newer = made_up(db, ["an answer"] * 4)
    lock = contextlib.ExitStack()

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.session.id == newer
        await pilot.press("2")
        await wait_until(pilot, lambda: isinstance(app.screen, RunScreen))
        await wait_until(pilot, lambda: run_screen(app).state == OTHER)
        lock.close()
        lock.enter_context(run_lock(db, newer))
        await wait_until(pilot, lambda: run_screen(app).state == FOLLOWING)

    with lock:
        lock.enter_context(run_lock(db, older))
        drive_stored(db, story)


def test_a_changed_plan_that_another_process_refuses_is_kept_and_not_stored(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 2)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        changed = Draft(replace(SMALL, max_tokens=16), TYPED)
        app.session.draft = changed
        await app.run_plan(changed)
        await wait_until(pilot, lambda: run_screen(app).state == FOLLOWING)
        assert [notice.text for notice in run_screen(app).run.notices] == [NOT_RUN]
        assert app.session.id == id
        assert app.session.draft == changed
        assert select(db, "SELECT id FROM experiments") == [(id,)]

    with run_lock(db, id):
        drive_stored(db, story)


def test_a_viewer_shows_what_another_process_stores_and_has_no_keys_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screens look for the other process when they are shown, not only from time to time."""
    monkeypatch.setattr(following, "LOOK_INTERVAL", 3600.0)
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 6)
    (row,) = select(db, "SELECT * FROM generations ORDER BY id DESC LIMIT 1")
    trial = str(row[1])
    execute(db, "DELETE FROM generations WHERE trial = ?", [trial])
    insert = f"INSERT INTO generations VALUES ({', '.join('?' * len(row))})"
    with run_lock(db, id):

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await wait_idle(pilot)
            start = str(app.screen.query_one("#start-text", Static).render())
            offered = "".join(start.split())  # a long path is broken
            assert f"showtherunofanothersteertuiprocesson{db}" in offered
            assert "resume" not in start
            assert "c" not in app.screen.active_bindings
            await press(pilot, "1")
            await wait_until(
                pilot, lambda: app.screen.active_bindings["r"].binding.id == "plan.show"
            )
            plan = str(app.screen.query_one("#estimate", Static).render())
            assert "r shows the run in progress" in plan
            assert plan.startswith("A run of another process is in progress on this database.")
            states = set[str]()
            monkeypatch.setattr(StageLine, "show", lambda *given: states.add(given[1]))
            await pilot.press("r")
            await wait_until(pilot, lambda: isinstance(app.screen, RunScreen))
            screen = run_screen(app)
            await wait_until(pilot, lambda: screen.is_following)
            assert not [state for state in states if "r runs them" in state]
            shown = {"r", "p", "s", "n"} & screen.active_bindings.keys()
            assert {key for key in shown if screen.active_bindings[key].enabled} == set()
            await pilot.press("r", "p", "s")
            assert screen.state == FOLLOWING
            assert trial not in screen.run.grid.statuses
            monkeypatch.setattr(follower, "QUIET_AFTER", 0.0)
            await wait_until(pilot, lambda: "open and stored nothing for " in screen.state)
            monkeypatch.setattr(follower, "QUIET_AFTER", 3600.0)
            execute(db, insert, row)
            await wait_until(pilot, lambda: trial in screen.run.grid.statuses)
            assert screen.state == FOLLOWING
            assert not screen.is_at_work

        drive_stored(db, story)


def pending_shown(run: RunState) -> str:
    return " · ".join(part.plain for part in activity_parts(run, ON_DARK, is_paused=False))


def test_a_run_counts_the_labels_pending_that_a_viewer_counts(tmp_path: Path) -> None:
    """Control answers are judged, too, but no labels of the experiment."""
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 4)
    with Store(db) as store:
        places, statuses = survey(store, id, "one")
    grid = make_grid(places)
    grid.set_stored(statuses, ())
    stored = StoredState(
        places={place.key: place for place in places},
        grid=grid,
        judge="one",
        others=("two",),
        is_planned=True,
        totals=StoredTotals(),
    )
    run = RunState()
    run.count_labels(("one", "two"), 0)
    run.fill(stored)
    run.apply(RunUpdate(queues={name: JudgeQueue(0, 4 + 16) for name in ("one", "two")}))
    assert "8 labels pending" in pending_shown(run)
    first, second = (place.key for place in places[:2])
    verdicts = {(first, "one"): "one", (first, "two"): "two", (second, "two"): "two"}
    run.apply(RunUpdate(verdicts={k: Verdict(j, Label.CONVERGENCE) for k, j in verdicts.items()}))
    run.fill(replace(stored, totals=StoredTotals(others_labelled=1)))  # read between the two labels
    assert "5 labels pending" in pending_shown(run)
    run.clear_activity()
    run.fill(replace(stored, totals=StoredTotals(others_labelled=2)))
    assert run.pending == 5


def test_failed_readings_are_no_labels_and_those_of_every_judge_are_counted(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 4)
    with Store(db) as store:
        places, _ = survey(store, id, "one")
    run = RunState(judge="one", others=("two",), grid=make_grid(places))
    run.places = {place.key: place for place in places}
    run.is_counting = True
    key = places[0].key
    failed = {
        (key, judge): Verdict(judge, None, "no label in the reply") for judge in ("one", "two")
    }
    run.apply(
        RunUpdate(queues={"one": JudgeQueue(3, 4, 1), "two": JudgeQueue(2, 4, 1)}, verdicts=failed)
    )
    assert run.failed == 2
    assert run.stages_shown["judge"] == Stage(done=3, total=8)
    run.apply(RunUpdate(verdicts={(key, "two"): Verdict("two", Label.CONVERGENCE)}))
    assert run.failed == 1
    line = stage_line("Running", run.stages_shown, 120, ON_DARK).plain
    assert "labels" in line
    assert "3/8" in line


def test_the_newest_failure_is_the_first_notice() -> None:
    notices = [Notice("first"), Notice("a note", is_bad=False), Notice("the cause")]
    notices += [Notice("another note", is_bad=False)]
    shown = notices_text(notices, ON_DARK).plain
    assert shown == "! the cause\n! first\n› another note  (1 other notice)"


def test_a_viewer_counts_all_that_another_process_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of a judge that had none before, of people, scores, failures, and control answers."""
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 4)
    with Loopback(Fake(models=("one", "two"))) as server, run_lock(db, id):
        names = [f"openai:{name}@{server.url}" for name in ("one", "two")]
        plan = Experiment(judges=names, coherence="all").to_toml()
        execute(db, "UPDATE experiment_plans SET toml = ?", [plan])
        judges = find_judges(names, "steertui", hide_suffix=False, options=DEFAULT_OPTIONS)

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await pilot.press("2")
            await wait_until(pilot, lambda: isinstance(app.screen, RunScreen))
            screen = run_screen(app)
            await wait_until(pilot, lambda: screen.is_following)
            await wait_until(pilot, lambda: screen.run.pending == 8)
            label_all(db, [judges[0]], 3)
            await wait_until(pilot, lambda: screen.run.grid.labelled == 3)
            assert screen.run.pending == 5
            label_all(db, [judges[1]], 4)
            await wait_until(pilot, lambda: screen.run.pending == 1)
            line = str(screen.query_one("#activity", Static).render())
            assert "4 answers · 7 labels · 1 label pending · 4 unscored" in line
            score = "SELECT key, prompt, 1, -1.0, planned_at FROM trials LIMIT 3"
            execute(db, f"INSERT INTO answer_logliks {score}")
            await wait_until(pilot, lambda: screen.run.unscored == 1)
            with Store(db) as store:
                person = f"{JudgeKind.HUMAN}:a"
                store.add_judge(person, person, {"kind": "a person", "title": ""})
                (key,), *_ = select(db, "SELECT trial FROM generations")
                store.add_verdict(str(key), Verdict(person, Label.CONVERGENCE))
            await wait_until(pilot, lambda: screen.run.labelled == 8)
            monkeypatch.setattr(follower, "QUIET_AFTER", 0.0)
            await wait_until(pilot, lambda: "open and stored nothing for " in screen.state)
            monkeypatch.setattr(follower, "QUIET_AFTER", 3600.0)
            execute(db, "UPDATE runs SET device = 'other'")
            await wait_until(pilot, lambda: screen.state == FOLLOWING)

        drive_stored(db, story)


def label_all(db: Path, judges: Sequence[Judge], count: int) -> None:
    """Add one label of each judge to the first `count` answers."""
    with Store(db) as store:
        for judge in judges:
            store.add_judge(judge.id, judge.name, {**judge.settings, "title": ""})
            for (key,) in select(db, "SELECT trial FROM generations LIMIT ?", [count]):
                store.add_verdict(str(key), Verdict(judge.id, Label.CONVERGENCE))


def test_a_viewer_that_cannot_read_the_database_says_so_and_stops_following(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had stayed at the last state without a word."""
    monkeypatch.setattr(following, "LOOK_INTERVAL", 3600.0)
    db = tmp_path / "a.db"
    id = made_up(db, ["an answer"] * 2)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press("2")
        await wait_until(pilot, lambda: run_screen(app).is_following)
        screen = run_screen(app)
        execute(db, "ALTER TABLE generations RENAME TO lost")
        await wait_until(pilot, lambda: not screen.is_following)
        await wait_until(pilot, lambda: bool(screen.run.notices))
        assert "a.db: " in screen.run.notices[0].text

    with run_lock(db, id):
        drive_stored(db, story)
