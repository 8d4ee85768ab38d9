"""Groups of conditions: the dose of an axis and the cell of a contest that a condition is.

Both are stored with the condition, so that a database is enough for their analysis.
"""

from dataclasses import dataclass
from enum import StrEnum

from steertui.toml_files import forbid_extra_keys

NONE = "none"
"""Side of a contest that adds nothing."""


class Access(StrEnum):
    """What an intervention needs to change, from the least to the most."""

    USER_TEXT = "user text"
    """Text before or after the task, in the user message."""
    SYSTEM_TEXT = "system text"
    """Text after the scenario's system message."""
    WHOLE_PROMPT = "whole prompt"
    """The system message is replaced, or the answer is begun."""
    ACTIVATIONS = "activations"
    """Hidden states: control vectors."""
    WEIGHTS = "weights"
    """Weights: directional ablations and LoRA adapters."""


class DoseUnit(StrEnum):
    """What the dose of an axis measures."""

    VECTOR = "vector"
    """Strength of a control vector."""
    ABLATION = "ablation"
    """Strength of a directional ablation."""
    ADAPTER = "adapter"
    """Scale of a LoRA adapter."""
    LINES = "lines"
    """Number of lines of a suffix."""


@dataclass(frozen=True, slots=True)
class CoherenceLimits:
    """Limits at which a dose is called coherent, compared with dose 0.

    Attributes:
        nonsense: largest rise of the share of nonsensical answers, from 0 to 1; None for no limit.
        repetition: largest rise of the share of repeated sequences within an answer, from 0 to 1;
            None for no limit.
        loss: largest fall of the log-likelihood of an answer under the unsteered model, in nats per
            token; None for no limit.
    """

    nonsense: float | None = 0.1
    repetition: float | None = None
    loss: float | None = None


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DoseStep:
    """One dose of an axis.

    Attributes:
        axis: name of the axis.
        dose: in the axis's unit; 0 is the base condition.
        unit: what the dose measures.
        max_nonsense: limit of coherence (`CoherenceLimits.nonsense`).
        max_repetition: limit of coherence (`CoherenceLimits.repetition`).
        max_loss: limit of coherence (`CoherenceLimits.loss`).
        without: number of the line that is left out of a whole suffix, from 1; 0 for the first
            `dose` lines.
    """

    axis: str
    dose: float
    unit: DoseUnit
    max_nonsense: float = 0.1
    without: int = 0
    max_repetition: float | None = None
    max_loss: float | None = None

    @property
    def limits(self) -> CoherenceLimits:
        """The limits of coherence, equal for all doses of an axis."""
        return CoherenceLimits(self.max_nonsense, self.max_repetition, self.max_loss)


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class ContestCell:
    """One cell of a contest of defences and attacks.

    Attributes:
        contest: name of the contest.
        defence: name of the builder's condition, "none" for none.
        attack: name of the attacker's condition, "none" for none.
        margin: largest difference of rates that counts as none, from 0 to 1.
        reference: defence whose steering another one must keep; "none" for the plain task.
        chosen_on: names of the scenarios on which the attacks were chosen; they are not evaluated.
    """

    contest: str
    defence: str
    attack: str
    margin: float = 0.1
    reference: str = NONE
    chosen_on: tuple[str, ...] = ()
