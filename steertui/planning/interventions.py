"""Interventions on activations and weights, resolved for each model of an experiment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steertui.assets.hash_cache import file_digest
from steertui.core.condition import Condition
from steertui.core.interventions import (
    DirectionalAblation,
    Intervention,
    InterventionKind,
    Interventions,
    LoraAdapter,
    VectorAddition,
)
from steertui.core.model import Model
from steertui.core.scenario import Scenario
from steertui.engine.adapters import check_adapter
from steertui.errors import ExperimentError, ModelError, WithRemedy, prefixed
from steertui.paths import expand_home, is_file
from steertui.steering.library import StoredVector, find_vector, vector_names
from steertui.steering.vector import SteeringVector, parse_layers, require_strength
from steertui.steering.vector_file import decode_provenance, decode_vector
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class ResolvedInterventions:
    """Interventions of an experiment and the files that they use.

    Attributes:
        by_cell: interventions by the model's identity and the condition's name; absent for none.
        vectors: vectors by the sha256 of their files.
        adapters: paths of LoRA adapters by the sha256 of their files.
    """

    by_cell: Mapping[tuple[str, str], Interventions] = field(default_factory=dict)
    vectors: Mapping[str, StoredVector] = field(default_factory=dict)
    adapters: Mapping[str, Path] = field(default_factory=dict)

    def of(self, model: Model) -> dict[str, Interventions]:
        """Return a model's interventions by the name of the condition."""
        return {
            condition: interventions
            for (identity, condition), interventions in self.by_cell.items()
            if identity == model.sha256
        }


def combine_interventions(parts: Iterable[ResolvedInterventions]) -> ResolvedInterventions:
    """Return the interventions of several models as one."""
    by_cell: dict[tuple[str, str], Interventions] = {}
    vectors: dict[str, StoredVector] = {}
    adapters: dict[str, Path] = {}
    for part in parts:
        by_cell |= part.by_cell
        vectors |= part.vectors
        adapters |= part.adapters
    return ResolvedInterventions(by_cell, vectors, adapters)


def resolve_interventions(
    model: Model,
    conditions: Sequence[Condition],
    scenarios: Sequence[Scenario],
    folder: Path,
    store: Store | None = None,
) -> ResolvedInterventions:
    """Find and check the vectors and adapters of all conditions for a model.

    Args:
        model: a GGUF model on this machine.
        conditions: all of them; those that are texts only are skipped.
        scenarios: those that are evaluated.
        folder: where relative names of adapters are looked up.
        store: database whose vectors are used where the user's library has none of a name.

    Raises:
        ModelError: a file is missing or does not fit the model.
        ExperimentError: a vector was trained on a scenario that is evaluated.
    """
    resolver = _Resolver(folder, scenarios, store)
    by_cell = {
        (model.sha256, condition.name): tuple(resolver.resolve(condition, model))
        for condition in conditions
        if condition.needs_weights
    }
    return ResolvedInterventions(by_cell, resolver.vectors, resolver.adapters)


