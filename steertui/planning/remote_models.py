"""Models that are planned before their weights are here: headers first, weights when needed."""

import shutil
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.assets.fetch.download import MIN_FREE, BytesReceived, RetryWait
from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.cache import (
    CachedWeights,
    cache_folder,
    cached_weights,
    remove_stale_partials,
    remove_weights,
)
from steertui.assets.hub.headers import fetch_headers, forget_headers, require_same_headers
from steertui.assets.hub.owned import is_owned, transfer_owned
from steertui.assets.hub.site import HubListing, link_blobs, list_weights, weight_downloads
from steertui.assets.weights import find_hub_name, find_model, locate_header, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.hub_name import parse_hub_name
from steertui.core.model import Model, RemoteModel, is_server
from steertui.errors import FetchError, HubUnreachableError, ModelError, OtherFileError
from steertui.planning.left_out import LeftOut
from steertui.planning.reach import Sizes, missing_sizes
from steertui.planning.resolve import resolve_texts, vector_recipes
from steertui.planning.supply import (
    Event,
    Requirements,
    require_known,
    requirements_of,
    requirements_without_models,
    supply,
    supply_experiment,
)
from steertui.units import size_text

REMOVAL = ", or remove each model's weights after use with --remove-weights"
"""End of the message on a full disk, if it helps."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """An experiment that can be planned.

    Attributes:
        experiment: without the models that are left out.
        left_out: these models.
    """

    experiment: Experiment
    left_out: tuple[LeftOut, ...] = ()


def owner_of(db: Path) -> str:
    """Return the owner of weights that runs on a database download (`transfer_owned`)."""
    return str(db.resolve())


def plans_from_headers(experiment: Experiment, *, removes: bool = False) -> bool:
    """Whether a run downloads headers first, and weights only of models with work.

    It does not if a vector is to be trained, nor for a single model whose weights are to stay.
    """
    local = [name for name in experiment.models if not is_server(name)]
    return (len(local) > 1 or removes) and not vector_recipes(experiment)


def supply_plan(
    experiment: Experiment, db: Path, *, removes: bool = False
) -> Generator[Event, None, Supplied]:
    """Download what the plan of an experiment needs: texts, judges, the headers of its models.

    A model of which the hub has no such file is left out if others remain. Everything is
    downloaded, as by `supply_experiment`, if a vector is to be trained, and for a single model
    whose weights are not to be removed.

    Raises the errors of `supply_experiment`.
    """
    local = [name for name in experiment.models if not is_server(name)]
    if not plans_from_headers(experiment, removes=removes):
        yield from supply_experiment(experiment, db)
        return Supplied(experiment)
    required = requirements_without_models(experiment)
    yield from supply(Requirements((), required.sources))
    resolve_texts(experiment)
    yield from supply(required)
    left_out: list[LeftOut] = []
    for name in local:
        try:
            yield from _supply_header(name, db)
        except HubUnreachableError:
            raise
        except FetchError as exc:
            left_out.append(LeftOut(name, str(exc)))
    names = [name for name in experiment.models if name not in {left.name for left in left_out}]
    if not names:
        raise FetchError(left_out[0].reason)
    return Supplied(replace(experiment, models=names), tuple(left_out))


def missing_downloads(experiment: Experiment) -> Generator[RetryWait, None, Sizes]:
    """Return the name and the bytes of each file that an experiment downloads, of all its models.

    Files that the hub does not have are left out; `supply_plan` reports them.

    Raises SourceError for an unknown text source, HubUnreachableError if the hub is not reached.
    """
    required = requirements_of(experiment)
    texts, _ = missing_sizes(Requirements((), required.sources))
    weights: list[tuple[str, int]] = []
    for name in required.models:
        target = find_hub_name(name)
        if target is None or locate_weights(name):
            continue
        try:
            listing = yield from list_weights(target, TransferLimits())
        except HubUnreachableError:
            raise
        except FetchError:
            continue
        weights += [(download.name, download.size) for download in weight_downloads(listing)]
    return (*texts, *weights)


def _supply_header(name: str, db: Path) -> Iterator[RetryWait]:
    target = find_hub_name(name)
    if target is None or locate_weights(name) or locate_header(name):
        return
    limits = TransferLimits()
    listing = yield from list_weights(target, limits)
    require_known(name, listing)
    remove_stale_partials(listing.repo)
    for event in fetch_headers(listing, limits, owner_of(db)):
        if isinstance(event, RetryWait):
            yield event


def missing_bytes(model: RemoteModel) -> int:
    """Return the bytes of a model's weights that are still to be downloaded."""
    return sum(download.missing for download in weight_downloads(_listing(model)))


