"""Supply: fetches what an experiment lacks and verifies what was not, before it starts.

A plain generator of events, as a run is: list it to the end, or close it to stop. What came stays.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from steertui.assets.catalogue import catalogue_model
from steertui.assets.fetch.download import BytesReceived, Download, RetryWait, require_disk_space
from steertui.assets.fetch.transfer import TransferLimits, open_client, transfer
from steertui.assets.hash_cache import file_digest
from steertui.assets.hub.cache import cached_weights, remove_stale_partials, remove_weights
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
from steertui.planning.resolve import resolve_texts

SILENT = 100_000_000
"""Bytes of a file of the user's own that are hashed without a word: it takes no second."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Names of models and sources, and the base address of a mirror for the sources."""

    models: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    mirror: str = ""


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What will be done, before anything is: names and bytes to fetch, and to verify only."""

    fetch: tuple[tuple[str, int], ...]
    verify: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Bytes of all, those of files half fetched before included."""
        return sum(size for _, size in (*self.fetch, *self.verify))


@dataclass(frozen=True, slots=True)
class Supplying:
    """So much of one file, and of everything, is done; `verb` is "fetch" or "verify"; bytes."""

    verb: str
    name: str
    done: int
    size: int
    all_done: int
    total: int


@dataclass(frozen=True, slots=True)
class Supplied:
    """Everything is here and verified: so many bytes."""

    total: int


Event = DownloadPlan | Supplying | RetryWait | Supplied


def requirements_of(experiment: Experiment) -> Requirements:
    """Return what an experiment needs: its models', its judges' and its texts' names."""
    e = experiment
    judges = [
        judge.removeprefix(JudgeKind.LOCAL.prefix)
        for judge in e.judges
        if parse_judge_kind(judge) is JudgeKind.LOCAL
    ]
    sources = [name for pack in e.scenarios for name in pack_sources(pack)]
    if PAPER in (e.conditions_file, e.rubric):
        sources.append(TEXTS)
    models = [name for name in e.models if not is_server(name)]
    return Requirements(tuple(dict.fromkeys([*models, *judges])), tuple(dict.fromkeys(sources)))


def supply_experiment(experiment: Experiment) -> Generator[Event, None, None]:
    """Supply what an experiment needs; a wrong name is told before anything is fetched.

    Raises what `supply` does, and ScenarioError or ExperimentError for texts.
    """
    needs = requirements_of(experiment)
    if not any(missing_files(find_source(name)) for name in needs.sources):
        resolve_texts(experiment)
    yield from supply(needs)


def supply(
    needs: Requirements, patience: TransferLimits | None = None
) -> Generator[Event, None, None]:
    """Fetch and verify what is lacking; nothing is asked of the network where nothing is.

    Raises FetchError, ModelError or SourceError, in one sentence; what came by then stays.
    """
    patience = patience or TransferLimits()
    here = {name: found for name in needs.models if (found := locate_weights(name))}
    for located in here.values():
        if not located.unverified:
            require_expected(located, [file_digest(path) for path in located.paths])
    stated: dict[str, HubListing] = {}
    for name in needs.models:
        target = find_hub_name(name)
        if target and name not in here:
            stated[name] = yield from list_weights(target, patience)
            _require_known(name, stated[name])
            remove_stale_partials(stated[name].repo)
    weights = [remote for said in stated.values() for remote in weights_of(said)]
    texts = [r for name in needs.sources for r in source_downloads(find_source(name), needs.mirror)]
    unverified = [u for u in here.values() if u.unverified and (u.origin or u.size > SILENT)]
    if weights or texts or unverified:
        yield from _Work(weights, texts, unverified, patience).do(list(stated.values()))
    yield from _verify_fetched([name for name in stated if name not in here])


def pull(
    names: Sequence[str], patience: TransferLimits | None = None
) -> Generator[Event, None, None]:
    """Supply models by name; weights whose bytes are not those promised are fetched anew."""
    needs = Requirements(models=tuple(names))
    for _ in range(2):
        yield from _verify_fetched(names, repair=True)
        yield from supply(needs, patience)
        if all(locate_weights(name) for name in names):
            return


def _verify_fetched(names: Sequence[str], *, repair: bool = False) -> Iterator[Event]:
    """Verify what lies here; with `repair` remove from the cache what is not as promised."""
    for name in names:
        located = locate_weights(name)
        if located is None:
            continue
        try:
            for done in verify_weights(located):
                yield Supplying(
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


def _require_known(name: str, stated: HubListing) -> None:
    """Raise FetchError where the hub states other bytes than the catalogue knows."""
    found = catalogue_model(name)
    first, _, digest = stated.files[0]
    if found and found[1].sha256 not in ("", digest):
        raise FetchError(
            f"{name}: the hub states other bytes of {first} than the catalogue knows (sha256 "
            f"{digest[:12]}… instead of {found[1].sha256[:12]}…); if you want them all the same, "
            f"name them as {stated.repo}/{first}"
        )


class _Work:
    """Everything that is to be done, and how far it is."""

    def __init__(
        self,
        weights: Sequence[Download],
        texts: Sequence[Download],
        unverified: Sequence[LocalWeights],
        patience: TransferLimits,
    ) -> None:
        self._weights, self._texts, self._unverified = weights, texts, unverified
        self._patience = patience
        fetch = tuple((r.name, r.size) for r in (*texts, *weights))
        verify = tuple((u.name, sum(p.stat().st_size for p in u.unverified)) for u in unverified)
        self._lacking = DownloadPlan(fetch, verify)
        self._done = 0

    def do(self, stated: Sequence[HubListing]) -> Iterator[Event]:
        """Do it: the texts first, since they are small and an experiment fails without them."""
        require_disk_space([*self._texts, *self._weights])
        yield self._lacking
        if self._texts:
            with open_client() as client:
                for remote in self._texts:
                    try:
                        yield from self._told(remote, transfer(remote, client, self._patience))
                    except FetchError as exc:
                        raise FetchError(
                            f"{exc}; or copy it by hand, from {remote.url} to {remote.target}"
                        ) from None
        for remote in self._weights:
            yield from self._told(remote, transfer(remote, hub_client(), self._patience))
        for said in stated:
            link_blobs(said)
        for located in self._unverified:
            size = sum(p.stat().st_size for p in located.unverified)
            for done in verify_weights(located):
                yield self._at("verify", located.name, done, size)
            self._done += size
        yield Supplied(self._lacking.total)

    def _told(self, remote: Download, news: Iterator[BytesReceived | RetryWait]) -> Iterator[Event]:
        for event in news:
            if isinstance(event, BytesReceived):
                yield self._at("fetch", event.name, event.done, event.total)
            else:
                yield event
        self._done += remote.size
        yield self._at("fetch", remote.name, remote.size, remote.size, whole=True)

    def _at(self, verb: str, name: str, done: int, size: int, *, whole: bool = False) -> Supplying:
        before = self._done - (size if whole else 0)
        return Supplying(
            verb=verb,
            name=name,
            done=done,
            size=size,
            all_done=before + done,
            total=self._lacking.total,
        )
