"""Catalogue of known models: kind, size, sampling and pinned quantisations."""

import re
from dataclasses import dataclass, field
from functools import cache

from steertui.core.hub_name import HubName
from steertui.core.model import ModelKind
from steertui.errors import ModelError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml

_SUFFIX = r"(?=[.-](?:i1-)?(?:UD-)?(?:I?Q\d|B?F16|F32|MXFP4|gguf))"


@forbid_extra_keys
@dataclass(frozen=True)
class Quantisation:
    """One quantisation of a model.

    Attributes:
        quant: name, such as Q4_K_M.
        repo: repository on the hub.
        file: path in the repository; of a split model, the first part's.
        size: bytes, 0 if unknown.
        revision: commit, 40 hex digits; "" for the newest.
        sha256: of the file, "" if unknown. If known, other bytes are rejected.
        doubt: what is uncertain, "" for nothing.
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
        """The name on the hub."""
        return HubName(self.repo, "", self.file, self.revision)


@forbid_extra_keys
@dataclass(frozen=True)
class CatalogueModel:
    """One model of the catalogue.

    Attributes:
        name: the publisher's name, without the owner.
        kind: how it was trained to answer.
        licence: licence of the weights.
        parameters: number of parameters.
        layers: number of layers.
        cache: bytes of KV cache per token at 16 bits.
        context: trained context length, tokens.
        sampling: the publisher's recommended sampling, by the names of an experiment's fields.
        weights: the quantisations, the default first.
        about: description, one sentence.
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
        """Return a quantisation, the first for ""; raises ModelError for an unknown one."""
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
    """Return the catalogue's entry for "NAME" or "NAME:QUANT", ignoring case; None for none."""
    title, _, quant = name.partition(":")
    for model in catalogue():
        if model.name.lower() == title.lower():
            return model, model.find(quant)
    return None


def kind_of(file: str) -> ModelKind:
    """Return the kind of the catalogue model named in a file or repository name, "" for none.

    A publisher before the name and a quantisation after it are allowed (`Qwen_NAME-Q8_0.gguf`);
    any other text after the name makes it another model.
    """
    for model in catalogue():
        if re.search(rf"(?:^|[/_]){re.escape(model.name)}{_SUFFIX}", file, re.IGNORECASE):
            return model.kind
    return ""
