"""Several engines, one queue: nothing is lost or answered twice, and the answers are one's own."""

import os
import random
import signal
import time
from collections import Counter

import psutil
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine import supervisor as worker
from steertui.engine.context import ContextParams, DecodeError
from steertui.engine.device_groups import choose_groups, memory_of, read_groups
from steertui.engine.devices import Device
from steertui.engine.engine_child import EngineMessage
from steertui.engine.events import Completed, EngineEvent, EngineLost, EngineRestarted, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.errors import EngineError
from tests.engine.test_process import finish, requests, undisturbed

ALONE = ContextParams(1, 768, 256, 1, False, False, devices=("CPU",))
SHORT = SamplingParams(max_tokens=2)
FOUR = ContextParams(4, 768, 256, 1, devices=("CPU",))


def answers(news: list[EngineEvent]) -> dict[str, str]:
    written = [event for event in news if isinstance(event, Completed)]
    assert max(Counter(w.id for w in written).values()) == 1
    return {w.id: w.generation.text for w in written}


def test_two_engines_of_one_slot_write_what_one_writes_and_both_take_their_share() -> None:
    asked = requests(6)
    news: list[EngineEvent] = []
    shares: Counter[int] = Counter()
    with Pool(demo_path(), [ALONE, ALONE]) as pool:
        list(pool.load())
        for request in asked:
            pool.add(request)
        while not pool.is_idle:
            before = [worker.snapshot().written for worker in pool._workers]
            news += pool.step()
            for i, w in enumerate(pool._workers):
                shares[i] += w.snapshot().written - before[i]
        assert pool.snapshot().written == sum(shares.values())
    assert answers(news) == undisturbed(asked)
    assert min(shares.values()) > 0.3 * sum(shares.values())


@pytest.mark.parametrize(("limit", "kills"), [(4, 3), pytest.param(36, 20, marks=pytest.mark.slow)])
def test_children_killed_on_both_devices_every_request_is_answered_once_and_as_undisturbed(
    limit: int, kills: int
) -> None:
    asked = requests(limit)
    chance = random.Random(4)
    news: list[EngineEvent] = []
    killed: set[int] = set()
    with Pool(demo_path(), [ALONE, ALONE]) as pool:
        list(pool.load())
        for request in asked:
            pool.add(request)
        while not pool.is_idle:
            pid = chance.choice(pool.pids)
            if len(killed) < kills and chance.random() < 0.3 and pid not in killed:
                os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGABRT)))
                killed.add(pid)
            news += pool.step()
    assert sum(isinstance(event, EngineRestarted) for event in news) == kills
    assert answers(news) == undisturbed(asked)


def test_an_engine_that_cannot_be_revived_is_given_up_and_the_other_answers_its_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "MOST_DEATHS", 0)
    asked = requests(4)
    news: list[EngineEvent] = []
    with Pool(demo_path(), [FOUR, FOUR]) as pool:
        list(pool.load())
        for request in asked:
            pool.add(request)
        os.kill(pool.pids[0], signal.SIGKILL)
        while not pool.is_idle:
            news += pool.step()
        assert pool.slots == 4
        (lost,) = [event for event in news if isinstance(event, EngineLost)]
        assert (lost.left, lost.shape) == (1, FOUR)
        assert answers(news).keys() == {r.id for r in asked}
        pool.add(asked[0])
        os.kill(pool.pids[0], signal.SIGKILL)
        with pytest.raises(EngineError, match="the engine died 1 times"):
            finish(pool)


def test_a_batch_that_finds_no_memory_is_computed_again_in_fewer_slots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = requests(4)
    news: list[EngineEvent] = []
    with Pool(demo_path(), [FOUR]) as pool:
        list(pool.load())
        for request in asked:
            pool.add(request)

        def fail() -> EngineMessage:
            raise DecodeError("llama_decode failed with code -2 on 40 tokens")

        (lone,) = pool._workers
        news += pool.step()
        monkeypatch.setattr(lone._engine, "receive", fail)
        while not pool.is_idle:
            news += pool.step()
    (restarted,) = [event for event in news if isinstance(event, EngineRestarted)]
    assert restarted.shape.slots == 2
    assert answers(news).keys() == {r.id for r in asked}


def test_what_shares_a_prefix_is_dealt_to_one_engine() -> None:
    families = [[100 + f] * 40 + [s] for f in range(10) for s in (7, 8, 9)]
    with Pool(demo_path(), [FOUR, FOUR]) as pool:
        list(pool.load())
        for i, prompt in enumerate(families):
            pool.add(GenerateRequest(str(i), prompt, SHORT))
        homes: dict[str, set[int]] = {}
        while not pool.is_idle:
            pool.step()
            for number, w in enumerate(pool._workers):
                for done in w.recent:
                    homes.setdefault(str(int(done) // 3), set()).add(number)
        assert sum(len(numbers) for numbers in homes.values()) <= 11
        assert {n for numbers in homes.values() for n in numbers} == {0, 1}


def test_what_comes_back_under_the_id_of_an_answer_goes_where_its_prompt_lies() -> None:
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


def test_a_stop_reaches_every_engine_and_so_does_a_pause() -> None:
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


CARDS = [Device(f"CUDA{i}", "CUDA", "", free, 24, True) for i, free in enumerate((20, 20, 6))]
HOST = Device("CPU", "CPU", "", 64, 64, False)


def names(text: str) -> list[tuple[str, ...]]:
    return [group.names for group in read_groups(text, [*CARDS, HOST])]


def test_devices_are_named_in_any_case_alone_or_together() -> None:
    assert names("CUDA0,cuda1") == [("CUDA0",), ("CUDA1",)]
    assert names("cuda0 + CUDA1, CPU") == [("CUDA0", "CUDA1"), ("CPU",)]
    for wrong in ("CUDA7", "", "cpu,"):
        with pytest.raises(EngineError, match=r"this build of llama\.cpp sees CUDA0, CUDA1, "):
            names(wrong)


def test_each_card_that_the_model_fits_gets_an_engine_else_all_share_it_else_the_cpu_computes() -> (
    None
):
    def chosen(found: list[Device], needed: float, most: int = 9) -> list[tuple[str, ...]]:
        return [group.names for group in choose_groups(found, needed, most)]

    assert chosen([*CARDS, HOST], 15) == [("CUDA0",), ("CUDA1",)]
    assert chosen([*CARDS, HOST], 5, most=2) == [("CUDA0",), ("CUDA1",)]
    assert chosen([*CARDS, HOST], 30) == [("CUDA0", "CUDA1", "CUDA2")]
    assert chosen([HOST], 1) == [("CPU",)]
    small = Device("Vulkan1", "Vulkan", "", 8, 8, True, is_integrated=True)
    assert chosen([small, *CARDS, HOST], 15) == [("CUDA0",), ("CUDA1",)]
    assert chosen([small, HOST], 4) == [("Vulkan1",)]


def test_what_several_engines_share_is_divided_among_them() -> None:
    twice = read_groups("cpu,cpu,CUDA0,CUDA0+CUDA2", [*CARDS, HOST])
    assert [memory_of(g, twice, 64).accelerator for g in twice] == [0, 0, 10, 16]
    assert {memory_of(g, twice, 64).host for g in twice} == {16}
