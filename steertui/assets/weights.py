"""Local weights: from a model's name to verified GGUF files."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steertui.assets.catalogue import catalogue_model, kind_of
from steertui.assets.gguf_header import auxiliary_role
from steertui.assets.hash_cache import cached_digest, file_digest, hash_file
from steertui.core.hub_files import quantisation
from steertui.core.hub_name import HubName, parse_hub_name, split_parts
from steertui.core.model import (
    DEMO,
    Model,
    ModelKind,
    RemoteModel,
    combined_sha256,
    demo_path,
    is_server,
)
from steertui.errors import ModelError, WithRemedy
from steertui.paths import expand_home, is_file

if TYPE_CHECKING:
    from steertui.assets.hub.cache import CachedWeights

MAGIC = b"GGUF"
"""First bytes of every GGUF file."""


@dataclass(frozen=True, slots=True)
class LocalWeights:
    """Weights on this machine, not verified yet.

    Attributes:
        requested_name: the name given by the user.
        name: short name for tables.
        paths: all parts.
        expected_sha256: expected sha256 of each part, "" if unknown.
        origin: "owner/repo@revision/file"; "" for a local file.
        kind: how the model was trained to answer.
    """

    requested_name: str
    name: str
    paths: tuple[Path, ...]
    expected_sha256: tuple[str, ...]
    origin: str
    kind: ModelKind

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def unverified(self) -> tuple[Path, ...]:
        """The parts without a cached digest."""
        return tuple(path for path in self.paths if not cached_digest(path))


def find_hub_name(name: str) -> HubName | None:
    """Return the hub name of a model name; None for the demo and for paths."""
    if name == DEMO or is_file(expand_home(name)):
        return None
    entry = catalogue_model(name)
    return entry[1].hub_name if entry else parse_hub_name(name)


def is_local_file(name: str) -> bool:
    """Whether a name is the path of a local GGUF file."""
    return name != DEMO and find_hub_name(name) is None


def locate_weights(name: str) -> LocalWeights | None:
    """Return the weights of a model name; None if they must be downloaded first.

    Raises ModelError for a name that is neither a file nor a hub name.
    """
    target = find_hub_name(name)
    if target is None:
        return _local_file(name)
    from steertui.assets.hub.cache import cached_weights

    weights = cached_weights(target)
    return None if weights is None else _named(name, weights)


def locate_header(name: str) -> LocalWeights | None:
    """Return the headers of a model's files (`hub.headers`); None if they are not stored.

    Raises ModelError for a name that is neither a file nor a hub name.
    """
    target = find_hub_name(name)
    if target is None:
        return None
    from steertui.assets.hub.headers import cached_header

    header = cached_header(target)
    return None if header is None or not all(header.expected_sha256) else _named(name, header)


def _named(name: str, weights: "CachedWeights") -> LocalWeights:
    """Return the files of a cache under the name that the user gave."""
    entry = catalogue_model(name)
    first, *others = weights.expected_sha256
    if entry:
        model, quantisation = entry
        title = f"{model.name}-{quantisation.quant}"
        kind = model.kind
        first = quantisation.sha256 or first
    else:
        title = _title(weights.repo, weights.files[0])
        kind = kind_of(f"{weights.repo}/{weights.files[0]}")
    return LocalWeights(
        requested_name=name,
        name=title,
        paths=weights.paths,
        expected_sha256=(first, *others),
        origin=weights.origin,
        kind=kind,
    )


def _local_file(name: str) -> LocalWeights:
    path = demo_path() if name == DEMO else expand_home(name)
    if not is_file(path):
        raise ModelError(
            WithRemedy(
                f"{name}: no such model",
                "give 'demo' or the path of a GGUF file, a name listed by `steertui models`, or "
                "owner/repo:QUANT",
            )
        )
    paths = tuple(path.with_name(part) for part in split_parts(path.name))
    for part in paths:
        if not is_file(part):
            raise ModelError(
                f"{part}: this part of a split model is missing; copy it next to {path}"
            )
    return LocalWeights(
        requested_name=name,
        name=DEMO if name == DEMO else _stem(path.name),
        paths=paths,
        expected_sha256=("",) * len(paths),
        origin="",
        kind=kind_of(path.name),
    )


def _title(repo: str, file: str) -> str:
    """Return a short name of a file on the hub: its own, or that of its repository if the
    quantisation is named by a folder."""
    quant = quantisation(file)
    if not quant or quantisation(Path(file).name):
        return _stem(file)
    return f"{repo.rpartition('/')[2].removesuffix('-GGUF')}-{quant}"


def _stem(file: str) -> str:
    """Return a file's name without folder, extension and part number."""
    name = Path(file).stem
    return name[: -len("-00001-of-00002")] if len(split_parts(file)) > 1 else name


