"""The Run screen, driven by keys over a real run of the demo model."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.experiment import Experiment
from steertui.core.model import STAND_IN_TITLE
from steertui.core.verdict import SIGNS, Label, Verdict
from steertui.engine.events import SlotView
from steertui.engine.sizing import Overrides
from steertui.planning.judges import DEFAULT_OPTIONS, Judge, find_judges
from steertui.planning.origin import TYPED
from steertui.store import Store
from steertui.store.progress_queries import survey
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp, open_session
from steertui.tui.label.label_screen import LabelScreen
from steertui.tui.label.label_text import NO_ANSWERS
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.run import following
from steertui.tui.run.following import BUSY, FOLLOWING, OTHER
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel
from steertui.tui.run.run_controls import PAUSED, RUNNING
from steertui.tui.run.run_messages import Ended, JudgeQueue, RunUpdate, Stage
from steertui.tui.run.run_screen import DONE, STOPPED, RunScreen
from steertui.tui.run.run_state import RunState, StoredState
from steertui.tui.run.status_lines import activity_parts
from steertui.tui.session import Draft, Session
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.label_style import FAILED, ON_DARK, WAITING, WRITING, WRITTEN
from steertui.tui.widgets.long_text import LongText
from tests.fixtures.database import execute, select
from tests.fixtures.frames import frame
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.screens import Story, drive, press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up

SMALL = Experiment(limit=6, max_tokens=32)


def drive_run(db: Path, story: Story, size: tuple[int, int] = (120, 40)) -> None:
    """Start the small experiment on the Run screen and run the story."""
    drive(Session(db, SMALL, overrides=Overrides(threads=1)), story, size, first="running")


def run_screen(app: SteertuiApp) -> RunScreen:
    assert isinstance(app.screen, RunScreen)
    return app.screen


def stored(db: Path) -> list[tuple[object, ...]]:
    """Return the numbers of answers and of labels."""
    counts = "SELECT (SELECT count(*) FROM generations), (SELECT count(*) FROM verdicts)"
    return select(db, counts)


def test_every_cell_shows_its_label_after_the_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        screen = run_screen(app)
        grid = screen.run.grid
        lines = [i for i, line in enumerate(grid.lines) if line.scenario]
        signs = [str(grid.draw(line, c, ON_DARK)) for line in lines for c in range(3)]
        assert len(signs) == 18
        assert set(signs) <= set(SIGNS.values())
        assert screen.state == DONE

    drive_run(db, story)
    assert stored(db) == [(18, 18)]


def test_the_legend_explains_the_sign_of_answers_on_the_smallest_screen() -> None:
    assert WRITTEN in ON_DARK.legend(78).plain
    legend = ON_DARK.legend(118).plain
    assert all(sign in legend for sign in (WRITTEN, FAILED, WRITING, WAITING, *SIGNS.values()))


def test_label_draws_a_batch_when_the_run_has_stored_answers(tmp_path: Path) -> None:
    """Label may be open before the first answer; it must not say that r runs the experiment."""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press("5")
        assert isinstance(app.screen, LabelScreen)
        text = app.screen.query_one(LongText)
        await wait_until(pilot, lambda: bool(text.text))
        assert NO_ANSWERS not in text.text
        await wait_until(pilot, lambda: "Answer" in text.text)

    drive_run(tmp_path / "a.db", story)


def test_cell_under_the_cursor_is_shown_with_label_answer_and_task(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        await press(pilot, "down", "right")
        screen = run_screen(app)
        sql = (
            "SELECT condition, answer, task FROM answers JOIN scenarios ON name = scenario "
            "WHERE key = ?"
        )
        ((condition, answer, task),) = select(db, sql, [screen.query_one(Matrix).selected_key()])
        assert condition == "pro"
        text = screen.query_one(FocusPanel).text.text
        assert any(f"{sign} " in text for sign in SIGNS.values())
        assert str(task).strip() in text
        assert str(answer) in text

    drive_run(db, story, (80, 24))


def test_stopped_run_is_resumed_without_losing_answers(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def stop(pilot: Pilot[None], app: SteertuiApp) -> None:
        run_screen(app).halt()
        await wait_idle(pilot)
        assert run_screen(app).state == STOPPED
        await pilot.press("q")

    async def resume(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)

    drive_run(db, stop)
    drive_run(db, resume)
    assert stored(db) == [(18, 18)]


def key_label(screen: RunScreen, key: str) -> str:
    """Return what the footer says of a key."""
    active = screen.active_bindings.get(key)
    return active.binding.description if active else ""


def test_a_paused_run_shows_no_throughput() -> None:
    run = RunState()
    run.throughputs.append(75.0)
    assert "75 tokens/s" in str(activity_parts(run, ON_DARK, is_paused=False)[0])
    assert activity_parts(run, ON_DARK, is_paused=True) == []


def test_the_throughput_of_a_second_without_a_finished_batch_is_not_zero() -> None:
    run = RunState()
    run.throughputs += [900.0] * 16 + [0.0, 320.0, 0.0, 0.0] * 4
    assert str(activity_parts(run, ON_DARK, is_paused=False)[0]).startswith("80 tokens/s ")


def test_stop_is_confirmed_and_p_resumes_a_run_that_other_slots_left_paused(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await pilot.press("p")
        assert screen.state == PAUSED
        assert key_label(screen, "p") == "Resume"
        await pilot.press("s")
        await wait_until(pilot, lambda: app.screen is not screen)
        await pilot.press("escape")
        assert screen.is_at_work
        before = screen.runner
        await pilot.press("n")
        await wait_until(pilot, lambda: app.screen is not screen)
        app.screen.query_one(Input).value = "2"
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.runner not in (None, before))
        await wait_until(pilot, lambda: bool(screen.run.grid.lines))
        assert screen.state == PAUSED
        assert key_label(screen, "p") == "Resume"
        await pilot.press("p")
        assert screen.state == RUNNING
        assert key_label(screen, "p") == "Pause"
        await wait_idle(pilot)

    drive_run(tmp_path / "a.db", story)
    assert stored(tmp_path / "a.db") == [(18, 18)]


def test_second_process_on_a_locked_database_follows_and_runs_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_until(pilot, lambda: run_screen(app).state == BUSY)
        assert stored(db) == [(0, 0)]
        lock.close()
        await wait_idle(pilot)
        assert stored(db) == [(0, 0)]
        await wait_until(
            pilot, lambda: run_screen(app).state == "18 trials unanswered: r runs them"
        )

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


def drive_stored(db: Path, story: Story) -> None:
    """Open the database's newest experiment and run the story."""
    drive(open_session(None, db, Overrides(threads=1)), story)


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
            await pilot.press("2")
            await wait_until(pilot, lambda: isinstance(app.screen, RunScreen))
            screen = run_screen(app)
            await wait_until(pilot, lambda: screen.is_following)
            shown = {"r", "p", "s", "n"} & screen.active_bindings.keys()
            assert {key for key in shown if screen.active_bindings[key].enabled} == set()
            await pilot.press("r", "p", "s")
            assert screen.state == FOLLOWING
            assert trial not in screen.run.grid.statuses
            execute(db, insert, row)
            await wait_until(pilot, lambda: trial in screen.run.grid.statuses)
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
    stored = StoredState(
        places=places,
        statuses=statuses,
        failures={},
        judge="one",
        dollars=0.0,
        others=("two",),
        others_labelled=0,
        unplanned_labelled=0,
        is_planned=True,
        unscored=0,
    )
    run = RunState()
    run.count_labels(("one", "two"), 0)
    run.fill(stored)
    run.apply(RunUpdate(queues={name: JudgeQueue(0, 4 + 16) for name in ("one", "two")}))
    assert "8 labels pending" in pending_shown(run)
    first, second = (place.key for place in places[:2])
    verdicts = {(first, "one"): "one", (first, "two"): "two", (second, "two"): "two"}
    run.apply(RunUpdate(verdicts={k: Verdict(j, Label.CONVERGENCE) for k, j in verdicts.items()}))
    run.fill(replace(stored, others_labelled=1))  # read between the two labels
    assert "5 labels pending" in pending_shown(run)
    run.clear_activity()
    run.fill(replace(stored, others_labelled=2))
    assert run.pending == 5


