"""Completion of a path in an input line: the rest of the first file or folder that begins so."""

from pathlib import Path

from textual.suggester import Suggester

from steertui.paths import expand_home

MAX_ENTRIES = 5000
"""Entries of a folder that are looked at."""

KEYS = "→  complete"
"""Key that takes the suggestion, for the line of keys."""


class PathSuggester(Suggester):
    """Suggests the rest of a path; the part after the last comma in a list of values."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the value with its path completed; None if no file or folder begins so.

        Hidden files are suggested after a dot only.
        """
        before, comma, last = value.rpartition(",")
        typed = last.lstrip()
        folder, slash, start = typed.rpartition("/")
        if not start:
            return None
        found = _first_entry(expand_home(folder + slash) if slash else Path(), start)
        if not found:
            return None
        spaces = last[: len(last) - len(typed)]
        return f"{before}{comma}{spaces}{folder}{slash}{found}"


def _first_entry(folder: Path, start: str) -> str:
    """Return the first name in a folder that begins so, with "/" for a folder; "" for none."""
    try:
        entries = [entry for entry, _ in zip(folder.iterdir(), range(MAX_ENTRIES), strict=False)]
    except OSError:
        return ""
    names = (e.name + "/" * e.is_dir() for e in entries if e.name.startswith(start))
    return min(names, default="")
