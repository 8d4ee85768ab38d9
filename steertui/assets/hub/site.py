"""Requests to the Hugging Face hub: listings of weights, downloads, links in the cache."""

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

logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # its messages would corrupt a screen


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
    _protect_token()
    info = yield from _model_info(name, limits)
    sizes = {s.rfilename: (s.size, s.lfs.sha256 if s.lfs else "") for s in info.siblings or ()}
    files = choose_files(list(sizes), name)
    if not files:
        available = ", ".join(list_quantisations(list(sizes))) or "no GGUF"
        raise FetchError(f"{name}: no such file in the repository; it has {available}")
    for file in files:
        if ".." in file.split("/") or "\\" in file or file.startswith("/"):
            raise FetchError(f"{name}: the hub lists {file!r}, which is not a path in a repository")
    listing = tuple((file, int(sizes[file][0] or 0), sizes[file][1]) for file in files)
    for file, _, digest in listing:
        if not SHA256.fullmatch(digest):
            raise FetchError(
                f"{name}: the hub gives no sha256 of {file}, so it cannot be verified; download it "
                "yourself and give its path"
            )
    return HubListing(name.repo, str(info.sha), listing)


def _protect_token() -> None:
    """Raise FetchError if a token would go over plain http to another machine."""
    endpoint = constants.ENDPOINT
    if get_token() and not endpoint.lower().startswith("https://") and not is_loopback(endpoint):
        raise FetchError(
            f"HF_ENDPOINT is {endpoint}: plain http would show your token to the network; give an "
            "https address, or unset HF_TOKEN and log out of the hub"
        )


def _model_info(name: HubName, limits: TransferLimits) -> Generator[RetryWait, None, ModelInfo]:
    api = HfApi(library_name="steertui")
    for attempt in range(1, limits.tries + 1):
        try:
            revision = name.revision or constants.DEFAULT_REVISION
            info = api.model_info(
                name.repo, revision=revision, files_metadata=True, timeout=limits.silence
            )
            if not COMMIT.fullmatch(str(info.sha)):
                raise FetchError(
                    f"{name}: the hub gives {shorten(str(info.sha))!r} as its commit, not 40 hex "
                    "digits; check HF_ENDPOINT"
                )
            _store_ref(name, str(info.sha))
            return info
        except HfHubHTTPError as exc:
            code = exc.response.status_code
            after = exc.response.headers.get("Retry-After", "")
            if code not in RETRIED_STATUS or attempt == limits.tries:
                raise _fetch_error(name, exc) from None
            reason = f"the hub answers {code}"
            pause = float(after) if after.isdigit() else limits.pause * 2 ** (attempt - 1)
        except httpx2.TransportError as exc:
            if attempt == limits.tries:
                raise _fetch_error(name, exc) from None
            reason = "the hub cannot be reached"
            pause = limits.pause * 2 ** (attempt - 1)
        except (OfflineModeIsEnabled, HFValidationError, ValueError) as exc:
            raise _fetch_error(name, exc) from None
        yield from wait_for_retry(str(name), reason, pause)
    raise AssertionError("unreachable")


def _store_ref(name: HubName, commit: str) -> None:
    """Store the branch's commit in the cache, as huggingface_hub does."""
    if name.revision == commit:
        return
    with suppress(OSError):  # a read-only or full disk: the next call asks the hub again
        ref = repository_folder(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
        ref.parent.mkdir(parents=True, exist_ok=True)
        with whole(ref) as file:
            file.write(commit.encode())


def _fetch_error(name: HubName, exc: Exception) -> FetchError:
    page = f"{constants.ENDPOINT}/{name.repo}"
    if isinstance(exc, OfflineModeIsEnabled):
        what = (
            "not on this machine, and HF_HUB_OFFLINE is set; unset it, or copy the file here and "
            f"give its path (other machines have it under {cache_folder().name}/)"
        )
    elif isinstance(exc, GatedRepoError):
        what = f"a gated repository; accept its terms at {page}, then set HF_TOKEN"
    elif isinstance(exc, RevisionNotFoundError):
        what = f"the hub has no revision '{name.revision}'; give another, or none"
    elif isinstance(exc, HfHubHTTPError):
        code = exc.response.status_code
        hint = "set HF_TOKEN to a token with access" if code == 403 else "try again later"
        what = f"the hub answers {code}; {hint}"
        if code in (401, 404):  # the hub does not distinguish missing from private
            what = "no such repository on the hub, or a private one; check the name or set HF_TOKEN"
    elif isinstance(exc, httpx2.TransportError):
        what = (
            f"not on this machine, and {constants.ENDPOINT} cannot be reached; check the network, "
            "or copy the file here and give its path"
        )
    else:
        what = f"not a repository name ({exc}); write owner/repo:QUANT"
    return FetchError(f"{name}: {what}")


def weight_downloads(listing: HubListing) -> list[Download]:
    """Return the downloads of the files into the cache's blobs."""
    storage = repository_folder(listing.repo)
    locks = cache_folder() / ".locks" / storage.name
    headers = build_hf_headers(library_name="steertui")
    return [
        Download(
            name=file.rpartition("/")[2],
            url=hf_hub_url(listing.repo, file, revision=listing.revision),
            size=size,
            sha256=digest,
            target=storage / "blobs" / digest,
            lock=locks / f"{digest}.lock",  # the lock that huggingface_hub uses
            headers=headers,
        )
        for file, size, digest in listing.files
    ]


def link_blobs(listing: HubListing) -> CachedWeights:
    """Link the downloaded blobs to their names in the cache; no bytes are copied."""
    for file, _, _ in listing.files:
        try:
            hf_hub_download(listing.repo, file, revision=listing.revision)
        except (OSError, httpx2.HTTPError) as exc:
            raise FetchError(
                f"{listing.repo}: all files are downloaded, but the hub stopped answering "
                f"({type(exc).__name__}); run the command again"
            ) from None
    return as_cached(listing.repo, listing.revision, tuple(file for file, _, _ in listing.files))


def hub_client() -> httpx2.Client:
    """Return huggingface_hub's HTTP client, which it closes itself."""
    return get_session()