class _Resolver:
    def __init__(self, folder: Path, scenarios: Sequence[Scenario], store: Store | None) -> None:
        self.vectors: dict[str, StoredVector] = {}
        self.adapters: dict[str, Path] = {}
        self._folder = folder
        self._store = store
        self._scenarios = scenarios
        self._checked: set[tuple[str, Path]] = set()

    def resolve(self, condition: Condition, model: Model) -> Iterator[Intervention]:
        """Yield the condition's interventions on a model in a fixed order.

        An error names the condition.
        """
        try:
            for vector in condition.vector:
                yield self._vector(vector, model)
            for ablation in condition.ablation:
                yield self._ablation(ablation, model)
            for adapter in condition.adapter:
                yield self._adapter(adapter, model)
        except (ModelError, ExperimentError) as exc:
            raise type(exc)(prefixed(f"condition {condition.name}: ", str(exc))) from exc

    def _vector(self, addition: VectorAddition, model: Model) -> Intervention:
        stored = self._find(addition.name, model)
        layers = parse_layers(addition.layers) or stored.vector.layers
        stored.vector.multipliers(addition.strength, layers)
        text = ",".join(map(str, layers))
        return Intervention(InterventionKind.VECTOR, stored.sha256, addition.strength, text)

    def _ablation(self, ablation: DirectionalAblation, model: Model) -> Intervention:
        stored = self._find(ablation.name, model)
        layer = ablation.layer or stored.vector.best_layer
        if layer not in stored.vector.layers:
            known = ", ".join(map(str, stored.vector.layers))
            raise ModelError(f"{ablation.name}: has no direction for layer {layer}; it has {known}")
        require_strength(ablation.strength)
        kind = InterventionKind.ABLATION
        return Intervention(kind, stored.sha256, ablation.strength, str(layer))

    def _adapter(self, adapter: LoraAdapter, model: Model) -> Intervention:
        require_strength(adapter.scale)
        path = adapter_path(self._folder, adapter)
        if (model.sha256, path) not in self._checked:
            check_adapter(model.path, path)
            self._checked.add((model.sha256, path))
        identity = file_digest(path)
        self.adapters[identity] = path
        return Intervention(InterventionKind.ADAPTER, identity, adapter.scale)

    def _find(self, name: str, model: Model) -> StoredVector:
        """Return the vector of this name for a model; raises ModelError for another model's."""
        stored = known_vector(name, model, self._store) or find_vector(name)
        trained = stored.vector.provenance
        if not _is_of(stored.vector, model):
            origin = trained.model_name or "an unknown model"
            raise ModelError(
                f"{name}: trained on {origin}, and a direction belongs to one model's weights; "
                f"train one on {model.name} with the name {own_name(name, model)}"
            )
        self._require_held_out(stored)
        self.vectors[stored.sha256] = stored
        return stored

    def _require_held_out(self, stored: StoredVector) -> None:
        seen = [s.name for s in self._scenarios if stored.vector.is_trained_on(s.name, s.task)]
        if seen:
            raise ExperimentError(
                f"{stored.name}: trained on {len(seen)} of the scenarios ({seen[0]} is one), which "
                "it must not be evaluated on; choose other scenarios or train on others"
            )


def own_name(name: str, model: Model) -> str:
    """Return the name of a model's own vector, which is used before the one called `name`."""
    return f"{name}.{model.name}"


def known_vector(name: str, model: Model, store: Store | None) -> StoredVector | None:
    """Return the vector of a name for a model, or None: NAME if it was trained on the model,
    otherwise NAME.MODEL.

    The user's library is searched first, then the store, where only vectors of this model count.
    Raises ModelError if the store has several.
    """
    candidates = (name, own_name(name, model))
    known = set(vector_names())
    in_library = [find_vector(candidate) for candidate in candidates if candidate in known]
    if in_library:
        return next((v for v in in_library if _is_of(v.vector, model)), in_library[-1])
    in_store = [v for n in candidates for v in _vectors_of_store(n, model, store)]
    if len(in_store) > 1:
        raise ModelError(
            WithRemedy(
                f"{in_store[0].path}: has {len(in_store)} vectors {name} for {model.name}",
                "put the one to use into your library with `steertui vector import`",
            )
        )
    return next(iter(in_store), None)


def _is_of(vector: SteeringVector, model: Model) -> bool:
    return vector.provenance.model_sha256 == model.sha256


def _vectors_of_store(name: str, model: Model, store: Store | None) -> Iterator[StoredVector]:
    if store is None:
        return
    for identity, stored_name in store.vector_names().items():
        if stored_name != name:
            continue
        raw = store.load_vector(identity)
        if decode_provenance(raw).model_sha256 == model.sha256:
            yield StoredVector(name, store.path, raw, decode_vector(raw, model.path))


def adapter_path(folder: Path, adapter: LoraAdapter) -> Path:
    """Return the path of an adapter's file; raises ModelError if there is none."""
    path = folder / expand_home(adapter.file)
    if not is_file(path):
        raise ModelError(f"{path}: no such adapter; check the name in the conditions file")
    return path


def adapter_files(conditions: Iterable[Condition], folder: Path) -> list[str]:
    """Return the names of the adapters of conditions, looked up in a folder."""
    names = (str(folder / expand_home(a.file)) for c in conditions for a in c.adapter)
    return list(dict.fromkeys(names))
