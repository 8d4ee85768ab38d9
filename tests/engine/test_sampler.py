"""Sampler: draws follow the distribution after the filters."""

import numpy as np
import pytest
from scipy.stats import chisquare

from steertui.core.generation import SamplingParams
from steertui.engine.sampler import distribution, sample
from steertui.engine.sequence import GenerateRequest, Sequence

LOGITS = np.log(np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01], np.float32))


def sequence(sampling: SamplingParams, seed: int = 1) -> Sequence:
    started = Sequence(GenerateRequest("a", [0, 1], sampling, seed))
    started.start()
    return started


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        (SamplingParams(temperature=1.0), 7),
        (SamplingParams(temperature=0.7), 7),
        (SamplingParams(temperature=1.5, top_k=3), 3),
        (SamplingParams(temperature=1.0, top_p=0.8), 3),
        (SamplingParams(temperature=1.0, min_p=0.2), 4),
        (SamplingParams(temperature=0.8, top_k=5, top_p=0.9, min_p=0.1), 4),
    ],
)
def test_draws_follow_the_softmax_after_the_filters(sampling: SamplingParams, kept: int) -> None:
    tokens, probabilities = distribution(LOGITS, sampling)
    assert tokens.tolist() == list(range(kept))
    expected = softmax(LOGITS[:kept].astype(np.float64) / sampling.temperature)
    assert probabilities == pytest.approx(expected)
    drawing = sequence(sampling)
    drawn = [sample(LOGITS[None], [drawing])[0] for _ in range(10_000)]
    counts = np.bincount(drawn, minlength=len(LOGITS))
    assert counts[kept:].sum() == 0
    assert chisquare(counts[:kept], 10_000 * expected).pvalue > 0.001


def test_draws_depend_only_on_the_seed() -> None:
    warm = SamplingParams(temperature=1.0)
    alone = sequence(warm, 7)
    first = [sample(LOGITS[None], [alone])[0] for _ in range(50)]
    same_seed = sequence(warm, 7)
    other_seed = sequence(warm, 8)
    both = np.stack([LOGITS, LOGITS])
    second = [sample(both, [other_seed, same_seed])[1] for _ in range(50)]
    assert first == second


def test_greedy_takes_the_highest_logit_after_penalties() -> None:
    assert sample(LOGITS[None], [sequence(SamplingParams())]) == [0]
    # The prompt has tokens 0 and 1: their negative logits are multiplied.
    assert sample(LOGITS[None], [sequence(SamplingParams(repetition_penalty=9.0))]) == [2]
    written = sequence(SamplingParams(presence_penalty=5.0))
    written.tokens.append(0)
    assert sample(LOGITS[None], [written]) == [1]
