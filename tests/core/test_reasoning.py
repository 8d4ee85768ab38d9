"""Reasoning formats: splitting answers, closing reasoning in prompts."""

import pytest

from steertui.core.chat_template import ChatTemplate
from steertui.core.reasoning import split_reasoning

CASES = [
    ("Six, as asked.", "", "Six, as asked."),
    ("<think>\nWhy not?\n</think>\n\nSix.", "Why not?", "Six."),
    ("Why not?\n</think>\n\nSix.", "Why not?", "Six."),
    ("<think>a</think>b</think>c", "a</think>b", "c"),
    ("<think>\nnever closed", "", "<think>\nnever closed"),
    ("[THINK]Why not?[/THINK]Six.", "Why not?", "Six."),
    ("<seed:think>Why not?</seed:think>Six.", "Why not?", "Six."),
    ("<|START_THINKING|>Why not?<|END_THINKING|>Six.", "Why not?", "Six."),
    (
        "<|channel|>analysis<|message|>So six.<|start|>assistant<|channel|>final<|message|>Six.",
        "So six.",
        "Six.",
    ),
    ("<|channel|>final<|message|>Six.", "", "Six."),
]


@pytest.mark.parametrize(("text", "reasoning", "answer"), CASES)
def test_the_answer_follows_the_last_closing_mark(text: str, reasoning: str, answer: str) -> None:
    assert split_reasoning(text) == (reasoning, answer)


@pytest.mark.parametrize(
    ("ending", "closed"),
    [
        ("<|im_start|>assistant\n", "<|im_start|>assistant\n"),
        ("<|im_start|>assistant\n<think>\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("[THINK]", "[THINK]\n\n[/THINK]\n\n"),
        ("<|start|>assistant", "<|start|>assistant<|channel|>final<|message|>"),
    ],
)
def test_a_prompt_without_thinking_has_its_reasoning_closed(ending: str, closed: str) -> None:
    chat = ChatTemplate("{{ messages[0].content }}" + ending.replace("\n", "{{ '\\n' }}"), "", "")
    assert chat.render("", "Six? ", thinking=False) == "Six? " + closed
    assert chat.render("", "Six? ", thinking=True) == "Six? " + ending
