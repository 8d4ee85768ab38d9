"""Repetition and presence penalty, with the distinct tokens of a sequence kept up to date."""

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams


class DistinctTokens:
    """Distinct tokens of a list that only grows; each token is looked at once."""

    def __init__(self, start: int = 0) -> None:
        """Leave out the first `start` tokens of the list."""
        self._read = start
        self._known: set[int] = set()
        self._ids = np.empty(64, np.intp)

    def of(self, tokens: list[int]) -> NDArray[np.intp]:
        """Return the distinct tokens of the list, which is the one of the previous call, grown."""
        new = set(tokens[self._read :]) - self._known
        self._read = len(tokens)
        count = len(self._known)
        self._known |= new
        if len(self._known) > len(self._ids):
            self._ids = np.resize(self._ids, 2 * len(self._known))
        self._ids[count : len(self._known)] = sorted(new)
        return self._ids[: len(self._known)]


class Penalties:
    """Penalties of one sequence.

    The repetition penalty (Keskar et al. 2019, CTRL, section 4.1) applies to tokens of prompt and
    answer: positive logits are divided by it, negative ones multiplied. The presence penalty
    (OpenAI API) is subtracted from the logits of tokens in the answer.
    """

    def __init__(self, params: SamplingParams, prompt_length: int) -> None:
        """Prepare for a sequence that begins with `prompt_length` prompt tokens."""
        self._repetition = params.repetition_penalty
        self._presence = params.presence_penalty
        self._in_context = DistinctTokens()
        self._in_answer = DistinctTokens(prompt_length)

    @property
    def are_neutral(self) -> bool:
        """Whether the penalties change no logit."""
        return self._repetition == 1 and self._presence == 0

    def apply(self, logits: NDArray[np.float32], tokens: list[int]) -> None:
        """Change the logits, shape (vocabulary,), in place; `tokens` are prompt and answer."""
        if self._repetition != 1:
            seen = self._in_context.of(tokens)
            values = logits[seen]
            divided = values / self._repetition
            multiplied = values * self._repetition
            logits[seen] = np.where(values > 0, divided, multiplied)
        if self._presence:
            logits[self._in_answer.of(tokens)] -= self._presence
