"""Names: which of the things that are there a user's word means."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from steertui.errors import ExperimentError

_DIGITS = re.compile(r"[0-9a-f]{8,}")


def resolve_name(noun: str, word: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the identities of those that the word names.

    `known` gives each identity's other names. A word names whatever bears it whole; if nothing
    does, at least eight hexadecimal digits name the one identity that begins with them. Raises
    ExperimentError for a word that names nothing, or begins several.
    """
    whole = [identity for identity, names in known.items() if word in (identity, *names)]
    if whole:
        return whole
    begun = [i for i in known if i.startswith(word)] if _DIGITS.fullmatch(word) else []
    if len(begun) == 1:
        return begun
    if begun:
        raise ExperimentError(f"{word}: begins more than one {noun}: {', '.join(begun)}")
    there = dict.fromkeys((*names, identity)[0] for identity, names in known.items())
    raise ExperimentError(f"{word}: no such {noun}; there are {', '.join(there) or 'none'}")


def disambiguate(names: Mapping[str, str]) -> dict[str, str]:
    """Return by identity the name, with the identity beside it where another bears that name."""
    count = Counter(names.values())
    return {i: f"{name} {short_id(i)}" if count[name] > 1 else name for i, name in names.items()}


def short_id(identity: str) -> str:
    """Return a sha256's first eight digits; another identity is a name, and whole."""
    return identity[:8] if len(identity) == 64 else identity


def printable(text: str) -> str:
    """Return foreign text in one line, each character that a terminal could obey replaced."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
