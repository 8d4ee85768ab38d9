"""The engine on an accelerator, compared with llama-cpp-python there and with the CPU.

`make test-accelerator` runs them; elsewhere accelerators are hidden (tests/conftest.py).
"""

import os
import signal
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
import pytest

from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.devices import default_accelerators, devices
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, Scored
from steertui.engine.hidden_states import HiddenStates, fitted_job
from steertui.engine.hidden_states_child import StatesJob, StatesRequest
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

ACCELERATOR = tuple(device.name for device in default_accelerators(devices())[:1])

pytestmark = pytest.mark.skipif(not ACCELERATOR, reason="no accelerator is visible")

GREEDY = SamplingParams(max_tokens=48)
WARM = SamplingParams(temperature=0.9, top_p=0.95, max_tokens=48)


def prompts() -> list[list[int]]:
    """Return the tokens of 24 prompts."""
    with vocabulary(demo_path()) as gguf:
        written = chat_format(gguf, "demo").write(list(resolve(Experiment(limit=8)).trials))
        return gguf.tokenize([prompt.text for prompt in written])


def requests(sampling: SamplingParams) -> list[GenerateRequest]:
    return [GenerateRequest(str(i), tokens, sampling, i) for i, tokens in enumerate(prompts())]


def events(shape: ContextParams, pending: Sequence[GenerateRequest | ScoreRequest]) -> list[Any]:
    """Return the events of an engine that answers all requests."""
    llama = LlamaModel(demo_path(), gpu_layers=shape.gpu_layers, devices=shape.devices)
    engine = Engine(llama, shape)
    for request in pending:
        engine.add(request)
    found: list[Any] = []
    while not engine.is_idle:
        found += engine.step()
    engine.close()
    llama.close()
    return found


def answers(shape: ContextParams, sampling: SamplingParams) -> dict[str, str]:
    """Return the text of each answer."""
    found = events(shape, requests(sampling))
    assert len(found) == len({event.id for event in found}) == 24
    assert all(isinstance(event, Completed) for event in found)
    return {event.id: event.generation.text for event in found}


def equal(one: dict[str, str], two: dict[str, str]) -> float:
    """Return the share of equal answers."""
    return sum(one[key] == two[key] for key in one) / len(one)


def test_one_slot_gives_the_answers_of_llama_on_the_same_accelerator() -> None:
    ours = answers(ContextParams(1, 768, 256, 1, flash=False, devices=ACCELERATOR), GREEDY)
    llama: Any = llama_cpp.Llama(
        str(demo_path()), n_ctx=768, n_batch=256, n_gpu_layers=-1, flash_attn=False, verbose=False
    )
    model = LlamaModel(demo_path(), vocab_only=True)
    for request in requests(GREEDY):
        llama.reset()
        written: list[int] = []
        for token in llama.generate(request.prompt, temp=0.0, repeat_penalty=1.0):
            if token in model.end_tokens or len(written) == GREEDY.max_tokens:
                break
            written.append(token)
        assert model.text(written) == ours[request.id]
    llama.close()


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_one_slot_repeats_its_answers(sampling: SamplingParams) -> None:
    alone = ContextParams(1, 768, 256, 1, flash=False, devices=ACCELERATOR)
    assert answers(alone, sampling) == answers(alone, sampling)


@pytest.mark.parametrize("flash", [False, True])
def test_answers_of_many_slots_and_of_the_cpu_are_mostly_equal(flash: bool) -> None:
    """Rounding differs, and an answer differs from the first near tie of two tokens on."""
    alone = answers(ContextParams(1, 768, 256, 1, flash=False, devices=ACCELERATOR), GREEDY)
    many = answers(ContextParams(16, 768, 256, 1, flash=flash, devices=ACCELERATOR), GREEDY)
    cpu = answers(ContextParams(1, 768, 256, 2, flash=False, devices=("CPU",)), GREEDY)
    print(f"equal: many slots {equal(alone, many):.2f}, CPU {equal(alone, cpu):.2f}")
    assert equal(alone, many) >= 0.5
    assert equal(alone, cpu) >= 0.5


def test_scores_are_those_of_the_cpu() -> None:
    pending = [
        ScoreRequest(str(i), tokens[:-8], (tokens[-8:-4], tokens[-4:]), full_vocabulary=True)
        for i, tokens in enumerate(prompts())
    ]
    cpu = ContextParams(8, 768, 256, 2, flash=False, devices=("CPU",))
    gpu = ContextParams(8, 768, 256, 1, devices=ACCELERATOR)
    scores = [
        {event.id: event.logliks for event in events(shape, pending) if isinstance(event, Scored)}
        for shape in (cpu, gpu)
    ]
    assert len(scores[0]) == len(scores[1]) == 24
    for key, expected in scores[0].items():
        assert scores[1][key] == pytest.approx(expected, abs=0.25, rel=0.01)


def test_hidden_states_are_those_of_the_cpu() -> None:
    wanted = [StatesRequest(tokens, len(tokens) - 1) for tokens in prompts()[:4]]
    states = []
    for layers in (0, -1):
        job = fitted_job(StatesJob(demo_path(), 0, 1, gpu_layers=layers), wanted)
        with HiddenStates(job) as reader:
            states.append(np.array(list(reader.read(wanted)), np.float64))
    cpu, gpu = states
    norms = np.linalg.norm(cpu, axis=-1) * np.linalg.norm(gpu, axis=-1)
    assert (cpu * gpu).sum(axis=-1) / norms == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("engines", [1, 4])
def test_engines_on_one_accelerator_survive_kills(engines: int) -> None:
    shape = ContextParams(4, 768, 256, 1, devices=ACCELERATOR)
    found: list[Any] = []
    with Pool(demo_path(), [shape] * engines) as pool:
        list(pool.load())
        for request in requests(WARM):
            pool.add(request)
        os.kill(pool.pids[-1], signal.SIGKILL)
        while not pool.is_idle:
            found += pool.step()
    completed = [event.id for event in found if isinstance(event, Completed)]
    assert sorted(completed, key=int) == [request.id for request in requests(WARM)]
