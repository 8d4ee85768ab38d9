"""A bench measures the real engine, and its times follow from what it measured."""

from pathlib import Path

import pytest

from steertui.core.experiment import Experiment
from steertui.engine.context import ContextParams
from steertui.engine.sizing import Overrides
from steertui.engine.workload import Workload
from steertui.errors import EngineError
from steertui.planning.resolve import resolve
from steertui.run.benchmark import Throughput, bench, requests_of
from tests.fixtures.program import call


def test_the_pace_of_the_demo_is_measured_at_each_number_of_slots() -> None:
    planned = resolve(Experiment(limit=2))
    (model,) = planned.models
    requests, asked = requests_of(planned, model)
    assert len(requests) == 6
    paces = list(bench(model, requests, asked, (1, 4), Overrides(threads=1)))
    assert [pace.slots for pace in paces] == [1, 4]
    assert all(min(pace.prefill, pace.step, pace.lone) > 0 for pace in paces)
    assert asked.tokens == sum(len(r.prompt) for r in requests)
    with pytest.raises(EngineError, match="8 slots: the experiment has 6 prompts only"):
        list(bench(model, requests, asked, (8,), Overrides()))


def test_an_experiments_time_counts_shared_tokens_once_unless_there_is_one_slot() -> None:
    asked = Workload(10, 200, 100, nodes=400, shared=60, own=40, new=100)
    alone = Throughput((ContextParams(1, 256),), prefill=100, step=0.02, lone=0.02)
    assert alone.seconds(asked) == pytest.approx(10 * 100 / 100 + 1000 * 0.02)
    # One round of eight, and one of the two that are left: a seventh of the way up from one.
    many = Throughput((ContextParams(8, 256),), prefill=100, step=0.16, lone=0.02)
    assert many.seconds(asked) == pytest.approx(400 / 100 + 100 * (0.16 + 0.02 + 0.14 / 7))
    # On two devices the two have a slot to themselves each.
    both = Throughput((ContextParams(4, 256),) * 2, prefill=100, step=0.08, lone=0.02)
    assert both.seconds(asked) == pytest.approx(400 / 100 + 100 * (0.08 + 0.02))


def test_the_command_prints_a_line_for_each_number_of_slots(tmp_path: Path) -> None:
    code, out, err = call("bench", "--at", "2", "--threads", "1", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "144 trials, 13,764 distinct prompt tokens, 18,432 new tokens at the most" in out
    assert out.splitlines()[-1].split()[0] == "2"
