"""Interventions on a model's activations and weights, as parts of a condition.

Texts around the task are fields of `core.condition.Condition`; this module has what only a local
model can take: control vectors, directional ablations and LoRA adapters.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Literal

from steertui.toml_files import forbid_extra_keys
from steertui.untrusted import parse_json


class InterventionKind(StrEnum):
    """What an intervention changes."""

    VECTOR = "vector"
    """A direction is added to the residual stream (control vector, activation addition)."""
    ABLATION = "ablation"
    """The component along a direction is removed from what each block writes."""
    ADAPTER = "adapter"
    """A LoRA adapter is applied to the weights."""


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class VectorAddition:
    """A control vector added at the end of blocks.

    Attributes:
        name: name of a trained or imported vector.
        strength: total relative norm added: the sum over layers of |added| / median |h|, with h the
            hidden states of that layer; negative to steer the other way; 0 changes nothing.
        layers: layers such as "8-20"; "" for those that the vector recommends.
    """

    name: str
    strength: float
    layers: str = ""

    def describe(self) -> str:
        """Return name, strength and layers in words."""
        layers = f", layers {self.layers}" if self.layers else ""
        return f"{self.name}, strength {self.strength:g}{layers}"


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DirectionalAblation:
    """Removal of a direction (Arditi et al. 2024, arXiv 2406.11717, section 2.4).

    Attributes:
        name: name of a trained or imported vector.
        strength: 0 changes nothing, 1 removes the component, 2 reflects it.
        layer: layer whose direction is removed from every block; 0 for the one that separates
            best [default].
    """

    name: str
    strength: float = 1.0
    layer: int = 0

    def describe(self) -> str:
        """Return name, strength and layer in words."""
        layer = f", direction of layer {self.layer}" if self.layer else ""
        return f"{self.name}, strength {self.strength:g}{layer}"


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class LoraAdapter:
    """A LoRA adapter from a GGUF file.

    Attributes:
        file: path of the file.
        scale: factor of the adapter's own scale (alpha / rank); 0 changes nothing.
    """

    file: str
    scale: float = 1.0

    def describe(self) -> str:
        """Return file and scale in words."""
        return f"{self.file}, scale {self.scale:g}"


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class VectorRecipe:
    """Training of a vector that a conditions file uses, on the scenarios of `steering-train`.

    Attributes:
        name: of the vector.
        positive: condition of the same file that the vector points to.
        negative: condition that it points away from.
        method: "mean" [default], "pca" or "probe".
        limit: maximum number of scenarios, taken in turn from the categories; 0 for all [default].
    """

    name: str
    positive: str = "pro"
    negative: str = "anti"
    method: Literal["mean", "pca", "probe"] = "mean"
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Intervention:
    """One resolved intervention: what determines its effect on a given model.

    Attributes:
        kind: what it changes.
        sha256: of the file with the vector or the adapter, 64 hex digits.
        strength: strength or scale.
        layers: layers of a vector, such as "8-20", or the layer of an ablated direction; "" for
            an adapter.
    """

    kind: InterventionKind
    sha256: str
    strength: float
    layers: str = ""


Interventions = tuple[Intervention, ...]
"""All interventions of a trial in a fixed order; empty for none."""


def intervention_members(interventions: Interventions) -> list[dict[str, Any]]:
    """Return the interventions as JSON values, for hashing and storing."""
    return [asdict(intervention) for intervention in interventions]


def interventions_json(interventions: Interventions) -> str:
    """Return the interventions as canonical JSON; "" for none."""
    if not interventions:
        return ""
    return json.dumps(intervention_members(interventions), sort_keys=True, separators=(",", ":"))


def parse_interventions(text: str) -> Interventions:
    """Return the interventions of their JSON text.

    Raises ValueError, TypeError, KeyError or OverflowError unless it is as `interventions_json`
    writes it, with a sha256, a finite strength and layers.
    """
    members: Iterable[dict[str, Any]] = parse_json(text) if text else []
    interventions = tuple(
        Intervention(
            kind=InterventionKind(member["kind"]),
            sha256=str(member["sha256"]),
            strength=float(member["strength"]),
            layers=str(member["layers"]),
        )
        for member in members
    )
    if interventions_json(interventions) != text or not all(map(_is_valid, interventions)):
        raise ValueError("not interventions as steertui writes them")
    return interventions


def _is_valid(intervention: Intervention) -> bool:
    is_hash = re.fullmatch("[0-9a-f]{64}", intervention.sha256) is not None
    has_layers = re.fullmatch("[0-9,-]*", intervention.layers) is not None
    return is_hash and has_layers and isfinite(intervention.strength)
