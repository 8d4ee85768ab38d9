"""A bench measures the real engine, and its times follow from what it measured."""

from pathlib import Path

import pytest

from steertui.bench import Pace, bench, requests_of
from steertui.engine.context import ContextParams
from steertui.engine.demand import Demand, demand
from steertui.engine.sizing import Overrides
from steertui.errors import EngineError
from steertui.experiment import Experiment, design
from tests.program import call


def test_the_pace_of_the_demo_is_measured_at_each_number_of_slots() -> None:
    planned = design(Experiment(limit=2))
    (model,) = planned.models
    requests = requests_of(planned, model)
    assert len(requests) == 6
    paces = list(bench(model, requests, (1, 4), Overrides(threads=1)))
    assert [pace.shape.slots for pace in paces] == [1, 4]
    assert all(pace.prefill > 0 and pace.decode > 0 for pace in paces)
    assert demand(requests).tokens == sum(len(r.prompt) for r in requests)
    with pytest.raises(EngineError, match="8 slots: the experiment has 6 prompts only"):
        list(bench(model, requests, (8,), Overrides()))


def test_an_experiments_time_counts_shared_tokens_once_unless_there_is_one_slot() -> None:
    asked = Demand(10, 200, 100, nodes=400, shared=60, own=40, new=100)
    alone, many = (Pace(ContextParams(n, 256), prefill=100, decode=50) for n in (1, 8))
    assert alone.seconds(asked) == 10 * 100 / 100 + 1000 / 50
    assert many.seconds(asked) == 400 / 100 + 1000 / 50


def test_the_command_prints_a_line_for_each_number_of_slots(tmp_path: Path) -> None:
    code, out, err = call("bench", "--at", "2", "--threads", "1", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "144 trials, 13,764 distinct prompt tokens, 18,432 new tokens at the most" in out
    assert out.splitlines()[-1].split()[0] == "2"
