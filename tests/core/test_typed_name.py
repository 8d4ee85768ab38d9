"""Names that a user types: the wrong character of a refused one is named."""

import pytest

from steertui.core.typed_name import NameRule

RULE = NameRule("[a-z]", "[a-z-]", 5)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a-b", ""),
        ("", "is empty"),
        ("-a", "begins with '-'"),
        ("a b!", "has ' '"),
        ("ab\u200b", r"has '\u200b'"),
        ("ab\n", r"has '\n'"),
        ("abcdef", "has 6 characters"),
    ],
)
def test_the_first_fault_is_named(name: str, fault: str) -> None:
    assert RULE.fault(name) == fault
