"""Description of a stored vector: provenance, and norm and separation by layer."""

from dataclasses import dataclass

import numpy as np

from steertui.paths import home_relative
from steertui.steering.library import StoredVector
from steertui.steering.vector import Provenance, SteeringVector
from steertui.units import quantity

POSITIONS = {"last": "last token of the prompt", "answer": "mean over the answer"}
"""Where the hidden states were read, by `Provenance.position`."""

CHANCE = 0.5
"""Separation of a direction that does not separate the pairs."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer of a vector.

    Attributes:
        layer: number, from 0.
        share: norm of the direction divided by the norm of the hidden state; None if unknown.
        separation: area under the ROC curve on held-out pairs, from 0 to 1; None if not measured.
    """

    layer: int
    share: float | None
    separation: float | None


def contrast_text(origin: Provenance) -> str:
    """Return "pro − anti"; the imported file's name for a vector without a known contrast."""
    return f"{origin.positive} − {origin.negative}" if origin.positive else origin.source


def vector_facts(stored: StoredVector) -> dict[str, str]:
    """Return names and values of what is known of a vector's origin."""
    origin = stored.vector.provenance
    pairs = str(origin.pairs or "unknown")
    if origin.scenarios:
        pairs = f"{origin.pairs} of {quantity(len(origin.scenarios), 'scenario')}"
    facts = {
        "Name": stored.name,
        "Method": origin.method,
        "Contrast": f"{origin.positive} − {origin.negative}" if origin.positive else "unknown",
        "Position": POSITIONS.get(origin.position, "unknown"),
        "Pairs": pairs,
        "Model": f"{origin.model_name} ({stored.vector.architecture}) {origin.model_sha256[:12]}",
        "Source": origin.source,
        "File": f"{home_relative(stored.path)}  sha256 {stored.sha256[:12]}",
    }
    return {name: value for name, value in facts.items() if value}


def layer_facts(vector: SteeringVector) -> list[LayerFacts]:
    """Return the layers that have a direction, in order."""
    lengths = vector.lengths
    facts = []
    for layer in vector.layers:
        norm, area = float(vector.norms[layer]), float(vector.separation[layer])
        share = float(lengths[layer]) / norm if norm > 0 else None
        facts.append(LayerFacts(layer, share, None if np.isnan(area) else area))
    return facts
