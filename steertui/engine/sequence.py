"""Requests, and the sequences by which the engine processes them."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams
from steertui.engine.continuation_scores import ContinuationScores, Tokens
from steertui.engine.penalties import Penalties


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """A request for an answer.

    Attributes:
        id: the caller's identifier.
        prompt: token ids, at least one.
        sampling: sampling parameters.
        seed: of the request's own random generator; draws do not depend on slot or batch.
        ignore_end: whether to generate up to the maximum and ignore end tokens; for measurements.
        steering: index of its steering among those of the engine; 0 is unsteered.
    """

    id: str
    prompt: Tokens
    sampling: SamplingParams
    seed: int = 0
    ignore_end: bool = False
    steering: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A request for the log-likelihood of each continuation of a prompt.

    Attributes:
        id: the caller's identifier.
        prompt: token ids, at least one.
        continuations: none of them a prefix of another; one alone only with `full_vocabulary`.
        full_vocabulary: whether each token's probability is among the whole vocabulary; otherwise
            among the continuations (see `ContinuationScores`).
        steering: as of a `GenerateRequest`; judges are unsteered.
    """

    id: str
    prompt: Tokens
    continuations: tuple[Tokens, ...]
    full_vocabulary: bool = False
    steering: int = 0


@dataclass(eq=False, slots=True)
class Sequence:
    """A request in progress; only the engine changes it.

    Attributes:
        request: the generate or score request.
        tokens: the prompt and what follows it: the answer, or the path that is scored; empty before
            the start.
        cached: how many of `tokens` are in the KV cache.
        answer: bytes of the answer so far.
        started: time.perf_counter() at the start, in seconds.
        random: generator for sampling, of a generate request, once started.
        penalties: of a generate request, once started.
        scores: of a score request, once started.
    """

    request: GenerateRequest | ScoreRequest
    tokens: Tokens = field(default_factory=list)
    cached: int = 0
    answer: bytearray = field(default_factory=bytearray)
    started: float = 0.0
    random: np.random.Generator | None = None
    penalties: Penalties | None = None
    scores: ContinuationScores | None = None

    def start(self) -> None:
        """Start in a slot, or continue if it was preempted from another one."""
        if self.tokens:
            return
        self.started = time.perf_counter()
        self.tokens = list(self.request.prompt)
        if isinstance(self.request, ScoreRequest):
            self.scores = ContinuationScores(
                self.request.continuations, full_vocabulary=self.request.full_vocabulary
            )
            self.start_next_path()
        else:
            self.random = np.random.Generator(np.random.Philox(self.request.seed))
            self.penalties = Penalties(self.request.sampling, self.prompt_length)

    def restart(self) -> None:
        """Prepare to be decoded again in an empty KV cache: an answer keeps its tokens, and scores
        begin again."""
        self.cached = 0
        if isinstance(self.request, ScoreRequest):
            self.tokens = []
            self.scores = None

    @property
    def steering(self) -> int:
        """Index of its steering; 0 is unsteered."""
        return self.request.steering

    @property
    def prompt_length(self) -> int:
        """Number of prompt tokens."""
        return len(self.request.prompt)

    @property
    def read_length(self) -> int:
        """Number of tokens that it does not generate: the prompt, and the path that is scored."""
        is_score = isinstance(self.request, ScoreRequest)
        return len(self.tokens) if is_score else self.prompt_length

    @property
    def context_tokens(self) -> Tokens:
        """Tokens to decode before it continues: the prompt, or all tokens once it has started."""
        return self.tokens or self.request.prompt

    @property
    def new_tokens(self) -> Tokens:
        """Tokens after the prompt."""
        return self.tokens[self.prompt_length :]

    @property
    def uncached(self) -> int:
        """Number of tokens that are still to be decoded."""
        return len(self.tokens) - self.cached

    @property
    def first_logits(self) -> int:
        """Position of the first token whose logits are needed."""
        is_score = isinstance(self.request, ScoreRequest)
        return self.prompt_length - 1 if is_score else len(self.tokens) - 1

    @property
    def max_tokens(self) -> int:
        """Maximum number of KV cells that it may need."""
        if isinstance(self.request, ScoreRequest):
            return self.prompt_length + max(map(len, self.request.continuations))
        return self.prompt_length + self.request.sampling.max_tokens

    @property
    def min_tokens(self) -> int:
        """Number of KV cells that it needs to continue at all."""
        is_score = isinstance(self.request, ScoreRequest)
        return self.max_tokens if is_score else len(self.context_tokens) + 1

    def add_scores(self, logits: NDArray[np.float32], start: int) -> None:
        """Add logits of shape (rows, vocabulary) for the positions from `start` on."""
        assert self.scores
        for row, position in zip(logits, range(start, start + len(logits)), strict=True):
            self.scores.add(self.tokens[self.prompt_length : position + 1], row)

    def start_next_path(self) -> bool:
        """Start the next path to be scored; return False if there is none."""
        assert self.scores
        if not self.scores.paths:
            return False
        path = self.scores.paths.pop(0)
        previous = self.new_tokens
        shared = next((i for i, t in enumerate(previous) if t != path[i]), len(previous))
        self.cached = min(self.cached, self.prompt_length + shared)
        self.tokens = self.request.prompt + path
        return True
