"""Requests to the Hugging Face hub: listings of weights, downloads, links in the cache."""

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import huggingface_hub
from huggingface_hub import (
    constants,
    get_session,
    get_token,
    hf_hub_url,
)
from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    logging,
    validate_repo_id,
)

from steertui.assets.fetch.deadline import DeadlineExceeded, get
from steertui.assets.fetch.download import Download, RetryWait
from steertui.assets.fetch.transfer import (
    LONGEST_PAUSE,
    RETRIED_STATUS,
    TransferLimits,
    wait_for_retry,
)
from steertui.assets.hub.cache import (
    COMMIT,
    SHA256,
    CachedWeights,
    as_cached,
    cache_folder,
    repository_folder,
)
from steertui.core.hub_files import HubFile, auxiliary_files, choose_files, list_quantisations
from steertui.core.hub_name import HubName
from steertui.errors import FetchError
from steertui.output_files import link, whole
from steertui.untrusted import (
    MAX_BYTES,
    InvalidJsonError,
    LimitedBody,
    UnusableBodyError,
    count,
    one_line,
    parse_json,
    seconds,
    table_of,
    tables_of,
    text_of,
)
from steertui.urls import is_loopback, is_proxied

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
    _protect_token()
    commit, sizes = yield from _commit_and_files(name, limits)
    listed = [HubFile(path, size) for path, (size, _) in sizes.items()]
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
    listing = tuple((file, *sizes[file]) for file in files)
    for file, _, digest in listing:
        if not SHA256.fullmatch(digest):
            raise FetchError(
                f"{name}: the hub gives no sha256 of {file}, so it cannot be verified; download it "
                "yourself and give its path"
            )
    return HubListing(name.repo, commit, listing)


def _others(files: Sequence[HubFile], name: HubName) -> list[str]:
    """Return what the repository has besides models, one text per file."""
    return [f"{path} is {role}" for path, role in auxiliary_files(files, name.repo).items()]


def _protect_token() -> None:
    """Raise FetchError if a token would go over plain http to another machine."""
    endpoint = constants.ENDPOINT
    is_private = endpoint.lower().startswith("https://") or (
        is_loopback(endpoint) and not is_proxied(endpoint)
    )
    if get_token() and not is_private:
        raise FetchError(
            f"HF_ENDPOINT is {endpoint}: plain http would show your token to the network; give an "
            "https address, or unset HF_TOKEN and log out of the hub"
        )


def _commit_and_files(
    name: HubName, limits: TransferLimits
) -> Generator[RetryWait, None, tuple[str, dict[str, tuple[int, str]]]]:
    """Return the commit, and (bytes, sha256) of each file by its path."""
    for attempt in range(1, limits.tries + 1):
        try:
            data = _model_info(name, limits)
            commit = text_of(data.get("sha"))
            if not COMMIT.fullmatch(commit):
                raise FetchError(
                    f"{name}: the hub gives {one_line(commit)!r} as its commit, not 40 hex "
                    "digits; check HF_ENDPOINT"
                )
            _store_ref(name, commit)
            return commit, _files(data)
        except _StatusError as exc:
            if exc.code not in RETRIED_STATUS or attempt == limits.tries:
                raise _fetch_error(name, exc) from None
            reason = f"the hub answers {exc.code}"
            pause = limits.pause * 2 ** (attempt - 1) if exc.pause is None else exc.pause
            if pause > LONGEST_PAUSE:
                raise FetchError(
                    f"{name}: {reason} and requests a pause of {pause:.0f} seconds; try again later"
                ) from None
        except httpx2.TransportError as exc:
            if attempt == limits.tries:
                raise _fetch_error(name, exc) from None
            reason = "the hub cannot be reached"
            pause = limits.pause * 2 ** (attempt - 1)
        except (OfflineModeIsEnabled, HFValidationError, UnusableBodyError) as exc:
            raise _fetch_error(name, exc) from None
        except httpx2.HTTPError as exc:  # such as a body that is not compressed as its header says
            raise _fetch_error(name, exc) from None
        yield from wait_for_retry(str(name), reason, pause)
    raise AssertionError("unreachable")


