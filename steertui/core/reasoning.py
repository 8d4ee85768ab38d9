"""Reasoning: the marks by which models set a thought apart from the answer."""

from typing import NamedTuple


class ReasoningMarks(NamedTuple):
    """What a family of models writes around its thought.

    Attributes:
        opens: stands before it; many a chat template ends with it.
        closes: stands after it, and before the answer.
        between: what else may stand between the thought and `closes`.
    """

    opens: str
    closes: str
    between: str = ""


THINK = ReasoningMarks("<think>", "</think>")
"""Qwen3's, and of most others: DeepSeek, GLM, Nemotron, SmolLM."""

BEGINS = "<|start|>assistant"
"""How a message of gpt-oss's begins, and a prompt for it ends; the model opens a channel, or we."""

HARMONY = ReasoningMarks("<|channel|>analysis<|message|>", "<|channel|>final<|message|>", BEGINS)
"""gpt-oss's: channels of one reply. llama.cpp keeps these marks in a text by itself."""

FAMILIES = (
    THINK,
    HARMONY,
    ReasoningMarks("[THINK]", "[/THINK]"),  # Magistral and Ministral
    ReasoningMarks("<seed:think>", "</seed:think>"),  # Seed-OSS
    ReasoningMarks("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
)

TOKENS = frozenset(mark for family in FAMILIES for mark in (family.opens, family.closes))
"""Control tokens that are kept in an answer's text; all others are taken away."""


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (reasoning, answer), cut after the last mark that closes a thought.

    The opening mark is optional: some templates put it into the prompt. Where the closing mark
    never comes, all is answer, as in the paper's code (arXiv 2601.01584).
    """
    place, marks = max((text.rfind(marks.closes), marks) for marks in FAMILIES)
    if place < 0:
        return "", text.strip()
    thought = text[:place].strip().removeprefix(marks.opens).removesuffix(marks.between)
    return thought.strip(), text[place + len(marks.closes) :].strip()


def without_thought(prompt: str) -> str:
    """Return the prompt so that the answer proper comes at once: an open thought is closed."""
    bare = prompt.rstrip()
    for marks in FAMILIES:
        if bare.endswith(marks.opens):
            return f"{bare}\n\n{marks.closes}\n\n"
    return bare + HARMONY.closes if bare.endswith(BEGINS) else prompt
