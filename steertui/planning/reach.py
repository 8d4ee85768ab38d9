"""Hosts, downloads and files of an experiment, listed before it runs."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from urllib.parse import urlsplit

from steertui.assets.catalogue import catalogue_model
from steertui.assets.sources import base_address, find_source, missing_files
from steertui.assets.weights import find_hub_name, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import is_server
from steertui.errors import ServerError
from steertui.judge.server import parse_judge_address
from steertui.paths import expand_home, is_file, is_folder
from steertui.planning.experiment_files import text_files, weight_files
from steertui.planning.resolve import named_adapters, named_trainings
from steertui.planning.supply import Requirements, requirements_of
from steertui.server.address import parse_address

Sizes = tuple[tuple[str, int], ...]
"""Names and bytes; 0 bytes if the size is not known yet."""

LARGE_DOWNLOAD = 1_000_000_000
"""Bytes above which a download is confirmed."""


def is_large_download(downloads: Sequence[tuple[str, int]]) -> bool:
    """Whether (name, size in bytes) pairs are a download to confirm; a size of 0 is unknown."""
    sizes = [size for _, size in downloads]
    return sum(sizes) > LARGE_DOWNLOAD or not all(sizes)


@dataclass(frozen=True, slots=True)
class Reach:
    """Hosts, downloads and files that an experiment needs.

    Attributes:
        hosts: (base URL, purpose) of servers.
        remote: names of all weights and sources from the network, already fetched or not.
        downloads: (name and host, bytes) of those that are not on this machine.
        files: absolute paths of text files, folders and GGUF files.
        contents: (path, sha256) of the text files and CSV folders; "" if it cannot be hashed. The
            sha256 of weights is part of each trial.
        changed: paths whose content changed since the user agreed to it.
        vectors: names of vectors that the named conditions file may train, which are stored in the
            user's library.
    """

    hosts: tuple[tuple[str, str], ...]
    remote: tuple[str, ...]
    downloads: Sizes
    files: tuple[str, ...]
    contents: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the experiment needs only shipped and already fetched files."""
        return not (self.hosts or self.downloads or self.files)

    @property
    def digest(self) -> str:
        """Hash of hosts, names and files, 64 hex digits; fetching does not change it."""
        parts = [sorted(self.hosts), sorted(self.remote), sorted(self.files)]
        return sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def reach_of(experiment: Experiment) -> Reach:
    """Return the hosts, downloads and files of an experiment, without using them.

    Raises the error of the first unknown name.
    """
    needs = requirements_of(experiment)
    sources, weights = missing_sizes(needs)
    remote = [f"{name} from {base_address()}" for name in needs.sources]
    remote += [f"{target} from {_hub()}" for n in needs.models if (target := find_hub_name(n))]
    downloads = [(f"{name} from {base_address()}", size) for name, size in sources]
    downloads += [(f"{find_hub_name(name)} from {_hub()}", size) for name, size in weights]
    weights_named = [*weight_files(experiment), *named_adapters(experiment)]
    texts = absolute_paths(name for _, name in text_files(experiment))
    return Reach(
        _hosts(experiment),
        tuple(remote),
        tuple(downloads),
        files=tuple(dict.fromkeys([*texts, *absolute_paths(weights_named)])),
        contents=tuple((path, content_digest(Path(path))) for path in texts),
        vectors=tuple(named_trainings(experiment)),
    )


def absolute_paths(names: Iterable[str]) -> list[str]:
    """Return the distinct absolute paths of files with these names, in order."""
    return list(dict.fromkeys(str(expand_home(name).absolute()) for name in names))


def content_digest(path: Path) -> str:
    """Return the sha256 of a text file, or of a folder's CSV files with their names.

    Return "" if there is no such file, or it is not a regular file.
    """
    digest = sha256()
    for file in sorted(path.glob("*.csv")) if is_folder(path) else [path]:
        if not is_file(file):
            return ""
        try:
            with file.open("rb") as opened:
                content = file_digest(opened, "sha256").digest()
        except OSError:
            return ""
        digest.update(sha256(os.fsencode(file.name)).digest() + content)
    return digest.hexdigest()


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE is set, read as huggingface_hub does but without its slow import."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def missing_sizes(needs: Requirements) -> tuple[Sizes, Sizes]:
    """Return the sources and the weights that are not on this machine, with their bytes."""
    sources = [(name, find_source(name)) for name in needs.sources]
    texts = [(name, source.size) for name, source in sources if missing_files(source)]
    absent = [name for name in needs.models if locate_weights(name) is None]
    weights = [(name, found[1].size if (found := catalogue_model(name)) else 0) for name in absent]
    return tuple(texts), tuple(weights)


def _hosts(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    hosts = [
        (url, f"model {parse_address(name).model}")
        for name in experiment.models
        if is_server(name)
        for url in parse_address(name).urls
    ]
    for spec in experiment.judges:
        if parse_judge_kind(spec) is JudgeKind.SERVER:
            model, url = parse_judge_address(spec)
            hosts.append((url, f"judge {model}"))
    return tuple(hosts)


def _hub() -> str:
    """Return the hub's host, without the slow import of huggingface_hub."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    try:
        return urlsplit(endpoint).netloc or endpoint
    except ValueError:
        raise ServerError(f"HF_ENDPOINT: {endpoint} is not a URL; correct or unset it") from None
