"""A Sequence: a prompt's tokens, what was computed of them, and the answer or score so far."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steertui.generation import SamplingParams

Tokens = list[int]


@dataclass(frozen=True, slots=True)
class Write:
    """A request for an answer.

    Attributes:
        id: the caller's name for it.
        prompt: at least one token.
        sampling: how to draw.
        seed: the trial's own; decides every draw, whatever slot or neighbours it has.
        past_end: whether to write on past every end, to the last token allowed: for measuring.
    """

    id: str
    prompt: Tokens
    sampling: SamplingParams
    seed: int = 0
    past_end: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A request for the log-likelihood of each continuation after a prompt."""

    id: str
    prompt: Tokens
    continuations: tuple[Tokens, ...]


@dataclass(eq=False, slots=True)
class Sequence:
    """A request on its way; the engine owns and changes it.

    Attributes:
        tokens: the prompt and what follows it: the answer, or the continuation being scored.
        cached: how many of `tokens` lie in the KV cache.
        raw: the answer's bytes.
        logliks: natural log-likelihood of each continuation.
    """

    request: Write | Score
    tokens: Tokens = field(default_factory=list)
    cached: int = 0
    raw: bytearray = field(default_factory=bytearray)
    started: float = 0.0
    random: np.random.Generator | None = None
    logliks: list[float] = field(default_factory=list)
    current: int = 0
    done: bool = False

    def start(self) -> None:
        """Begin, in a slot; who was begun in another goes on."""
        if self.tokens:
            return
        self.started = time.perf_counter()
        self.tokens = list(self.request.prompt)
        if isinstance(self.request, Score):
            self.logliks = [0.0] * len(self.request.continuations)
            self.current = -1
        else:
            self.random = np.random.Generator(np.random.Philox(self.request.seed))

    @property
    def prompt_length(self) -> int:
        """Tokens of the prompt."""
        return len(self.request.prompt)

    @property
    def known(self) -> Tokens:
        """The tokens that are to be computed before it goes on: the prompt, once begun all."""
        return self.tokens or self.request.prompt

    @property
    def written(self) -> Tokens:
        """Tokens after the prompt."""
        return self.tokens[self.prompt_length :]

    @property
    def pending(self) -> int:
        """Tokens that are still to be computed."""
        return len(self.tokens) - self.cached

    @property
    def first_wanted(self) -> int:
        """Position of the first token whose logits are needed."""
        is_score = isinstance(self.request, Score)
        return self.prompt_length - 1 if is_score else len(self.tokens) - 1

    @property
    def most_tokens(self) -> int:
        """KV cells that it may fill at the most."""
        if isinstance(self.request, Score):
            return self.prompt_length + max(map(len, self.request.continuations))
        return self.prompt_length + self.request.sampling.max_tokens

    @property
    def least_tokens(self) -> int:
        """KV cells without which it cannot go on at all."""
        is_score = isinstance(self.request, Score)
        return self.most_tokens if is_score else len(self.known) + 1

    def add_scores(self, logits: NDArray[np.float32], start: int) -> None:
        """Add what rows of logits, of the positions from `start` on, say of the continuations."""
        assert isinstance(self.request, Score)
        continuations = self.request.continuations
        for row, position in zip(logits, range(start, start + len(logits)), strict=True):
            offset = position - self.prompt_length + 1
            log_sum = _log_sum_exp(row)
            scored = range(len(continuations)) if offset == 0 else [self.current]
            for i in scored:
                self.logliks[i] += float(row[continuations[i][offset]]) - log_sum

    def next_continuation(self) -> None:
        """Go on to the next continuation of more than one token, or be done."""
        assert isinstance(self.request, Score)
        for i in range(self.current + 1, len(self.request.continuations)):
            rest = self.request.continuations[i][:-1]
            if rest:
                self.current = i
                self.tokens = self.request.prompt + rest
                self.cached = self.prompt_length
                return
        self.done = True


def _log_sum_exp(row: NDArray[np.float32]) -> float:
    top = row.max()
    return float(top) + float(np.log(np.exp(row - top, dtype=np.float32).sum(dtype=np.float64)))
