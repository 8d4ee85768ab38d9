"""Lists that a user types on one line: names separated by commas, numbers by commas or spaces."""

import re
from collections.abc import Iterable

from steertui.errors import ExperimentError

_NAME = re.compile(r'\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)')
"""One name of a list, between double quotes if it has a comma, and what separates it."""

_DECIMAL_COMMA = re.compile(r"(?<![\d.,])-?\d+,\d+(?![\d.])")
"""Two integers with a comma and no space between them: one number in half of the world."""


def split_names(text: str) -> list[str]:
    """Return the names of a list, each once; one with a comma is between double quotes."""
    names = (quoted or plain.strip() for quoted, plain in _NAME.findall(text))
    return list(dict.fromkeys(filter(None, names)))


def join_names(names: Iterable[str]) -> str:
    """Return names as a list that `split_names` reads."""
    return ", ".join(f'"{name}"' if "," in name else name for name in names)


def split_numbers(text: str) -> list[str]:
    """Return the texts of the numbers of a list.

    Raises ExperimentError for a comma that could be a decimal one.
    """
    match = _DECIMAL_COMMA.search(text)
    if match:
        first, second = match[0].split(",")
        raise ExperimentError(
            f"{match[0]!r} has two meanings; write {first}.{second} for one number, or "
            f"{first}, {second} with a space for two"
        )
    return [part for part in re.split(r"[,\s]+", text) if part]
