"""Inventory of model weights: the catalogue's quantisations, cached or not, and their fit."""

from dataclasses import dataclass

from steertui.assets.catalogue import CatalogueModel, Quantisation, catalogue
from steertui.assets.hash_cache import cached_digest
from steertui.assets.hub.cache import CachedWeights, cached_weights
from steertui.assets.hub.repository import access_text
from steertui.engine.device_groups import free_memory, total_memory
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
        memory: weights and one slot of `SLOT_TOKENS` tokens, in bytes.
        cached: "verified", "unverified" or "no".
        path: of the first file, "" if it is not cached.
        fits: slots that fit this machine's memory, or "no".
        origin: repository and files on the hub.
        sampling: settings that the publisher recommends.
        doubt: what is not confirmed of the file, "" for nothing.
        access: how to get access to a gated repository, "" for a public one.

    The other attributes are those of `CatalogueModel` and `Quantisation`; `model_doubt` is the
    model's `doubt`.
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
    family: str = ""
    parameters: int = 0
    active: int = 0
    released: str = ""
    context: int = 0
    memory: int = 0
    confidence: str = ""
    access: str = ""
    reasoning: str = ""
    template: str = ""
    about: str = ""
    model_doubt: str = ""


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
        family=model.family,
        parameters=model.parameters,
        active=model.active,
        released=model.released,
        context=model.context,
        memory=weights.size + SLOT_TOKENS * model.cache,
        confidence=weights.confidence,
        access=access_text(weights.repo) if weights.gated else "",
        reasoning=model.reasoning,
        template=model.template,
        about=model.about,
        model_doubt=model.doubt,
    )


def verification_state(weights: CachedWeights) -> str:
    """Return "verified" if all parts were hashed since they last changed."""
    return "verified" if all(map(cached_digest, weights.paths)) else "unverified"


def fits_machine(model: CatalogueModel, weights: Quantisation) -> bool:
    """Return whether weights and one slot fit the memory of this machine, free or not.

    Other than the free memory, it is the same at every call.
    """
    try:
        slots_and_layers(total_memory(), weights.size, SLOT_TOKENS * model.cache, model.layers)
    except EngineError:
        return False
    return True


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
