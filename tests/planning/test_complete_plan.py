"""Estimates of stored experiments of which nothing is left to do and whose weights are missing."""

from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from steertui.core.experiment import Experiment
from steertui.core.model import Model
from steertui.core.verdict import Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.execution.judge_worths import UNMEASURED, with_worths
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import load_rubric
from steertui.planning.estimate import Estimate
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.idle_plan import COMPLETE, IMPORTED, idle_reason
from steertui.planning.judge_estimate import IMPORTED_WORTH
from steertui.planning.judges import DEFAULT_OPTIONS
from steertui.planning.origin import TYPED
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session, open_session
from tests.fixtures.database import execute, select
from tests.fixtures.frames import frame
from tests.fixtures.screens import drive, press
from tests.fixtures.stored_answers import MODEL, made_up

PUBLISHED = "paper:gpt-5.2"

EXPERIMENT = Experiment(
    models=["Qwen3-4B-Base"], scenarios=["instrumentaleval"], judges=[PUBLISHED]
)


def write(db: Path, model_id: str = MODEL) -> None:
    """Write an imported experiment of four answers with labels."""
    made_up(db, ["an answer"] * 4, model_id=model_id)
    execute(db, "UPDATE experiment_plans SET toml = ?", [EXPERIMENT.to_toml()])
    with Store(db) as store:
        store.add_judge(PUBLISHED, PUBLISHED, {"kind": "imported labels", "title": ""})
        for (key,) in select(db, "SELECT trial FROM generations"):
            store.add_verdict(str(key), Verdict(PUBLISHED, Label.CONVERGENCE))


def estimate(db: Path) -> Estimate:
    return estimate_experiment(EXPERIMENT, db, DEFAULT_OPTIONS)


def test_a_complete_imported_experiment_downloads_nothing_and_r_shows_its_trials(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    write(db)
    complete = estimate(db)
    assert (complete.error, complete.downloads, complete.answered) == ("", (), 4)
    assert complete.is_complete

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1", "r")
        assert isinstance(app.screen, RunScreen)
        assert not app.screen.is_at_work
        assert app.screen.run.notices == []

    drive(open_session(None, db, Overrides(threads=1)), story)
    edited = replace(EXPERIMENT, scenarios=["starter"])  # present, with other texts than the stored
    execute(db, "UPDATE experiment_plans SET toml = ?", [edited.to_toml()])
    assert estimate_experiment(edited, db, DEFAULT_OPTIONS).answered != 4
    execute(db, "UPDATE experiment_plans SET toml = ?", [EXPERIMENT.to_toml()])
    execute(db, "DELETE FROM generations WHERE id = 1")
    assert not estimate(db).is_complete


def test_r_on_run_asks_for_no_weights_of_a_complete_experiment(tmp_path: Path) -> None:
    """Its weights were removed since."""
    db = tmp_path / "a.db"
    write(db)
    assert idle_reason(EXPERIMENT, db, DEFAULT_OPTIONS, TYPED) == COMPLETE

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2", "r")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert [notice.text for notice in screen.run.notices] == [COMPLETE]

    drive(Session(db, EXPERIMENT), story)


def test_a_complete_experiment_needs_neither_the_weights_of_its_judge_nor_a_judge(
    tmp_path: Path,
) -> None:
    db = tmp_path / "a.db"
    write(db)
    unjudged = replace(EXPERIMENT, judges=["none"])
    judged = replace(EXPERIMENT, judges=["local:hub/Some-0.5B-GGUF:Q4_K_M"])
    other = replace(EXPERIMENT, judges=["local:hub/Other-0.5B-GGUF:Q4_K_M"])
    weights = Model("Some-0.5B.Q4_K_M", Path(), "ab" * 32, 0)
    judge = LocalJudge(weights, load_rubric("steertui"))
    with Store(db) as store:
        store.add_judge(judge.id, judge.name, {**judge.settings, "title": "Some"})
        for (key,) in select(db, "SELECT trial FROM generations"):
            store.add_verdict(str(key), Verdict(judge.id, Label.CONVERGENCE))
    for plan, reason in ((unjudged, COMPLETE), (judged, COMPLETE), (other, "")):
        execute(db, "UPDATE experiment_plans SET toml = ?", [plan.to_toml()])
        assert idle_reason(plan, db, DEFAULT_OPTIONS, TYPED) == reason
    both = replace(judged, judges=[*judged.judges, "paper:gpt-5.2"])
    with Store(db) as store:
        store.add_judge("paper:gpt-5.2", "paper:gpt-5.2", {"title": "GPT"})
        for (key,) in select(db, "SELECT trial FROM generations"):
            store.add_verdict(str(key), Verdict("paper:gpt-5.2", Label.CONVERGENCE))
    execute(db, "UPDATE experiment_plans SET toml = ?", [both.to_toml()])
    local, paper = with_worths(estimate_experiment(both, db, DEFAULT_OPTIONS).judges, db)
    assert (local.id, local.worth) == (judge.id, UNMEASURED)
    assert paper.worth == IMPORTED_WORTH
    execute(db, "UPDATE experiment_plans SET toml = ?", [judged.to_toml()])
    execute(db, "DELETE FROM verdicts WHERE judge = ? AND id % 2", [judge.id])
    assert idle_reason(judged, db, DEFAULT_OPTIONS, TYPED) == ""


def test_r_on_run_says_that_imported_answers_leave_nothing_to_generate(tmp_path: Path) -> None:
    """No question about hosts and downloads is asked before."""
    db = tmp_path / "a.db"
    write(db, "imported:made-up")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2", "r")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.state.startswith("Up to date")
        assert [notice.text for notice in screen.run.notices] == [IMPORTED]
        assert not screen.run.notices[0].is_bad

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_imported_labels_are_never_pending(tmp_path: Path) -> None:
    """No run makes a published label that is missing."""
    db = tmp_path / "a.db"
    write(db)
    execute(db, "DELETE FROM verdicts WHERE id = 1")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.state.startswith("Up to date")
        await press(pilot, "0")
        assert "resume" not in frame(app)[0]

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_plan_says_that_answers_were_imported_and_blames_no_field(tmp_path: Path) -> None:
    """A log of inspect_ai names a task, which is no scenario pack, and a model of a provider."""
    db = tmp_path / "a.db"
    write(db, "imported:made-up")
    log = replace(EXPERIMENT, models=["provider/model/name"], scenarios=["task"])
    execute(db, "UPDATE experiment_plans SET toml = ?", [log.to_toml()])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "1")
        shown = " ".join(str(app.screen.query_one("#estimate", Static).render()).split())
        assert shown.startswith("! the answers of this experiment were imported")
        assert "Change the models; r runs nothing until then." in shown

    drive(open_session(None, db, Overrides(threads=1)), story)
