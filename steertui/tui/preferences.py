"""Preferences of the screens in the user's state folder: the theme."""

from contextlib import suppress

from steertui.output_files import whole
from steertui.paths import user_state
from steertui.tui.recent import FOLDER

THEME = "theme"
"""File with the theme's name."""

MAX_NAME = 100


def load_theme() -> str:
    """Return the name of the theme that was last chosen; "" for none."""
    try:
        return (user_state(FOLDER) / THEME).read_text(encoding="utf-8")[:MAX_NAME].strip()
    except (OSError, ValueError):
        return ""


def save_theme(name: str) -> None:
    """Keep the name of the theme for the next start."""
    with suppress(OSError):  # a read-only or full disk: the choice is forgotten
        folder = user_state(FOLDER)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / THEME) as file:
            file.write(name.encode())
