"""Completion of a path in an input line: the rest of the first file or folder that begins so."""

from pathlib import Path

from textual.suggester import Suggester

from steertui.paths import expand_home

MAX_ENTRIES = 5000
"""Entries of a folder that are looked at."""


class PathSuggester(Suggester):
    """Suggests the rest of a path; in a list, of the part after a comma or quote."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the value with its path completed; None if no file or folder begins so.

        Hidden files are suggested after a dot only.
        """
        starts = (0, max(value.rfind(","), value.rfind('"')) + 1)
        completed = (_completed(value[:start], value[start:]) for start in starts)
        return next(filter(None, completed), None)


def _completed(before: str, last: str) -> str | None:
    """Return the text with the path at its end completed; None if nothing begins so."""
    typed = last.lstrip()
    folder, slash, start = typed.rpartition("/")
    if not start:
        return None
    found = _first_entry(expand_home(folder + slash) if slash else Path(), start)
    spaces = last[: len(last) - len(typed)]
    return f"{before}{spaces}{folder}{slash}{found}" if found else None


def _first_entry(folder: Path, start: str) -> str:
    """Return the first name in a folder that begins so, with "/" for a folder; "" for none."""
    try:
        entries = [entry for entry, _ in zip(folder.iterdir(), range(MAX_ENTRIES), strict=False)]
    except OSError:
        return ""
    names = (e.name + "/" * e.is_dir() for e in entries if e.name.startswith(start))
    return min(names, default="")
