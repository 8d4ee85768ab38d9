"""A repository on the Hugging Face hub: its commit, its files, and how to get access."""

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import huggingface_hub
from huggingface_hub import constants, get_session, get_token
from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from steertui.assets.fetch.deadline import DeadlineExceeded, get
from steertui.assets.fetch.download import RetryWait
from steertui.assets.fetch.transfer import (
    LONGEST_PAUSE,
    RETRIED_STATUS,
    TransferLimits,
    wait_for_retry,
)
from steertui.assets.hub.cache import COMMIT, cache_folder, repository_folder
from steertui.core.hub_files import HubFile
from steertui.core.hub_name import HubName
from steertui.errors import (
    FetchError,
    GatedRepositoryError,
    HubUnreachableError,
    MissingRepositoryError,
    MissingRevisionError,
)
from steertui.output_files import whole
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


@dataclass(frozen=True, slots=True)
class RepositoryListing:
    """A repository at one commit.

    Attributes:
        commit: 40 hex digits.
        files: (bytes, sha256) of each file by its path; "" without a sha256.
        is_gated: whether its publisher asks for consent before it gives access to the files.
    """

    commit: str
    files: Mapping[str, tuple[int, str]]
    is_gated: bool = False

    @property
    def hub_files(self) -> list[HubFile]:
        """The files with their sizes."""
        return [HubFile(path, size) for path, (size, _) in self.files.items()]


def access_text(repo: str) -> str:
    """Return how to get access to a gated repository."""
    return f"accept its terms at {constants.ENDPOINT}/{repo}, then set HF_TOKEN"


def hub_address() -> str:
    """Return the hub's base URL, from HF_ENDPOINT or huggingface_hub's default."""
    return constants.ENDPOINT


def has_token() -> bool:
    """Whether requests to the hub have the user's token."""
    return "Authorization" in request_headers()


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


def list_repository(
    name: HubName, limits: TransferLimits
) -> Generator[RetryWait, None, RepositoryListing]:
    """Return the hub's listing of a repository at the name's revision.

    Yields events while it waits for a retry. Raises FetchError, or one of its subclasses if the
    repository or revision is missing, or the hub cannot be reached.
    """
    _protect_token()
    for attempt in range(1, limits.tries + 1):
        try:
            data = _model_info(name, limits)
            commit = text_of(data.get("sha"))
            if not COMMIT.fullmatch(commit):
                raise FetchError(
                    f"{name}: the hub gives {one_line(commit)!r} as its commit, not 40 hex "
                    "digits; check HF_ENDPOINT"
                )
            return RepositoryListing(commit, _files(data), data.get("gated") not in (None, False))
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
            request_headers() | {"Accept-Encoding": "gzip"},
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


def request_headers() -> dict[str, str]:
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


def store_ref(name: HubName, commit: str) -> None:
    """Store the branch's commit in the cache, as huggingface_hub does."""
    if name.revision == commit:
        return
    with suppress(OSError):  # a read-only or full disk: the next call asks the hub again
        ref = repository_folder(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
        ref.parent.mkdir(parents=True, exist_ok=True)
        with whole(ref) as file:
            file.write(commit.encode())


def _fetch_error(name: HubName, exc: Exception) -> FetchError:
    """Return the error for a failed listing, with its remedy."""
    if isinstance(exc, _StatusError):
        return _status_error(name, exc)
    if isinstance(exc, OfflineModeIsEnabled):
        return HubUnreachableError(
            f"{name}: not on this machine, and HF_HUB_OFFLINE is set; unset it, or copy the file "
            f"here and give its path (other machines have it under {cache_folder().name}/)"
        )
    if isinstance(exc, httpx2.TransportError):
        return HubUnreachableError(
            f"{name}: not on this machine, and {constants.ENDPOINT} cannot be reached; check the "
            "network, or copy the file here and give its path"
        )
    if isinstance(exc, UnusableBodyError | httpx2.HTTPError):
        return FetchError(
            f"{name}: the hub's listing cannot be used ({one_line(str(exc))}); check HF_ENDPOINT"
        )
    return FetchError(f"{name}: not a repository name ({exc}); write owner/repo:QUANT")


def _status_error(name: HubName, exc: _StatusError) -> FetchError:
    if exc.error == "GatedRepo":
        return GatedRepositoryError(f"{name}: a gated repository; {access_text(name.repo)}")
    if exc.error == "RevisionNotFound":
        return MissingRevisionError(
            f"{name}: the hub has no revision '{name.revision}'; give another, or none"
        )
    if exc.code in (401, 404):  # the hub does not distinguish missing from private
        return MissingRepositoryError(
            f"{name}: no such repository on the hub, or a private one; check the name or set "
            "HF_TOKEN"
        )
    hint = "set HF_TOKEN to a token with access" if exc.code == 403 else "try again later"
    return FetchError(f"{name}: the hub answers {exc.code}; {hint}")
