"""Lookup of identities by name, unique prefix or sha256."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from steertui.errors import ExperimentError

_PREFIX = re.compile(r"[0-9a-f]{4,}")


def resolve_name(noun: str, word: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the identities that the word matches.

    `known` gives the names of each identity. A full identity or name matches first, possibly
    several identities; otherwise at least four hexadecimal digits match the one identity that
    starts with them. Raises ExperimentError, with `noun` in its message, for a word without a
    match or an ambiguous prefix.
    """
    exact = [identity for identity, names in known.items() if word in (identity, *names)]
    if exact:
        return exact
    is_prefix = bool(_PREFIX.fullmatch(word))
    matches = [identity for identity in known if is_prefix and identity.startswith(word)]
    if len(matches) == 1:
        return matches
    if matches:
        raise ExperimentError(
            f"{word}: more than one {noun} starts with it: {', '.join(matches)}; add digits"
        )
    names = dict.fromkeys((*names, identity)[0] for identity, names in known.items())
    raise ExperimentError(f"{word}: no such {noun}; there are {', '.join(names) or 'none'}")


def disambiguate(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names by identity; a name that occurs twice is followed by `short_id`."""
    count = Counter(names.values())
    return {
        identity: f"{name} {short_id(identity)}" if count[name] > 1 else name
        for identity, name in names.items()
    }


def short_id(identity: str) -> str:
    """Return the first eight digits of a sha256; any other identity unchanged."""
    return identity[:8] if len(identity) == 64 else identity
