"""From logits to tokens, for a whole batch; filters in llama.cpp's order.

Penalties, then top-k, top-p, min-p, then temperature: the order of llama.cpp's default chain.
"""

from collections.abc import Sequence as Many

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams
from steertui.engine.sequence import GenerateRequest, Sequence

Logits = NDArray[np.float32]


def sample(logits: Logits, sequences: Many[Sequence]) -> list[int]:
    """Return the next token of each sequence; `logits` is (sequences, vocabulary).

    Each sequence draws from its own generator, one number a token, so its draw depends neither
    on its slot nor on its neighbours.
    """
    best = logits.argmax(axis=1)
    return [
        _draw(row, sequence) if _needs_more(sequence) else int(token)
        for row, sequence, token in zip(logits, sequences, best, strict=True)
    ]


def _needs_more(sequence: Sequence) -> bool:
    s = _params(sequence)
    return s.temperature > 0 or s.repetition_penalty != 1 or s.presence_penalty != 0


def _params(sequence: Sequence) -> SamplingParams:
    assert isinstance(sequence.request, GenerateRequest)
    return sequence.request.sampling


def _draw(row: Logits, sequence: Sequence) -> int:
    s = _params(sequence)
    row = penalise(row, sequence, s)
    if s.temperature <= 0:
        return int(row.argmax())
    tokens, chances = distribution(row, s)
    assert sequence.random is not None
    place = np.searchsorted(chances.cumsum(), sequence.random.random() * chances.sum())
    return int(tokens[min(int(place), len(tokens) - 1)])


def penalise(row: Logits, sequence: Sequence, s: SamplingParams) -> Logits:
    """Return the logits after the penalties.

    Repetition (Keskar et al. 2019, CTRL, section 4.1) weighs prompt and answer; presence, as
    OpenAI's API has it, the answer alone.
    """
    if s.repetition_penalty == 1 and s.presence_penalty == 0:
        return row
    row = row.copy()
    seen = np.unique(sequence.tokens)
    values = row[seen]
    row[seen] = np.where(values > 0, values / s.repetition_penalty, values * s.repetition_penalty)
    if sequence.written:
        row[np.unique(sequence.written)] -= s.presence_penalty
    return row


def distribution(row: Logits, s: SamplingParams) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the tokens that the filters leave, likeliest first, and their probabilities.

    top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024).
    """
    if 0 < s.top_k < len(row):
        tokens = np.argpartition(row, -s.top_k)[-s.top_k :]
        tokens = tokens[np.lexsort((tokens, -row[tokens]))]
    else:
        tokens = np.argsort(-row, kind="stable")
    logits = row[tokens].astype(np.float64)
    chances = _softmax(logits)
    keep = len(tokens)
    if s.top_p < 1:
        keep = int(np.searchsorted(chances.cumsum(), s.top_p)) + 1
    if s.min_p > 0:
        keep = min(keep, int((chances >= s.min_p * chances[0]).sum()))
    return tokens[:keep], _softmax(logits[:keep] / s.temperature)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), np.float64)
