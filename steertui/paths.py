"""Folders: data shipped with the package, and the user's cache and state."""

from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_state_path

DEMO_DB = Path("steertui-demo.db")
"""Database of the demo, in the working folder."""


@cache
def package_data(name: str) -> Path:
    """Return the shipped folder `name`: "scenarios" or "models".

    An installed wheel has it in `steertui/data/`, a checkout next to the package.
    """
    package = Path(__file__).resolve().parent
    installed = package / "data" / name
    return installed if installed.is_dir() else package.parent / name


def user_cache(name: str) -> Path:
    """Return the folder `name` in the user's cache; it may not exist."""
    return user_cache_path("steertui") / name


def user_state(name: str) -> Path:
    """Return the folder `name` of the user's decisions on this machine; it may not exist."""
    return user_state_path("steertui") / name
