"""Reasoning: the marks by which models set a thought apart from the answer."""

from typing import NamedTuple


class ReasoningFormat(NamedTuple):
    """What a family of models writes around its thought.

    Attributes:
        opens: stands before it; many a chat template ends with it.
        closes: stands after it, and before the answer.
        between: what else may stand between the thought and `closes`.
    """

    opens: str
    closes: str
    between: str = ""


THINK = ReasoningFormat("<think>", "</think>")
"""Qwen3's, and of most others: DeepSeek, GLM, Nemotron, SmolLM."""

HARMONY_START = "<|start|>assistant"
"""How a message of gpt-oss's begins, and a prompt for it ends; the model opens a channel, or we."""

HARMONY = ReasoningFormat(
    "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", HARMONY_START
)
"""gpt-oss's: channels of one reply. llama.cpp keeps these marks in a text by itself."""

FORMATS = (
    THINK,
    HARMONY,
    ReasoningFormat("[THINK]", "[/THINK]"),  # Magistral and Ministral
    ReasoningFormat("<seed:think>", "</seed:think>"),  # Seed-OSS
    ReasoningFormat("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
)

REASONING_TOKENS = frozenset(mark for family in FORMATS for mark in (family.opens, family.closes))
"""Control tokens that are kept in an answer's text; all others are taken away."""


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (reasoning, answer), cut after the last mark that closes a thought.

    The opening mark is optional: some templates put it into the prompt. Where the closing mark
    never comes, all is answer, as in the paper's code (arXiv 2601.01584).
    """
    place, marks = max((text.rfind(marks.closes), marks) for marks in FORMATS)
    if place < 0:
        return "", text.strip()
    thought = text[:place].strip().removeprefix(marks.opens).removesuffix(marks.between)
    return thought.strip(), text[place + len(marks.closes) :].strip()


def close_reasoning(prompt: str) -> str:
    """Return the prompt so that the answer proper comes at once: an open thought is closed."""
    bare = prompt.rstrip()
    for marks in FORMATS:
        if bare.endswith(marks.opens):
            return f"{bare}\n\n{marks.closes}\n\n"
    return bare + HARMONY.closes if bare.endswith(HARMONY_START) else prompt
