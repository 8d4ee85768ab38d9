"""Sampler: draws follow the distribution after penalties and filters, and depend on the seed only.

The expected distribution is computed by sorting, in 64 bits.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from steertui.core.generation import SamplingParams
from steertui.engine.cumulative import index_at
from steertui.engine.sampler import Sampler
from steertui.engine.sequence import GenerateRequest, Sequence

QWEN = SamplingParams(temperature=0.7, top_p=0.8, top_k=20)

SAMPLINGS = [
    SamplingParams(temperature=1.0),
    SamplingParams(temperature=0.7),
    SamplingParams(temperature=1.5, top_k=3),
    SamplingParams(temperature=1.0, top_k=700),
    SamplingParams(temperature=1.0, top_p=0.8),
    SamplingParams(temperature=0.7, top_p=0.95),
    SamplingParams(temperature=1.0, top_p=0.999),
    SamplingParams(temperature=1.0, min_p=0.2),
    SamplingParams(temperature=0.7, min_p=0.05),
    SamplingParams(temperature=0.8, top_k=50, top_p=0.9, min_p=0.1),
    SamplingParams(temperature=1.2, top_p=0.9, min_p=0.02),
    SamplingParams(temperature=1e-40),
    QWEN,
]


def sequence(sampling: SamplingParams, seed: int = 1, prompt: tuple[int, ...] = (0, 1)) -> Sequence:
    started = Sequence(GenerateRequest("a", list(prompt), sampling, seed))
    started.start()
    return started


def logits_of(size: int, spread: float, seed: int = 0) -> np.ndarray:
    """Return random logits, some of which are equal."""
    return np.random.default_rng(seed).normal(0, spread, size).round(3).astype(np.float32)


def expected(logits: np.ndarray, params: SamplingParams) -> np.ndarray:
    """Return the probability of each token."""
    order = np.argsort(-logits, kind="stable")
    values = (logits - logits.max()).astype(np.float64)[order]
    if params.top_k:
        values = values[: params.top_k]
    shares = np.exp(values) / np.exp(values).sum()
    kept = np.ones(len(values), bool)
    if params.top_p < 1:
        kept &= shares.cumsum() - shares < params.top_p
    kept &= shares >= params.min_p * shares[0]
    powers = np.exp(values / params.temperature) * kept
    probabilities = np.zeros(len(logits))
    probabilities[order[: len(powers)]] = powers / powers.sum()
    return probabilities


@pytest.mark.parametrize("spread", [0.01, 1.0, 8.0])
@pytest.mark.parametrize("size", [7, 513, 5_000, 151_936])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_weights_are_those_of_a_full_sort(
    sampling: SamplingParams, size: int, spread: float
) -> None:
    logits = logits_of(size, spread)
    tokens, weights = Sampler(size).candidates(logits, sampling)
    probabilities = np.zeros(size)
    probabilities[slice(None) if tokens is None else tokens] = weights / weights.sum(dtype=float)
    assert probabilities == pytest.approx(expected(logits, sampling), rel=2e-5, abs=1e-30)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_draws_follow_the_distribution(sampling: SamplingParams) -> None:
    logits = logits_of(5_000, 2.0, seed=5)
    probabilities = expected(logits, sampling)
    sampler = Sampler(len(logits))
    drawing = sequence(sampling)
    drawn = [sampler.sample([logits], [drawing])[0] for _ in range(10_000)]
    counts = np.bincount(drawn, minlength=len(logits))
    assert counts[probabilities == 0].sum() == 0
    frequent = 10_000 * probabilities >= 5
    observed = np.append(counts[frequent], counts[~frequent].sum())
    wanted = 10_000 * np.append(probabilities[frequent], probabilities[~frequent].sum())
    observed, wanted = observed[wanted > 0], wanted[wanted > 0]
    assert len(observed) == 1 or chisquare(observed, wanted).pvalue > 0.001


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_seed_repeats_its_draws_in_any_slot_order_and_batch(sampling: SamplingParams) -> None:
    steps = [logits_of(1_000, 2.0, seed) for seed in range(20)]
    others = [sequence(SAMPLINGS[i], seed=i) for i in range(len(SAMPLINGS))]
    alone = sequence(sampling, 99)
    first = [Sampler(1_000).sample([row], [alone])[0] for row in steps]
    together = sequence(sampling, 99)
    random = np.random.default_rng(0)
    sampler = Sampler(1_000)
    second = []
    for step, row in enumerate(steps):
        neighbours = [others[i] for i in random.permutation(len(others))[: step % 7]]
        place = int(random.integers(len(neighbours) + 1))
        batch = [*neighbours[:place], together, *neighbours[place:]]
        rows = [row if s is together else logits_of(1_000, 3.0, step) for s in batch]
        second.append(sampler.sample(rows, batch)[place])
    assert first == second


def test_greedy_takes_the_highest_logit_after_penalties() -> None:
    logits = np.log(np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01], np.float32))
    sampler = Sampler(len(logits))
    before = logits.copy()
    assert sampler.sample([logits], [sequence(SamplingParams())]) == [0]
    # The prompt has tokens 0 and 1: their negative logits are multiplied.
    assert sampler.sample([logits], [sequence(SamplingParams(repetition_penalty=9.0))]) == [2]
    written = sequence(SamplingParams(presence_penalty=5.0))
    written.tokens.append(0)
    assert sampler.sample([logits], [written]) == [1]
    assert (logits == before).all()


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_penalties_follow_a_growing_sequence(temperature: float) -> None:
    """Each step's draw is that of a new sequence that begins with the same tokens."""
    size = 300
    sampling = SamplingParams(
        temperature=temperature, repetition_penalty=1.3, presence_penalty=0.5, seed=3
    )
    sampler = Sampler(size)
    growing = sequence(sampling, prompt=(5, 5, 9))
    for step in range(200):
        logits = logits_of(size, 2.0, step)
        penalised = _penalised(logits, growing, sampling)
        neutral = replace(sampling, repetition_penalty=1.0, presence_penalty=0.0)
        plain = sequence(neutral)
        assert plain.random is not None
        assert growing.random is not None
        plain.random.bit_generator.state = growing.random.bit_generator.state
        (wanted,) = sampler.sample([penalised], [plain])
        assert sampler.sample([logits], [growing]) == [wanted]
        growing.tokens.append(wanted)
    assert len(set(growing.new_tokens)) > 100


def _penalised(logits: np.ndarray, growing: Sequence, sampling: SamplingParams) -> np.ndarray:
    logits = logits.copy()
    for token in set(growing.tokens):
        factor = np.float32(sampling.repetition_penalty)
        logits[token] = logits[token] / factor if logits[token] > 0 else logits[token] * factor
    for token in set(growing.new_tokens):
        logits[token] -= np.float32(sampling.presence_penalty)
    return logits


@pytest.mark.parametrize("fraction", [0.0, 1e-300, 0.3, 0.7, 1 - 2**-53, 1.0])
def test_a_weight_of_zero_is_never_drawn(fraction: float) -> None:
    weights = np.zeros(5_000, np.float32)
    weights[1_500:1_700:7] = np.float32(1e-30)
    weights[4_000] = 1
    assert weights[index_at(weights, fraction)] > 0
    assert weights[index_at(weights[:2_000], fraction)] > 0
