"""Inventory of model weights: the catalogue's quantisations, cached or not, and their fit."""

from collections.abc import Iterator
from dataclasses import dataclass

from steertui.assets.catalogue import CatalogueModel, Quantisation, catalogue
from steertui.assets.hash_cache import cached_digest
from steertui.assets.hub.cache import CachedWeights, cached_weights, received_bytes
from steertui.assets.hub.repository import access_text
from steertui.engine.device_groups import free_memory, total_memory
from steertui.engine.sizing import slots_and_layers
from steertui.errors import EngineError
from steertui.units import size_text

SLOT_TOKENS = 2048
"""Tokens per slot in the estimate of the slots that fit."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One quantisation of the catalogue.

    Attributes:
        name: model and quantisation, "Qwen3-4B:Q4_K_M".
        size: of the GGUF files, in bytes.
        memory: weights and one slot of `SLOT_TOKENS` tokens, in bytes.
        cached: "verified", "unverified", "damaged" or "no".
        path: of the first file, "" if it is not cached.
        fits: slots that fit this machine's memory, or "no".
        origin: repository and files on the hub.
        sampling: settings that the publisher recommends.
        doubt: what is not confirmed of the file, "" for nothing.
        received: bytes of the first file that an interrupted download left; 0 for none.
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
    received: int = 0

    @property
    def is_own(self) -> bool:
        """Whether it is a file of the user, which no repository of the hub is known for."""
        return not self.origin


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
        received=0 if found else received_bytes(weights.repo, weights.sha256),
    )


def cached_row(weights: CachedWeights) -> InventoryRow:
    """Return the row of cached weights that are not in the catalogue."""
    name = f"{weights.repo}/{weights.files[0]}"
    return InventoryRow(
        name=name,
        kind="",
        licence="",
        size=sum(path.stat().st_size for path in weights.paths),
        cached=verification_state(weights),
        path=str(weights.paths[0]),
        fits="",
        origin=name,
        sampling={},
        doubt="",
        about=f"{weights.role}; not a model" if weights.role else "",
    )


def detail_lines(row: InventoryRow, *, is_new: bool = True) -> Iterator[str]:
    """Yield a quantisation's details, after those of its model if `is_new`."""
    if is_new:
        yield from _model_lines(row)
    memory = f"{size_text(row.memory)} of memory with one slot" if row.memory else ""
    confidence = f"confidence {row.confidence}" if row.confidence else ""
    yield "; ".join(filter(None, (row.origin, confidence, memory)))
    if row.access:
        yield f"gated: {row.access}"
    if row.doubt:
        yield f"not confirmed: {row.doubt}"


def _model_lines(row: InventoryRow) -> Iterator[str]:
    if row.licence:
        released = f"; released {row.released}" if row.released else ""
        yield f"licence {row.licence}{released}; context {row.context:,} tokens"
    settings = ", ".join(f"{name} {value:g}" for name, value in row.sampling.items())
    named = (
        ("", row.about),
        ("template: ", row.template),
        ("reasoning opens with ", row.reasoning),
        ("recommended sampling: ", settings),
        ("not confirmed of the model: ", row.model_doubt),
    )
    yield from (f"{title}{text}" for title, text in named if text)


def verification_state(weights: CachedWeights) -> str:
    """Return "verified" if all parts were hashed since they last changed, and are as expected.

    "damaged" if one has another hash than the hub gave, "unverified" if one was not hashed.
    """
    digests = [cached_digest(path) for path in weights.paths]
    pairs = zip(weights.expected_sha256, digests, strict=True)
    if any(expected and digest and digest != expected for expected, digest in pairs):
        return "damaged"
    return "verified" if all(digests) else "unverified"


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
