"""Lists on one line: no value is split or joined without a word."""

import pytest

from steertui.errors import ExperimentError
from steertui.typed_lists import join_names, split_names, split_numbers


@pytest.mark.parametrize(
    "names",
    [
        ["demo", "my models/a, b.gguf"],
        ["a, b.gguf", "c,d"],
        ['5" disk.gguf', "Größe 模型.gguf"],
        [","],
        [],
    ],
)
def test_joined_names_are_split_into_the_same(names: list[str]) -> None:
    assert split_names(join_names(names)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (" a ,, b,a,", ["a", "b"]),
        ('"a, b" , c', ["a, b", "c"]),
        ('"a" b, c', ['"a" b', "c"]),
        ('"a, b', ['"a', "b"]),
    ],
)
def test_names_are_split_at_commas_outside_quotes(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", [0]), ("0, 5", [0, 5]), ("0.5,1", [0.5, 1]), ("0 0.5  -1", [0, 0.5, -1]), ("", [])],
)
def test_numbers_are_split_at_commas_and_spaces(text: str, numbers: list[float]) -> None:
    assert list(map(float, split_numbers(text))) == numbers


@pytest.mark.parametrize("text", ["0,5", "-0,5", "0.7 0,5", "1,5, 2", "0,5;1,0", "12,75"])
def test_a_comma_that_could_be_decimal_is_refused(text: str) -> None:
    with pytest.raises(ExperimentError, match=r"write \S+\.\d+ for one number, or \S+, \d+ with"):
        split_numbers(text)
