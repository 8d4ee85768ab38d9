"""The Catalogue: models that are known by name, each with weights that are trusted."""

import re
from dataclasses import dataclass, field
from functools import cache

from steertui.core.hub_name import HubName
from steertui.core.model import ModelKind
from steertui.errors import ModelError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml

_BEHIND = r"(?=[.-](?:i1-)?(?:UD-)?(?:I?Q\d|B?F16|F32|MXFP4|gguf))"


@forbid_extra_keys
@dataclass(frozen=True)
class Quantisation:
    """One quantisation of a model.

    Attributes:
        quant: such as Q4_K_M.
        repo: the repository on the hub.
        file: its path there (of a split model, the first part's).
        size: bytes, 0 where not known.
        revision: 40 hex digits, "" for the newest.
        sha256: of the file, "" where not known. Where it is, other bytes are refused.
        doubt: what is not sure of it, "" for nothing; the hub is asked at first use.
    """

    quant: str
    repo: str
    file: str
    size: int = 0
    revision: str = ""
    sha256: str = ""
    doubt: str = ""

    @property
    def hub_name(self) -> HubName:
        """What to ask the hub for."""
        return HubName(self.repo, "", self.file, self.revision)


@forbid_extra_keys
@dataclass(frozen=True)
class CatalogueModel:
    """One model of the catalogue.

    Attributes:
        name: the maker's own, without the owner.
        kind: how it was trained to answer.
        licence: the weights'.
        parameters: number of weights.
        layers: number of layers.
        cache: bytes of KV cache for one token at 16 bits.
        context: longest context it was trained for, in tokens.
        sampling: what its maker recommends, by the names of an experiment's fields.
        weights: the quantisations, the usual one first.
        about: a sentence.
    """

    name: str
    kind: ModelKind
    licence: str
    parameters: int
    layers: int
    cache: int
    context: int
    weights: list[Quantisation]
    sampling: dict[str, float] = field(default_factory=dict)
    about: str = ""

    def find(self, quant: str) -> Quantisation:
        """Return one quantisation, the first for ""; raises ModelError where it is not known."""
        for weights in self.weights:
            if quant.upper() in ("", weights.quant.upper()):
                return weights
        raise ModelError(
            f"{self.name}:{quant}: the catalogue has {', '.join(w.quant for w in self.weights)}; "
            "name one of them, or a repository as owner/repo:QUANT"
        )


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    model: list[CatalogueModel]


@cache
def catalogue() -> tuple[CatalogueModel, ...]:
    """Return the models of the shipped `models.toml`, in its order."""
    path = package_data("models") / "models.toml"
    return tuple(load_toml(path, _File, ModelError).model)


def catalogue_model(name: str) -> tuple[CatalogueModel, Quantisation] | None:
    """Return what "NAME" or "NAME:QUANT" means in the catalogue, whatever its case, or None."""
    title, _, quant = name.partition(":")
    for model in catalogue():
        if model.name.lower() == title.lower():
            return model, model.find(quant)
    return None


def kind_of(file: str) -> ModelKind:
    """Return the kind of the model whose name stands in a file's or repository's, "" for none.

    Publishers put something before and a quantisation behind it: `Qwen_NAME-Q8_0.gguf`. Where
    anything else stands behind it, it is another model.
    """
    for model in catalogue():
        if re.search(rf"(?:^|[/_]){re.escape(model.name)}{_BEHIND}", file, re.IGNORECASE):
            return model.kind
    return ""
