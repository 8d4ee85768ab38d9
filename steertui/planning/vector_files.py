"""Files of vectors: import of a foreign file, export of a vector and of an ablation adapter."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from steertui.assets.weights import find_model
from steertui.core.model import Model
from steertui.errors import ModelError
from steertui.output_files import output
from steertui.planning.contrast_pairs import PairTexts, contrast_pairs
from steertui.steering.ablation import ablation_adapter
from steertui.steering.library import StoredVector, check_new, find_vector, save_vector
from steertui.steering.training import PairsRead, TrainingSettings, measured_norms
from steertui.steering.vector import Floats, SteeringVector
from steertui.steering.vector_file import (
    Convention,
    encode_vector,
    file_convention,
    moved,
    read_vector,
)

PREVIOUS_NOTE = (
    "Its directions were measured one layer before the number in the file and are applied "
    "where they were measured; convention same applies them as llama.cpp does"
)
"""Note on a file with the convention of llama.cpp's cvector-generator."""


def import_vector(
    file: Path, name: str, model_name: str, convention: Convention, texts: PairTexts
) -> Generator[PairsRead, None, StoredVector]:
    """Check a foreign file against a model, measure the model's norms, and store the vector.

    Yields the progress of the measurement. Raises ModelError if the name is taken, or the file has
    no direction that can be applied.
    """
    check_new(name)
    model = find_model(model_name)
    vector = read_vector(file, model.path)
    if convention is Convention.PREVIOUS:
        vector = moved(vector)
    if not vector.layers:
        raise ModelError(f"{file}: has no direction that llama.cpp can apply; use another vector")
    norms = yield from _norms(vector, model, texts)
    origin = replace(
        vector.provenance, model_name=model.name, model_sha256=model.sha256, source=file.name
    )
    return save_vector(name, replace(vector, norms=norms, provenance=origin))


def chosen_convention(file: Path, convention: Convention | None) -> Convention:
    """Return the convention, by default the one that the file states."""
    return convention or file_convention(file)


def _norms(
    vector: SteeringVector, model: Model, texts: PairTexts
) -> Generator[PairsRead, None, Floats]:
    """Return the norms in the file if they are of this model; otherwise measure them."""
    is_of_model = vector.provenance.model_sha256 == model.sha256
    if is_of_model and (vector.norms > 0).all():
        return vector.norms
    pairs, shape = contrast_pairs(model, texts)
    return (yield from measured_norms(model, pairs, TrainingSettings(), shape))


def export_vector(
    name: str,
    file: Path,
    convention: Convention = Convention.SAME,
    strength: float | None = None,
    layers: Sequence[int] = (),
) -> None:
    """Write a vector for llama.cpp and repeng; with a strength, multiplied by its factors.

    Raises ModelError for a layer without a direction, and if no direction is left.
    """
    stored = find_vector(name)
    vector = stored.vector
    vector.require_directions(layers)
    if strength is not None or layers:
        factors = (
            dict.fromkeys(layers, 1.0) if strength is None else vector.multipliers(strength, layers)
        )
        vector = replace(vector, directions=vector.added(factors))
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
