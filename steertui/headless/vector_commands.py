"""Commands on steering vectors: train, list, show, import, export, remove."""

import time
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from steertui.assets.weights import find_model
from steertui.errors import ModelError
from steertui.planning.contrast_pairs import PairTexts
from steertui.planning.vector_files import PREVIOUS_NOTE, chosen_convention, import_vector
from steertui.planning.vector_training import train_vector
from steertui.printable import print_json, print_line
from steertui.steering.description import contrast_text, layer_facts, vector_facts
from steertui.steering.library import (
    StoredVector,
    find_vector,
    remove_vector,
    require_vector,
    vector_names,
)
from steertui.steering.training import PairsRead, TrainingSettings
from steertui.steering.vector import SteeringVector
from steertui.steering.vector_file import Convention
from steertui.units import clock, quantity

INTERVAL = 5.0
"""Seconds between two lines of progress."""

BAR_WIDTH = 20

STOPPED = "Stopped. The hidden states read so far are kept; run the same command again to resume."

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

T = TypeVar("T")


def train_command(
    name: str, model_name: str, texts: PairTexts, settings: TrainingSettings, *, as_json: bool
) -> int:
    """Train a vector and its controls and store them; return the exit code."""
    try:
        stored = _report(train_vector(name, find_model(model_name), texts, settings))
    except KeyboardInterrupt:
        print_line(STOPPED, to_stderr=True)
        return INTERRUPTED
    if as_json:
        for result in stored:
            print_json(_record(result))
        return 0
    _print_vector(stored[0])
    print_line(f"Controls of the same norms: {stored[1].name}, {stored[2].name}")
    return 0


def _report(work: Generator[PairsRead, None, T]) -> T:
    """Exhaust the work, print its progress to stderr, and return its result."""
    start = last = time.monotonic()
    first: PairsRead | None = None
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        first = first or event
        now = time.monotonic()
        if now - last < INTERVAL and event.done < event.total:
            continue
        last = now
        line = f"Hidden states: {event.done} of {quantity(event.total, 'pair')}"
        if event.done > first.done:
            left = (now - start) / (event.done - first.done) * (event.total - event.done)
            line += f", about {clock(left)} left" if left else ""
        print_line(line, to_stderr=True)


def list_vectors(*, as_json: bool) -> None:
    """Print one line per vector, or one record."""
    names = vector_names()
    if not names and not as_json:
        print_line("No vectors yet; `steertui vector train NAME --model MODEL` makes one")
    for name in names:
        try:
            stored = find_vector(name)
        except ModelError as exc:
            print_line(str(exc), to_stderr=True)
            continue
        if as_json:
            print_json(_record(stored))
        else:
            origin = stored.vector.provenance
            print_line(
                f"{name:28}{origin.method:10}{origin.model_name:28}"
                f"{quantity(origin.pairs, 'pair'):>10}  {contrast_text(origin)}"
            )


def show_vector(name: str, *, as_json: bool) -> None:
    """Print a vector's provenance, and its norm and separation by layer."""
    stored = find_vector(name)
    if as_json:
        print_json(_record(stored))
    else:
        _print_vector(stored)


def _print_vector(stored: StoredVector) -> None:
    for key, value in vector_facts(stored).items():
        print_line(f"{key:10}{value}")
    for line in _table(stored.vector):
        print_line(line)


def _table(vector: SteeringVector) -> list[str]:
    """Return the lines of the table by layer; bars of the separation begin at 0.5, chance."""
    lines = ["layer  norm of direction / norm of hidden state  separation of held-out pairs (AUC)"]
    for facts in layer_facts(vector):
        share = "unknown" if facts.share is None else f"{facts.share:.3f}"
        area = facts.separation
        measured = "not measured" if area is None else f"{area:.2f} {_bar(2 * area - 1)}"
        lines.append(f"{facts.layer:5}  {share:>42}  {measured}")
    return lines


def _bar(share: float) -> str:
    return "█" * round(BAR_WIDTH * max(0.0, share))


def _record(stored: StoredVector) -> dict[str, Any]:
    """Return a vector as a JSON record, without its values."""
    vector = stored.vector
    lengths = vector.lengths
    return {
        "name": stored.name,
        "sha256": stored.sha256,
        "path": str(stored.path),
        "architecture": vector.architecture,
        **asdict(vector.provenance),
        "layers": [
            {
                "layer": facts.layer,
                "direction_norm": float(lengths[facts.layer]),
                "hidden_norm": float(vector.norms[facts.layer]) or None,
                "separation": facts.separation,
            }
            for facts in layer_facts(vector)
        ],
    }


def import_command(
    file: Path, name: str, model_name: str, convention: Convention | None, texts: PairTexts
) -> int:
    """Import a foreign file and print the vector; return the exit code."""
    used = chosen_convention(file, convention)
    try:
        _print_vector(_report(import_vector(file, name, model_name, used, texts)))
    except KeyboardInterrupt:
        print_line(STOPPED, to_stderr=True)
        return INTERRUPTED
    if used is Convention.PREVIOUS:
        print_line(PREVIOUS_NOTE)
    return 0


def print_written(file: Path) -> None:
    """Print where a file was written."""
    print_line(f"Written: {file}", to_stderr=True)


def remove_vectors(names: Sequence[str], *, sure: bool) -> None:
    """Remove vectors, after a confirmation unless `sure`."""
    for name in names:
        require_vector(name)
    if sure or click.confirm(f"Remove {quantity(len(names), 'vector')}?"):
        for name in names:
            print_line(f"Removed {remove_vector(name)}")
