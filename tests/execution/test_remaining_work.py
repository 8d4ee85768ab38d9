"""Remaining work and time of a stage, on simulated answers and in runs of the demo model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steertui.core.experiment import Experiment
from steertui.engine.events import Capacity, Snapshot
from steertui.engine.sizing import Overrides
from steertui.execution import EngineProgress, ModelLoaded, RunStage, run
from steertui.execution.progress import ThroughputMeter, line_interval
from steertui.execution.remaining_work import RemainingWork, StageWork, StepCost
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.store import Store

SLOTS = 16
LONGEST = 1024
RUNS = 200


def simulate(lengths: np.ndarray) -> tuple[list[RemainingWork | None], int]:
    """Return the expected work after each step of answers of these lengths, and the steps."""
    work = StageWork(0, len(lengths), LONGEST, Snapshot())
    waiting = list(lengths)
    slots: list[list[int]] = []
    estimates = []
    step = 0
    while waiting or slots:
        while waiting and len(slots) < SLOTS:
            slots.append([0, waiting.pop()])
        for slot in slots:
            slot[0] += 1
        for _, length in [slot for slot in slots if slot[0] == slot[1]]:
            work.end(length)
        slots = [slot for slot in slots if slot[0] < slot[1]]
        step += 1
        estimates.append(work.left(Snapshot(steps=step), [slot[0] for slot in slots], SLOTS))
    return estimates, step


@pytest.mark.parametrize("kind", ["equal", "at the limit", "spread", "skewed"])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_expected_steps_are_near_the_true_ones(kind: str, share: float) -> None:
    random = np.random.default_rng(1)
    lengths = {
        "equal": np.full(100, 200),
        "at the limit": np.full(100, LONGEST),
        "spread": random.integers(100, 400, 200),
        "skewed": np.minimum(LONGEST, 1 + random.exponential(150, 300).astype(int)),
    }[kind]
    estimates, steps = simulate(lengths)
    at = int(share * steps)
    left = estimates[at]
    assert left
    true = steps - at - 1
    assert left.steps == pytest.approx(true, abs=0.12 * steps)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["spread", "skewed"])
def test_the_range_has_the_remaining_tokens_in_most_runs(kind: str, share: float) -> None:
    random = np.random.default_rng(2)
    held = 0
    for _ in range(RUNS):
        spread = random.integers(100, 400, 120)
        skewed = np.minimum(LONGEST, 1 + random.exponential(150, 120).astype(int))
        left, true = after_share({"spread": spread, "skewed": skewed}[kind], share)
        held += left.tokens / left.spread <= true <= left.tokens * left.spread
    assert 0.85 * RUNS <= held < RUNS


def after_share(lengths: np.ndarray, share: float) -> tuple[RemainingWork, int]:
    """Return the expected work after a share of the tokens of these answers, and the true one."""
    work = StageWork(0, len(lengths), LONGEST, Snapshot())
    waiting = list(lengths)
    slots: list[list[int]] = []
    total = int(lengths.sum())
    done = 0
    while done < share * total:
        while waiting and len(slots) < SLOTS:
            slots.append([0, waiting.pop()])
        slots = [[now + 1, length] for now, length in slots]
        done += len(slots)
        for _, length in [slot for slot in slots if slot[0] == slot[1]]:
            work.end(length)
        slots = [slot for slot in slots if slot[0] < slot[1]]
    left = work.left(Snapshot(), [now for now, _ in slots], SLOTS)
    assert left
    return left, total - done


def test_before_an_answer_is_complete_all_have_the_maximum_length() -> None:
    estimates, _ = simulate(np.full(40, 200))
    before, after = estimates[198], estimates[199]
    assert before
    assert before.is_limit
    assert before.tokens == 40 * LONGEST - SLOTS * 199
    assert after
    assert not after.is_limit


def test_cost_of_steps_and_tokens_is_found() -> None:
    cost = StepCost()
    random = np.random.default_rng(0)
    seconds, steps, tokens = 0.0, 0, 0
    assert cost.seconds(RemainingWork(1, 1)) is None
    for _ in range(60):
        new_steps, new_tokens = random.integers(5, 50), random.integers(100, 900)
        seconds += 0.03 * new_steps + 0.004 * new_tokens
        steps += int(new_steps)
        tokens += int(new_tokens)
        cost.add(seconds, Snapshot(steps=steps, generated=tokens))
    assert cost.seconds(RemainingWork(10, 0)) == pytest.approx(0.3, rel=0.01)
    assert cost.seconds(RemainingWork(0, 100)) == pytest.approx(0.4, rel=0.01)


def test_a_new_stage_forgets_the_pace_of_the_last_model() -> None:
    time = [0.0]
    meter = ThroughputMeter(lambda: time[0])

    def progress(steps: int, spread: float = 1.0) -> EngineProgress:
        snapshot = Snapshot(steps=steps, generated=steps)
        left = RemainingWork(10, 10, spread)
        return EngineProgress(RunStage.GENERATE, 1, 2, snapshot, Capacity(1, 1, 1), left=left)

    time[0] = 100.0
    meter.add(progress(10))
    assert meter.left_text(progress(10)) == "1:40 left"
    meter.start()
    assert meter.left_text(progress(0)) == ""
    time[0] = 110.0
    meter.add(progress(10))
    assert meter.left_text(progress(10)) == "0:10 left"
    limit = replace(progress(10), left=RemainingWork(10, 10, is_limit=True))
    assert meter.left_text(limit) == "up to about 0:10 left"
    assert meter.left_text(progress(10, spread=2.0)) == "0:10 left (0:05 to 0:20)"


def test_lines_come_less_often_the_longer_a_stage_is() -> None:
    assert line_interval(0) == 10
    assert line_interval(1_000) == 100
    assert line_interval(1e6) == 600


@pytest.mark.parametrize("judges", [pytest.param([], marks=pytest.mark.slow), ["local:demo"]])
def test_time_left_falls_to_nothing_in_a_run(tmp_path: Path, judges: list[str]) -> None:
    experiment = Experiment(limit=12, max_tokens=64, judges=judges or ["none"])
    experiment = replace(experiment, reasons=bool(judges), debias="estimate")
    meter = ThroughputMeter()
    left: list[float] = []
    with Store(tmp_path / "a.db") as store:
        for event in run(make_plan(resolve(experiment), store), store, Overrides(slots=4)):
            if isinstance(event, ModelLoaded):
                meter.start()
                left.clear()
            elif isinstance(event, EngineProgress):
                meter.add(event)
                seconds = meter.seconds_left(event)
                left += [] if seconds is None else [seconds]
    assert len(left) >= 2
    assert left[-1] < left[0]


def test_one_slot_that_shares_no_prefix_has_work_until_its_last_label(tmp_path: Path) -> None:
    experiment = Experiment(limit=12, max_tokens=8, judges=["local:demo"])
    left: list[tuple[int, float]] = []
    with Store(tmp_path / "a.db") as store:
        plan = make_plan(resolve(experiment), store)
        for event in run(plan, store, Overrides(deterministic=True)):
            if isinstance(event, EngineProgress) and event.stage is RunStage.JUDGE and event.left:
                left.append((event.total - event.done, event.left.tokens))
    assert len(left) >= 3
    assert all(tokens > 0 for labels, tokens in left if labels > 1)
