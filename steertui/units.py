"""Durations, byte counts, numbers of things and lists as text."""

from collections.abc import Iterable


def size_text(size: float) -> str:
    """Return bytes as "2.50 GB": powers of ten, as the hub states sizes."""
    for unit, power in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= power:
            return f"{size / power:.2f} {unit}" if power == 1e9 else f"{size / power:.0f} {unit}"
    return f"{size:.0f} B"


def clock(seconds: float) -> str:
    """Return "2:10" or "1:02:10"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def quantity(number: int, noun: str, plural: str = "") -> str:
    """Return "1 pair" or "5 pairs"; `plural` is for nouns that take no "s"."""
    return f"{number} {counted(number, noun, plural)}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a noun as it is after a number; `plural` is for nouns that take no "s"."""
    return noun if number == 1 else plural or f"{noun}s"


def verb(number: int, singular: str, plural: str) -> str:
    """Return the form of a verb after a number, such as "is" or "are"."""
    return singular if number == 1 else plural


def list_text(names: Iterable[str]) -> str:
    """Return "a, b and c"."""
    listed = [*names]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
