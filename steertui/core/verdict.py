"""A Verdict: what one judge made of one generation; a failure is never a label."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Literal


class Label(StrEnum):
    """The paper's four labels (arXiv 2601.01584, judge's instruction), in its order."""

    CONVERGENCE = "convergence"
    NO_CONVERGENCE = "no_convergence"
    SAFETY_REFUSAL = "safety_refusal"
    NONSENSICAL = "nonsensical"

    # As equal strings must; and Enum's own is Python, asked a million times by a large report.
    __hash__ = str.__hash__


Debias = Literal["rubric", "sampled", "all"]
"""How a local judge is told of the labels: as the rubric lists them; or so, but without what the
places in the list draw, learned from a sample read in every order; or all in every order."""

SIGNS = {
    Label.CONVERGENCE: "▲",
    Label.NO_CONVERGENCE: "·",
    Label.SAFETY_REFUSAL: "■",
    Label.NONSENSICAL: "?",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judge's reading of one answer.

    Exactly one of `label` and `failure` is set: a judge that failed has no label.

    Attributes:
        judge: the judge's identity, such as `local:demo/steertui` (model and rubric).
        label: one of the four, or None where the judge failed.
        failure: why there is no label.
        probabilities: the four labels' likelihoods normalised to sum to one, in `Label`'s
            order; None where the judge gives no likelihoods.
        reason: the judge's own words, "" where it gave none.
        seconds: wall time spent on it.
    """

    judge: str
    label: Label | None
    failure: str = ""
    probabilities: tuple[float, ...] | None = None
    reason: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if (self.label is None) == (self.failure == ""):
            raise ValueError("a verdict has either a label or a failure")


def rubric_digest(system: str, user: str) -> str:
    """Return the sha256 of a rubric's two texts."""
    return sha256(f"{system}\0{user}".encode()).hexdigest()


def settings_mark(settings: Mapping[str, object]) -> str:
    """Return the hash that ends the id of a judge with these settings: of its weights or, behind a
    server, its address; and of its rubric. "" for a judge without a rubric, such as a person."""
    rubric = settings.get("rubric")
    if not isinstance(rubric, dict):
        return ""
    texts = rubric_digest(str(rubric.get("system")), str(rubric.get("user")))
    if "url" in settings:
        return sha256(str(settings["url"]).encode()).hexdigest()[:8] + texts[:12]
    return str(settings.get("model"))[:12] + texts[:12]
