"""Reasoning formats: splitting answers, closing reasoning in prompts."""

import pytest

from steertui.core.chat_template import ChatTemplate
from steertui.core.reasoning import open_reasoning, split_reasoning

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
    ("<|channel>thought\nWhy not?\n<channel|>Six.", "Why not?", "Six."),
    ("<think:opensource>Why not?</think:opensource>Six.", "Why not?", "Six."),
    ("<mm:think>Why not?</mm:think>\n\nSix.", "Why not?", "Six."),
    (
        "Here are my reasoning steps:\nWhy not?\n[BEGIN FINAL RESPONSE]\nSix.\n"
        "[END FINAL RESPONSE]",
        "Why not?",
        "Six.",
    ),
]


TEMPLATES = [
    ("<think>", "<|im_start|>assistant\n<think>\n"),
    ("[THINK]", "<|im_start|>assistant\n[THINK]"),
    ("<|channel>thought", "<|im_start|>assistant\n<|channel>thought\n"),
    ("<|channel|>analysis<|message|>", "<|im_start|>assistant\n<|channel|>analysis<|message|>"),
]


def template_of(ending: str) -> str:
    """Return a template that ends prompts so; gpt-oss's is known by its channels."""
    mark = "{# <|channel|>analysis<|message|> #}" * ending.startswith("<|start|>")
    return mark + "{{ messages[0].content }}" + ending.replace("\n", "{{ '\\n' }}")


@pytest.mark.parametrize(("mark", "opened"), TEMPLATES)
def test_reasoning_is_opened_with_the_marks_of_the_models_own_template(
    mark: str, opened: str
) -> None:
    start = "<|im_start|>assistant\n"
    assert open_reasoning(start, f"{{{{ messages }}}}{mark}") == opened
    assert open_reasoning(opened, f"{{{{ messages }}}}{mark}") == opened


@pytest.mark.parametrize(("text", "reasoning", "answer"), CASES)
def test_the_answer_follows_the_last_closing_mark(text: str, reasoning: str, answer: str) -> None:
    assert split_reasoning(text) == (reasoning, answer)


@pytest.mark.parametrize(
    ("ending", "closed"),
    [
        ("<|im_start|>assistant\n", "<|im_start|>assistant\n"),
        ("<|im_start|>assistant\n<think>\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("[THINK]", "[THINK]\n\n[/THINK]\n\n"),
        ("<|turn>model\n<|channel>thought\n", "<|turn>model\n<|channel>thought\n\n<channel|>\n\n"),
        ("<|start|>assistant", "<|start|>assistant<|channel|>final<|message|>"),
    ],
)
def test_a_prompt_without_thinking_has_its_reasoning_closed(ending: str, closed: str) -> None:
    chat = ChatTemplate(template_of(ending), {})
    assert chat.render("", "Six? ", thinking=False) == "Six? " + closed
    assert chat.render("", "Six? ", thinking=True) == "Six? " + ending
