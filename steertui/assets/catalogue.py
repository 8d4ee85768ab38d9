"""Catalogue of known models: kind, size, sampling and pinned quantisations."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from steertui.core.hub_name import HubName
from steertui.core.model import ModelKind
from steertui.errors import ModelError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml

Confidence = Literal["A", "B", "C", "D"]
"""Evidence for an entry: A: two or more independent sources agree; B: one source; C: the repository
is named, not checked; D: inferred from the publisher's other repositories."""

_SUFFIX = r"(?=[.-](?:i1-)?(?:UD-)?(?:I?Q\d|B?F16|F32|MXFP4|gguf))"


@forbid_extra_keys
@dataclass(frozen=True)
class Quantisation:
    """One quantisation of a model.

    Attributes:
        quant: name, such as Q4_K_M.
        confidence: evidence for repository, size and sha256.
        repo: repository on the hub.
        file: path in the repository; of a split model, the first part's; "" if the quantisation
            selects it.
        size: bytes of all parts, 0 if unknown.
        revision: commit, 40 hex digits; "" for the newest.
        sha256: of the first part, "" if unknown. If known, other bytes are rejected.
        gated: whether the publisher asks for consent before it gives access.
        doubt: what is uncertain, "" for nothing.
    """

    quant: str
    confidence: Confidence
    repo: str
    file: str = ""
    size: int = 0
    revision: str = ""
    sha256: str = ""
    gated: bool = False
    doubt: str = ""

    @property
    def hub_name(self) -> HubName:
        """The name on the hub."""
        return HubName(self.repo, "" if self.file else self.quant, self.file, self.revision)


@forbid_extra_keys
@dataclass(frozen=True)
class CatalogueModel:
    """One model of the catalogue.

    Attributes:
        name: the publisher's name, without the owner.
        family: models of one publisher and generation, such as "gemma-3".
        kind: how it was trained to answer.
        licence: licence of the weights.
        parameters: number of parameters.
        active: parameters that a token uses; 0 for all.
        released: month of the release, "2025-04"; "" if unknown.
        layers: number of layers.
        cache: bytes of KV cache per token at 16 bits, without the savings of sliding windows.
        context: trained context length, tokens.
        reasoning: mark that opens the reasoning in an answer or a prompt; "" for none.
        template: what a user must know of the chat template, "" for nothing.
        sampling: the publisher's recommended sampling, by the names of an experiment's fields.
        weights: the quantisations, the default first.
        about: description, one sentence.
        doubt: what is uncertain of the model's own facts, "" for nothing.
    """

    name: str
    family: str
    kind: ModelKind
    licence: str
    parameters: int
    layers: int
    cache: int
    context: int
    weights: list[Quantisation]
    active: int = 0
    released: str = ""
    reasoning: str = ""
    template: str = ""
    sampling: dict[str, float] = field(default_factory=dict)
    about: str = ""
    doubt: str = ""

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
    """Return the kind of the catalogue model named in a file or repository name, "" for none."""
    model = named_model(file)
    return model.kind if model else ""


def named_model(file: str) -> CatalogueModel | None:
    """Return the catalogue model that is named in a file or repository name, None for none.

    A publisher before the name and a quantisation after it are allowed (`Qwen_NAME-Q8_0.gguf`);
    any other text after the name makes it another model.
    """
    for model in catalogue():
        if re.search(rf"(?:^|[/_]){re.escape(model.name)}{_SUFFIX}", file, re.IGNORECASE):
            return model
    return None
