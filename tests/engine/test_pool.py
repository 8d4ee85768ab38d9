"""Pool of engines: every request is completed once, and answers are those of one engine."""

import os
import random
import signal
import sys
import time
from collections import Counter

import psutil
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine import supervisor
from steertui.engine.context import ContextParams
from steertui.engine.device_groups import choose_groups, group_memory, parse_groups
from steertui.engine.devices import Device
from steertui.engine.events import Completed, EngineEvent, EngineLost, EngineRestarted, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.errors import EngineError
from tests.engine.test_process import finish, requests, undisturbed

ALONE = ContextParams(1, 768, 256, 1, unified=False, flash=False, devices=("CPU",))
SHORT = SamplingParams(max_tokens=2)
FOUR = ContextParams(4, 768, 256, 1, devices=("CPU",))


def answers(events: list[EngineEvent]) -> dict[str, str]:
    """Return the answers by request; each request must be completed once."""
    completed = [event for event in events if isinstance(event, Completed)]
    assert max(Counter(c.id for c in completed).values()) == 1
    return {c.id: c.generation.text for c in completed}


def test_two_engines_of_one_slot_give_the_same_answers_and_share_the_work() -> None:
    pending = requests(6)
    events: list[EngineEvent] = []
    shares: Counter[int] = Counter()
    with Pool(demo_path(), [ALONE, ALONE]) as pool:
        list(pool.load())
        for request in pending:
            pool.add(request)
        while not pool.is_idle:
            before = [s.snapshot().generated for s in pool.supervisors]
            events += pool.step()
            for i, s in enumerate(pool.supervisors):
                shares[i] += s.snapshot().generated - before[i]
        assert pool.snapshot().generated == sum(shares.values())
    assert answers(events) == undisturbed(pending)
    assert min(shares.values()) > 0.3 * sum(shares.values())


@pytest.mark.parametrize(("limit", "kills"), [(4, 3), pytest.param(36, 20, marks=pytest.mark.slow)])
def test_killed_engines_complete_every_request_once_with_the_same_answers(
    limit: int, kills: int
) -> None:
    pending = requests(limit)
    chance = random.Random(4)
    events: list[EngineEvent] = []
    killed: set[int] = set()
    with Pool(demo_path(), [ALONE, ALONE]) as pool:
        list(pool.load())
        for request in pending:
            pool.add(request)
        while not pool.is_idle:
            pid = chance.choice(pool.pids)
            if len(killed) < kills and chance.random() < 0.3 and pid not in killed:
                os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGABRT)))
                killed.add(pid)
            events += pool.step()
    assert sum(isinstance(event, EngineRestarted) for event in events) == kills
    assert answers(events) == undisturbed(pending)


def test_requests_of_a_lost_engine_go_to_the_other_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "MAX_CRASHES", 0)
    pending = requests(4)
    events: list[EngineEvent] = []
    with Pool(demo_path(), [FOUR, FOUR]) as pool:
        list(pool.load())
        for request in pending:
            pool.add(request)
        os.kill(pool.pids[0], signal.SIGKILL)
        while not pool.is_idle:
            events += pool.step()
        assert pool.capacity.slots == 4
        (lost,) = [event for event in events if isinstance(event, EngineLost)]
        assert (lost.left, lost.shape) == (1, FOUR)
        assert answers(events).keys() == {r.id for r in pending}
        pool.add(pending[0])
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(EngineError, match="the engine died 1 times"):
            finish(pool)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process need Linux")
def test_out_of_memory_restarts_the_engine_with_fewer_slots() -> None:
    pending = requests(4)
    events: list[EngineEvent] = []
    with Pool(demo_path(), [FOUR]) as pool:
        list(pool.load())
        child = psutil.Process(pool.pids[0])
        child.rlimit(psutil.RLIMIT_DATA, (1, child.rlimit(psutil.RLIMIT_DATA)[1]))
        for request in pending:
            pool.add(request)
        while not pool.is_idle:
            events += pool.step()
    (restarted,) = [event for event in events if isinstance(event, EngineRestarted)]
    assert restarted.shape.slots == 2, restarted.reason
    assert answers(events).keys() == {r.id for r in pending}