def verify_weights(located: LocalWeights) -> Generator[int, None, None]:
    """Hash the unverified parts; yield the number of bytes read so far.

    Raises ModelError if a part has another sha256 than expected.
    """
    before = 0
    for path in located.unverified:
        for done in hash_file(path):
            yield before + done
        before += path.stat().st_size
    require_expected(located, [file_digest(path) for path in located.paths])


def require_expected(located: LocalWeights, digests: Sequence[str]) -> None:
    """Raise ModelError if a part has another sha256 than expected."""
    for path, digest, expected in zip(located.paths, digests, located.expected_sha256, strict=True):
        if expected and digest != expected:
            raise ModelError(
                WithRemedy(
                    f"{path}: not the expected bytes (sha256 {digest[:12]}… instead of "
                    f"{expected[:12]}…)",
                    f"`steertui models pull {located.requested_name}` downloads them again",
                )
            )


def find_model(name: str) -> Model:
    """Return the verified model of a name: "demo", a path, a catalogue name or a hub name.

    Nothing is downloaded. Raises ModelError if the weights are missing or not as expected.
    """
    if is_server(name):
        raise ModelError(
            f"{name}: a judge or benchmark needs weights on this machine, not a model behind a "
            "server; give a GGUF file or a model name"
        )
    located = locate_weights(name)
    if located is None:
        raise ModelError(
            WithRemedy(
                f"{name}: its weights are not on this machine",
                f"`steertui models pull {name}` downloads them (there is no local file with this "
                "path)",
            )
        )
    try:
        for path in located.paths:
            with path.open("rb") as file:
                head = file.read(len(MAGIC))
            if head != MAGIC:
                reason = "not a GGUF file (its first bytes differ)" if head else "is empty"
                raise ModelError(f"{path}: {reason}; download it again")
        if role := auxiliary_role(located.paths[0]):
            raise ModelError(
                f"{located.paths[0]}: is {role}, not a model; give the model's own GGUF file"
            )
        digests = [file_digest(path) for path in located.paths]
    except OSError as exc:
        raise ModelError(
            f"{located.paths[0]}: cannot be read ({exc.strerror}); check its permissions"
        ) from None
    require_expected(located, digests)
    return Model(
        name=located.name,
        path=located.paths[0],
        sha256=combined_sha256(digests),
        size=located.size,
        origin=located.origin,
        kind=located.kind,
    )


def find_planned_model(name: str) -> Model:
    """Return the model of a name as `find_model` does, or a RemoteModel if its header is stored.

    A plan needs no weights. Raises the errors of `find_model`.
    """
    header = None if is_server(name) or locate_weights(name) else locate_header(name)
    if header is None:
        return find_model(name)
    target = parse_hub_name(header.origin)
    assert target
    names = split_parts(target.file)
    sizes = [path.stat().st_size for path in header.paths]
    return RemoteModel(
        name=header.name,
        path=header.paths[0],
        sha256=combined_sha256(header.expected_sha256),
        size=header.size,
        origin=header.origin,
        kind=header.kind,
        files=tuple(zip(names, sizes, header.expected_sha256, strict=True)),
    )
