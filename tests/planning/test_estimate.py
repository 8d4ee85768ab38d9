"""Estimates of experiments: equal before an experiment is stored and in its plan."""

import hashlib
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from steertui.core.experiment import Experiment
from steertui.core.model import demo_path
from steertui.core.verdict import Debias
from steertui.engine.sizing import Overrides
from steertui.execution import run
from steertui.execution.judge_worths import with_worths
from steertui.execution.plan_lines import answered_text, gap_text, judge_work_text, time_text
from steertui.judge.control import load_control_set
from steertui.planning.consent import open_question
from steertui.planning.estimate import Estimate
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions
from steertui.planning.origin import origin_of
from steertui.planning.plan import make_plan
from steertui.planning.presets import PRESETS
from steertui.planning.rates import SecondsPerAnswer
from steertui.planning.resolve import resolve
from steertui.store import Store
from steertui.store.answer_times import answer_times
from steertui.tui.plan.fields import FIELDS
from tests.fixtures.database import execute

SMALL = Experiment(limit=4, max_tokens=16)
PRICED = JudgeServerOptions(price="2,8")


def planned(db: Path, experiment: Experiment, options: JudgeServerOptions) -> Estimate:
    with Store(db) as store:
        return make_plan(resolve(experiment), store, options).estimate


def test_estimating_stores_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    estimate = estimate_experiment(SMALL, db, DEFAULT_OPTIONS)
    assert estimate.size.trials == 12
    assert estimate.answered == 0
    assert not db.exists()


@pytest.mark.parametrize("debias", ["none", "estimate"])
def test_estimate_and_plan_agree_before_and_after_a_run(tmp_path: Path, debias: Debias) -> None:
    db = tmp_path / "a.db"
    experiment = replace(SMALL, judges=["local:demo"], debias=debias)
    before = estimate_experiment(experiment, db, DEFAULT_OPTIONS)
    assert before == planned(db, experiment, DEFAULT_OPTIONS)
    assert [judge.unjudged for judge in before.judges] == [12]
    with Store(db) as store:
        list(run(make_plan(resolve(experiment), store), store, Overrides(), DEFAULT_OPTIONS))
    after = estimate_experiment(experiment, db, DEFAULT_OPTIONS)
    assert after == planned(db, experiment, DEFAULT_OPTIONS)
    assert after.answered == 12
    assert [judge_work_text(judge) for judge in after.judges] == ["up to date"]
    more = estimate_experiment(replace(experiment, limit=8), db, DEFAULT_OPTIONS)
    (judge,) = with_worths(more.judges, db)
    assert judge.seconds_per_label
    assert judge_work_text(judge).startswith("12 labels pending, about 0:0")


