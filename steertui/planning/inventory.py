"""Inventory of model weights: the catalogue's quantisations, cached or not, and their fit."""

from dataclasses import dataclass

from steertui.assets.catalogue import CatalogueModel, Quantisation, catalogue
from steertui.assets.hash_cache import cached_digest
from steertui.assets.hub.cache import CachedWeights, cached_weights
from steertui.engine.device_groups import free_memory
from steertui.engine.sizing import slots_and_layers
from steertui.errors import EngineError

SLOT_TOKENS = 2048
"""Tokens per slot in the estimate of the slots that fit."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One quantisation of the catalogue.

    Attributes:
        name: model and quantisation, "Qwen3-4B:Q4_K_M".
        size: of the GGUF files, in bytes.
        cached: "verified", "unverified" or "no".
        path: of the first file, "" if it is not cached.
        fits: slots that fit this machine's memory, or "no".
        origin: repository and files on the hub.
        sampling: settings that the publisher recommends.
        doubt: what is not confirmed of this entry, "" for nothing.
    """

    name: str
    kind: str
    licence: str
    size: int
    cached: str
    path: str
    fits: str
    origin: str
    sampling: dict[str, float]
    doubt: str


def inventory_row(model: CatalogueModel, weights: Quantisation) -> InventoryRow:
    """Return the inventory row of one quantisation, without network access."""
    found = cached_weights(weights.hub_name)
    return InventoryRow(
        name=f"{model.name}:{weights.quant}",
        kind=model.kind,
        licence=model.licence,
        size=weights.size,
        cached=verification_state(found) if found else "no",
        path=str(found.paths[0]) if found else "",
        fits=_fits(model, weights),
        origin=str(weights.hub_name),
        sampling=model.sampling,
        doubt=weights.doubt,
    )


def verification_state(weights: CachedWeights) -> str:
    """Return "verified" if all parts were hashed since they last changed."""
    return "verified" if all(map(cached_digest, weights.paths)) else "unverified"


def _fits(model: CatalogueModel, weights: Quantisation) -> str:
    try:
        slots, layers = slots_and_layers(
            free_memory(), weights.size, SLOT_TOKENS * model.cache, model.layers
        )
    except EngineError:
        return "no"
    return f"{min(slots, 999)} slots of {SLOT_TOKENS} tokens" + (
        f", {layers} of {model.layers} layers on the accelerator" if layers >= 0 else ""
    )


def judge_candidates() -> tuple[InventoryRow, ...]:
    """Return the catalogue's instruct and hybrid models that fit this machine, largest first.

    Of each model it is the default quantisation, or the cached one.
    """
    rows = []
    for model in catalogue():
        if model.kind in ("instruct", "hybrid"):
            own = [inventory_row(model, weights) for weights in model.weights]
            rows.append(next((row for row in own if row.cached != "no"), own[0]))
    fitting = (row for row in rows if row.fits != "no")
    return tuple(sorted(fitting, key=lambda row: row.size, reverse=True))
