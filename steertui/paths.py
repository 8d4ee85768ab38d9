"""Where files lie: those that ship with the program, and those that it keeps for its user."""

from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_state_path

DEMO_DB = Path("steertui-demo.db")
"""Database of the demo, in the working folder."""


@cache
def package_data(name: str) -> Path:
    """Return the folder `name` ("scenarios" or "models"), as it was shipped.

    An installed wheel holds them under `steertui/data/`; a checkout holds them beside the package.
    """
    package = Path(__file__).resolve().parent
    inside = package / "data" / name
    return inside if inside.is_dir() else package.parent / name


def user_cache(name: str) -> Path:
    """Return the folder `name` of what is kept for the user between runs; it may not exist yet."""
    return user_cache_path("steertui") / name


def remembered(name: str) -> Path:
    """Return the folder `name` of what the user decided on this machine; it may not exist yet."""
    return user_state_path("steertui") / name
