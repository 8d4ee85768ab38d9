"""Check of catalogue entries against the hub: repository, file, size and sha256."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from steertui.assets.catalogue import CatalogueModel, Quantisation
from steertui.assets.fetch.download import RetryWait
from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.repository import RepositoryListing, access_text, list_repository
from steertui.core.hub_files import choose_files
from steertui.core.hub_name import HubName
from steertui.errors import MissingRepositoryError, MissingRevisionError

ROUNDED = 0.005
"""Share by which a size with a doubt may differ from the hub's before it counts as changed."""


class EntryState(StrEnum):
    """Result of the check of one quantisation."""

    HOLDS = "holds"
    """The hub states what the catalogue states."""
    COMPLETED = "completed"
    """It holds, and the hub states facts that the catalogue lacks."""
    CHANGED = "changed"
    """The file has another sha256 or size, or its revision is gone."""
    RENAMED = "renamed"
    """The file has another name."""
    GATED = "gated"
    """The repository asks for consent, and the catalogue calls it public."""
    FILE_MISSING = "file missing"
    REPOSITORY_MISSING = "repository missing"

    @property
    def is_good(self) -> bool:
        """Whether the entry can be used as it is."""
        return self in (EntryState.HOLDS, EntryState.COMPLETED)


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """Result of the check of one quantisation.

    Attributes:
        model: name of the model.
        entry: the catalogue's quantisation.
        listed: the quantisation as the hub states it; the catalogue's if the hub has none.
        state: of the entry.
        text: what differs, or what the hub adds; "" for nothing.
    """

    model: str
    entry: Quantisation
    listed: Quantisation
    state: EntryState
    text: str = ""


def check_catalogue(
    models: Iterable[CatalogueModel], limits: TransferLimits | None = None
) -> Generator[RetryWait | EntryCheck, None, None]:
    """Yield the check of every quantisation; each repository is asked once per revision.

    Raises HubUnreachableError or another FetchError at the first repository that gives no listing.
    """
    known: dict[tuple[str, str], RepositoryListing | None] = {}
    for model in models:
        for entry in model.weights:
            key = entry.repo, entry.revision
            if key not in known:
                known[key] = yield from _listing(entry, limits or TransferLimits())
            yield _check(model.name, entry, known[key])


def _listing(
    entry: Quantisation, limits: TransferLimits
) -> Generator[RetryWait, None, RepositoryListing | None]:
    """Return the listing at the entry's revision, at the newest if it is gone, None for none."""
    try:
        return (yield from list_repository(entry.hub_name, limits))
    except MissingRevisionError:
        return (yield from list_repository(HubName(entry.repo), limits))
    except MissingRepositoryError:
        return None


def _check(model: str, entry: Quantisation, listing: RepositoryListing | None) -> EntryCheck:
    if listing is None:
        text = "no such repository, or a private one"
        return EntryCheck(model, entry, entry, EntryState.REPOSITORY_MISSING, text)
    if listing.is_gated and not entry.gated:
        gated = replace(entry, gated=True)
        return EntryCheck(model, entry, gated, EntryState.GATED, access_text(entry.repo))
    files = choose_files(listing.hub_files, entry.hub_name)
    is_renamed = not files
    if is_renamed:
        files = _same_bytes(entry, listing) or choose_files(
            listing.hub_files, HubName(entry.repo, entry.quant)
        )
    if not files:
        text = f"no {entry.file or entry.quant} at {listing.commit[:8]}"
        return EntryCheck(model, entry, entry, EntryState.FILE_MISSING, text)
    listed = replace(
        entry,
        revision=listing.commit,
        file=files[0],
        size=sum(listing.files[file][0] for file in files),
        sha256=listing.files[files[0]][1],
        doubt="",
    )
    return _compare(model, entry, listed, is_renamed=is_renamed)


def _same_bytes(entry: Quantisation, listing: RepositoryListing) -> tuple[str, ...]:
    """Return the path of the file that has the entry's sha256 under another name; () for none."""
    paths = [path for path, (_, digest) in listing.files.items() if digest == entry.sha256]
    return tuple(paths[:1]) if entry.sha256 else ()


def _compare(
    model: str, entry: Quantisation, listed: Quantisation, *, is_renamed: bool
) -> EntryCheck:
    """Return the check of an entry whose file the hub has."""
    differences = [f"{entry.file} is now {listed.file}"] if is_renamed else []
    is_changed = bool(entry.sha256) and listed.sha256 != entry.sha256
    if is_changed:
        differences.append(f"sha256 {entry.sha256[:12]}… is now {listed.sha256[:12]}…")
    tolerance = ROUNDED * entry.size if entry.doubt else 0
    if entry.size and abs(listed.size - entry.size) > tolerance:
        is_changed = True
        differences.append(f"{entry.size:,} bytes are now {listed.size:,}")
    if entry.revision and listed.revision != entry.revision:
        is_changed = True
        differences.append(f"revision {entry.revision[:8]} is gone; newest {listed.revision[:8]}")
    if is_renamed or is_changed:
        state = EntryState.RENAMED if is_renamed else EntryState.CHANGED
        return EntryCheck(model, entry, listed, state, "; ".join(differences))
    added = [
        name
        for name in ("revision", "file", "size", "sha256")
        if getattr(entry, name) != getattr(listed, name)
    ]
    text = f"the hub states {', '.join(added)}" if added else ""
    return EntryCheck(
        model, entry, listed, EntryState.COMPLETED if added else EntryState.HOLDS, text
    )
