"""Engine process: repeated kills lose no request."""

import os
import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, EngineRestarted, RequestFailed
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.errors import EngineError, ModelError
from steertui.execution.engine_loop import generate_requests
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

ALONE = ContextParams(1, 768, 256, 1, unified=False, flash=False)
MANY = ContextParams(8, 768, 256, 1)


def requests(limit: int) -> list[GenerateRequest]:
    sampling = SamplingParams(max_tokens=48)
    with vocabulary(demo_path()) as gguf:
        prompts = chat_format(gguf, "demo").write(list(resolve(Experiment(limit=limit)).trials))
        return [replace(write, sampling=sampling) for write in generate_requests(gguf, prompts)]


def undisturbed(pending: list[GenerateRequest]) -> dict[str, str]:
    """Return the answers of an engine that is not killed."""
    llama = LlamaModel(demo_path())
    engine = Engine(llama, ALONE)
    for request in pending:
        engine.add(request)
    results = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            results[event.id] = event.generation.text
    engine.close()
    llama.close()
    return results


def finish(engine: Pool) -> None:
    while not engine.is_idle:
        engine.step()


def run_with_kills(
    pending: list[GenerateRequest], shape: ContextParams, kills: int
) -> tuple[list[Completed], int]:
    """Run while the engine is killed repeatedly; return the answers and the number of crashes."""
    chance = random.Random(3)
    completed: list[Completed] = []
    crashes = 0
    killed: set[int] = set()
    with Pool(demo_path(), [shape]) as engine:
        list(engine.load())
        for request in pending:
            engine.add(request)
        while not engine.is_idle:
            if len(killed) < kills and chance.random() < 0.3 and engine.pids[0] not in killed:
                os.kill(engine.pids[0], chance.choice((signal.SIGKILL, signal.SIGABRT)))
                killed.add(engine.pids[0])
            for event in engine.step():
                if isinstance(event, EngineRestarted):
                    assert event.reason.startswith(("SIGKILL", "SIGABRT"))
                    crashes += 1
                else:
                    assert isinstance(event, Completed)
                    completed.append(event)
    return completed, crashes


@pytest.mark.parametrize(("limit", "kills"), [(4, 3), pytest.param(36, 20, marks=pytest.mark.slow)])
def test_killed_engine_completes_every_request_once_with_the_same_answers(
    limit: int, kills: int
) -> None:
    pending = requests(limit)
    completed, crashes = run_with_kills(pending, ALONE, kills)
    assert crashes == kills
    assert Counter(w.id for w in completed) == Counter(r.id for r in pending)
    assert {w.id: w.generation.text for w in completed} == undisturbed(pending)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_engine_with_many_slots_completes_every_request_once(kills: int) -> None:
    pending = requests(6 if kills < 20 else 30)
    completed, _ = run_with_kills(pending, MANY, kills)
    assert Counter(w.id for w in completed) == Counter(r.id for r in pending)


def test_only_the_request_that_crashes_the_engine_fails() -> None:
    pending = requests(3)
    # It ignores end tokens, so it is in a slot for long enough.
    long = SamplingParams(max_tokens=900)
    crashing = GenerateRequest("crashing", pending[0].prompt, long, ignore_end=True)
    failed = []
    completed = []
    with Pool(demo_path(), [ContextParams(4, 1536, 256, 1)]) as engine:
        list(engine.load())
        for request in [*pending, crashing]:
            engine.add(request)
        while not engine.is_idle:
            if any(slot.id == "crashing" for slot in engine.snapshot().slots):
                os.kill(engine.pids[0], signal.SIGKILL)
            for event in engine.step():
                if isinstance(event, RequestFailed):
                    failed.append(event)
                elif isinstance(event, Completed):
                    completed.append(event.id)
    assert failed == [RequestFailed("crashing", "the engine died 3 times on it alone: SIGKILL")]
    assert sorted(completed) == sorted(r.id for r in pending)


def test_load_error_of_the_engine_is_raised_here(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(demo_path().read_bytes()[:-500_000])
    with (
        pytest.raises(ModelError, match=r"cut\.gguf: llama\.cpp cannot load it"),
        Pool(cut, [ALONE]) as engine,
    ):
        list(engine.load())


def test_request_that_fits_no_slot_is_an_error_that_names_it() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        list(engine.load())
        engine.add(GenerateRequest("long one", [5] * 800, SamplingParams(max_tokens=10)))
        with pytest.raises(
            EngineError, match="long one: needs 810 tokens, but a slot has at most 768"
        ):
            finish(engine)


def test_loading_does_not_block_the_caller() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        process = psutil.Process(engine.pids[0])
        process.suspend()  # loading never ends
        loading = engine.load()
        for _ in range(3):
            next(loading)
        assert engine.is_idle
    assert not process.is_running()


def test_close_ends_the_process() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        list(engine.load())
        process = psutil.Process(engine.pids[0])
        assert process.is_running()
    assert not process.is_running()
