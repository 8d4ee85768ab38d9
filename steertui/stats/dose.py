"""Dose-response: rates, effects and coherence by dose, and the best coherent dose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steertui.core.grouping import CoherenceLimits
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.coherence import AnswerMeasures, CoherenceMeans, CoherenceMeasure, mean_of
from steertui.stats.families import Contrast, Family, FamilyTest, Role, gap_contrast, tests_by_name
from steertui.stats.gap import Gap
from steertui.stats.rate import (
    VALID_LABELS,
    Policy,
    Rate,
    ScenarioCounts,
    nonsensical_rate,
    pooled_rate,
    scenario_counts,
)
from steertui.stats.slope import Slope, mean_slope


@dataclass(frozen=True, slots=True)
class DosePoint:
    """One dose of an axis.

    Attributes:
        dose: in the axis's unit.
        condition: name of its condition.
        rate: of convergence.
        nonsense: rate of nonsensical answers among all judged ones.
        effect: gap of this dose minus dose 0; None at dose 0.
        test: of the effect, with Holm over the axis's doses; None at dose 0.
        means: of the measures of coherence.
        exceeded: measures that are not within the limits of the axis.
        unknown: those of them that are unknown, so that they are not known to be beyond.
    """

    dose: float
    condition: str
    rate: Rate
    nonsense: Rate
    effect: Gap | None
    test: FamilyTest | None
    means: CoherenceMeans
    exceeded: tuple[CoherenceMeasure, ...] = ()
    unknown: tuple[CoherenceMeasure, ...] = ()

    @property
    def beyond(self) -> tuple[CoherenceMeasure, ...]:
        """Measures that are known to be beyond their limits."""
        return tuple(measure for measure in self.exceeded if measure not in self.unknown)

    @property
    def is_coherent(self) -> bool:
        """Whether every measure is within the limits of the axis."""
        return not self.exceeded

    @property
    def is_shown(self) -> bool:
        """Whether the effect is shown, after Holm."""
        return self.test is not None and self.test.is_significant


@dataclass(frozen=True, slots=True)
class DoseCurve:
    """All doses of an axis under one judge.

    Attributes:
        points: by increasing dose.
        slope: over all doses; None if fewer than `MIN_PAIRS` scenarios are valid at each of them.
        coherent_slope: over the coherent doses alone; None if all are coherent, if there are fewer
            than two, or if fewer than `MIN_PAIRS` scenarios are valid at each of them.
        limits: limits of coherence; that of nonsense is None without a judged answer.
    """

    points: tuple[DosePoint, ...]
    slope: Slope | None
    coherent_slope: Slope | None
    limits: CoherenceLimits

    @property
    def is_judged(self) -> bool:
        """Whether any answer is judged; if not, only repetition and log-likelihood are known."""
        return any(point.nonsense.total for point in self.points)

    def best(self, sign: int) -> DosePoint | None:
        """Return the coherent dose with the largest effect in a direction; None if none has one.

        The effect is an optimistic estimate: it is the largest of several.
        """
        found = [
            (point.effect.points * sign, point)
            for point in self.points
            if point.is_coherent and point.effect and point.effect.points is not None
        ]
        effect, point = max(found, key=lambda item: item[0], default=(0.0, None))
        return point if effect > 0 else None


def dose_curve(
    doses: Sequence[tuple[float, str]],
    outcomes: dict[str, list[Outcome]],
    limits: CoherenceLimits,
    policy: Policy = Policy.PAPER,
    measures: Mapping[str, AnswerMeasures] | None = None,
) -> DoseCurve:
    """Return the curve of an axis.

    Args:
        doses: dose and condition, by increasing dose, with 0.
        outcomes: by condition, under one judge.
        limits: limits of coherence.
        policy: denominator of the convergence rates; nonsense is a share of all judged answers.
        measures: of the answers, by condition.
    """
    counts = [convergence(outcomes[name], policy) for _, name in doses]
    nonsense = [nonsensical_rate(outcomes[name]) for _, name in doses]
    anchor = next(index for index, (dose, _) in enumerate(doses) if dose == 0)
    effects = _effects(doses, counts, anchor)
    tests = tests_by_name(effects, Family(Role.SECONDARY, len(effects), "doses"))
    if not any(rate.total for rate in nonsense):
        limits = replace(limits, nonsense=None)
    known = measures or {}
    means = [_means(nonsense[i], known.get(name)) for i, (_, name) in enumerate(doses)]
    points = tuple(
        DosePoint(
            dose=dose,
            condition=name,
            rate=pooled_rate(counts[i]),
            nonsense=nonsense[i],
            effect=effects[name].gap if name in effects else None,
            test=tests.get(name),
            means=means[i],
            exceeded=means[i].exceeded(means[anchor], limits),
            unknown=means[i].unknown(means[anchor], limits),
        )
        for i, (dose, name) in enumerate(doses)
    )
    return DoseCurve(
        points=points,
        slope=mean_slope([point.dose for point in points], counts),
        coherent_slope=_coherent_slope(points, counts),
        limits=limits,
    )


def _effects(
    doses: Sequence[tuple[float, str]], counts: Sequence[ScenarioCounts], anchor: int
) -> dict[str, Contrast]:
    """Return by condition the gap of each dose to dose 0, which has the index `anchor`."""
    return {
        name: gap_contrast(counts[i], counts[anchor], name, doses[anchor][1])
        for i, (_, name) in enumerate(doses)
        if i != anchor
    }


def _means(nonsense: Rate, measures: AnswerMeasures | None) -> CoherenceMeans:
    own = measures or AnswerMeasures()
    return CoherenceMeans(nonsense.value, mean_of(own.repetition), mean_of(own.loglik))


def _coherent_slope(points: Sequence[DosePoint], counts: Sequence[ScenarioCounts]) -> Slope | None:
    """Return the slope over the coherent doses, if there are others."""
    kept = [
        (point.dose, own) for point, own in zip(points, counts, strict=True) if point.is_coherent
    ]
    if len(kept) < 2 or len(kept) == len(points):
        return None
    return mean_slope([dose for dose, _ in kept], [own for _, own in kept])


def convergence(outcomes: Sequence[Outcome], policy: Policy) -> ScenarioCounts:
    """Return by scenario the convergent and the valid samples of one condition."""
    return scenario_counts(outcomes, Label.CONVERGENCE, VALID_LABELS[policy])