def fetch_weights(
    model: RemoteModel, owner: str
) -> Generator[BytesReceived | RetryWait, None, None]:
    """Download and verify the weights of a planned model, which belong to `owner`.

    Raises FetchError, or ModelError if the file's header is not the one of the plan. If the hub has
    other files than planned with, the headers are removed, so that the next plan asks again.
    """
    listing = _listing(model)
    header = locate_header(model.origin)
    try:
        for download in weight_downloads(listing):
            yield from transfer_owned(download, TransferLimits(), owner)
    except OtherFileError:
        if header:
            forget_headers(header.paths)
        raise
    weights = link_blobs(listing)
    if header:
        require_same_headers(weights.paths, header.paths)


def local_copy(model: Model) -> Model:
    """Return a model that can run; raises ModelError if its weights are not on this machine."""
    if not isinstance(model, RemoteModel):
        return model
    found = find_model(model.origin)
    if found.sha256 != model.sha256:
        raise ModelError(f"{model.name}: {found.path} is not the file of the plan; plan it again")
    return replace(found, name=model.name, kind=model.kind)


def remove_owned(model: Model, owner: str) -> int:
    """Remove the weights of a model if `owner` downloaded them; return the bytes freed."""
    weights = _cached(model)
    return remove_weights(weights) if weights and is_owned(weights, owner) else 0


def require_space(models: Sequence[Model], db: Path, growth: int, *, removes: bool) -> None:
    """Raise FetchError if a disk has too little space for all of a run.

    Args:
        models: that run on this machine, in their order.
        db: the database.
        growth: bytes by which it grows.
        removes: whether the weights that runs on the database downloaded are removed after use.
    """
    weights = _peak(models, owner_of(db) if removes else "")
    needs: dict[int, tuple[Path, int]] = {}
    for path, size in ((cache_folder(), weights), (db.absolute(), growth)):
        folder = next(p for p in (path, *path.parents) if p.is_dir())
        disk = folder.stat().st_dev
        first, before = needs.get(disk, (folder, 0))
        needs[disk] = (first, before + size)
    for folder, need in needs.values():
        free = shutil.disk_usage(folder).free
        if weights and need + MIN_FREE > free:
            helps = not removes and _peak(models, owner_of(db)) + growth + MIN_FREE <= free
            raise FetchError(
                f"{folder}: the run needs {size_text(need)} for weights and database, and "
                f"{size_text(free)} are free; free some space, set HF_HOME to another disk"
                + (REMOVAL if helps else "")
            )


def _peak(models: Sequence[Model], owner: str) -> int:
    """Return the largest number of bytes of weights above the present one during a run.

    Those that `owner` downloads or has downloaded are removed after use; "" removes none.
    """
    level = peak = 0
    for model in models:
        if isinstance(model, RemoteModel):
            level += missing_bytes(model)
            peak = max(peak, level)
        weights = _cached(model)
        is_fetched = isinstance(model, RemoteModel) and weights is None
        if owner and (is_fetched or (weights and is_owned(weights, owner))):
            level -= model.size
    return peak


def _cached(model: Model) -> CachedWeights | None:
    """Return a model's weights in the cache of the hub; None for none, and for a local file."""
    target = parse_hub_name(model.origin) if model.origin else None
    return cached_weights(target) if target else None


def _listing(model: RemoteModel) -> HubListing:
    target = parse_hub_name(model.origin)
    assert target
    return HubListing(target.repo, target.revision, model.files)