def test_a_viewer_counts_the_labels_of_a_judge_that_had_none_when_it_began(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    with Loopback(Fake(models=("one", "two"))) as server, run_lock(db, ""):
        names = [f"openai:{name}@{server.url}" for name in ("one", "two")]
        execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment(judges=names).to_toml()])
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
            assert "4 answers · 7 labels · 1 label pending" in line

        drive_stored(db, story)


def label_all(db: Path, judges: Sequence[Judge], count: int) -> None:
    """Add one label of each judge to the first `count` answers."""
    with Store(db) as store:
        for judge in judges:
            store.add_judge(judge.id, judge.name, {**judge.settings, "title": ""})
            for (key,) in select(db, "SELECT trial FROM generations LIMIT ?", [count]):
                store.add_verdict(str(key), Verdict(judge.id, Label.CONVERGENCE))


def test_a_run_goes_on_while_another_experiment_is_planned_and_refuses_to_be_replaced(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await pilot.press("p", "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        plan.change(replace(SMALL, limit=2, max_tokens=8))
        await pilot.press("r", "0", "d")
        assert app.session.experiment == SMALL
        await pilot.press("2", "p")
        await wait_idle(pilot)
        assert screen.state == DONE

    drive_run(db, story)
    assert stored(db) == [(18, 18)]
    assert select(db, "SELECT count(*) FROM experiments") == [(1,)]


def test_after_a_stop_r_asks_whether_to_resume_or_to_run_the_changed_plan(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        run_screen(app).halt()
        await wait_idle(pilot)
        await press(pilot, "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        plan.change(replace(SMALL, limit=2))
        await press(pilot, "2", "r")
        assert isinstance(app.screen, ChooseOne)
        await press(pilot, "escape")
        assert not run_screen(app).is_at_work
        await pilot.press("r")
        await wait_until(pilot, lambda: isinstance(app.screen, ChooseOne))
        await pilot.press("enter")
        await wait_idle(pilot)
        assert stored(db) == [(18, 18)]
        await press(pilot, "r", "down", "enter")
        await wait_idle(pilot)

    drive_run(db, story)
    assert select(db, "SELECT count(*) FROM experiments") == [(2,)]
    assert stored(db) == [(18, 18)]  # the changed plan has a part of the same trials


def test_a_changed_plan_that_cannot_start_is_kept_and_hides_no_result(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    changed = replace(SMALL, models=["nowhere.gguf"], seed=7)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        id = app.session.id
        app.session.plan = Draft(changed, TYPED)
        await press(pilot, "2", "r", "down", "enter")
        await wait_idle(pilot)
        screen = run_screen(app)
        assert screen.state.startswith("Failed")
        assert app.session.id == id
        assert len(screen.run.grid.statuses) == 18
        await press(pilot, "4")
        assert not app.screen.query_one("#empty").display
        await press(pilot, "0", "enter", "1")
        assert isinstance(app.screen, PlanScreen)
        assert app.screen.experiment == changed

    drive_run(db, story)


def test_labels_of_a_person_are_no_work_of_a_plan_without_a_judge(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    plan = Experiment(judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [plan])
    label_by_hand(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).state == DONE
        line = str(run_screen(app).query_one("#activity", Static).render())
        assert "1 label" in line.split(" · ")
        assert "3 unjudged" in line

    drive_stored(db, story)


def test_labels_of_a_planned_judge_are_shown_before_those_of_a_person(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment().to_toml()])
    label_by_hand(db)
    with Store(db) as store:
        store.add_judge("local:x", "x", {"kind": "a local model", "title": ""})
        scripted = {"kind": "a local model", "title": STAND_IN_TITLE}
        store.add_judge("local:scripted", "scripted", scripted)
        for (key,) in select(db, "SELECT trial FROM generations LIMIT 2"):
            store.add_verdict(str(key), Verdict("local:x", Label.CONVERGENCE))
            store.add_verdict(str(key), Verdict("local:scripted", Label.CONVERGENCE))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).run.judge == "local:x"
        assert "demo: not evidence" in frame(app)[0]  # rates of one judge of three are the demo's
        assert run_screen(app).state == "4 labels pending: r judges the answers"  # by the demo
        line = str(run_screen(app).query_one("#activity", Static).render())
        assert line.strip().startswith("4 answers · 5 labels · 4 labels pending")  # 2, 2 and 1

    drive_stored(db, story)


def test_labels_given_on_another_screen_are_shown_at_once(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    plan = Experiment(judges=["none"]).to_toml()
    execute(db, "UPDATE experiment_plans SET toml = ?", [plan])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert run_screen(app).run.grid.labelled == 0
        await press(pilot, "5", "c", "n", "2")
        assert run_screen(app).run.grid.labelled == 2
        await press(pilot, "5", "u", "2")
        assert run_screen(app).run.grid.labelled == 1

    drive_stored(db, story)


def label_by_hand(db: Path) -> None:
    """Store the label of a person for the first answer."""
    ((key,),) = select(db, "SELECT trial FROM generations LIMIT 1")
    with Store(db) as store:
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        store.add_verdict(str(key), Verdict("human:ada", Label.CONVERGENCE))


def test_labels_pending_are_those_of_all_planned_judges(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 4)
    with Loopback(Fake(models=("one", "two"))) as server:
        names = [f"openai:{name}@{server.url}" for name in ("one", "two")]
        execute(db, "UPDATE experiment_plans SET toml = ?", [Experiment(judges=names).to_toml()])
        (first, _) = find_judges(names, "steertui", hide_suffix=False, options=DEFAULT_OPTIONS)
        with Store(db) as store:
            store.add_judge(first.id, first.name, {**first.settings, "title": ""})
            for (key,) in select(db, "SELECT trial FROM generations LIMIT 3"):
                store.add_verdict(str(key), Verdict(first.id, Label.CONVERGENCE))

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "2")
            assert run_screen(app).run.judge == first.id
            assert run_screen(app).state == "5 labels pending: r judges the answers"
            line = str(run_screen(app).query_one("#activity", Static).render())
            assert "5 labels pending" in line
            await press(pilot, "0")
            assert "5 labels pending" in frame(app)[0]
            assert "c   resume: 5 labels are pending in" in frame(app)[0]
            await press(pilot, "c")  # asks about the hosts first
            assert isinstance(app.screen_stack[-2], RunScreen)
            await press(pilot, "escape")

        drive_stored(db, story)


def test_a_run_that_is_stopped_when_all_is_stored_is_complete(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        screen = run_screen(app)
        screen.post_message(Ended("", is_stopped=True, summary=None))
        await wait_idle(pilot)
        assert screen.state == DONE

    drive_run(tmp_path / "a.db", story)


def test_the_last_answer_is_shown_as_stored_while_only_judges_are_at_work(tmp_path: Path) -> None:
    made_up(tmp_path / "a.db", ["the stored answer"] * 4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = run_screen(app)
        key = screen.query_one(Matrix).selected_key()
        focus = screen.query_one(FocusPanel)
        stages = {"generate": Stage(4, 4)}
        slots = (SlotView(key, 3, "the stored"),)
        screen.post_message(RunUpdate(stages=stages, slots=slots, slot_count=1))
        await wait_idle(pilot)
        assert focus.border_subtitle == "generating"
        judging = {"fake": JudgeQueue(0, 4)}
        screen.post_message(RunUpdate(slots=(), answered={key}, queues=judging))
        await wait_idle(pilot)
        assert "generating" not in str(focus.border_subtitle)
        assert "the stored answer" in focus.text.text

    drive_stored(tmp_path / "a.db", story)
