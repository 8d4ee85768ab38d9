"""Training of steering vectors from the hidden states of contrast pairs."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from steertui.core.model import Model
from steertui.engine.hidden_states import HiddenStates, fitted_job
from steertui.engine.hidden_states_child import StatesJob
from steertui.engine.llama import LLAMA_VERSION
from steertui.errors import ModelError
from steertui.steering.directions import (
    METHODS,
    draw_flips,
    random_direction,
    separation,
    shuffled_direction,
)
from steertui.steering.pairs import PairSet
from steertui.steering.states_file import StatesFile, open_states
from steertui.steering.vector import Provenance, SteeringVector, task_digest


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Settings of a training.

    Attributes:
        method: "mean", "pca" or "probe".
        layers: layers that get a direction; () for all that llama.cpp reaches.
        seed: of the controls.
        threads: CPU threads; 0 for the physical cores.
        gpu_layers: layers on an accelerator, -1 for all.
    """

    method: str = "mean"
    layers: tuple[int, ...] = ()
    seed: int = 1
    threads: int = 0
    gpu_layers: int = -1


@dataclass(frozen=True, slots=True)
class PairsRead:
    """Progress: hidden states of `done` of `total` pairs are stored."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Trained:
    """Result of a training.

    Attributes:
        vector: the direction of every layer.
        random: control: random directions of the same norm.
        shuffled: control: mean difference with the sides of half of the pairs exchanged.
    """

    vector: SteeringVector
    random: SteeringVector
    shuffled: SteeringVector


def train(
    model: Model, shape: tuple[str, int, int], pairs: PairSet, settings: TrainingSettings
) -> Generator[PairsRead, None, Trained]:
    """Train a vector and its controls; yield the progress of the pass over the model.

    Closing the generator stops it. What was read is kept, and the next call with the same pairs
    continues from there. Memory does not grow with the number of pairs beyond one layer's states.

    Args:
        model: verified weights.
        shape: architecture, number of layers and size of a hidden state.
        pairs: at least two groups.
        settings: method, layers and machine.

    Raises:
        ModelError: a layer that the model does not have, or states that are not finite.
        EngineError: llama.cpp stopped.
    """
    architecture, layers, width = shape
    chosen = choose_layers(settings.layers, layers, model.name)
    key = f"{model.sha256} {pairs.sha256} {LLAMA_VERSION}"
    with open_states(key, layers, width) as states:
        yield PairsRead(states.count, len(pairs.pairs))
        yield from _read_states(model, pairs, settings, states)
        return _Directions(states, pairs, settings, chosen).trained(architecture, model)


def choose_layers(wanted: tuple[int, ...], layers: int, name: str) -> tuple[int, ...]:
    """Return the layers to train, of a model `name` with `layers` layers; all if none is wanted.

    Raises ModelError for a layer that the model does not have.
    """
    reached = tuple(range(1, layers))
    for layer in wanted:
        if layer not in reached:
            raise ModelError(
                f"layer {layer}: llama.cpp adds vectors to layers 1 to {layers - 1} of {name}; "
                "choose among these"
            )
    return wanted or reached


def _read_states(
    model: Model, pairs: PairSet, settings: TrainingSettings, states: StatesFile
) -> Generator[PairsRead, None, None]:
    """Append the states of the pairs that the file lacks."""
    missing = pairs.pairs[states.count :]
    if not missing:
        return
    requests = [request for pair in missing for request in pair.requests]
    job = fitted_job(StatesJob(model.path, 0, settings.threads, settings.gpu_layers), requests)
    with HiddenStates(job) as reader:
        answers = reader.read(requests)
        for positive, negative in zip(answers, answers, strict=True):
            if not (np.isfinite(positive).all() and np.isfinite(negative).all()):
                raise ModelError(
                    f"{model.name}: hidden states are not finite; use another quantisation"
                )
            states.append(positive, negative)
            yield PairsRead(states.count, len(pairs.pairs))


class _Directions:
    """Directions of all layers, computed from one layer's states at a time."""

    def __init__(
        self,
        states: StatesFile,
        pairs: PairSet,
        settings: TrainingSettings,
        layers: tuple[int, ...],
    ) -> None:
        self._pairs = pairs
        self._settings = settings
        shape = (states.layers, states.width)
        self._rows = {name: np.zeros(shape, np.float32) for name in ("own", "random", "shuffled")}
        self._norms = np.zeros(states.layers, np.float32)
        self._separation = np.full(states.layers, np.nan, np.float32)
        random = np.random.default_rng(settings.seed)
        flips = draw_flips(states.count, random)
        for layer in range(states.layers):
            self._add(layer, states.layer(layer), random, flips, is_chosen=layer in layers)

    def _add(
        self,
        layer: int,
        sides: tuple[NDArray[np.float64], NDArray[np.float64]],
        random: np.random.Generator,
        flips: NDArray[np.bool_],
        *,
        is_chosen: bool,
    ) -> None:
        method = METHODS[self._settings.method]
        lengths = np.linalg.norm(np.concatenate(sides), axis=1)
        self._norms[layer] = np.median(lengths)
        self._separation[layer] = separation(*sides, self._pairs.groups, method)
        drawn = random_direction(*sides, random)  # drawn for every layer, whatever is chosen
        if is_chosen:
            self._rows["own"][layer] = method(*sides)
            self._rows["random"][layer] = drawn
            self._rows["shuffled"][layer] = shuffled_direction(*sides, flips)

    def trained(self, architecture: str, model: Model) -> Trained:
        """Return the vectors with their provenance."""
        pairs = self._pairs
        provenance = Provenance(
            method=self._settings.method,
            position=pairs.position,
            model_name=model.name,
            model_sha256=model.sha256,
            positive=pairs.positive,
            negative=pairs.negative,
            pairs=len(pairs.pairs),
            pairs_sha256=pairs.sha256,
            scenarios=pairs.scenarios,
            tasks=tuple(map(task_digest, pairs.tasks)),
            seed=self._settings.seed,
        )
        unknown = np.full_like(self._separation, np.nan)
        own, random, shuffled = (
            SteeringVector(
                architecture=architecture,
                directions=self._rows[name],
                norms=self._norms,
                separation=self._separation if name == "own" else unknown,
                provenance=provenance if name == "own" else replace(provenance, method=name),
            )
            for name in self._rows
        )
        return Trained(own, random, shuffled)


def measured_norms(
    model: Model, pairs: PairSet, settings: TrainingSettings, shape: tuple[str, int, int]
) -> Generator[PairsRead, None, NDArray[np.float32]]:
    """Return the median norm of the hidden states by layer; progress and errors as `train`."""
    _, layers, width = shape
    key = f"{model.sha256} {pairs.sha256} {LLAMA_VERSION}"
    with open_states(key, layers, width) as states:
        yield PairsRead(states.count, len(pairs.pairs))
        yield from _read_states(model, pairs, settings, states)
        norms = np.zeros(layers, np.float32)
        for layer in range(layers):
            norms[layer] = np.median(np.linalg.norm(np.concatenate(states.layer(layer)), axis=1))
        return norms
