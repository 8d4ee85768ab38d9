"""What an experiment needs before it runs: weights, texts, and vectors that can be trained.

Each function is a generator of events: exhaust it to finish, close it to stop. Bytes that were
received are kept, and the next call continues from them.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.assets.catalogue import catalogue_model
from steertui.assets.fetch.download import BytesReceived, Download, RetryWait, require_disk_space
from steertui.assets.fetch.transfer import TransferLimits, open_client, transfer
from steertui.assets.hash_cache import file_digest
from steertui.assets.hub.cache import cached_weights, remove_stale_partials, remove_weights
from steertui.assets.hub.owned import disown
from steertui.assets.hub.site import HubListing, hub_client, link_blobs, list_weights
from steertui.assets.hub.site import weight_downloads as weights_of
from steertui.assets.paper_texts import PAPER, TEXTS, pack_sources
from steertui.assets.sources import find_source, missing_files, source_downloads
from steertui.assets.weights import (
    LocalWeights,
    find_hub_name,
    locate_weights,
    require_expected,
    verify_weights,
)
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import is_server
from steertui.errors import FetchError, ModelError
from steertui.paths import is_file
from steertui.planning.resolve import resolve_texts
from steertui.planning.vector_training import VectorTraining, train_missing
from steertui.store import Store

SILENT = 100_000_000
"""Bytes below which a user's own file is hashed without an event, in under a second."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Models and text sources that are needed.

    Attributes:
        models: names.
        sources: names.
        mirror: base address of a mirror for the sources; "" for their own addresses.
    """

    models: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    mirror: str = ""


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """Planned downloads and verifications; the first event.

    Attributes:
        fetch: name and size in bytes of each file to download.
        verify: name and size in bytes of each local file to hash.
    """

    fetch: tuple[tuple[str, int], ...]
    verify: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Bytes to download and to hash, including the received part of partial files."""
        return sum(size for _, size in (*self.fetch, *self.verify))


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Progress within one file.

    Attributes:
        verb: "fetch" or "verify".
        name: of the file.
        done: bytes of this file; `size`: its total.
        all_done: bytes of all files; `total`: their total.
    """

    verb: str
    name: str
    done: int
    size: int
    all_done: int
    total: int


@dataclass(frozen=True, slots=True)
class DownloadsComplete:
    """All files are downloaded and verified; the last event.

    Attributes:
        total: bytes downloaded and hashed.
        is_fetched: whether a file was downloaded; False if local files were hashed only.
    """

    total: int
    is_fetched: bool


DownloadEvent = DownloadPlan | DownloadProgress | RetryWait | DownloadsComplete
Event = DownloadEvent | VectorTraining


def requirements_of(experiment: Experiment) -> Requirements:
    """Return the models, local judges and text sources of an experiment."""
    models = [name for name in experiment.models if not is_server(name)]
    needs = requirements_without_models(experiment)
    return replace(needs, models=tuple(dict.fromkeys([*models, *needs.models])))


def requirements_without_models(experiment: Experiment) -> Requirements:
    """Return the local judges and text sources of an experiment."""
    judges = [
        judge.removeprefix(JudgeKind.LOCAL.prefix)
        for judge in experiment.judges
        if parse_judge_kind(judge) is JudgeKind.LOCAL
    ]
    sources = [name for pack in experiment.scenarios for name in pack_sources(pack)]
    if PAPER in (experiment.conditions_file, experiment.rubric):
        sources.append(TEXTS)
    return Requirements(tuple(dict.fromkeys(judges)), tuple(dict.fromkeys(sources)))


def parts_of(experiment: Experiment) -> dict[str, str]:
    """Return by name of each requirement what needs it: "model and judge", "scenarios"."""
    parts: dict[str, dict[str, None]] = {}
    uses = [(name, "model") for name in experiment.models if not is_server(name)]
    uses += [(name, "judge") for name in requirements_without_models(experiment).models]
    uses += [(name, "scenarios") for pack in experiment.scenarios for name in pack_sources(pack)]
    texts = {"conditions": experiment.conditions_file, "rubric": experiment.rubric}
    uses += [(TEXTS, part) for part, file in texts.items() if file == PAPER]
    for name, part in uses:
        parts.setdefault(name, {})[part] = None
    return {name: " and ".join(each) for name, each in parts.items()}


def supply_experiment(experiment: Experiment, db: Path) -> Generator[Event, None, None]:
    """Download and verify the files of an experiment, and train the vectors that it lacks.

    A vector is not trained if the user's library or the database `db` has it; `db` need not exist.

    Unknown names raise ScenarioError or ExperimentError before any download, if the text sources
    are complete. Raises also the errors of `supply`.
    """
    required = requirements_of(experiment)
    if not any(missing_files(find_source(name)) for name in required.sources):
        resolve_texts(experiment)
    yield from supply(required)
    with Store(db, must_exist=True) if is_file(db) else nullcontext() as store:
        yield from train_missing(experiment, store)


def supply(
    required: Requirements, limits: TransferLimits | None = None
) -> Generator[DownloadEvent, None, None]:
    """Download missing files and verify unverified ones; use no network if none is missing.

    Raises FetchError, ModelError or SourceError.
    """
    limits = limits or TransferLimits()
    local = {name: found for name in required.models if (found := locate_weights(name))}
    for located in local.values():
        if not located.unverified:
            require_expected(located, [file_digest(path) for path in located.paths])
    listings: dict[str, HubListing] = {}
    for name in required.models:
        target = find_hub_name(name)
        if target and name not in local:
            listings[name] = yield from list_weights(target, limits)
            require_known(name, listings[name])
            remove_stale_partials(listings[name].repo)
    weights = [download for listing in listings.values() for download in weights_of(listing)]
    texts = [
        download
        for name in required.sources
        for download in source_downloads(find_source(name), required.mirror)
    ]
    unverified = [w for w in local.values() if w.unverified and (w.origin or w.size > SILENT)]
    if weights or texts or unverified:
        yield from _Downloads(weights, texts, unverified, limits).run(list(listings.values()))
    yield from _verify_downloaded([name for name in listings if name not in local])


def pull(
    names: Sequence[str], limits: TransferLimits | None = None
) -> Generator[DownloadEvent, None, None]:
    """Download and verify models by name; download weights with an unexpected hash again.

    Weights that a run downloaded are the user's from then on: no run removes them.
    """
    required = Requirements(models=tuple(names))
    for target in filter(None, map(find_hub_name, names)):
        if weights := cached_weights(target):
            disown(weights)
    for _ in range(2):
        yield from _verify_downloaded(names, repair=True)
        yield from supply(required, limits)
        if all(locate_weights(name) for name in names):
            return


def _verify_downloaded(names: Sequence[str], *, repair: bool = False) -> Iterator[DownloadEvent]:
    """Verify local weights; with `repair`, remove cached weights that have an unexpected hash."""
    for name in names:
        located = locate_weights(name)
        if located is None:
            continue
        try:
            for done in verify_weights(located):
                yield DownloadProgress(
                    verb="verify",
                    name=located.name,
                    done=done,
                    size=located.size,
                    all_done=done,
                    total=located.size,
                )
        except ModelError:
            target = find_hub_name(name)
            weights = cached_weights(target) if target else None
            if not repair or weights is None:
                raise
            remove_weights(weights)


def require_known(name: str, listing: HubListing) -> None:
    """Raise FetchError if the hub lists another hash than the catalogue."""
    found = catalogue_model(name)
    first, _, digest = listing.files[0]
    if found and found[1].sha256 not in ("", digest):
        raise FetchError(
            f"{name}: the hub lists another sha256 for {first} than the catalogue "
            f"({digest[:12]}… instead of {found[1].sha256[:12]}…); to use that file anyway, "
            f"name it as {listing.repo}/{first}"
        )


class _Downloads:
    """Downloads and verifications of one call, with their progress."""

    def __init__(
        self,
        weights: Sequence[Download],
        texts: Sequence[Download],
        unverified: Sequence[LocalWeights],
        limits: TransferLimits,
    ) -> None:
        self._weights = weights
        self._texts = texts
        self._unverified = unverified
        self._limits = limits
        fetch = tuple((download.name, download.size) for download in (*texts, *weights))
        verify = tuple((w.name, sum(p.stat().st_size for p in w.unverified)) for w in unverified)
        self._plan = DownloadPlan(fetch, verify)
        self._done = 0

    def run(self, listings: Sequence[HubListing]) -> Iterator[DownloadEvent]:
        """Download texts first: they are small, and without them the experiment fails."""
        require_disk_space([*self._texts, *self._weights])
        yield self._plan
        if self._texts:
            with open_client() as client:
                for text in self._texts:
                    try:
                        yield from self._progress(text, transfer(text, client, self._limits))
                    except FetchError as exc:
                        raise FetchError(
                            f"{exc}; or copy it yourself from {text.url} to {text.target}"
                        ) from None
        for download in self._weights:
            yield from self._progress(download, transfer(download, hub_client(), self._limits))
        for listing in listings:
            link_blobs(listing)
        for located in self._unverified:
            size = sum(p.stat().st_size for p in located.unverified)
            for done in verify_weights(located):
                yield self._at("verify", located.name, done, size)
            self._done += size
        yield DownloadsComplete(self._plan.total, bool(self._plan.fetch))

    def _progress(
        self, download: Download, events: Iterator[BytesReceived | RetryWait]
    ) -> Iterator[DownloadEvent]:
        for event in events:
            if isinstance(event, BytesReceived):
                yield self._at("fetch", event.name, event.done, event.total)
            else:
                yield event
        self._done += download.size
        yield self._at("fetch", download.name, download.size, download.size, whole=True)

    def _at(
        self, verb: str, name: str, done: int, size: int, *, whole: bool = False
    ) -> DownloadProgress:
        before = self._done - (size if whole else 0)
        return DownloadProgress(
            verb=verb,
            name=name,
            done=done,
            size=size,
            all_done=before + done,
            total=self._plan.total,
        )
