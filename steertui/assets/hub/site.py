"""Weights on the Hugging Face hub: listings, downloads, links in the cache."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.utils import logging

from steertui.assets.fetch.download import Download, RetryWait
from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.hub.cache import (
    SHA256,
    CachedWeights,
    as_cached,
    cache_folder,
    repository_folder,
)
from steertui.assets.hub.repository import (
    access_text,
    has_token,
    list_repository,
    request_headers,
    store_ref,
)
from steertui.core.hub_files import HubFile, auxiliary_files, choose_files, list_quantisations
from steertui.core.hub_name import HubName
from steertui.errors import FetchError, GatedRepositoryError
from steertui.output_files import link
from steertui.untrusted import one_line

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # its messages would corrupt a screen

MAX_LISTED = 400
"""Characters of a list of quantisations in a message."""


@dataclass(frozen=True, slots=True)
class HubListing:
    """Files of weights at one commit: (path, bytes, sha256) of each."""

    repo: str
    revision: str
    files: tuple[tuple[str, int, str], ...]


def list_weights(name: HubName, limits: TransferLimits) -> Generator[RetryWait, None, HubListing]:
    """Return the hub's listing of the weights' files, with the commit pinned.

    Yields events while it waits for a retry. Raises FetchError if the hub has no such weights or
    does not answer.
    """
    repository = yield from list_repository(name, limits)
    if repository.is_gated and not has_token():
        raise GatedRepositoryError(f"{name}: a gated repository; {access_text(name.repo)}")
    store_ref(name, repository.commit)
    listed = repository.hub_files
    files = choose_files(listed, name)
    if not files:
        available = one_line(", ".join(list_quantisations(listed, name.repo)), MAX_LISTED)
        others = one_line("; ".join(_others(listed, name)), MAX_LISTED)
        raise FetchError(
            f"{name}: no such file in the repository; it has {available or 'no GGUF'}"
            + (f" ({others}: selected only by its path, {name.repo}/FILE)" if others else "")
        )
    for file in files:
        if ".." in file.split("/") or "\\" in file or file.startswith("/"):
            raise FetchError(f"{name}: the hub lists {file!r}, which is not a path in a repository")
    listing = tuple((file, *repository.files[file]) for file in files)
    for file, _, digest in listing:
        if not SHA256.fullmatch(digest):
            raise FetchError(
                f"{name}: the hub gives no sha256 of {file}, so it cannot be verified; download it "
                "yourself and give its path"
            )
    return HubListing(name.repo, repository.commit, listing)


def _others(files: Sequence[HubFile], name: HubName) -> list[str]:
    """Return what the repository has besides models, one text per file."""
    return [f"{path} is {role}" for path, role in auxiliary_files(files, name.repo).items()]


def weight_downloads(listing: HubListing) -> list[Download]:
    """Return the downloads of the files into the cache's blobs."""
    storage = repository_folder(listing.repo)
    locks = cache_folder() / ".locks" / storage.name
    headers = request_headers()
    return [
        Download(
            name=file.rpartition("/")[2],
            url=hf_hub_url(listing.repo, file, revision=listing.revision),
            size=size,
            sha256=digest,
            target=storage / "blobs" / digest,
            lock=locks / f"{digest}.lock",  # the lock that huggingface_hub uses
            headers=headers,
            access=access_text(listing.repo),
        )
        for file, size, digest in listing.files
    ]


def link_blobs(listing: HubListing, cache: Path | None = None) -> CachedWeights:
    """Link the downloaded blobs to their names in the cache; no bytes are copied.

    `cache` is another folder with the layout of huggingface_hub's cache.

    huggingface_hub's own function asks the hub again and writes to a path that is made of a header
    of the reply. Raises FetchError if the cache cannot be written.
    """
    storage = repository_folder(listing.repo, cache)
    for file, _, digest in listing.files:
        try:
            link(storage / "snapshots" / listing.revision / file, storage / "blobs" / digest)
        except OSError as exc:
            raise FetchError(
                f"{listing.repo}: downloaded, but {storage} cannot be written ({exc.strerror}); "
                "check its permissions, or set HF_HOME to another folder"
            ) from None
    files = tuple(file for file, _, _ in listing.files)
    return as_cached(listing.repo, listing.revision, files, cache)


def hub_client() -> httpx2.Client:
    """Return huggingface_hub's HTTP client, which it closes itself."""
    return get_session()
