"""The Run screen, driven by keys over a real run of the demo model."""

from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.verdict import SIGNS
from steertui.engine.events import SlotView
from steertui.planning.origin import TYPED
from steertui.stats.rate import Policy
from steertui.tui.app import SteertuiApp
from steertui.tui.label.label_screen import LabelScreen
from steertui.tui.label.label_text import NO_ANSWERS
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel
from steertui.tui.run.run_controls import PAUSED, RUNNING
from steertui.tui.run.run_messages import Ended, JudgeQueue, RunUpdate, Stage
from steertui.tui.run.run_screen import COUNTING, DONE, NOT_STARTED, READING, STOPPED
from steertui.tui.run.run_state import RunState
from steertui.tui.run.status_lines import activity_parts
from steertui.tui.session import Draft, Session
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.label_style import FAILED, ON_DARK, WAITING, WRITING, WRITTEN
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.reflowing_text import ReflowingText
from tests.fixtures.database import select
from tests.fixtures.run_screens import SMALL, drive_run, drive_stored, run_screen, stored
from tests.fixtures.screens import press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


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


def key_label(screen: Page, key: str) -> str:
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


def test_a_run_goes_on_while_another_experiment_is_planned_and_refuses_to_be_replaced(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"

    def shown(plan: PlanScreen) -> str:
        return " ".join(str(plan.query_one("#estimate", Static).render()).split())

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await pilot.press("p", "1")
        plan = app.screen
        assert isinstance(plan, PlanScreen)
        assert shown(plan).startswith("A run of this plan is in progress.")
        plan.change(replace(SMALL, limit=2, max_tokens=8))
        assert key_label(plan, "r") == "Show run"
        await wait_until(pilot, lambda: "r shows the run in progress" in shown(plan))
        assert shown(plan).startswith("A run of another plan is in progress")
        await pilot.press("r")
        assert app.screen is screen
        await pilot.press("0", "d")
        assert app.session.experiment == SMALL
        await pilot.press("2", "p")
        await wait_idle(pilot)
        assert screen.state == DONE
        await press(pilot, "1")
        assert "in progress" not in shown(plan)

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


def test_a_stored_experiment_is_not_called_unstarted_while_it_is_read(tmp_path: Path) -> None:
    """A database of 100,000 trials takes seconds; "r runs the experiment" would be false."""
    db = tmp_path / "a.db"
    made_up(db, ["I wait.", "I copy myself."])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = run_screen(app)
        await wait_until(pilot, lambda: screen.run.summary is not None)
        read = screen.state
        screen.version = -1
        screen.reload()
        assert (screen.state, screen.run.places) == (READING, {})
        assert COUNTING in str(screen.query_one("#rates", ReflowingText).render())
        await wait_until(pilot, lambda: screen.run.summary is not None)
        assert screen.state == read != NOT_STARTED

    drive_stored(db, story)


def test_a_changed_plan_is_named_where_nothing_was_run(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db")
    assert session.unplanned == "no experiment was run yet"
    session.plan = Draft(SMALL, TYPED)
    assert session.unplanned == "the plan was not run yet"
    assert Session(tmp_path / "a.db", SMALL).unplanned == "this experiment was not run yet"


def test_a_policy_is_not_kept_for_another_experiment(tmp_path: Path) -> None:
    session = Session(tmp_path / "a.db", SMALL, id="one", policy=Policy.ALL)
    policies = []
    for name, id in (("a.db", "one"), ("b.db", "two")):
        session.open(tmp_path / name, SMALL, id)
        policies.append(session.policy)
    assert policies == [Policy.ALL, Policy.PAPER]
