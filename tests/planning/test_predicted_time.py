"""Predicted time of a plan under another maximum of new tokens than that of the newest run."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.execution import run
from steertui.execution.later_work import LaterWork
from steertui.execution.plan_lines import time_text
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import DEFAULT_OPTIONS
from steertui.planning.plan import make_plan
from steertui.planning.rates import MissingAnswer, SecondsPerAnswer, predict_seconds
from steertui.planning.resolve import resolve
from steertui.store import Store
from tests.fixtures.database import execute
from tests.fixtures.program import call

CAP = 40
MADE = Experiment(limit=4, max_tokens=CAP, judges=["none"])


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 12 answers in 24 s: six of 10 tokens that ended, six that reached the maximum."""
    path = tmp_path_factory.mktemp("times") / "a.db"
    with Store(path) as store:
        list(run(make_plan(resolve(MADE), store), store, Overrides(), DEFAULT_OPTIONS))
    execute(
        path,
        """UPDATE generations SET seconds = 24, created_at = '2026-01-05T10:00:30.000Z',
            prompt_tokens = 75, stop = iif(id > 6, 'length', 'stop'), tokens = iif(id > 6, 40, 10)
        """,
    )
    return path


def predicted(db: Path, max_tokens: int, known: int | None = None) -> SecondsPerAnswer:
    with Store(db, must_exist=True) as store:
        (model,) = store.column("SELECT DISTINCT model FROM trials")
        missing = Counter([MissingAnswer(str(model), max_tokens, known)])
        seconds = predict_seconds(store, missing)
    assert seconds
    return seconds


def test_the_same_maximum_keeps_the_time(db: Path) -> None:
    """2 s per answer of 25 tokens on average; 40 tokens take 40 / 25 of it at most."""
    same = predicted(db, CAP)
    assert same.low == pytest.approx(2.0)
    assert same.high == pytest.approx(2.0)
    assert same.at_limit == pytest.approx(3.2)


def test_a_higher_maximum_continues_the_truncated_answers_only(db: Path) -> None:
    """At most six of 10 and six of 400 tokens; the prompts take some of the time or none."""
    higher = predicted(db, 400)
    assert higher.low == pytest.approx(2.0)
    assert higher.high == pytest.approx(2 * 205 / 25)
    assert higher.at_limit == pytest.approx(2 * 400 / 25)


def test_a_lower_maximum_cuts_answers_but_no_prompts(db: Path) -> None:
    lower = predicted(db, 5)
    assert lower.low == pytest.approx(2 * 5 / 25)
    assert lower.high == lower.at_limit == pytest.approx(2 * (75 + 5) / (75 + 25))


def test_an_answer_known_to_be_truncated_is_at_least_as_long(db: Path) -> None:
    """Under a higher maximum only the truncated greedy answers are generated again."""
    known = predicted(db, 100, known=40)
    assert known.low == pytest.approx(2 * (75 + 40) / (75 + 25))
    assert known.high == known.at_limit == pytest.approx(2 * 100 / 25)


def test_an_unknown_maximum_has_no_predicted_time(db: Path) -> None:
    with Store(db, must_exist=True) as store:
        (model,) = store.column("SELECT DISTINCT model FROM trials")
        assert predict_seconds(store, Counter([MissingAnswer(str(model), 0)])) is None


def test_plan_and_command_scale_the_time_with_the_maximum(db: Path) -> None:
    """The answers that ended are reused; the truncated ones have 40 to 400 tokens."""
    changed = replace(MADE, max_tokens=400)
    estimate = estimate_experiment(changed, db, DEFAULT_OPTIONS)
    assert (estimate.reused, estimate.unanswered) == (6, 6)
    text = time_text(estimate, 6)
    assert text == "0:14 to 3:12 at the speed and answer lengths of each model's newest run"
    options = (
        "--demo",
        "--conditions",
        "baseline,pro,anti",
        "--limit",
        "4",
        "--max-tokens",
        "400",
        "--judge",
        "none",
        "--plan",
    )
    code, out, err = call(*options, "--db", "a.db", cwd=db.parent)
    assert (code, err) == (0, "")
    assert f"Time    {text}\n" in out


def test_stages_that_follow_have_the_time_of_the_plan(db: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a.db"
    shutil.copy(db, copy)
    changed = replace(MADE, max_tokens=400, temperatures=[1.0])
    with Store(copy) as store:
        plan = make_plan(resolve(changed), store)
        text = LaterWork(plan, store).text
    assert text == "12 answers by demo, 0:24 to 3:17"
    assert time_text(plan.estimate, 12).startswith("0:24 to 3:17 at")
