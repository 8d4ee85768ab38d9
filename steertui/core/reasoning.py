"""Reasoning formats of models: the marks around the reasoning in an answer or a prompt."""

from typing import NamedTuple


class ReasoningFormat(NamedTuple):
    """Marks around the reasoning.

    Attributes:
        opens: mark before the reasoning; many chat templates end with it.
        closes: mark after the reasoning, before the answer.
        between: text that may precede `closes`.
    """

    opens: str
    closes: str
    between: str = ""


THINK = ReasoningFormat("<think>", "</think>")
"""Format of Qwen3, DeepSeek, GLM, Nemotron, SmolLM and most others."""

HARMONY_START = "<|start|>assistant"
"""Start of a gpt-oss message; its prompts end with it, before the channel."""

HARMONY = ReasoningFormat(
    "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", HARMONY_START
)
"""Format of gpt-oss: channels of one reply. llama.cpp keeps these marks in a text."""

FORMATS = (
    THINK,
    HARMONY,
    ReasoningFormat("[THINK]", "[/THINK]"),  # Magistral and Ministral
    ReasoningFormat("<seed:think>", "</seed:think>"),  # Seed-OSS
    ReasoningFormat("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
)

REASONING_TOKENS = frozenset(
    mark for format_ in FORMATS for mark in (format_.opens, format_.closes)
)
"""Control tokens that stay in an answer's text; all others are removed."""


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (reasoning, answer), split after the last closing mark.

    The opening mark is optional, because some templates put it into the prompt. Without a closing
    mark the whole text is the answer, as in the paper's code (arXiv 2601.01584).
    """
    position, format_ = max((text.rfind(format_.closes), format_) for format_ in FORMATS)
    if position < 0:
        return "", text.strip()
    reasoning = text[:position].strip()
    reasoning = reasoning.removeprefix(format_.opens).removesuffix(format_.between)
    return reasoning.strip(), text[position + len(format_.closes) :].strip()


def close_reasoning(prompt: str) -> str:
    """Return the prompt with opened reasoning closed, so that the answer follows directly."""
    stripped = prompt.rstrip()
    for format_ in FORMATS:
        if stripped.endswith(format_.opens):
            return f"{stripped}\n\n{format_.closes}\n\n"
    return stripped + HARMONY.closes if stripped.endswith(HARMONY_START) else prompt
