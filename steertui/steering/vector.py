"""Steering vectors: one direction per layer, with their strength and provenance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from steertui.errors import ModelError

Floats = NDArray[np.float32]

METHODS = ("mean", "pca", "probe")
"""Training methods: mean difference, first principal component, normal of a linear probe."""

CONTROLS = ("random", "shuffled")
"""Control methods: a random direction, and the mean difference of pairs with random sides."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Origin of a vector; empty fields are unknown.

    Attributes:
        method: one of `METHODS` or `CONTROLS`; "imported" for a file of another program.
        position: "last" for the last token of the prompt, "answer" for the mean over the answer.
        model_name: name of the model.
        model_sha256: identity of the model (`Model.sha256`).
        positive: name of the texts that the direction points to, such as a condition.
        negative: name of the texts that it points away from.
        pairs: number of contrast pairs.
        pairs_sha256: digest of the pairs' texts.
        scenarios: names of the training scenarios.
        tasks: `task_digest` of each training scenario.
        seed: of the controls.
        source: file that it was imported from.
    """

    method: str
    position: str = ""
    model_name: str = ""
    model_sha256: str = ""
    positive: str = ""
    negative: str = ""
    pairs: int = 0
    pairs_sha256: str = ""
    scenarios: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    seed: int = 0
    source: str = ""


MAX_STRENGTH = 100.0
"""Largest strength of a vector or ablation, and scale of an adapter; answers are unreadable far
below it."""


def require_strength(strength: float) -> None:
    """Raise ModelError for a strength or scale that is not finite or exceeds `MAX_STRENGTH`."""
    if not abs(strength) <= MAX_STRENGTH:
        raise ModelError(
            f"strength {strength:g}: out of range; give -{MAX_STRENGTH:g} to {MAX_STRENGTH:g}"
        )


def task_digest(task: str) -> str:
    """Return the first 16 hex digits of the sha256 of a task, white space at its ends removed."""
    return sha256(task.strip().encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SteeringVector:
    """One direction per layer, added to the output of its block.

    A direction is applied at the layer at which its hidden states were read. Layers are numbered
    from 0; llama.cpp cannot reach layer 0.

    Attributes:
        architecture: of the model in llama.cpp's terms, such as "qwen2".
        directions: shape (layers, width); zero for a layer without a direction.
        norms: median norm of the model's hidden states by layer, shape (layers,); 0 if unknown.
        separation: area under the ROC curve on held-out pairs by layer, shape (layers,); NaN if it
            was not measured.
        provenance: origin.
    """

    architecture: str
    directions: Floats
    norms: Floats
    separation: Floats
    provenance: Provenance = field(default_factory=lambda: Provenance("imported"))

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers with a direction."""
        return tuple(int(i) for i in np.flatnonzero(self.directions.any(axis=1)))

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Norms of the directions by layer, shape (layers,)."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.directions.astype(np.float64), axis=1)
        return lengths

    def is_trained_on(self, name: str, task: str) -> bool:
        """Whether a scenario, by its name or its text, is among the training scenarios."""
        return name in self.provenance.scenarios or task_digest(task) in self.provenance.tasks

    def require_directions(self, layers: Sequence[int]) -> None:
        """Raise ModelError for a layer without a direction."""
        own = self.layers
        for layer in layers:
            if layer not in own:
                known = ", ".join(map(str, own)) or "none"
                raise ModelError(f"layer {layer}: the vector has no direction; it has {known}")

    def multipliers(self, strength: float, layers: Sequence[int] = ()) -> dict[int, float]:
        """Return the factor of each layer's direction for a strength.

        The strength is the total relative norm that is added: the sum over the layers of the norm
        of the added vector divided by the median norm of the hidden states, in equal parts; for
        opposite directions it is negative. By default the direction of every layer is added.

        Raises ModelError for a layer without a direction or with an unknown norm, and for a
        strength above `MAX_STRENGTH`.
        """
        require_strength(strength)
        chosen = tuple(layers) or self.layers
        self.require_directions(chosen)
        for layer in chosen:
            if not self.norms[layer] > 0:
                raise ModelError(
                    f"layer {layer}: the norm of the hidden states is unknown; import the vector "
                    "and name its model"
                )
        share = strength / max(len(chosen), 1)
        lengths = self.lengths
        return {i: share * float(self.norms[i]) / float(lengths[i]) for i in chosen}

    def added(self, multipliers: dict[int, float]) -> Floats:
        """Return what is added to the hidden states with these factors, shape (layers, width)."""
        rows = np.zeros_like(self.directions)
        for layer, factor in multipliers.items():
            rows[layer] = np.float32(factor) * self.directions[layer]
        return rows

    @property
    def best_layer(self) -> int:
        """Layer that separates the held-out pairs best; the middle one if none was measured."""
        measured = [layer for layer in self.layers if self.separation[layer] > 0]
        if not measured:
            return self.layers[len(self.layers) // 2]
        return max(measured, key=lambda layer: float(self.separation[layer]))


def parse_layers(text: str) -> tuple[int, ...]:
    """Return the layers in a text such as "8-20" or "8,10,12-14"; () for an empty text.

    Raises ModelError if the text has another form.
    """
    layers: set[int] = set()
    for part in filter(None, text.replace(" ", "").split(",")):
        first, dash, last = part.partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdecimal() and len(end) < 5 for end in ends):
            raise ModelError(f'{text}: not a list of layers; write it as "8-20" or "8,10,12"')
        layers |= set(range(int(ends[0]), int(ends[1]) + 1))
    if text.strip() and not layers:
        raise ModelError(f'{text}: names no layer; write layers as "8-20" or "8,10,12"')
    return tuple(sorted(layers))
