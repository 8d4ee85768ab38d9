"""Where the files that ship with the program lie, in a checkout and in an installed wheel."""

from functools import cache
from pathlib import Path


@cache
def shipped(name: str) -> Path:
    """Return the folder `name` ("scenarios" or "models"), as it was shipped.

    An installed wheel holds them under `steertui/data/`; a checkout holds them beside the package.
    """
    package = Path(__file__).resolve().parent
    inside = package / "data" / name
    return inside if inside.is_dir() else package.parent / name
