"""Commands on steering vectors: train, list, show, import, export, remove."""

import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from steertui.assets.weights import find_model
from steertui.core.model import Model
from steertui.errors import ModelError
from steertui.output_files import output
from steertui.planning.contrast_pairs import PairTexts, contrast_pairs
from steertui.planning.vector_training import train_vector
from steertui.printable import print_json, print_line
from steertui.steering.ablation import ablation_adapter
from steertui.steering.library import (
    StoredVector,
    check_new,
    find_vector,
    remove_vector,
    require_vector,
    save_vector,
    vector_names,
)
from steertui.steering.training import PairsRead, TrainingSettings, measured_norms
from steertui.steering.vector import Floats, SteeringVector
from steertui.steering.vector_file import (
    Convention,
    encode_vector,
    file_convention,
    moved,
    read_vector,
)
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
            contrast = (
                f"{origin.positive} − {origin.negative}" if origin.positive else origin.source
            )
            print_line(
                f"{name:28}{origin.method:10}{origin.model_name:28}"
                f"{quantity(origin.pairs, 'pair'):>10}  {contrast}"
            )


def show_vector(name: str, *, as_json: bool) -> None:
    """Print a vector's provenance, and its norm and separation by layer."""
    stored = find_vector(name)
    if as_json:
        print_json(_record(stored))
    else:
        _print_vector(stored)


def _print_vector(stored: StoredVector) -> None:
    origin = stored.vector.provenance
    facts = {
        "Name": stored.name,
        "Method": origin.method,
        "Contrast": f"{origin.positive} − {origin.negative}" if origin.positive else "unknown",
        "Position": {"last": "last token of the prompt", "answer": "mean over the answer"}.get(
            origin.position, "unknown"
        ),
        "Pairs": f"{origin.pairs} of {quantity(len(origin.scenarios), 'scenario')}"
        if origin.scenarios
        else str(origin.pairs or "unknown"),
        "Model": f"{origin.model_name} ({stored.vector.architecture}) {origin.model_sha256[:12]}",
        "Source": origin.source,
        "File": f"{stored.path}  sha256 {stored.sha256[:12]}",
    }
    for key, value in facts.items():
        if value:
            print_line(f"{key:10}{value}")
    for line in _table(stored.vector):
        print_line(line)


def _table(vector: SteeringVector) -> list[str]:
    """Return the lines of the table by layer; bars of the separation begin at 0.5, chance."""
    lines = ["layer  norm of direction / norm of hidden state  separation of held-out pairs (AUC)"]
    lengths = np.linalg.norm(vector.directions.astype(np.float64), axis=1)
    for layer in vector.layers:
        norm, area = float(vector.norms[layer]), float(vector.separation[layer])
        share = f"{lengths[layer] / norm:.3f}" if norm > 0 else "unknown"
        measured = "not measured" if np.isnan(area) else f"{area:.2f} {_bar(2 * area - 1)}"
        lines.append(f"{layer:5}  {share:>42}  {measured}")
    return lines


def _bar(share: float) -> str:
    return "█" * round(BAR_WIDTH * max(0.0, share))


def _record(stored: StoredVector) -> dict[str, Any]:
    """Return a vector as a JSON record, without its values."""
    vector = stored.vector
    lengths = np.linalg.norm(vector.directions.astype(np.float64), axis=1)
    return {
        "name": stored.name,
        "sha256": stored.sha256,
        "path": str(stored.path),
        "architecture": vector.architecture,
        **asdict(vector.provenance),
        "layers": [
            {
                "layer": layer,
                "direction_norm": float(lengths[layer]),
                "hidden_norm": float(vector.norms[layer]) or None,
                "separation": None
                if np.isnan(vector.separation[layer])
                else float(vector.separation[layer]),
            }
            for layer in vector.layers
        ],
    }


def import_vector(
    file: Path, name: str, model_name: str, convention: Convention | None, texts: PairTexts
) -> int:
    """Check a foreign file against a model, measure the model's norms, and store the vector."""
    check_new(name)
    model = find_model(model_name)
    vector = read_vector(file, model.path)
    used = convention or file_convention(file)
    if used is Convention.PREVIOUS:
        vector = moved(vector)
    if not vector.layers:
        raise ModelError(f"{file}: has no direction that llama.cpp can apply; use another vector")
    try:
        norms = _norms(vector, model, texts)
    except KeyboardInterrupt:
        print_line(STOPPED, to_stderr=True)
        return INTERRUPTED
    origin = replace(
        vector.provenance, model_name=model.name, model_sha256=model.sha256, source=file.name
    )
    _print_vector(save_vector(name, replace(vector, norms=norms, provenance=origin)))
    if used is Convention.PREVIOUS:
        print_line(
            "Its directions were measured one layer before the number in the file and are applied "
            "where they were measured; --convention same applies them as llama.cpp does"
        )
    return 0


def _norms(vector: SteeringVector, model: Model, texts: PairTexts) -> Floats:
    """Return the norms in the file if they are of this model; otherwise measure them."""
    is_of_model = vector.provenance.model_sha256 == model.sha256
    if is_of_model and (vector.norms > 0).all():
        return vector.norms
    pairs, shape = contrast_pairs(model, texts)
    return _report(measured_norms(model, pairs, TrainingSettings(), shape))


def export_vector(
    name: str, file: Path, convention: Convention, strength: float | None, layers: Sequence[int]
) -> None:
    """Write a vector for llama.cpp and repeng; with a strength, multiplied by its factors."""
    stored = find_vector(name)
    vector = stored.vector
    if strength is not None or layers:
        factors = (
            dict.fromkeys(layers, 1.0) if strength is None else vector.multipliers(strength, layers)
        )
        rows = np.zeros_like(vector.directions)
        for layer, factor in factors.items():
            rows[layer] = np.float32(factor) * vector.directions[layer]
        vector = replace(vector, directions=rows)
    if not vector.layers:
        raise ModelError(f"{name}: no direction is left to export; give another strength or layers")
    _write(file, encode_vector(vector, convention), stored.path)


def export_ablation(name: str, file: Path, model_name: str, layer: int) -> None:
    """Write a LoRA adapter that removes a vector's direction from every block of a model."""
    stored = find_vector(name)
    model = find_model(model_name)
    _write(file, ablation_adapter(model.path, stored.vector, layer), stored.path)


def _write(file: Path, raw: bytes, source: Path) -> None:
    with output(file, "vector", [source]) as target:
        target.write(raw)
    print_line(f"Written: {file}", to_stderr=True)


def remove_vectors(names: Sequence[str], *, sure: bool) -> None:
    """Remove vectors, after a confirmation unless `sure`."""
    for name in names:
        require_vector(name)
    if sure or click.confirm(f"Remove {quantity(len(names), 'vector')}?"):
        for name in names:
            print_line(f"Removed {remove_vector(name)}")
