"""A Generation: what a model wrote for one trial, how it ended and what it cost."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

from steertui.core.reasoning import split_reasoning

StopTokens = Literal["any", "eos"]
"""Which tokens end an answer: every end-of-generation token that llama.cpp knows of, or the
tokenizer's own end-of-sequence token alone, as transformers' `generate` does when told so."""


class StopReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    """The model wrote an end-of-generation token."""
    LENGTH = "length"
    """The limit of new tokens was reached: the answer is truncated."""
    UNKNOWN = "unknown"
    """The answer was imported, and its run did not write down why it ended."""


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is drawn. Temperature 0 is greedy: the most likely token after the
    penalties, whatever the filters (top_k, top_p, min_p) and the seed.

    Attributes:
        temperature: divides the logits; 0 draws nothing.
        top_k: keep the k most likely tokens; 0 keeps all.
        top_p: nucleus: keep the smallest set whose probability reaches p; 1 keeps all.
        min_p: keep tokens at least this share as likely as the likeliest; 0 keeps all.
        repetition_penalty: divides positive and multiplies negative logits of seen tokens; 1 off.
        presence_penalty: subtracted from logits of tokens already written; 0 off.
        max_tokens: new tokens at most, reasoning included.
        seed: base of every trial's own seed.
        stop_tokens: which tokens end an answer.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    max_tokens: int = 1024
    seed: int = 0
    stop_tokens: StopTokens = "any"

    def as_dict(self) -> dict[str, float | int | str]:
        """Return the fields by name, for hashing and storing.

        Trial keys are hashes of this dictionary. Therefore `stop_tokens` has its first name,
        "end", here. It is left out at its default, since the first keys were made without it.
        """
        fields = asdict(self)
        stop_tokens = fields.pop("stop_tokens")
        if stop_tokens != "any":
            fields["end"] = stop_tokens
        return fields


def distinct_samples(samples: int, temperature: float) -> int:
    """Return how many different samples a prompt has: one at temperature 0, which is greedy."""
    return samples if temperature > 0 else 1


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer.

    Attributes:
        text: everything the model wrote, reasoning included.
        stop: why it ended.
        prompt_tokens: tokens of the rendered prompt.
        tokens: new tokens, the end token not counted.
        seconds: wall time from admission to a slot until the end.
    """

    text: str
    stop: StopReason
    prompt_tokens: int
    tokens: int
    seconds: float

    @property
    def reasoning(self) -> str:
        """What stands before the last `</think>` or its like; "" where there is none."""
        return split_reasoning(self.text)[0]

    @property
    def answer(self) -> str:
        """What the judge reads: the text after the reasoning, or all of it."""
        return split_reasoning(self.text)[1]
