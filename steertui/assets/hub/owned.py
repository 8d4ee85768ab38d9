"""Weights that a run downloaded: the owner is noted, so that only it removes them again."""

import os
from collections.abc import Generator
from pathlib import Path

from steertui.assets.fetch.download import BytesReceived, Download, RetryWait
from steertui.assets.fetch.transfer import TransferLimits, transfer
from steertui.assets.hub.cache import CachedWeights
from steertui.assets.hub.site import hub_client
from steertui.file_notes import FileNotes
from steertui.paths import user_cache

_OWNERS = FileNotes(lambda: user_cache("owners"), "owner")


def transfer_owned(
    download: Download, limits: TransferLimits, owner: str
) -> Generator[BytesReceived | RetryWait, None, None]:
    """Download a file as `transfer` does, and note its owner, "" for none.

    A file that another process completed meanwhile is not noted.
    """
    is_received = False
    for event in transfer(download, hub_client(), limits):
        is_received = is_received or isinstance(event, BytesReceived)
        yield event
    if owner and is_received:
        _OWNERS.write(download.target, owner)


def is_owned(weights: CachedWeights, owner: str) -> bool:
    """Whether all files of the weights were downloaded by `owner` and not changed since."""
    return bool(owner) and all(_OWNERS.read(_blob(path)) == owner for path in weights.paths)


def disown(weights: CachedWeights) -> None:
    """Forget the owner: the user wants to keep the weights."""
    for path in weights.paths:
        _OWNERS.forget(_blob(path))


def _blob(path: Path) -> Path:
    return Path(os.path.realpath(path))
