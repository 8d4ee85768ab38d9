"""Headers of GGUF files on the hub: metadata and vocabulary, kept without the weights.

A plan needs a model's chat template and tokenizer, not its weights. A header is the verified or
still partial download's beginning, in a sparse file as large as the whole one, so that llama.cpp
reads it like the GGUF itself. Headers have a cache of their own, with the layout of
huggingface_hub's, and stay when weights are removed.
"""

import os
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from steertui.assets.fetch.download import BytesReceived, Download, RetryWait
from steertui.assets.fetch.transfer import TransferLimits
from steertui.assets.gguf_header import header_length
from steertui.assets.hub.cache import CachedWeights, cached_weights, repository_folder
from steertui.assets.hub.owned import transfer_owned
from steertui.assets.hub.site import HubListing, link_blobs, weight_downloads
from steertui.core.hub_name import HubName
from steertui.errors import FetchError, ModelError
from steertui.output_files import whole
from steertui.paths import user_cache

FIRST_LOOK = 1 << 20
"""Received bytes after which the header is looked for; doubled each time."""

MAX_HEADER = 1 << 28
"""Largest header that is read, in bytes; large vocabularies need about 20 MB."""


def headers_folder() -> Path:
    """Return the cache of headers."""
    return user_cache("headers")


def cached_header(name: HubName) -> CachedWeights | None:
    """Return the headers of the files that a name selects; None if they are not on this machine."""
    return cached_weights(name, headers_folder())


def fetch_headers(
    listing: HubListing, limits: TransferLimits, owner: str
) -> Generator[BytesReceived | RetryWait, None, None]:
    """Download the files of a listing up to the end of their headers, and store the headers.

    The received bytes stay as partial downloads. A file that is complete by then belongs to
    `owner` (`transfer_owned`). Raises FetchError, or ModelError for a file that is no GGUF.
    """
    blobs = repository_folder(listing.repo, headers_folder()) / "blobs"
    for download in weight_downloads(listing):
        target = blobs / download.sha256
        if not target.exists():
            yield from _receive(download, limits, owner)
            _store(download, target)
    link_blobs(listing, headers_folder())


def require_same_headers(paths: Sequence[Path], headers: Sequence[Path]) -> None:
    """Raise ModelError if verified files do not begin with the headers that were planned with.

    The headers are removed then, so that the next plan reads new ones.
    """
    for path, header in zip(paths, headers, strict=True):
        with path.open("rb") as weights, header.open("rb") as stored:
            length = header_length(stored.read(MAX_HEADER)) or MAX_HEADER
            stored.seek(0)
            is_same = weights.read(length) == stored.read(length)
        if not is_same:
            forget_headers(headers)
            raise ModelError(
                f"{path}: its header is not the one that the plan was made with; plan it again"
            )


def forget_headers(headers: Sequence[Path]) -> None:
    """Remove headers, so that the next plan asks the hub again; keep those that cannot be."""
    for header in headers:
        with suppress(OSError):
            Path(os.path.realpath(header)).unlink(missing_ok=True)


def _receive(
    download: Download, limits: TransferLimits, owner: str
) -> Generator[BytesReceived | RetryWait, None, None]:
    """Download until the header is complete."""
    look = FIRST_LOOK
    if _received_header(download) is not None:
        return
    with closing(transfer_owned(download, limits, owner)) as events:
        for event in events:
            yield event
            if isinstance(event, BytesReceived) and event.done >= look:
                look *= 2
                if _received_header(download) is not None:
                    return


def _received_header(download: Download) -> bytes | None:
    """Return the header if it has arrived, else None; raises ModelError for another file."""
    source = download.target if download.target.exists() else download.partial
    if not source.exists():
        return None
    with source.open("rb") as file:
        content = file.read(MAX_HEADER)
    if len(content) < len(b"GGUF"):
        return None
    try:
        length = header_length(content)
    except ValueError as exc:
        raise ModelError(f"{download.name}: {exc}; choose another file of the repository") from None
    return None if length is None else content[:length]


def _store(download: Download, target: Path) -> None:
    header = _received_header(download)
    if header is None:
        raise ModelError(
            f"{download.name}: a damaged GGUF, which ends within its header; choose another file "
            "of the repository"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole(target) as file:
            file.write(header)
            file.truncate(download.size)
    except OSError as exc:
        raise FetchError(
            f"{download.name}: {target.parent} cannot be written ({exc.strerror}); free some space "
            "or check its permissions"
        ) from None
