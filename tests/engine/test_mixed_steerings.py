"""Requests under several steerings: each answer equals that of a run of its steering alone."""

import os
import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.steering import UNSTEERED, SteeredModel, Steering, control_vector
from tests.engine.test_process import requests
from tests.fixtures.gguf_files import lora, write_adapter

ALONE = ContextParams(1, 768, 256, 1, flash=False, devices=("CPU",))
EIGHT = ContextParams(8, 768, 256, 1, flash=False, devices=("CPU",))
MANY = ContextParams(32, 768, 256, 1, flash=False, devices=("CPU",))
LENGTHS = (4, 9, 17, 30)


@pytest.fixture(scope="module")
def steerings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Steering, ...]:
    """Unsteered, a vector, its opposite, an adapter at two scales, and vector with adapter."""
    path = tmp_path_factory.mktemp("adapter") / "lora.gguf"
    write_adapter(path, lora("blk.1.ffn_down.weight") | lora("blk.2.attn_output.weight"))
    llama = LlamaModel(demo_path())
    model = SteeredModel(llama)
    chance = np.random.default_rng(5)
    rows = chance.normal(0, 0.3, (model.layers, model.width)).astype(np.float32)
    llama.close()
    rows[0] = 0
    vector = control_vector(rows)
    adapters: tuple[tuple[Path, float], ...] = ((path, 1.0),)
    return (
        UNSTEERED,
        Steering(vector),
        Steering(control_vector(-rows)),
        Steering(adapters=adapters),
        Steering(adapters=((path, 0.5),)),
        Steering(vector, adapters),
    )


def mixed(steerings: Sequence[Steering], limit: int) -> list[GenerateRequest]:
    """Return each prompt under each steering, with maximum lengths that differ."""
    return [
        replace(
            request,
            id=f"{request.id}|{steering}",
            steering=steering,
            sampling=SamplingParams(max_tokens=LENGTHS[(i + steering) % len(LENGTHS)]),
        )
        for i, request in enumerate(requests(limit))
        for steering in range(len(steerings))
    ]


def answers_alone(
    steerings: Sequence[Steering], pending: Sequence[GenerateRequest]
) -> dict[str, str]:
    """Return the answers of one engine per steering, which has one slot and no other steering."""
    answers: dict[str, str] = {}
    for index, steering in enumerate(steerings):
        llama = LlamaModel(demo_path())
        engine = Engine(llama, ALONE, (steering,))
        for request in pending:
            if request.steering == index:
                engine.add(replace(request, steering=0))
        while not engine.is_idle:
            answers |= {e.id: e.generation.text for e in engine.step() if isinstance(e, Completed)}
        engine.close()
        llama.close()
    return answers


@pytest.mark.parametrize("shape", [ALONE, EIGHT])
def test_mixed_requests_have_the_answers_of_their_steering_alone(
    steerings: tuple[Steering, ...], shape: ContextParams
) -> None:
    pending = mixed(steerings, 3)
    random.Random(1).shuffle(pending)
    llama = LlamaModel(demo_path())
    engine = Engine(llama, shape, steerings)
    for request in pending:
        engine.add(request)
    answers: dict[str, str] = {}
    while not engine.is_idle:
        answers |= {e.id: e.generation.text for e in engine.step() if isinstance(e, Completed)}
    engine.close()
    llama.close()
    expected = answers_alone(steerings, pending)
    assert answers == expected
    by_steering = [
        sorted(text for key, text in answers.items() if key.endswith(f"|{index}"))
        for index in range(len(steerings))
    ]
    assert all(by_steering[0] != other for other in by_steering[1:])


@pytest.mark.parametrize(
    ("shape", "limit", "kills"),
    [
        (ALONE, 3, 2),
        pytest.param(ALONE, 36, 10, marks=pytest.mark.slow),
        pytest.param(MANY, 36, 10, marks=pytest.mark.slow),
    ],
)
def test_killed_engines_complete_mixed_requests_with_the_same_answers(
    steerings: tuple[Steering, ...], shape: ContextParams, limit: int, kills: int
) -> None:
    pending = mixed(steerings, limit)
    chance = random.Random(2)
    killed: set[int] = set()
    answers: dict[str, str] = {}
    with Pool(demo_path(), [shape, shape], steerings) as pool:
        list(pool.load())
        for request in pending:
            pool.add(request)
        while not pool.is_idle:
            events = pool.step()
            answers |= {e.id: e.generation.text for e in events if isinstance(e, Completed)}
            pid = chance.choice(pool.pids)
            if len(killed) < kills and events and pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
    assert len(killed) == kills
    assert answers == answers_alone(steerings, pending)


def test_scores_under_a_steering_equal_those_of_an_engine_of_it_alone(
    steerings: tuple[Steering, ...],
) -> None:
    pending = [
        ScoreRequest(
            id=f"{request.id}|{steering}",
            prompt=request.prompt,
            continuations=([5, 6, 7], [8, 9]),
            full_vocabulary=True,
            steering=steering,
        )
        for request in requests(2)
        for steering in range(len(steerings))
    ]
    mixed_scores = scored(steerings, pending)
    for index, steering in enumerate(steerings):
        own = [replace(r, steering=0) for r in pending if r.steering == index]
        alone = scored((steering,), own)
        for name, logliks in alone.items():
            assert mixed_scores[name] == pytest.approx(logliks, abs=1e-4)
            assert index == 0 or logliks != mixed_scores[f"{name.split('|')[0]}|0"]


def scored(
    steerings: Sequence[Steering], pending: Sequence[ScoreRequest]
) -> dict[str, tuple[float, ...]]:
    llama = LlamaModel(demo_path())
    engine = Engine(llama, ALONE, steerings)
    for request in pending:
        engine.add(request)
    scores: dict[str, tuple[float, ...]] = {}
    while not engine.is_idle:
        scores |= {e.id: e.logliks for e in engine.step() if isinstance(e, Scored)}
    engine.close()
    llama.close()
    return scores
