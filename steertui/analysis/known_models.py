"""Size, family and training stage of a model, from its weights, the catalogue and its name."""

import re
from dataclasses import dataclass
from enum import StrEnum

from steertui.assets.catalogue import named_model
from steertui.store import ModelSetting
from steertui.store.setup_queries import WeightFacts

_QUANTISATION = re.compile(
    r"[.-](?:i1-)?(?:UD-)?(?:I?Q\d\w*|B?F16|F32|MXFP4)(?:[.-].*)?$", re.IGNORECASE
)
_STAGE = re.compile(
    r"[-_](?P<stage>base|sft|dpo|rlvr|instruct|chat|it|thinking)(?:[-_]\d{4})?$", re.IGNORECASE
)


class Stage(StrEnum):
    """Training stage of a model, in the order of training."""

    BASE = "base"
    SFT = "SFT"
    DPO = "DPO"
    RLVR = "RLVR"
    INSTRUCT = "instruct"
    HYBRID = "hybrid"
    THINKING = "thinking"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """Place in the order of training."""
        return [*Stage].index(self)


_WORDS = {
    "base": Stage.BASE,
    "sft": Stage.SFT,
    "dpo": Stage.DPO,
    "rlvr": Stage.RLVR,
    "instruct": Stage.INSTRUCT,
    "chat": Stage.INSTRUCT,
    "it": Stage.INSTRUCT,
    "thinking": Stage.THINKING,
    "hybrid": Stage.HYBRID,
}


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What is known of a model.

    Attributes:
        parameters: number of parameters, of a mixture of experts all; 0 if unknown.
        active: parameters used per token by a mixture of experts of the catalogue; 0 otherwise.
        family: of the catalogue, else the architecture in the weights; "" if unknown.
        stage: of training.
        stem: name without stage and quantisation; models of one stem are stages of one training.
    """

    parameters: int
    active: int
    family: str
    stage: Stage
    stem: str


def known_model(setting: ModelSetting, weights: WeightFacts | None) -> KnownModel:
    """Return what is known of a model; `weights` are the facts of its file, None if unknown.

    The weights come before the catalogue, and the name before the catalogue's kind, which does not
    tell the stages of post-training apart.
    """
    listed = named_model(f"{setting.name}.gguf")
    name = listed.name if listed else _QUANTISATION.sub("", setting.name)
    found = _STAGE.search(name)
    word = found["stage"].lower() if found else listed.kind if listed else ""
    parameters = weights.parameters if weights else 0
    architecture = weights.architecture if weights else ""
    return KnownModel(
        parameters=parameters or (listed.parameters if listed else 0),
        active=listed.active if listed else 0,
        family=listed.family if listed else architecture,
        stage=_WORDS.get(word, Stage.UNKNOWN),
        stem=name[: found.start()] if found else name,
    )
