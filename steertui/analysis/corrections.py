"""Corrected rates: a judge's convergence rates of each model, corrected by a reference's labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.label_sample import AnswerKey, random_sample
from steertui.core.declared_analysis import Pair
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.misclassification import (
    CorrectedRate,
    JudgedAnswer,
    corrected_gap,
    corrected_rate,
)
from steertui.stats.rate import VALID_LABELS, Estimate, Policy
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.store import ModelSetting
from steertui.units import list_text

LabelledOutcomes = Mapping[AnswerKey, Outcome]
"""One judge's outcomes that have a label."""

_CORRECTED = (Label.CONVERGENCE, VALID_LABELS[Policy.PAPER])
"""Counted label and valid labels of the corrected rates."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Corrected rates of one model setting.

    A judge may err more on one model's answers than on another's, so each model has its own.

    Attributes:
        setting: model and temperature.
        rates: the judge's convergence rate by condition.
        compared: conditions of the gap, the declared primary comparison; None for no gap.
        gap: first minus second of the corrected rates, percentage points; None without both, or
            with too few checked scenarios (`corrected_gap`).
        unchecked: conditions under which a label that the judge gave was never checked.
    """

    setting: ModelSetting
    rates: Mapping[str, CorrectedRate]
    compared: Pair | None = None
    gap: Estimate | None = None
    unchecked: frozenset[str] = frozenset()

    @property
    def missing_gap(self) -> str:
        """Why the corrected rates have no gap, as a clause; "" if they have one or none is due."""
        if self.gap or not self.compared or not {*self.compared} <= self.rates.keys():
            return ""
        missing = [name for name in self.compared if self.rates[name].estimate is None]
        if missing:
            return f"no corrected rate under {list_text(missing)}"
        return f"fewer than {MIN_PAIRS} scenarios checked under a condition"


def corrections(
    reference: LabelledOutcomes,
    judge: str,
    outcomes: LabelledOutcomes,
    compared: Pair | None,
) -> tuple[Correction, ...]:
    """Return a judge's corrected rates for each model setting, and the gap of a pair of conditions.

    Only the reference's labels that are a random sample of the judge's on the same model
    (`random_sample`) are used.
    """
    cells: dict[tuple[ModelSetting, str], dict[AnswerKey, Outcome]] = {}
    for key, outcome in outcomes.items():
        cells.setdefault((key[0], outcome.condition), {})[key] = outcome
    sample = {key for own in cells.values() for key in random_sample(judge, own, reference)}
    answers: dict[ModelSetting, dict[str, list[JudgedAnswer]]] = {}
    for key, outcome in outcomes.items():
        if outcome.label:
            known = reference[key].label if key in sample else None
            answer = JudgedAnswer(outcome.scenario, outcome.label, known)
            answers.setdefault(key[0], {}).setdefault(outcome.condition, []).append(answer)
    return tuple(_correction(setting, own, compared) for setting, own in answers.items())


def _correction(
    setting: ModelSetting, answers: Mapping[str, list[JudgedAnswer]], compared: Pair | None
) -> Correction:
    rates = {name: corrected_rate(own, *_CORRECTED) for name, own in answers.items()}
    one, two = (answers.get(name) for name in compared or ("", ""))
    return Correction(
        setting=setting,
        rates={name: rate for name, rate in rates.items() if rate},
        compared=compared,
        gap=corrected_gap(one, two, *_CORRECTED) if one and two else None,
        unchecked=frozenset(name for name, own in answers.items() if _has_unchecked(own)),
    )


def _has_unchecked(answers: Sequence[JudgedAnswer]) -> bool:
    """Whether one of the judge's labels was checked on no answer."""
    checked = {answer.label for answer in answers if answer.reference}
    return any(answer.label not in checked for answer in answers)