def test_prompts_with_a_common_prefix_go_to_one_engine() -> None:
    prompts = [[100 + f] * 40 + [s] for f in range(10) for s in (7, 8, 9)]
    with Pool(demo_path(), [FOUR, FOUR]) as pool:
        list(pool.load())
        for i, prompt in enumerate(prompts):
            pool.add(GenerateRequest(str(i), prompt, SHORT))
        engines_by_prefix: dict[str, set[int]] = {}
        while not pool.is_idle:
            pool.step()
            for number, s in enumerate(pool.supervisors):
                for done in s.recent:
                    engines_by_prefix.setdefault(str(int(done) // 3), set()).add(number)
        assert sum(len(numbers) for numbers in engines_by_prefix.values()) <= 11
        assert {n for numbers in engines_by_prefix.values() for n in numbers} == {0, 1}


def test_follow_up_request_goes_to_the_engine_that_has_its_prompt() -> None:
    prompts = [[50 + i] * 60 for i in range(8)]
    with Pool(demo_path(), [FOUR, FOUR]) as pool:
        list(pool.load())
        for i, prompt in enumerate(prompts):
            pool.add(ScoreRequest(str(i), prompt, ([5, 6], [7])))
        while not pool.is_idle:
            for event in pool.step():
                if isinstance(event, Scored):
                    pool.add(GenerateRequest(event.id, [*prompts[int(event.id)], 9], SHORT))
        assert 8 * 60 <= pool.snapshot().prefilled <= 8 * 60 + 2 * 8


def test_suspend_and_resume_reach_every_engine() -> None:
    def stopped(children: list[psutil.Process]) -> list[bool]:
        return [child.status() == psutil.STATUS_STOPPED for child in children]

    with Pool(demo_path(), [ALONE, ALONE]) as pool:
        list(pool.load())
        children = [psutil.Process(pid) for pid in pool.pids]
        pool.suspend()
        deadline = time.monotonic() + 10  # the signal takes a moment
        while not all(stopped(children)) and time.monotonic() < deadline:
            pass
        assert all(stopped(children))
        pool.resume()
        while any(stopped(children)) and time.monotonic() < deadline:
            pass
        assert not any(stopped(children))
    assert not any(child.is_running() for child in children)


GPUS = [
    Device(f"CUDA{i}", "CUDA", "", free=free, total=24, is_accelerator=True)
    for i, free in enumerate((20, 20, 6))
]
HOST = Device("CPU", "CPU", "", free=64, total=64, is_accelerator=False)


def names(text: str) -> list[tuple[str, ...]]:
    return [group.names for group in parse_groups(text, [*GPUS, HOST])]


def test_parse_groups_ignores_case_and_joins_devices() -> None:
    assert names("CUDA0,cuda1") == [("CUDA0",), ("CUDA1",)]
    assert names("cuda0 + CUDA1, CPU") == [("CUDA0", "CUDA1"), ("CPU",)]
    for wrong in ("CUDA7", "", "cpu,"):
        with pytest.raises(EngineError, match=r"this build of llama\.cpp has CUDA0, CUDA1, "):
            names(wrong)


def test_choose_groups_prefers_one_engine_per_accelerator_then_sharing_then_the_cpu() -> None:
    def chosen(
        available: list[Device], needed: float, max_groups: int = 9
    ) -> list[tuple[str, ...]]:
        return [group.names for group in choose_groups(available, needed, max_groups)]

    assert chosen([*GPUS, HOST], 15) == [("CUDA0",), ("CUDA1",)]
    assert chosen([*GPUS, HOST], 5, max_groups=2) == [("CUDA0",), ("CUDA1",)]
    assert chosen([*GPUS, HOST], 30) == [("CUDA0", "CUDA1", "CUDA2")]
    assert chosen([HOST], 1) == [("CPU",)]
    small = Device(
        "Vulkan1", "Vulkan", "", free=8, total=8, is_accelerator=True, is_integrated=True
    )
    assert chosen([small, *GPUS, HOST], 15) == [("CUDA0",), ("CUDA1",)]
    assert chosen([small, HOST], 4) == [("Vulkan1",)]


def test_shared_memory_is_divided_among_engines() -> None:
    twice = parse_groups("cpu,cpu,CUDA0,CUDA0+CUDA2", [*GPUS, HOST])
    assert [group_memory(g, twice, 64).accelerator for g in twice] == [0, 0, 10, 16]
    assert {group_memory(g, twice, 64).host for g in twice} == {16}
