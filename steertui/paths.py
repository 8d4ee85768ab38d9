"""Folders: data shipped with the package, and the user's cache, state and data."""

import os
import stat
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path, user_data_path, user_state_path

from steertui.errors import StoreError

DEMO_DB = Path("steertui-demo.db")
"""Database of the demo, in the working folder."""


@cache
def package_data(name: str) -> Path:
    """Return the shipped folder `name`: "scenarios", "models" or "docs/reference".

    An installed wheel has it in `steertui/data/`, a checkout next to the package.
    """
    package = Path(__file__).resolve().parent
    installed = package / "data" / name
    return installed if installed.is_dir() else package.parent / name


def expand_home(name: str) -> Path:
    """Return the path of a name, with `~` and `~user` replaced if there is such a user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def exists(path: Path) -> bool:
    """Whether there is a file or folder; False if there can be none, as `is_file`."""
    try:
        return path.exists()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a file; False if it cannot be one, such as a name that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False if it cannot be one."""
    try:
        return path.is_dir()
    except OSError:
        return False


def private_temporary_folder() -> Path:
    """Return the user's folder in the system's temporary folder, which no other user can change.

    Raises StoreError if another user has created one of that name.
    """
    folder = Path(tempfile.gettempdir())
    if not hasattr(os, "getuid"):  # on Windows each user has a temporary folder
        return folder
    folder /= f"steertui-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    try:
        found = folder.lstat()
    except OSError as exc:
        raise StoreError(
            f"{folder}: cannot be created ({exc.strerror}); set TMPDIR to another folder"
        ) from None
    is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not is_private or found.st_uid != os.getuid():
        raise StoreError(
            f"{folder}: can be changed by other users; remove it, or set TMPDIR to another folder"
        )
    return folder


def user_cache(name: str) -> Path:
    """Return the folder `name` in the user's cache; it may not exist."""
    return user_cache_path("steertui") / name


def user_state(name: str) -> Path:
    """Return the folder `name` of the user's decisions on this machine; it may not exist."""
    return user_state_path("steertui") / name


def user_data(name: str) -> Path:
    """Return the folder `name` of the user's own data; it may not exist."""
    return user_data_path("steertui") / name


def judges_db() -> Path:
    """Return the database of the judges tested on this machine; it may not exist."""
    return user_state("judges") / "judges.db"


def new_judges_db() -> Path:
    """Return the database of the judges tested on this machine, in a folder that exists.

    Raises StoreError if the folder cannot be created.
    """
    path = judges_db()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"{path.parent}: cannot be created ({exc.strerror}), and tested judges are stored "
            "there; make it writable, or set XDG_STATE_HOME to a folder that is"
        ) from exc
    return path


def home_relative(path: Path) -> str:
    """Return a path for a message, with the user's home as "~"."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
