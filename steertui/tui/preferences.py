"""Preferences of the screens in the user's state folder, one file each."""

from contextlib import suppress

from steertui.output_files import whole
from steertui.paths import user_state
from steertui.tui.recent import FOLDER

THEME = "theme"
"""File with the theme's name."""

BATCH_SIZE = "batch_size"
"""File with the number of answers in a batch of Label."""

ANNOTATOR = "annotator"
"""File with the name under which labels are stored."""

MAX_LENGTH = 100
"""Maximum characters of a preference."""


def load_preference(name: str) -> str:
    """Return what was last chosen; "" for nothing."""
    try:
        return (user_state(FOLDER) / name).read_text(encoding="utf-8")[:MAX_LENGTH].strip()
    except (OSError, ValueError):
        return ""


def save_preference(name: str, text: str) -> None:
    """Keep a choice for the next start."""
    with suppress(OSError):  # a read-only or full disk: the choice is forgotten
        folder = user_state(FOLDER)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / name) as file:
            file.write(text.encode())