def _model_info(name: HubName, limits: TransferLimits) -> dict[str, Any]:
    """Return the hub's JSON about a repository at a revision.

    huggingface_hub's own request would read and parse a reply of any size and nesting.
    """
    validate_repo_id(name.repo)
    revision = quote(name.revision or constants.DEFAULT_REVISION, safe="")
    body = LimitedBody(MAX_BYTES)
    try:
        with get(
            get_session(),
            f"{constants.ENDPOINT}/api/models/{name.repo}/revision/{revision}",
            _headers() | {"Accept-Encoding": "gzip"},
            silence=limits.silence,
            deadline=limits.listing,
            covers_body=True,
            params={"blobs": "true"},
        ) as response:
            if not response.is_success:
                raise _StatusError(response)
            if response.headers.get("Content-Encoding", "") not in ("", "identity", "gzip"):
                raise UnusableBodyError("its reply has an encoding that was not requested")
            for chunk in response.iter_bytes():
                body.add(chunk)
        return table_of(parse_json(body.content))
    except DeadlineExceeded:
        late = f"its reply was not complete in {limits.listing:g} seconds"
        raise UnusableBodyError(late) from None
    except InvalidJsonError as exc:
        raise UnusableBodyError(f"its reply is {exc}") from None


def _headers() -> dict[str, str]:
    """Return the headers of a request to the hub, with the user's token.

    huggingface_hub's own function first requests a list of coding agents from the hub, without a
    deadline or a limit on its size, and names the agent that it finds.
    """
    headers = {"User-Agent": f"steertui; hf_hub/{huggingface_hub.__version__}"}
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _files(data: dict[str, Any]) -> dict[str, tuple[int, str]]:
    files = {}
    for sibling in tables_of(data.get("siblings")):
        lfs = table_of(sibling.get("lfs"))
        facts = (count(sibling.get("size")), text_of(lfs.get("sha256")))
        files[text_of(sibling.get("rfilename"))] = facts
    return files


class _StatusError(Exception):
    """An error status of the hub."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(str(response.status_code))
        self.code = response.status_code
        self.error = response.headers.get("X-Error-Code", "")
        self.pause = seconds(response.headers.get("Retry-After"))


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
    elif isinstance(exc, _StatusError) and exc.error == "GatedRepo":
        what = f"a gated repository; accept its terms at {page}, then set HF_TOKEN"
    elif isinstance(exc, _StatusError) and exc.error == "RevisionNotFound":
        what = f"the hub has no revision '{name.revision}'; give another, or none"
    elif isinstance(exc, _StatusError):
        code = exc.code
        hint = "set HF_TOKEN to a token with access" if code == 403 else "try again later"
        what = f"the hub answers {code}; {hint}"
        if code in (401, 404):  # the hub does not distinguish missing from private
            what = "no such repository on the hub, or a private one; check the name or set HF_TOKEN"
    elif isinstance(exc, httpx2.TransportError):
        what = (
            f"not on this machine, and {constants.ENDPOINT} cannot be reached; check the network, "
            "or copy the file here and give its path"
        )
    elif isinstance(exc, UnusableBodyError | httpx2.HTTPError):
        what = f"the hub's listing cannot be used ({one_line(str(exc))}); check HF_ENDPOINT"
    else:
        what = f"not a repository name ({exc}); write owner/repo:QUANT"
    return FetchError(f"{name}: {what}")


def weight_downloads(listing: HubListing) -> list[Download]:
    """Return the downloads of the files into the cache's blobs."""
    storage = repository_folder(listing.repo)
    locks = cache_folder() / ".locks" / storage.name
    headers = _headers()
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
    """Link the downloaded blobs to their names in the cache; no bytes are copied.

    huggingface_hub's own function asks the hub again and writes to a path that is made of a header
    of the reply. Raises FetchError if the cache cannot be written.
    """
    storage = repository_folder(listing.repo)
    for file, _, digest in listing.files:
        try:
            link(storage / "snapshots" / listing.revision / file, storage / "blobs" / digest)
        except OSError as exc:
            raise FetchError(
                f"{listing.repo}: downloaded, but {storage} cannot be written ({exc.strerror}); "
                "check its permissions, or set HF_HOME to another folder"
            ) from None
    return as_cached(listing.repo, listing.revision, tuple(file for file, _, _ in listing.files))


def hub_client() -> httpx2.Client:
    """Return huggingface_hub's HTTP client, which it closes itself."""
    return get_session()
