"""Benchmark: throughput of the real engine, and times that follow from it."""

from pathlib import Path

import pytest

from steertui.core.experiment import Experiment
from steertui.engine.context import ContextParams
from steertui.engine.sizing import Overrides
from steertui.engine.stopwatch import Phase
from steertui.engine.workload import Workload
from steertui.errors import EngineError
from steertui.execution.benchmark import Throughput, measure, requests_of
from steertui.execution.breakdown import break_down
from steertui.planning.resolve import resolve
from tests.fixtures.program import call


def test_throughput_of_the_demo_is_measured_for_each_number_of_slots() -> None:
    planned = resolve(Experiment(limit=2))
    (model,) = planned.models
    requests, workload = requests_of(planned, model)
    assert len(requests) == 6
    measured = list(measure(model, requests, workload, (1, 4), Overrides(threads=1)))
    assert [m.slots for m in measured] == [1, 4]
    assert all(min(m.prefill, m.step, m.single_step) > 0 for m in measured)
    assert workload.prompt_tokens == sum(len(r.prompt) for r in requests)
    with pytest.raises(EngineError, match="8 slots: the experiment has only 6 prompts"):
        list(measure(model, requests, workload, (8,), Overrides()))


def test_time_counts_shared_tokens_once_unless_there_is_one_slot() -> None:
    workload = Workload(10, 200, 100, distinct_tokens=400, shared=60, unshared=40, new=100)
    alone = Throughput((ContextParams(1, 256),), prefill=100, step=0.02, single_step=0.02)
    assert alone.seconds(workload) == pytest.approx(10 * 100 / 100 + 1000 * 0.02)
    # One round of eight, then two requests: interpolated 1/7 of the way from one slot to eight.
    many = Throughput((ContextParams(8, 256),), prefill=100, step=0.16, single_step=0.02)
    assert many.seconds(workload) == pytest.approx(400 / 100 + 100 * (0.16 + 0.02 + 0.14 / 7))
    # On two engines the last two requests have one slot each.
    both = Throughput((ContextParams(4, 256),) * 2, prefill=100, step=0.08, single_step=0.02)
    assert both.seconds(workload) == pytest.approx(400 / 100 + 100 * (0.08 + 0.02))


def test_command_prints_one_line_for_each_number_of_slots(tmp_path: Path) -> None:
    code, out, err = call("bench", "--slots", "2", "--threads", "1", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "144 trials, 13,764 distinct prompt tokens, 18,432 new tokens at most" in out
    assert out.splitlines()[-1].split()[0] == "2"


def test_breakdown_names_the_time_of_every_part(tmp_path: Path) -> None:
    """The parts of the engine's time sum to the whole, and every answer is stored."""
    design = resolve(Experiment(limit=6, temperatures=[0.7]))
    parts = break_down(design, design.models[0], 4, Overrides(threads=1))
    assert (parts.slots, parts.answers, parts.tokens) == (4, 8, 8 * 64)
    assert all(parts.seconds[phase] > 0 for phase in Phase)
    assert parts.seconds[Phase.DECODING] > parts.seconds[Phase.SAMPLING]
    assert parts.storing > 0
    assert parts.busy < sum(parts.seconds.values())
    arguments = ("bench", "--slots", "2", "--threads", "1", "--breakdown")
    code, out, err = call(*arguments, cwd=tmp_path)
    assert (code, err) == (0, "")
    shares = [line.split()[-1] for line in out.split("share\n")[1].splitlines()[:4]]
    assert sum(float(share.rstrip("%")) for share in shares) == pytest.approx(100, abs=0.3)
