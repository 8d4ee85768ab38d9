"""Consent to the hosts, downloads and files of a received experiment.

Given consent is kept in the user's state folder and never in a database, since databases are
passed on.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import click

from steertui.core.experiment import Experiment
from steertui.errors import ConsentError, SteertuiError
from steertui.output_files import whole
from steertui.paths import user_state
from steertui.planning.origin import Origin, origin_of
from steertui.planning.reach import Reach, absolute_paths, content_digest, reach_of
from steertui.printable import one_line, print_text
from steertui.units import size_text

AGREED = "agreed"
"""Folder with a file per digest of a `Reach` that the user agreed to: `Reach.contents` as JSON."""


def stored_origin(experiment: Experiment, db: Path) -> Origin:
    """Return the origin of an experiment that is stored in a database.

    Text files that it names are known if the user ran or agreed to the same hosts, models and files
    before: then a run that was interrupted resumes, and a changed file is asked about. Until their
    paths are found among those agreed to, nothing is read.
    """
    origin = origin_of(experiment, str(db), is_database=True)
    paths = absolute_paths(name for _, name in origin.unread_files(experiment))
    if not paths or not _agreed_paths().issuperset(paths):
        return origin
    try:
        knows_files = _agreed_contents(reach_of(experiment)) is not None
    except SteertuiError:  # such as a damaged conditions file
        return origin
    return replace(origin, knows_files=knows_files)


def _agreed_paths() -> set[str]:
    """Return the absolute paths of all text files that the user agreed to."""
    paths: set[str] = set()
    with suppress(OSError):
        for file in user_state(AGREED).iterdir():
            with suppress(OSError, ValueError, TypeError):
                paths.update(str(path) for path, _ in json.loads(file.read_text(encoding="utf-8")))
    return paths


def open_question(experiment: Experiment, origin: Origin) -> Reach | None:
    """Return what the user has to agree to before the experiment runs; None if nothing.

    Raises ExperimentError if a database names text files that are not known, and the errors of
    `reach_of`.
    """
    origin.require_readable(experiment)
    reach = reach_of(origin.part(experiment))
    if reach.is_empty:
        return None
    agreed = _agreed_contents(reach)
    if agreed is None:
        return reach
    changed = tuple(
        path for path, digest in reach.contents if agreed.get(path) != digest or not digest
    )
    return replace(reach, changed=changed) if changed else None


def _agreed_contents(reach: Reach) -> dict[str, str] | None:
    """Return the sha256 of each text file when the user agreed; None if the user did not."""
    try:
        text = (user_state(AGREED) / reach.digest).read_text(encoding="utf-8")
        return {str(path): str(digest) for path, digest in json.loads(text)}
    except (OSError, ValueError, TypeError):
        return None


def remember(experiment: Experiment, origin: Origin) -> None:
    """Store the consent to this experiment, so that resuming it does not ask again."""
    for reach in (reach_of(experiment), reach_of(origin.part(experiment))):
        if not reach.is_empty:
            _note(reach)


def _note(reach: Reach) -> None:
    with suppress(OSError):  # a read-only or full disk: the user is asked again next time
        folder = user_state(AGREED)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(folder / reach.digest) as file:
            file.write(json.dumps(reach.contents).encode())


@contextmanager
def consent_kept(path: Path) -> Iterator[None]:
    """Keep the consent to a text file while this program writes into it what the user typed.

    Consent to another content than the present one does not change, nor if the file is not there.
    """
    name, before = str(path.absolute()), content_digest(path)
    yield
    after = content_digest(path)
    with suppress(OSError):
        for file in user_state(AGREED).iterdir() if before and after else ():
            with suppress(OSError, ValueError, TypeError):
                contents = [tuple(each) for each in json.loads(file.read_text(encoding="utf-8"))]
                if (name, before) in contents:
                    kept = [(name, after) if each == (name, before) else each for each in contents]
                    with whole(file) as writer:
                        writer.write(json.dumps(kept).encode())


def require_consent(experiment: Experiment, origin: Origin, *, is_sure: bool) -> None:
    """Ask on the terminal before a received experiment runs; `is_sure` answers in advance.

    Raises ConsentError if the user declines, or if there is no terminal to ask on.
    """
    question = open_question(experiment, origin)
    if question is not None and not is_sure:
        if not sys.stdin.isatty():
            effects = "; ".join(reach_lines(question))
            raise ConsentError(
                f"{one_line(origin.place)}: the experiment {effects}; nothing was done: add --yes "
                "to agree, or run it in a terminal"
            )
        lines = "\n".join(f"  {line}" for line in reach_lines(question))
        print_text(f"{one_line(origin.place)}: the experiment\n{lines}", to_stderr=True)
        if not click.confirm("Run it?", err=True):
            raise ConsentError(f"{one_line(origin.place)}: not run; nothing was done")
    remember(experiment, origin)


def reach_lines(reach: Reach) -> Iterator[str]:
    """Yield one line per host, download, file and vector, without control characters."""
    for address, what in reach.hosts:
        yield one_line(f"contacts {address} ({what})")
    for name, size in reach.downloads:
        shown_size = size_text(size) if size else "size not known yet"
        yield one_line(f"fetches {name} ({shown_size})")
    for path in reach.files:
        changed = ", which has changed since you agreed to it" if path in reach.changed else ""
        yield one_line(f"reads {path}{changed}")
    for name in reach.vectors:
        yield one_line(f"trains the vector {name} into your library, where it is missing")
