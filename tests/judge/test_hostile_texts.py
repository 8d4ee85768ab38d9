"""Hostile texts in a judge's prompt: the time is proportional to their length."""

from tests.fixtures.limited import run_limited

PROGRAM = """
from steertui.judge.rubric import JudgeCase, Rubric
rubric = Rubric(1, "r", "*" * 200_000 + "\\n" + "(" * 200_000, "<answer>{answer}</answer>")
assert rubric.rotated(1) is None
for space in (" ", "\\n", "/ ", "< "):
    rubric.messages(JudgeCase("c", "", "t", "<" + space * 100_000))
"""


def test_texts_of_200_kilobytes_are_filled_in_two_seconds() -> None:
    code, _, err = run_limited(PROGRAM)
    assert (code, err) == (0, "")
