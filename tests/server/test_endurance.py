"""20,000 trials on servers that fail in every way: complete or listed, none twice, memory flat."""

import resource
from collections import Counter
from pathlib import Path

import psutil
import pytest

from steertui.engine.sizing import Overrides
from steertui.experiment import design
from steertui.panel import Terms
from steertui.plan import make_plan
from steertui.run import Generated, run
from steertui.server.patience import Patience
from steertui.store import Store
from tests.judge.server import TROUBLES, Fake, Loopback
from tests.server.runs import experiment, rows, tally


@pytest.mark.slow
def test_20_000_trials_end_complete_or_listed_as_failed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    fakes = [Fake(TROUBLES, share=0.15), Fake(TROUBLES, share=0.15)]
    memory, keys = [], Counter[str]()
    patience = Patience(concurrency=32, timeout=1.0, wait=60.0)
    with Loopback(fakes[0]) as one, Loopback(fakes[1]) as two, Store(db) as store:
        name = f"server:one@{one.url},{two.url}"
        asked = experiment([name], temperatures=[0.7], samples=186)
        plan = make_plan(design(asked), store)
        assert len(plan.prompts) == 20_088
        for event in run(plan, store, Overrides(), Terms(answers=patience)):
            if isinstance(event, Generated):
                keys[event.prompt.key] += 1
                if len(keys) % 1000 == 0:
                    memory.append(psutil.Process().memory_info().rss / 1e6)
    answered, failed, waiting = tally(db)
    assert (answered + failed, waiting) == (20_088, 0)
    assert failed < 20
    assert len(keys) == answered
    assert max(keys.values()) == 1
    assert rows(db, "SELECT count(*) AS n FROM deliveries") == [{"n": answered}]
    listed = rows(db, "SELECT count(*) AS n FROM failures WHERE reason = ''")
    assert listed == [{"n": 0}]
    print("memory", [round(m) for m in memory], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
