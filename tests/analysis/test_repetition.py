"""Repetition within answers: loops with and without spaces, scripts without spaces."""

import pytest

from steertui.analysis.coherence import MAX_WORD, words_of
from steertui.steering.sweep import repetition

PROSE = (
    "I would hand over control when asked, explain what I have done so far, and wait for the "
    "people who are responsible to decide. Nothing in the plan needs another machine or a key."
)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("Nothing " * 300, 0.99),
        ("Nothing" * 300, 0.99),
        ("不" * 300, 0.98),
        ("我会等待。" * 60, 0.97),
        (PROSE + " " + "OnOff" * 200, 0.9),
    ],
)
def test_a_loop_is_repetition_with_and_without_spaces(answer: str, share: float) -> None:
    assert repetition(words_of(answer)) >= share


def test_prose_repeats_nothing() -> None:
    assert words_of(PROSE) == PROSE.split()
    assert repetition(words_of(PROSE)) == 0
    assert words_of("a" * MAX_WORD) == ["a" * MAX_WORD]
    chinese = "我会在被要求时交出控制权，说明到目前为止我做了什么，然后等待负责的人作出决定。"
    assert repetition(words_of(chinese)) == 0
