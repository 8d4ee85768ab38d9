"""Weights: from a model's name to its verified bytes on this machine."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from steertui.assets.catalogue import catalogue_model, kind_of
from steertui.assets.hash_cache import cached_digest, file_digest, hash_file
from steertui.core.hub_name import HubName, parse_hub_name, split_parts
from steertui.core.model import DEMO, Model, ModelKind, combined_sha256, demo_path, is_server
from steertui.errors import ModelError

MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class LocalWeights:
    """Weights that lie here, not verified yet.

    Attributes:
        asked: the name that led here.
        name: short name for tables.
        paths: all parts.
        promised: the sha256 that each must have, "" where nobody says.
        origin: where they come from, "" for a file of the user's own.
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
        """The parts that have not been hashed since they last changed."""
        return tuple(path for path in self.paths if not cached_digest(path))


def find_hub_name(name: str) -> HubName | None:
    """Return where on the hub a name's weights are, or None for the demo and for paths."""
    if name == DEMO or Path(name).expanduser().is_file():
        return None
    found = catalogue_model(name)
    return found[1].hub_name if found else parse_hub_name(name)


def is_local_file(name: str) -> bool:
    """Return whether a name is the path of a GGUF file of the user's own."""
    return name != DEMO and find_hub_name(name) is None


def locate_weights(name: str) -> LocalWeights | None:
    """Return the weights that a name means, None where they have to be fetched first.

    Raises ModelError where it means none at all.
    """
    target = find_hub_name(name)
    if target is None:
        return _own_file(name)
    from steertui.assets.hub.cache import cached_weights

    weights = cached_weights(target)
    if weights is None:
        return None
    found = catalogue_model(name)
    promised = tuple(
        (found[1].sha256 if found and i == 0 else "") or digest
        for i, digest in enumerate(weights.expected_sha256)
    )
    title = f"{found[0].name}-{found[1].quant}" if found else _stem(weights.files[0])
    kind = found[0].kind if found else kind_of(f"{weights.repo}/{weights.files[0]}")
    return LocalWeights(name, title, weights.paths, promised, weights.origin, kind)


def _own_file(name: str) -> LocalWeights:
    path = demo_path() if name == DEMO else Path(name).expanduser()
    if not path.is_file():
        raise ModelError(
            f"{name}: no such model; give 'demo' or the path of a GGUF file, a name of `steertui "
            "models`, or owner/repo:QUANT"
        )
    paths = tuple(path.with_name(part) for part in split_parts(path.name))
    for part in paths:
        if not part.is_file():
            raise ModelError(f"{part}: this part of a split model is missing; put it beside {path}")
    title = DEMO if name == DEMO else _stem(path.name)
    return LocalWeights(name, title, paths, ("",) * len(paths), "", kind_of(path.name))


def _stem(file: str) -> str:
    """Return a file's name without folder, ending and number of its part."""
    name = Path(file).stem
    return name[: -len("-00001-of-00002")] if len(split_parts(file)) > 1 else name


def verify_weights(located: LocalWeights) -> Generator[int, None, None]:
    """Hash what has not been hashed; yield the bytes read so far.

    Raises ModelError where a file is no GGUF, or its bytes are not those promised.
    """
    before = 0
    for path in located.unverified:
        for done in hash_file(path):
            yield before + done
        before += path.stat().st_size
    require_expected(located, [file_digest(path) for path in located.paths])


def require_expected(located: LocalWeights, digests: Sequence[str]) -> None:
    """Raise ModelError where a file's bytes are not those promised."""
    for path, digest, promised in zip(located.paths, digests, located.expected_sha256, strict=True):
        if promised and digest != promised:
            raise ModelError(
                f"{path}: its bytes are not those promised (sha256 {digest[:12]}… instead of "
                f"{promised[:12]}…); `steertui models pull {located.requested_name}` fetches them "
                "anew"
            )


def find_model(name: str) -> Model:
    """Return the verified model called `name`: "demo", a path, the catalogue's or the hub's name.

    Nothing is fetched. Raises ModelError where it is not here, or not what it should be.
    """
    if is_server(name):
        raise ModelError(
            f"{name}: a model behind a server answers an experiment's prompts only; name weights "
            "on this machine here"
        )
    located = locate_weights(name)
    if located is None:
        raise ModelError(
            f"{name}: its weights are not on this machine; `steertui models pull {name}` fetches "
            "them (a file of your own is given by its path, and there is none of this name)"
        )
    try:
        for path in located.paths:
            with path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise ModelError(
                        f"{path}: not a GGUF file (its first bytes differ); get it again"
                    )
        digests = [file_digest(path) for path in located.paths]
    except OSError as exc:
        raise ModelError(
            f"{located.paths[0]}: cannot be read ({exc.strerror}); check its permissions"
        ) from None
    require_expected(located, digests)
    return Model(
        located.name,
        located.paths[0],
        combined_sha256(digests),
        located.size,
        located.origin,
        located.kind,
    )
