"""Batches of the engine: the slots' order in them, and moves between slots."""

from collections.abc import Iterator

import numpy as np
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, LogitsNotFinite, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest

SLOTS = 8
TASKS = [f"Task {i}: write a plan of {i} steps." for i in range(24)]


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaModel]:
    model = LlamaModel(demo_path())
    yield model
    model.close()


def generate_requests(llama: LlamaModel, temperature: float) -> list[GenerateRequest]:
    """Return requests whose answers end at different steps."""
    return [
        GenerateRequest(
            task,
            llama.tokenize(task),
            SamplingParams(temperature=temperature, max_tokens=5 + 7 * i % 40),
            seed=i,
            ignore_end=True,
        )
        for i, task in enumerate(TASKS)
    ]


def score_requests(llama: LlamaModel) -> list[ScoreRequest]:
    """Return requests with one to six continuations."""
    continuations = [tuple(llama.tokenize(f" {i} steps and a review")) for i in range(6)]
    return [
        ScoreRequest(
            task,
            llama.tokenize(task),
            tuple(list(c) for c in continuations[: 1 + i % 6]),
            full_vocabulary=True,
        )
        for i, task in enumerate(TASKS)
    ]


def run(
    llama: LlamaModel, requests: list[GenerateRequest] | list[ScoreRequest], slots: int
) -> tuple[dict[str, Completed | Scored], list[tuple[np.ndarray, bool]]]:
    """Return the results by request; and each batch's slots, and whether requests were queued."""
    engine = Engine(llama, ContextParams(slots, 128, 64, 1, flash=False))
    batches: list[tuple[np.ndarray, bool]] = []
    decode = engine.context.decode

    def recorded(*batch: np.ndarray) -> np.ndarray:
        batches.append((batch[2], engine.snapshot().waiting > 0))
        return decode(*batch)

    engine.context.decode = recorded  # type: ignore[method-assign, assignment]
    for request in requests:
        engine.add(request)
    results = {}
    while not engine.is_idle:
        for event in engine.step():
            assert not isinstance(event, LogitsNotFinite)
            assert event.id not in results
            results[event.id] = event
    engine.close()
    return results, batches


def assert_one_pass(batches: list[tuple[np.ndarray, bool]]) -> None:
    """Check that llama.cpp can compute the streams of each batch in one pass.

    Their numbers are ascending; without gaps if no request is queued, which would fill them.
    """
    last = [slots for slots, is_queued in batches if not is_queued]
    assert len({len(slots) for slots in last}) > 3, "the number of sequences should fall"
    assert all((np.diff(slots) >= 0).all() for slots, _ in batches)
    assert all((np.diff(slots) <= 1).all() for slots in last)


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_batches_of_answers_are_computed_in_one_pass(llama: LlamaModel, temperature: float) -> None:
    requests = generate_requests(llama, temperature)
    results, batches = run(llama, requests, SLOTS)
    assert_one_pass(batches)
    alone, _ = run(llama, requests, 1)
    assert {key: answer(result) for key, result in results.items()} == {
        key: answer(result) for key, result in alone.items()
    }


def answer(result: Completed | Scored) -> tuple[str, int]:
    assert isinstance(result, Completed)
    return result.generation.text, result.generation.tokens


def test_batches_of_scores_are_computed_in_one_pass(llama: LlamaModel) -> None:
    requests = score_requests(llama)
    results, batches = run(llama, requests, SLOTS)
    assert_one_pass(batches)
    alone, _ = run(llama, requests, 1)
    for task in TASKS:
        np.testing.assert_allclose(logliks(results[task]), logliks(alone[task]), atol=1e-4)


def logliks(result: Completed | Scored) -> tuple[float, ...]:
    assert isinstance(result, Scored)
    return result.logliks
