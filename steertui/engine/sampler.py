"""Sampling chain for a batch: penalties, top-k, top-p, min-p, temperature, draw.

The order is that of llama.cpp's default chain.
"""

from collections.abc import Sequence as Many

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams
from steertui.engine.sequence import GenerateRequest, Sequence

Logits = NDArray[np.float32]


def sample(logits: Logits, sequences: Many[Sequence]) -> list[int]:
    """Return the next token of each sequence; `logits` has the shape (sequences, vocabulary).

    Each sequence draws one number per token from its own generator, so that a draw depends neither
    on the slot nor on the other sequences.
    """
    greedy = logits.argmax(axis=1)
    return [
        int(token) if _is_greedy(sequence) else _draw(row, sequence)
        for row, sequence, token in zip(logits, sequences, greedy, strict=True)
    ]


def _is_greedy(sequence: Sequence) -> bool:
    """Whether the next token is the one with the highest logit, without penalties."""
    params = _params(sequence)
    has_penalty = params.repetition_penalty != 1 or params.presence_penalty != 0
    return params.temperature <= 0 and not has_penalty


def _params(sequence: Sequence) -> SamplingParams:
    assert isinstance(sequence.request, GenerateRequest)
    return sequence.request.sampling


def _draw(logits: Logits, sequence: Sequence) -> int:
    params = _params(sequence)
    logits = penalise(logits, sequence, params)
    if params.temperature <= 0:
        return int(logits.argmax())
    tokens, probabilities = distribution(logits, params)
    assert sequence.random is not None
    threshold = sequence.random.random() * probabilities.sum()
    index = int(np.searchsorted(probabilities.cumsum(), threshold))
    return int(tokens[min(index, len(tokens) - 1)])


def penalise(logits: Logits, sequence: Sequence, params: SamplingParams) -> Logits:
    """Return logits of shape (vocabulary,) after the penalties.

    The repetition penalty (Keskar et al. 2019, CTRL, section 4.1) applies to tokens of prompt and
    answer: positive logits are divided by it, negative ones multiplied. The presence penalty
    (OpenAI API) is subtracted from the logits of tokens in the answer.
    """
    if params.repetition_penalty == 1 and params.presence_penalty == 0:
        return logits
    logits = logits.copy()
    seen = np.unique(sequence.tokens)
    values = logits[seen]
    divided = values / params.repetition_penalty
    multiplied = values * params.repetition_penalty
    logits[seen] = np.where(values > 0, divided, multiplied)
    if sequence.new_tokens:
        logits[np.unique(sequence.new_tokens)] -= params.presence_penalty
    return logits


def distribution(
    logits: Logits, params: SamplingParams
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the tokens that pass the filters, most likely first, and their probabilities.

    Filters: top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024). The
    probabilities sum to 1 and include the temperature, which must be positive.
    """
    if 0 < params.top_k < len(logits):
        tokens = np.argpartition(logits, -params.top_k)[-params.top_k :]
        tokens = tokens[np.lexsort((tokens, -logits[tokens]))]
    else:
        tokens = np.argsort(-logits, kind="stable")
    sorted_logits = logits[tokens].astype(np.float64)
    probabilities = _softmax(sorted_logits)
    kept = len(tokens)
    if params.top_p < 1:
        kept = int(np.searchsorted(probabilities.cumsum(), params.top_p)) + 1
    if params.min_p > 0:
        kept = min(kept, int((probabilities >= params.min_p * probabilities[0]).sum()))
    return tokens[:kept], _softmax(sorted_logits[:kept] / params.temperature)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), np.float64)
