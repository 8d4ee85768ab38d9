"""20,000 trials on failing servers: each complete or failed, none twice, constant memory."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from steertui.engine.sizing import Overrides
from steertui.execution import Generated, run
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.server.limits import RetryPolicy
from steertui.store import Store
from tests.fixtures.openai_server import MODEL_FAILURES, Fake, Loopback
from tests.fixtures.server_runs import experiment, rows, tally

SHARE = 0.15


def _serve(pipe: Connection) -> None:
    """Run two failing servers until a message arrives; send how many requests they received."""
    with (
        Loopback(Fake(MODEL_FAILURES, failure_share=SHARE)) as one,
        Loopback(Fake(MODEL_FAILURES, failure_share=SHARE)) as two,
    ):
        pipe.send((one.url, two.url))
        pipe.poll(None)
        pipe.send([sum(server.fake.attempts.values()) for server in (one, two)])


@contextmanager
def failing() -> Iterator[tuple[str, Connection]]:
    """Start two failing servers in another process; yield their addresses and the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs,), daemon=True)
    child.start()
    try:
        yield ",".join(ours.recv()), ours
    finally:
        child.kill()
        child.join()


@pytest.mark.slow
def test_20_000_trials_end_complete_or_failed(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    memory: list[float] = []
    keys = Counter[str]()
    policy = RetryPolicy(concurrency=32, timeout=5.0, max_outage=60.0)
    with failing() as (urls, pipe), Store(db) as store:
        planned = experiment([f"server:one@{urls}"], temperatures=[0.7], samples=186)
        plan = make_plan(resolve(planned), store)
        assert len(plan.prompts) == 20_088
        for event in run(plan, store, Overrides(), JudgeServerOptions(answers=policy)):
            if isinstance(event, Generated):
                keys[event.prompt.key] += 1
                if len(keys) % 1000 == 0:
                    memory.append(psutil.Process().memory_info().rss / 1e6)
        pipe.send("how often?")
        requests = sum(pipe.recv())
    answered, failed, waiting = tally(db)
    print(f"{answered} answered, {failed} failed, {requests} requests; MB: {memory}")
    assert (answered + failed, waiting) == (20_088, 0)
    assert failed < 20
    assert len(keys) == answered
    assert max(keys.values()) == 1
    assert rows(db, "SELECT count(*) AS n FROM server_answers") == [{"n": answered}]
    assert rows(db, "SELECT count(*) AS n FROM failures WHERE reason = ''") == [{"n": 0}]
    assert requests > 1.1 * answered
    assert memory[-1] - memory[1] < 15