def test_cost_of_a_paid_judge_counts_stored_and_expected_answers(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = replace(SMALL, judges=["openai:gpt-5.2"], max_tokens=400)
    before = estimate_experiment(experiment, db, PRICED)
    assert before == planned(db, experiment, PRICED)
    (judge,) = before.judges
    assert judge.dollars
    assert judge_work_text(judge).startswith("12 labels pending, about $")
    unjudged = replace(experiment, judges=["none"])
    with Store(db) as store:
        list(run(make_plan(resolve(unjudged), store), store, Overrides(), DEFAULT_OPTIONS))
    (judge_after,) = estimate_experiment(experiment, db, PRICED).judges
    assert judge_after.unjudged == 12
    assert judge_after.dollars
    assert judge_after.dollars != judge.dollars
    halved = estimate_experiment(experiment, db, replace(PRICED, batches=True))
    assert halved.judges[0].dollars == pytest.approx(judge_after.dollars / 2)


def test_the_control_set_is_in_the_work_and_in_the_cost(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = replace(SMALL, judges=["openai:gpt-5.2"], max_tokens=400)
    without = estimate_experiment(experiment, db, PRICED).judges[0]
    options = replace(PRICED, control_set=load_control_set())
    (judge,) = estimate_experiment(experiment, db, options).judges
    assert (judge.unjudged, judge.control) == (12, 168)
    assert judge.dollars
    assert without.dollars
    assert judge.dollars > without.dollars + 168 * 2e-4
    assert "12 labels pending and 168 control answers to read first" in judge_work_text(judge)
    assert planned(db, experiment, options).judges == (judge,)


def test_cost_scales_with_samples_while_trials_cannot_be_rendered(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = Experiment(
        models=["server:one@http://127.0.0.1:9"],
        judges=["openai:gpt-5.2"],
        limit=4,
        temperatures=[0.7],
    )
    one = estimate_experiment(experiment, db, PRICED)
    three = estimate_experiment(replace(experiment, samples=3), db, PRICED)
    assert one.answered is None
    assert three.size.samples == 3
    assert one.judges[0].dollars
    assert three.judges[0].dollars == pytest.approx(3 * one.judges[0].dollars)


def test_cost_counts_conditions_with_the_same_user_message(tmp_path: Path) -> None:
    """They differ in the system message only, so each has answers of its own."""
    file = tmp_path / "systems.toml"
    names = ("none", "polite", "terse")
    parts = [f'[[condition]]\nname = "{n}"\nabout = "A."\nsystem = "Be {n}."\n' for n in names]
    file.write_text('format = 1\nname = "systems"\n\n' + "\n".join(parts), encoding="utf-8")
    three = Experiment(
        models=["server:one@http://127.0.0.1:9"],
        judges=["openai:gpt-5.2"],
        limit=4,
        conditions_file=str(file),
        conditions=list(names),
    )
    costs = [
        estimate_experiment(e, tmp_path / "a.db", PRICED).judges[0].dollars
        for e in (three, replace(three, conditions=["none"]))
    ]
    assert costs[1]
    assert costs[0] == pytest.approx(3 * costs[1])


def test_error_of_a_name_is_returned(tmp_path: Path) -> None:
    estimate = estimate_experiment(replace(SMALL, conditions=["none"]), tmp_path / "a.db", PRICED)
    assert "no such condition" in estimate.error
    assert estimate.size.trials == 0


def test_without_a_judge_the_demo_is_judged_only_if_it_is_the_only_model(tmp_path: Path) -> None:
    """As the help of Plan says."""
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    for models, judges in ((["demo"], ["local:demo"]), (["demo", str(copy)], [])):
        estimate = estimate_experiment(replace(SMALL, models=models), tmp_path / "a.db", PRICED)
        assert [judge.name for judge in estimate.judges] == judges
    assert "if it is the only model, else answers stay unjudged" in FIELDS["judges"].about


def test_time_is_that_of_each_missing_model_and_never_of_another_one(tmp_path: Path) -> None:
    """The demo's rate says nothing about a copy of it under another identity."""
    db = tmp_path / "a.db"
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    first = replace(SMALL, limit=6, judges=["none"])
    with Store(db) as store:
        list(run(make_plan(resolve(first), store), store, Overrides(), DEFAULT_OPTIONS))
    more = replace(first, temperatures=[0.0, 0.7])
    rate = estimate_experiment(more, db, DEFAULT_OPTIONS).seconds_per_answer
    assert rate is not None
    assert 0 < rate.low <= rate.at_limit < 60
    assert rate.low == pytest.approx(rate.high)
    other = replace(first, models=[str(copy)])
    assert estimate_experiment(other, db, DEFAULT_OPTIONS).seconds_per_answer is None
    both = replace(more, models=["demo", str(copy)])
    assert estimate_experiment(both, db, DEFAULT_OPTIONS).seconds_per_answer is None
    elsewhere = estimate_experiment(more, tmp_path / "b.db", DEFAULT_OPTIONS)
    assert elsewhere.seconds_per_answer
    assert elsewhere.seconds_per_answer.low == pytest.approx(rate.low, rel=0.01)
    execute(db, "DELETE FROM generations WHERE id > 5")  # too few answers for a rate of their own
    of_machine = estimate_experiment(more, db, DEFAULT_OPTIONS).seconds_per_answer
    assert of_machine
    assert astuple(of_machine) == pytest.approx(astuple(elsewhere.seconds_per_answer))
    assert estimate_experiment(other, tmp_path / "b.db", DEFAULT_OPTIONS).seconds_per_answer is None


def test_a_short_resumed_run_does_not_hide_the_rate_of_the_run_before(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Store(db) as store:
        list(run(make_plan(resolve(SMALL), store), store, Overrides(), DEFAULT_OPTIONS))
        key = store.column("SELECT trial FROM generations ORDER BY id DESC LIMIT 1")[0]
        model = store.column("SELECT model FROM trials")[0]
        before = answer_times(store, model)
    execute(db, "DELETE FROM verdicts")
    execute(db, "DELETE FROM generations WHERE trial = ?", [key])
    with Store(db) as store:
        list(run(make_plan(resolve(SMALL), store), store, Overrides(), DEFAULT_OPTIONS))
        assert store.column("SELECT count(*) FROM generations")[0] == 12
        after = answer_times(store, model)
    assert before is not None
    assert after is not None


def test_the_rate_of_parallel_answers_includes_the_time_before_the_first_is_stored(
    tmp_path: Path,
) -> None:
    """Answers of one batch are stored together, so the times between them say little."""
    db = tmp_path / "a.db"
    with Store(db) as store:
        list(run(make_plan(resolve(SMALL), store), store, Overrides(), DEFAULT_OPTIONS))
        model = store.column("SELECT model FROM trials")[0]
        execute(db, "UPDATE generations SET seconds = 24, created_at = '2026-01-05T10:00:30.000Z'")
        assert _seconds(store, model) == pytest.approx(24 / 12, abs=1e-3)
        execute(db, "UPDATE generations SET created_at = '2026-01-05T10:00:42.000Z' WHERE id > 6")
        assert _seconds(store, model) == pytest.approx(36 / 12, abs=1e-3)
        later = "UPDATE generations SET created_at = '2026-01-05T10:05:42.000Z' WHERE id > 6"
        execute(db, later)  # a pause of some minutes between the halves
        assert _seconds(store, model) == pytest.approx(48 / 12, abs=1e-3)
        execute(db, "UPDATE runs SET settings = '{}'")  # a run on servers, which it waited for
        assert _seconds(store, model) == pytest.approx((24 + 312) / 12, abs=1e-3)


def _seconds(store: Store, model: str) -> float:
    times = answer_times(store, model)
    assert times
    return times.seconds


@pytest.mark.parametrize(
    "text", ["", "[1]", "no JSON", '{"MODEL": "b"}', '{"MODEL": {"seconds": 1}}']
)
def test_a_damaged_file_of_rates_is_no_rate(tmp_path: Path, state_home: Path, text: str) -> None:
    file = state_home / "steertui" / "rates" / "answer-times.json"
    file.parent.mkdir(parents=True)
    digest = hashlib.sha256(demo_path().read_bytes()).hexdigest()
    file.write_text(text.replace("MODEL", digest), encoding="utf-8")
    estimate = estimate_experiment(SMALL, tmp_path / "a.db", DEFAULT_OPTIONS)
    assert estimate.seconds_per_answer is None


def test_a_received_experiment_counts_the_answers_of_its_stored_plan(tmp_path: Path) -> None:
    """Its weights are not opened before the user agrees, but its trials are in the database."""
    db = tmp_path / "a.db"
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    experiment = replace(SMALL, models=[str(copy)], judges=["none"])
    planned(db, experiment, DEFAULT_OPTIONS)
    origin = origin_of(experiment, str(db), is_database=True)
    assert open_question(experiment, origin)
    for answers in (0, 12):
        estimate = estimate_experiment(experiment, db, DEFAULT_OPTIONS, origin)
        assert (estimate.answered, estimate.unanswered) == (answers, 12 - answers)
        assert estimate.is_as_stored
        with Store(db) as store:
            list(run(make_plan(resolve(experiment), store), store, Overrides(), DEFAULT_OPTIONS))
    renamed = replace(experiment, name="pilot")
    assert estimate_experiment(renamed, db, DEFAULT_OPTIONS, origin).answered == 12
    more = replace(experiment, limit=5)
    assert estimate_experiment(more, db, DEFAULT_OPTIONS, origin).answered is None


def test_an_estimate_before_consent_claims_no_missing_work(tmp_path: Path) -> None:
    """Answers and labels may exist whose keys need the weights, which are not opened yet."""
    db = tmp_path / "a.db"
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    experiment = replace(SMALL, models=[str(copy)], judges=[f"local:{copy}"])
    origin = origin_of(experiment, str(db), is_database=True)
    unknown = "unknown until you agree to run this experiment"
    before = estimate_experiment(experiment, db, DEFAULT_OPTIONS, origin)
    assert not before.needs_consent
    assert judge_work_text(before.judges[0]) == "12 labels pending"
    planned(db, experiment, DEFAULT_OPTIONS)
    same = estimate_experiment(experiment, db, DEFAULT_OPTIONS, origin)
    assert not same.needs_consent
    more = replace(experiment, limit=5)
    estimate = estimate_experiment(more, db, DEFAULT_OPTIONS, origin)
    estimate = replace(estimate, judges=with_worths(estimate.judges, db))
    assert f"{answered_text(estimate)}15 to do" == f"answered before: {unknown}; at most 15 to do"
    assert time_text(estimate, estimate.unanswered) == unknown
    assert [judge_work_text(judge) for judge in estimate.judges] == [
        "at most 15 labels pending; worth unknown before its weights are opened"
    ]
    (paid,) = estimate_experiment(
        replace(more, judges=["openai:gpt-5.2"]), db, PRICED, origin
    ).judges
    assert judge_work_text(paid).startswith("at most 15 labels pending, about $")


def test_a_stored_plan_of_other_texts_counts_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    copy = tmp_path / "other.gguf"
    copy.write_bytes(demo_path().read_bytes() + b"\0" * 32)
    conditions = tmp_path / "c.toml"
    table = 'format = 1\n[[condition]]\nname = "{}"\nsuffix = "{}"\n'
    experiment = replace(
        SMALL,
        models=[str(copy)],
        judges=["none"],
        conditions=["mine"],
        conditions_file=str(conditions),
    )
    conditions.write_text(table.format("mine", "one"), encoding="utf-8")
    planned(db, experiment, DEFAULT_OPTIONS)
    origin = origin_of(experiment, str(tmp_path / "x.toml"), is_database=False)
    assert estimate_experiment(experiment, db, DEFAULT_OPTIONS, origin).answered == 0
    conditions.write_text(table.format("mine", "two"), encoding="utf-8")
    assert estimate_experiment(experiment, db, DEFAULT_OPTIONS, origin).answered is None


def test_time_is_unknown_before_the_first_run(tmp_path: Path) -> None:
    estimate = estimate_experiment(SMALL, tmp_path / "a.db", DEFAULT_OPTIONS)
    assert time_text(estimate, 12).startswith("unknown before the first run")
    basis = "at the speed and answer lengths of each model's newest run"
    for seconds, text in (
        (SecondsPerAnswer(2, 2, 2), f"about 2:00 {basis}"),
        (SecondsPerAnswer(2, 3, 3), f"2:00 to 3:00 {basis}"),
        (
            SecondsPerAnswer(2, 3, 4),
            f"2:00 to 3:00 {basis}; 4:00 if all answers have the maximum number of tokens",
        ),
    ):
        assert time_text(replace(estimate, seconds_per_answer=seconds), 60) == text
    assert time_text(estimate, 0) == ""
    assert "4 scenarios" in gap_text(estimate)


def test_a_plan_of_groups_alone_has_no_primary_comparison(tmp_path: Path) -> None:
    for name, compared in (
        ("demo-contest", "of one uncorrected comparison at 80 % power is at most 31 points"),
        ("demo-dose", "of one uncorrected comparison at 80 % power is at most 31 points"),
        ("demo-steering", "of the primary comparison pro − anti at 80 % power"),
    ):
        preset = PRESETS[name]
        estimate = estimate_experiment(preset, tmp_path / "a.db", DEFAULT_OPTIONS)
        assert f"minimum detectable gap {compared}" in gap_text(estimate)
