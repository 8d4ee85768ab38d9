"""The engine's child is killed for real, and loses nothing."""

import os
import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from steertui.core.experiment import Experiment, resolve
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
from steertui.planning.judges import chat_format
from steertui.run.engine_loop import writes

ALONE = ContextParams(1, 768, 256, 1, False, False)
MANY = ContextParams(8, 768, 256, 1)


def requests(limit: int) -> list[GenerateRequest]:
    sampling = SamplingParams(max_tokens=48)
    with vocabulary(demo_path()) as gguf:
        prompts = chat_format(gguf, "demo").write(list(resolve(Experiment(limit=limit)).trials))
        return [replace(write, sampling=sampling) for write in writes(gguf, prompts)]


def undisturbed(asked: list[GenerateRequest]) -> dict[str, str]:
    llama = LlamaModel(demo_path())
    engine = Engine(llama, ALONE)
    for request in asked:
        engine.add(request)
    found = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            found[event.id] = event.generation.text
    engine.close()
    llama.close()
    return found


def finish(engine: Pool) -> None:
    while not engine.is_idle:
        engine.step()


def storm(
    asked: list[GenerateRequest], shape: ContextParams, kills: int
) -> tuple[list[Completed], int]:
    """Run while the child is killed again and again; return what was written, and the deaths."""
    chance = random.Random(3)
    written: list[Completed] = []
    deaths = 0
    killed: set[int] = set()
    with Pool(demo_path(), [shape]) as engine:
        list(engine.load())
        for request in asked:
            engine.add(request)
        while not engine.is_idle:
            if len(killed) < kills and chance.random() < 0.3 and engine.pids[0] not in killed:
                os.kill(engine.pids[0], chance.choice((signal.SIGKILL, signal.SIGABRT)))
                killed.add(engine.pids[0])
            for event in engine.step():
                if isinstance(event, EngineRestarted):
                    assert event.reason.startswith(("SIGKILL", "SIGABRT"))
                    deaths += 1
                else:
                    assert isinstance(event, Completed)
                    written.append(event)
    return written, deaths


@pytest.mark.parametrize(("limit", "kills"), [(4, 3), pytest.param(36, 20, marks=pytest.mark.slow)])
def test_killed_again_and_again_every_request_is_answered_once_and_as_undisturbed(
    limit: int, kills: int
) -> None:
    asked = requests(limit)
    written, deaths = storm(asked, ALONE, kills)
    assert deaths == kills
    assert Counter(w.id for w in written) == Counter(r.id for r in asked)
    assert {w.id: w.generation.text for w in written} == undisturbed(asked)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_with_many_slots_nothing_is_lost_and_nothing_twice(kills: int) -> None:
    asked = requests(6 if kills < 20 else 30)
    written, _ = storm(asked, MANY, kills)
    assert Counter(w.id for w in written) == Counter(r.id for r in asked)


def test_only_the_request_that_kills_the_engine_fails() -> None:
    asked = requests(3)
    # Drawn so hot that it hardly ever ends: long enough to be seen at work.
    hot = SamplingParams(temperature=5.0, max_tokens=900)
    failed, written = [], []
    with Pool(demo_path(), [ContextParams(4, 1536, 256, 1)]) as engine:
        list(engine.load())
        for request in [*asked, GenerateRequest("guilty", asked[0].prompt, hot)]:
            engine.add(request)
        while not engine.is_idle:
            if any(slot.id == "guilty" for slot in engine.snapshot().slots):
                os.kill(engine.pids[0], signal.SIGKILL)
            for event in engine.step():
                if isinstance(event, RequestFailed):
                    failed.append(event)
                elif isinstance(event, Completed):
                    written.append(event.id)
    assert failed == [RequestFailed("guilty", "the engine died 3 times on it alone: SIGKILL")]
    assert sorted(written) == sorted(r.id for r in asked)


def test_a_file_the_child_cannot_load_is_an_error_here(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(demo_path().read_bytes()[:-500_000])
    with (
        pytest.raises(ModelError, match=r"cut\.gguf: llama\.cpp cannot load it"),
        Pool(cut, [ALONE]) as engine,
    ):
        list(engine.load())


def test_a_request_that_fits_no_slot_is_refused_by_name() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        list(engine.load())
        engine.add(GenerateRequest("long one", [5] * 800, SamplingParams(max_tokens=10)))
        with pytest.raises(EngineError, match="long one: needs 810 tokens and a slot has 768"):
            finish(engine)


def test_a_model_that_takes_long_to_load_keeps_nobody_waiting() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        child = psutil.Process(engine.pids[0])
        child.suspend()  # it will never be done
        loading = engine.load()
        for _ in range(3):
            next(loading)
        assert engine.is_idle
    assert not child.is_running()


def test_closing_ends_the_child() -> None:
    with Pool(demo_path(), [ALONE]) as engine:
        list(engine.load())
        child = psutil.Process(engine.pids[0])
        assert child.is_running()
    assert not child.is_running()
