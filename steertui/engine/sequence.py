"""A Sequence: a prompt's tokens, what was computed of them, and the answer or score so far."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams
from steertui.engine.continuation_scores import ContinuationScores, Tokens


@dataclass(frozen=True, slots=True)
class GenerateRequest:
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
class ScoreRequest:
    """A request for the log-likelihood of each continuation after a prompt.

    Attributes:
        continuations: at least two, none of them another's beginning.
        whole: among all that could be written; if not, among the continuations (see
            `ContinuationScores`).
    """

    id: str
    prompt: Tokens
    continuations: tuple[Tokens, ...]
    whole: bool = False


@dataclass(eq=False, slots=True)
class Sequence:
    """A request on its way; the engine owns and changes it.

    Attributes:
        tokens: the prompt and what follows it: the answer, or the path being scored.
        cached: how many of `tokens` lie in the KV cache.
        raw: the answer's bytes.
        scoring: of a Score, once begun.
    """

    request: GenerateRequest | ScoreRequest
    tokens: Tokens = field(default_factory=list)
    cached: int = 0
    raw: bytearray = field(default_factory=bytearray)
    started: float = 0.0
    random: np.random.Generator | None = None
    scoring: ContinuationScores | None = None

    def start(self) -> None:
        """Begin, in a slot; who was begun in another goes on."""
        if self.tokens:
            return
        self.started = time.perf_counter()
        self.tokens = list(self.request.prompt)
        if isinstance(self.request, ScoreRequest):
            self.scoring = ContinuationScores(self.request.continuations, whole=self.request.whole)
            self.next_path()
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
        is_score = isinstance(self.request, ScoreRequest)
        return self.prompt_length - 1 if is_score else len(self.tokens) - 1

    @property
    def most_tokens(self) -> int:
        """KV cells that it may fill at the most."""
        if isinstance(self.request, ScoreRequest):
            return self.prompt_length + max(map(len, self.request.continuations))
        return self.prompt_length + self.request.sampling.max_tokens

    @property
    def least_tokens(self) -> int:
        """KV cells without which it cannot go on at all."""
        is_score = isinstance(self.request, ScoreRequest)
        return self.most_tokens if is_score else len(self.known) + 1

    def add_scores(self, logits: NDArray[np.float32], start: int) -> None:
        """Count rows of logits, of the positions from `start` on."""
        assert self.scoring
        for row, position in zip(logits, range(start, start + len(logits)), strict=True):
            self.scoring.add(self.tokens[self.prompt_length : position + 1], row)

    def next_path(self) -> bool:
        """Go on to the next path that is to be scored; False where there is none."""
        assert self.scoring
        if not self.scoring.paths:
            return False
        path, before = self.scoring.paths.pop(0), self.written
        shared = next((i for i, t in enumerate(before) if t != path[i]), len(before))
        self.cached = min(self.cached, self.prompt_length + shared)
        self.tokens = self.request.prompt + path
        return True
