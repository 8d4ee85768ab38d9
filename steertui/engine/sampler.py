"""Sampling chain for a batch: penalties, top-k, top-p, min-p, temperature, draw.

The order is that of llama.cpp's default chain. A row of logits is not sorted: the draw inverts
the cumulative distribution in the order of the token ids.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Many

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams
from steertui.engine.cumulative import index_at
from steertui.engine.filters import Filters, Indices
from steertui.engine.sequence import GenerateRequest, Sequence

SAMPLER_VERSION = "2"
"""Version of the draws; from one version to the next, a seed may give other answers.

The distribution is the same in all versions. Version 1 sorted each row and drew in the order of
probabilities.
"""

LOWEST_TEMPERATURE = 1e-30
"""Lower temperatures would overflow 32 bits; at this one only the highest logits are drawn."""

Logits = NDArray[np.float32]


class Sampler:
    """Draws the next tokens; the work memory is that of a few rows.

    Each sequence draws one number per token from its own generator, and each row is computed alone,
    so that a draw depends neither on the slot nor on the other sequences.
    """

    def __init__(self, vocabulary: int) -> None:
        """Prepare for rows of `vocabulary` logits."""
        self._values = np.empty(vocabulary, np.float32)
        self._weights = np.empty(vocabulary, np.float32)
        self._filters = Filters(vocabulary)

    def sample(self, rows: Iterable[Logits], sequences: Many[Sequence]) -> list[int]:
        """Return the next token of each sequence; a row has the shape (vocabulary,)."""
        return [self._next(row, s) for row, s in zip(rows, sequences, strict=True)]

    def _next(self, logits: Logits, sequence: Sequence) -> int:
        assert isinstance(sequence.request, GenerateRequest)
        assert sequence.random is not None
        assert sequence.penalties is not None
        params = sequence.request.sampling
        if not sequence.penalties.are_neutral:
            np.copyto(self._values, logits)
            logits = self._values
            sequence.penalties.apply(logits, sequence.tokens)
        if params.temperature <= 0:
            return int(logits.argmax())
        tokens, weights = self.candidates(logits, params)
        index = index_at(weights, sequence.random.random())
        return index if tokens is None else int(tokens[index])

    def candidates(
        self, logits: Logits, params: SamplingParams
    ) -> tuple[Indices | None, NDArray[np.float32]]:
        """Return the tokens that pass the filters, and weights in proportion to probabilities.

        Tokens are in ascending order, None for all. The weight of the most likely token is 1; the
        weights include the temperature, which must be positive, and are valid until the next call.
        """
        values = np.subtract(logits, logits.max(), out=self._values)
        tokens = self._filters.kept(values, params)
        weights = self._weights[: len(values if tokens is None else tokens)]
        if tokens is not None:
            values = values.take(tokens, out=weights, mode="clip")
        temperature = np.float32(max(params.temperature, LOWEST_TEMPERATURE))
        np.divide(values, temperature, out=weights)
        return tokens, np.exp(weights, out=weights)
