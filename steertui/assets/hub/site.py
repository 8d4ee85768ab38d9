"""The hub itself: what it states of weights, and where their files are fetched."""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass

import httpx2
from huggingface_hub import (
    HfApi,
    constants,
    get_session,
    get_token,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import build_hf_headers, logging  # type: ignore[attr-defined]

from steertui.assets.fetch.download import Download, RetryWait
from steertui.assets.fetch.transfer import RETRIED_STATUS, TransferLimits, wait_for_retry
from steertui.assets.hub.cache import (
    COMMIT,
    SHA256,
    CachedWeights,
    as_cached,
    cache_folder,
    repository_folder,
)
from steertui.core.hub_name import HubName, choose_files, list_quantisations
from steertui.errors import FetchError, shorten
from steertui.output_files import whole
from steertui.urls import is_loopback

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # not into the middle of a screen


@dataclass(frozen=True, slots=True)
class HubListing:
    """What the hub says of weights: each file's path, bytes and sha256, at one commit."""

    repo: str
    revision: str
    files: tuple[tuple[str, int, str], ...]


def list_weights(name: HubName, patience: TransferLimits) -> Generator[RetryWait, None, HubListing]:
    """Ask the hub for the weights' files; return what it states, its commit pinned.

    Raises FetchError where it has no such weights, or does not answer.
    """
    _protect_token()
    info = yield from _asking(name, patience)
    sizes = {s.rfilename: (s.size, s.lfs.sha256 if s.lfs else "") for s in info.siblings or ()}
    files = choose_files(list(sizes), name)
    if not files:
        there = ", ".join(list_quantisations(list(sizes))) or "no GGUF"
        raise FetchError(f"{name}: the hub has no such file there; it has {there}")
    for file in files:
        if ".." in file.split("/") or "\\" in file or file.startswith("/"):
            raise FetchError(f"{name}: the hub lists {file!r}, which is no path in a repository")
    stated = tuple((file, int(sizes[file][0] or 0), sizes[file][1]) for file in files)
    for file, _, digest in stated:
        if not SHA256.fullmatch(digest):
            raise FetchError(
                f"{name}: the hub states no sha256 of {file}, so it cannot be checked; fetch it "
                "yourself and give its path"
            )
    return HubListing(name.repo, str(info.sha), stated)


def _protect_token() -> None:
    """Raise FetchError if a token would go over plain http to another machine."""
    endpoint = constants.ENDPOINT
    if get_token() and not endpoint.lower().startswith("https://") and not is_loopback(endpoint):
        raise FetchError(
            f"HF_ENDPOINT is {endpoint}: plain http would show your token to the network; give an "
            "https address, or unset HF_TOKEN and log out of the hub"
        )


def _asking(name: HubName, patience: TransferLimits) -> Generator[RetryWait, None, ModelInfo]:
    api = HfApi(library_name="steertui")
    for attempt in range(1, patience.tries + 1):
        try:
            asked = name.revision or constants.DEFAULT_REVISION
            info = api.model_info(
                name.repo, revision=asked, files_metadata=True, timeout=patience.silence
            )
            if not COMMIT.fullmatch(str(info.sha)):
                raise FetchError(
                    f"{name}: the hub states {shorten(str(info.sha))!r} as its commit, not 40 hex "
                    "digits; check HF_ENDPOINT"
                )
            _remember(name, str(info.sha))
            return info
        except HfHubHTTPError as exc:
            code = exc.response.status_code
            after = exc.response.headers.get("Retry-After", "")
            if code not in RETRIED_STATUS or attempt == patience.tries:
                raise _sentence(name, exc) from None
            reason = f"the hub answers {code}"
            pause = float(after) if after.isdigit() else patience.pause * 2 ** (attempt - 1)
        except httpx2.TransportError as exc:
            if attempt == patience.tries:
                raise _sentence(name, exc) from None
            reason, pause = "the hub cannot be reached", patience.pause * 2 ** (attempt - 1)
        except (OfflineModeIsEnabled, HFValidationError, ValueError) as exc:
            raise _sentence(name, exc) from None
        yield from wait_for_retry(str(name), reason, pause)
    raise AssertionError("unreachable")


def _remember(name: HubName, commit: str) -> None:
    """Note in the cache what commit a branch is at, as huggingface_hub does."""
    if name.revision == commit:
        return
    with suppress(OSError):  # a read-only or full disk: it only has to be asked again
        ref = repository_folder(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
        ref.parent.mkdir(parents=True, exist_ok=True)
        with whole(ref) as file:
            file.write(commit.encode())


def _sentence(name: HubName, exc: Exception) -> FetchError:
    page = f"{constants.ENDPOINT}/{name.repo}"
    if isinstance(exc, OfflineModeIsEnabled):
        what = (
            "is not on this machine, and HF_HUB_OFFLINE forbids to fetch it; unset that, or copy "
            f"the file here and give its path (other machines keep it under {cache_folder().name}/)"
        )
    elif isinstance(exc, GatedRepoError):
        what = f"is given only to who accepts its terms; do so at {page}, then set HF_TOKEN"
    elif isinstance(exc, RevisionNotFoundError):
        what = f"the hub has no revision '{name.revision}' of it; name another, or none"
    elif isinstance(exc, HfHubHTTPError):
        code = exc.response.status_code
        hint = "set HF_TOKEN to a token that may read it" if code == 403 else "try it later"
        what = f"the hub answers {code}; {hint}"
        if code in (401, 404):  # it tells the absent from the private to nobody
            what = "the hub has no such repository, or not without a token; check, or set HF_TOKEN"
    elif isinstance(exc, httpx2.TransportError):
        what = (
            f"is not on this machine, and {constants.ENDPOINT} cannot be reached; check the "
            "network, or copy the file here and give its path"
        )
    else:
        what = f"no name of a repository ({exc}); write owner/repo:QUANT"
    return FetchError(f"{name}: {what}")


def weight_downloads(stated: HubListing) -> list[Download]:
    """Return what has to be fetched, a Remote a file, into the cache's blobs."""
    storage = repository_folder(stated.repo)
    locks = cache_folder() / ".locks" / storage.name
    headers = build_hf_headers(library_name="steertui")
    return [
        Download(
            name=file.rpartition("/")[2],
            url=hf_hub_url(stated.repo, file, revision=stated.revision),
            size=size,
            sha256=digest,
            target=storage / "blobs" / digest,
            lock=locks / f"{digest}.lock",  # huggingface_hub's own, which it waits for, too
            headers=headers,
        )
        for file, size, digest in stated.files
    ]


def link_blobs(stated: HubListing) -> CachedWeights:
    """Give the fetched blobs their names in the cache; no byte is moved."""
    for file, _, _ in stated.files:
        try:
            hf_hub_download(stated.repo, file, revision=stated.revision)
        except (OSError, httpx2.HTTPError) as exc:
            raise FetchError(
                f"{stated.repo}: all bytes are here, but the hub does not answer any more "
                f"({type(exc).__name__}); run the same again"
            ) from None
    return as_cached(stated.repo, stated.revision, tuple(file for file, _, _ in stated.files))


def hub_client() -> httpx2.Client:
    """Return huggingface_hub's own client, which it closes itself."""
    return get_session()
