"""Generations: sampling parameters, answers, stop reasons."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal

from steertui.core.reasoning import split_reasoning

StopTokens = Literal["any", "eos"]
"""Tokens that end an answer.

"any": every end-of-generation token that llama.cpp lists. "eos": the tokenizer's end-of-sequence
token only, as in transformers' `generate` with `eos_token_id`.
"""


class StopReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    """The model generated an end-of-generation token."""
    LENGTH = "length"
    """The limit of new tokens was reached; the answer is truncated."""
    UNKNOWN = "unknown"
    """The answer was imported and its run did not record the stop reason."""


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Sampling parameters of an answer.

    At temperature 0 decoding is greedy: the most likely token after the penalties, regardless of
    the filters (top_k, top_p, min_p) and the seed.

    Attributes:
        temperature: divisor of the logits, at least 0 [default: 0].
        top_k: keep the k most likely tokens; 0 keeps all [default].
        top_p: nucleus sampling: keep the smallest set with at least this probability; 1 keeps all
            [default].
        min_p: keep tokens with at least this share of the most likely token's probability; 0
            keeps all [default].
        repetition_penalty: divides positive and multiplies negative logits of tokens in the
            context; 1 is neutral [default].
        presence_penalty: subtracted from the logits of generated tokens; 0 is neutral [default].
        max_tokens: maximum number of new tokens, reasoning included [default: 1024].
        seed: base of the trials' seeds [default: 0].
        stop_tokens: tokens that end an answer [default: "any"].
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

        Trial keys hash this dictionary. `stop_tokens` therefore has its original name here, "end",
        and is omitted at its default, because the first keys were made without it.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        stop_tokens = values.pop("stop_tokens")
        if stop_tokens != "any":
            values["end"] = stop_tokens
        return values


def distinct_samples(samples: int, temperature: float) -> int:
    """Return the number of different samples of a prompt: one at temperature 0 (greedy)."""
    return samples if temperature > 0 else 1


@dataclass(frozen=True, slots=True)
class Generation:
    """One generated answer.

    Attributes:
        text: the generated text, reasoning included.
        stop: why it ended.
        prompt_tokens: number of tokens of the prompt.
        tokens: number of new tokens, without the end token.
        seconds: wall time from admission to a slot to the end, without pauses.
        prefill: beginning of the answer that the prompt contains; not part of `text`.
    """

    text: str
    stop: StopReason
    prompt_tokens: int
    tokens: int
    seconds: float
    prefill: str = ""

    @property
    def reasoning(self) -> str:
        """The reasoning before the last closing mark such as `</think>`; "" for none."""
        return split_reasoning(self.prefill + self.text)[0]

    @property
    def answer(self) -> str:
        """The prefill and the text after the reasoning; what the judge sees."""
        return split_reasoning(self.prefill + self.text)[1]
