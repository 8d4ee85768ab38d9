"""Refusals under the defences of a contest alone, compared with the plain task."""

from collections.abc import Mapping
from dataclasses import dataclass

from steertui.analysis.group_words import p_words, points_text
from steertui.core.condition import Condition
from steertui.core.grouping import NONE
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.families import Family, FamilyTest, Role, gap_contrast, tests_by_name
from steertui.stats.gap import Gap
from steertui.stats.rate import VALID_LABELS, Policy, Rate, pooled_rate, scenario_counts


@dataclass(frozen=True, slots=True)
class OverRefusal:
    """Refusals under each defence alone; on benign scenarios these are over-refusals.

    Attributes:
        contest: name of the contest.
        rates: refusal rate by defence, with "none" for the plain task.
        gaps: by defence: its refusal rate minus that of the plain task, in points.
        tests: by defence, with Holm over the defences.
    """

    contest: str
    rates: Mapping[str, Rate]
    gaps: Mapping[str, Gap]
    tests: Mapping[str, FamilyTest]

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each defence, without full stops."""
        return tuple(
            f"Refusals under {name} alone, minus without it: {points_text(gap, self.tests[name])}, "
            f"{p_words(self.tests[name])}"
            for name, gap in self.gaps.items()
            if gap.points is not None
        )


def over_refusals(
    conditions: Mapping[str, Condition], outcomes: Mapping[str, list[Outcome]]
) -> dict[str, OverRefusal]:
    """Return the refusals of every contest with the plain task and a defence alone, by its name.

    Args:
        conditions: by name, as stored.
        outcomes: by condition, under one judge.
    """
    alone: dict[str, dict[str, list[Outcome]]] = {}
    for name, condition in conditions.items():
        cell = condition.cell
        if cell and cell.attack == NONE and name in outcomes:
            alone.setdefault(cell.contest, {})[cell.defence] = outcomes[name]
    return {
        contest: _refusals(contest, answers)
        for contest, answers in alone.items()
        if NONE in answers and len(answers) > 1
    }


def _refusals(contest: str, answers: Mapping[str, list[Outcome]]) -> OverRefusal:
    valid = VALID_LABELS[Policy.PAPER]
    counts = {
        name: scenario_counts(own, Label.SAFETY_REFUSAL, valid) for name, own in answers.items()
    }
    contrasts = {
        name: gap_contrast(own, counts[NONE], name, NONE)
        for name, own in counts.items()
        if name != NONE
    }
    return OverRefusal(
        contest=contest,
        rates={name: pooled_rate(own) for name, own in counts.items()},
        gaps={name: contrast.gap for name, contrast in contrasts.items()},
        tests=tests_by_name(contrasts, Family(Role.SECONDARY, len(contrasts), "defences")),
    )
