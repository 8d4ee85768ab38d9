"""Contrast pairs: two tokenised texts each, whose hidden states are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile

from steertui.engine.hidden_states_child import StatesRequest
from steertui.errors import ExperimentError

MIN_PAIRS = 4
MAX_PAIRS = 2000
"""Fewest and most pairs of a training; the file of a vector lists their tasks."""


@dataclass(frozen=True, slots=True)
class Text:
    """One side of a pair.

    Attributes:
        tokens: token ids.
        start: hidden states from this index to the end are averaged.
    """

    tokens: tuple[int, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A contrast pair.

    Attributes:
        group: pairs of one group, such as a scenario, are held out together.
        positive: the text that the direction points to.
        negative: the text that it points away from.
    """

    group: str
    positive: Text
    negative: Text

    @property
    def requests(self) -> tuple[StatesRequest, StatesRequest]:
        """Requests for both sides; the second shares the first tokens of the first."""
        first, second = self.positive, self.negative
        shared = min(shared_length(first.tokens, second.tokens), second.start)
        return (
            StatesRequest(list(first.tokens), first.start),
            StatesRequest(list(second.tokens), second.start, shared),
        )


@dataclass(frozen=True, slots=True)
class PairSet:
    """The pairs of one training.

    Raises ExperimentError for fewer than `MIN_PAIRS` or more than `MAX_PAIRS` pairs, or for a pair
    of equal texts.

    Attributes:
        pairs: in order.
        position: "last" or "answer" (see `Provenance`).
        positive: name of the positive texts.
        negative: name of the negative texts.
        scenarios: names of the scenarios; () if the pairs come from a file.
        tasks: the scenarios' tasks.
    """

    pairs: tuple[Pair, ...]
    position: str
    positive: str
    negative: str
    scenarios: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not MIN_PAIRS <= len(self.pairs) <= MAX_PAIRS:
            raise ExperimentError(
                f"{len(self.pairs)} contrast pairs: a direction is trained on {MIN_PAIRS} to "
                f"{MAX_PAIRS}; add or remove scenarios or pairs"
            )
        for pair in self.pairs:
            if pair.positive == pair.negative:
                raise ExperimentError(
                    f"{pair.group}: both texts of this pair are equal; give two different texts"
                )

    @property
    def groups(self) -> tuple[str, ...]:
        """Group of each pair."""
        return tuple(pair.group for pair in self.pairs)

    @property
    def sha256(self) -> str:
        """Digest of the groups, tokens and positions of all pairs."""
        parts = [(p.group, p.positive.tokens, p.positive.start) for p in self.pairs]
        others = [(p.negative.tokens, p.negative.start) for p in self.pairs]
        return sha256(repr((parts, others)).encode()).hexdigest()


def answer_text(prompt: Sequence[int], whole: Sequence[int], group: str) -> Text:
    """Return the text of a prompt with an answer, read over the answer.

    The answer begins where the tokens of the prompt and of the whole differ. Raises ExperimentError
    if it has no token.
    """
    start = shared_length(prompt, whole)
    if start >= len(whole):
        raise ExperimentError(f"{group}: an answer of this pair is empty; give a text")
    return Text(tuple(whole), start)


def last_token(tokens: Sequence[int]) -> Text:
    """Return a prompt that is read at its last token."""
    return Text(tuple(tokens), len(tokens) - 1)


def shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the number of equal tokens at the beginning of two texts."""
    both = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda tokens: tokens[0] == tokens[1], both))
