"""Interventions of trials as steerings of the engine: vectors summed, ablations as adapters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from steertui.core.interventions import Intervention, InterventionKind, Interventions
from steertui.core.model import Model
from steertui.engine.steering import UNSTEERED, Steering, control_vector
from steertui.errors import ModelError, OutputError
from steertui.output_files import cache_unwritable, whole
from steertui.paths import is_file, user_cache
from steertui.steering.ablation import ablation_adapter
from steertui.steering.vector import SteeringVector, parse_layers
from steertui.steering.vector_file import decode_vector

LoadVector = Callable[[str], bytes]
"""Returns the file of a vector by its sha256, such as `Store.load_vector`."""


@dataclass(frozen=True, slots=True)
class Steerings:
    """Steerings of an engine, and the index of each list of interventions among them."""

    steerings: tuple[Steering, ...]
    indices: dict[Interventions, int]


class Applier:
    """Turns interventions into steerings for one model.

    Args:
        model: a GGUF on this machine.
        load_vector: returns the file of a vector by its sha256.
        adapters: path of each LoRA adapter by its sha256.
    """

    def __init__(self, model: Model, load_vector: LoadVector, adapters: Mapping[str, Path]) -> None:
        self._model = model
        self._load_vector = load_vector
        self._adapters = adapters
        self._vectors: dict[str, SteeringVector] = {}

    def steerings(self, trials: Iterable[Interventions]) -> Steerings:
        """Return the distinct steerings of these trials, the first one unsteered."""
        indices: dict[Interventions, int] = {(): 0}
        steerings = [UNSTEERED]
        for interventions in dict.fromkeys(trials):
            steering = self.steering(interventions)
            if steering not in steerings:
                steerings.append(steering)
            indices[interventions] = steerings.index(steering)
        return Steerings(tuple(steerings), indices)

    def steering(self, interventions: Interventions) -> Steering:
        """Return the steering of one list; interventions of strength 0 are left out.

        Raises ModelError or StoreError if a file is missing or does not fit the model.
        """
        active = [i for i in interventions if i.strength]
        vectors = [i for i in active if i.kind is InterventionKind.VECTOR]
        return Steering(self._control_vector(vectors), tuple(self._scales(active).items()))

    def _scales(self, interventions: Sequence[Intervention]) -> dict[Path, float]:
        """Return the scale of each adapter, of which llama.cpp keeps one per file.

        Scales of one LoRA adapter are summed. Ablations of one direction are applied one after
        another: each leaves 1 − strength of the component that the others left.
        """
        scales: dict[Path, float] = {}
        for intervention in interventions:
            if intervention.kind is InterventionKind.VECTOR:
                continue
            path, scale = self._adapter(intervention), intervention.strength
            before = scales.get(path, 0.0)
            overlap = before * scale if intervention.kind is InterventionKind.ABLATION else 0.0
            scales[path] = before + scale - overlap
        return scales

    def _control_vector(self, interventions: Sequence[Intervention]) -> bytes:
        """Return the sum of the vectors, b"" for none."""
        if not interventions:
            return b""
        rows = []
        for intervention in interventions:
            vector = self._vector(intervention.sha256)
            multipliers = vector.multipliers(
                intervention.strength, parse_layers(intervention.layers)
            )
            rows.append(vector.added(multipliers))
        return control_vector(np.sum(rows, axis=0, dtype=np.float32))

    def _vector(self, identity: str) -> SteeringVector:
        if identity not in self._vectors:
            self._vectors[identity] = decode_vector(self._load_vector(identity), self._model.path)
        return self._vectors[identity]

    def _adapter(self, intervention: Intervention) -> Path:
        """Return the file of an adapter, or of the adapter that ablates a direction."""
        if intervention.kind is InterventionKind.ABLATION:
            return self._ablation(intervention.sha256, int(intervention.layers))
        path = self._adapters.get(intervention.sha256)
        if path is None:
            raise ModelError(
                f"adapter {intervention.sha256[:12]}…: its file is missing; put it back where the "
                "conditions file names it"
            )
        return path

    def _ablation(self, identity: str, layer: int) -> Path:
        """Return the adapter that removes a direction, made once per model, vector and layer."""
        digest = sha256(f"{self._model.sha256}\0{identity}\0{layer}".encode()).hexdigest()
        path = user_cache("ablations") / f"{digest}.gguf"
        if not is_file(path):
            content = ablation_adapter(self._model.path, self._vector(identity), layer)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with whole(path) as file:
                    file.write(content)
            except OSError as exc:
                raise OutputError(cache_unwritable(path, exc)) from exc
        return path
