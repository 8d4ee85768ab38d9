"""Reasoning formats of models: the marks around the reasoning in an answer or a prompt."""

import re
from typing import NamedTuple


class ReasoningFormat(NamedTuple):
    """Marks around the reasoning.

    Attributes:
        opens: mark before the reasoning; many chat templates end with it.
        closes: mark after the reasoning, before the answer.
        between: text that may precede `closes`.
        ends: mark after the answer, "" for none.
        line: text between `opens` and the reasoning.
    """

    opens: str
    closes: str
    between: str = ""
    ends: str = ""
    line: str = ""


THINK = ReasoningFormat("<think>", "</think>", line="\n")
"""Format of Qwen3, DeepSeek, GLM, Nemotron, SmolLM3, Phi-4-reasoning, OLMo and most others."""

HARMONY_START = "<|start|>assistant"
"""Start of a gpt-oss message; its prompts end with it, before the channel."""

HARMONY = ReasoningFormat(
    "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", HARMONY_START
)
"""Format of gpt-oss: channels of one reply. llama.cpp keeps these marks in a text."""

FORMATS = (
    THINK,
    HARMONY,
    ReasoningFormat("<|channel>thought", "<channel|>", line="\n"),  # Gemma 4
    ReasoningFormat("[THINK]", "[/THINK]"),  # Magistral and Ministral
    ReasoningFormat("<seed:think>", "</seed:think>"),  # Seed-OSS
    ReasoningFormat("<|START_THINKING|>", "<|END_THINKING|>"),  # Command A Reasoning
    ReasoningFormat("<think:opensource>", "</think:opensource>"),  # Hy3
    ReasoningFormat("<mm:think>", "</mm:think>"),  # MiniMax-M3
    ReasoningFormat(
        "Here are my reasoning steps:",
        "[BEGIN FINAL RESPONSE]",
        ends="[END FINAL RESPONSE]",
        line="\n",
    ),  # Apriel
)

_TOKEN = re.compile(r"</?[^<>]+>|\[/?[A-Z ]+\]")

REASONING_TOKENS = frozenset(
    token
    for format_ in FORMATS
    for mark in (format_.opens, format_.closes)
    for token in _TOKEN.findall(mark)
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
    answer = text[position + len(format_.closes) :].strip()
    return reasoning.strip(), answer.removesuffix(format_.ends).strip()


def format_of(template: str) -> ReasoningFormat:
    """Return the reasoning format whose opening mark a chat template contains, else `THINK`."""
    return next((f for f in FORMATS if f is not THINK and f.opens in template), THINK)


def opens_reasoning(prompt: str) -> bool:
    """Whether a prompt ends with opened reasoning."""
    return any(prompt.rstrip().endswith(format_.opens) for format_ in FORMATS)


def open_reasoning(prompt: str, template: str) -> str:
    """Return the prompt with opened reasoning; unchanged if it is open already."""
    if opens_reasoning(prompt):
        return prompt
    format_ = format_of(template)
    return f"{prompt}{format_.opens}{format_.line}"


def close_reasoning(prompt: str, template: str) -> str:
    """Return the prompt with opened reasoning closed, so that the answer follows directly."""
    stripped = prompt.rstrip()
    for format_ in FORMATS:
        if stripped.endswith(format_.opens):
            return f"{stripped}\n\n{format_.closes}\n\n"
    is_harmony = stripped.endswith(HARMONY_START) and format_of(template) is HARMONY
    return stripped + HARMONY.closes if is_harmony else prompt
