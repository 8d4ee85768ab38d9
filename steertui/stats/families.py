"""Families of tests: p values after Holm, and intervals at the level of each test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from steertui.stats.equivalence import equivalence_p
from steertui.stats.gap import (
    Gap,
    GapCounts,
    gap_estimate,
    most_samples,
    paired_gap,
    share_differences,
    shared_gap,
)
from steertui.stats.gap_difference import gap_difference, gap_difference_estimate
from steertui.stats.rate import Estimate, ScenarioCounts
from steertui.stats.sensitivity import headline_counts, headline_gap_counts
from steertui.stats.significance import (
    SIGNIFICANCE_LEVEL,
    holm,
    normal_quantile,
)
from steertui.stats.simultaneous import MIN_PAIRS, agreeing_limits, simultaneous_level


class Role(StrEnum):
    """Role of a comparison in the analysis of its experiment."""

    PRIMARY = "primary"
    """Declared; tested at 5 %."""
    SECONDARY = "secondary"
    """Declared; Holm over the declared family."""
    EXPLORATORY = "exploratory"
    """Not declared; Holm over all comparisons of its kind."""


@dataclass(frozen=True, slots=True)
class Family:
    """The comparisons over which Holm corrects a p value.

    Attributes:
        role: of the comparisons.
        tests: their number, fixed by the plan; 1 for no correction.
        words: what they are, such as "comparisons of the declared family".
    """

    role: Role
    tests: int
    words: str = ""

    @property
    def is_corrected(self) -> bool:
        """Whether Holm corrects over several tests."""
        return self.tests > 1


PRIMARY = Family(Role.PRIMARY, 1)
UNTESTED = Family(Role.EXPLORATORY, 1)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference, and its estimate at any level.

    Attributes:
        gap: with 95 % limits and the uncorrected p value.
        at: function from a two-sided normal quantile to the estimate with limits of that level.
        is_shared: whether points and limits are over the scenarios of the test alone.
        differences: of the shares of convergence of two conditions (`share_differences`), one for
            each scenario of the test; empty for differences of gaps.
    """

    gap: Gap
    at: Callable[[float], Estimate | None]
    is_shared: bool = False
    differences: tuple[float, ...] = ()


def gap_contrast(one: ScenarioCounts, two: ScenarioCounts, first: str, second: str) -> Contrast:
    """Return the difference of two rates (`paired_gap`)."""
    return Contrast(
        gap=paired_gap(one, two, first, second),
        at=partial(gap_estimate, (one, two)),
        differences=tuple(share_differences(one, two)),
    )


def headline_contrast(
    one: ScenarioCounts, two: ScenarioCounts, first: str, second: str
) -> Contrast:
    """Return the difference of two rates over the scenarios for which it is printed."""
    counts = headline_counts(one, two)
    if counts == (one, two):
        return gap_contrast(one, two, first, second)
    return Contrast(
        gap=shared_gap(one, two, first, second),
        at=partial(gap_estimate, counts),
        is_shared=True,
        differences=tuple(share_differences(one, two)),
    )


def gap_difference_contrast(one: GapCounts, two: GapCounts, first: str, second: str) -> Contrast:
    """Return the difference of two gaps (`gap_difference`)."""
    gap = gap_difference(one, two, first, second)
    return Contrast(gap, partial(gap_difference_estimate, one, two))


def headline_difference_contrast(
    one: GapCounts, two: GapCounts, first: str, second: str
) -> Contrast:
    """Return the difference of two gaps over the scenarios for which it is printed."""
    counts = headline_gap_counts(one, two)
    own = headline_counts(*one), headline_counts(*two)
    contrast = gap_difference_contrast(*counts, first, second)
    gap = replace(contrast.gap, samples=most_samples(*one, *two))
    return replace(contrast, gap=gap, is_shared=counts != own)


@dataclass(frozen=True, slots=True)
class FamilyTest:
    """Test of one comparison within its family.

    Attributes:
        family: the comparisons that are tested together.
        p: p value after Holm over the family; None without a test.
        level: confidence level of the limits, 0 to 1; at it the limits of the whole family hold at
            once with 95 % (`simultaneous_level`).
        low: lower limit at that level, percentage points, in agreement with the test
            (`agreeing_limits`); exactly 0 if the test has set it; None without two rates or with
            fewer than `MIN_PAIRS` pairs.
        high: upper limit.
    """

    family: Family
    p: float | None
    level: float
    low: float | None
    high: float | None

    @property
    def is_significant(self) -> bool:
        """Whether the test shows a difference at 5 %."""
        return self.p is not None and self.p <= SIGNIFICANCE_LEVEL


@dataclass(frozen=True, slots=True)
class EquivalenceTest:
    """Whether two conditions are equivalent within a declared margin.

    Attributes:
        family: the comparisons that are tested together.
        margin: percentage points, above 0 to 100.
        points: the printed gap.
        p: of the hypothesis that the gap over the scenarios valid under both conditions is not
            within ± `margin`, after Holm over the family's equivalence tests (`equivalence_p`).
    """

    family: Family
    margin: float
    points: float
    p: float

    @property
    def is_shown(self) -> bool:
        """Whether equivalence is shown at 5 %, and the printed gap is within the margin."""
        return self.p <= SIGNIFICANCE_LEVEL and abs(self.points) < self.margin


def equivalence_tests(
    contrasts: Sequence[Contrast], family: Family, margin: float
) -> list[EquivalenceTest | None]:
    """Return the tests of equivalence within ± `margin` points, in the given order.

    Holm corrects over the family as for differences (`family_tests`): of all its comparisons whose
    true gap is at the margin or beyond, one is called equivalent in at most 5 % of experiments.
    None without a scenario valid under both conditions.
    """
    p_values = [
        equivalence_p(contrast.differences, margin / 100, 1.0) if contrast.differences else 1.0
        for contrast in contrasts
    ]
    missing = [1.0] * (family.tests - len(p_values))
    return [
        EquivalenceTest(family, margin, contrast.gap.points, p)
        if contrast.differences and contrast.gap.points is not None
        else None
        for contrast, p in zip(contrasts, holm([*p_values, *missing]), strict=False)
    ]


def untested(gap: Gap) -> FamilyTest:
    """Return the single 95 % interval of a gap whose p value is not used."""
    return FamilyTest(UNTESTED, None, 1 - SIGNIFICANCE_LEVEL, gap.low, gap.high)


def family_tests(contrasts: Sequence[Contrast], family: Family) -> list[FamilyTest]:
    """Return the tests of the comparisons of one family, in the given order.

    A comparison without a p value counts as not significant, so that the number of tests is that of
    the plan, whatever the data are.
    """
    gaps = [contrast.gap for contrast in contrasts]
    p_values = [1.0 if gap.p is None else gap.p for gap in gaps]
    missing = [1.0] * (family.tests - len(p_values))
    adjusted = holm([*p_values, *missing])
    level = simultaneous_level(max(family.tests, 1))
    tests = []
    for contrast, p in zip(contrasts, adjusted, strict=False):
        estimate = _agreeing_estimate(contrast, p, level)
        tests.append(
            FamilyTest(
                family=family,
                p=None if contrast.gap.p is None else p,
                level=1 - level,
                low=estimate.low if estimate else None,
                high=estimate.high if estimate else None,
            )
        )
    return tests


def tests_by_name(contrasts: Mapping[str, Contrast], family: Family) -> dict[str, FamilyTest]:
    """Return the tests of the comparisons of one family by their names."""
    return dict(zip(contrasts, family_tests([*contrasts.values()], family), strict=True))


def _agreeing_estimate(contrast: Contrast, p: float, level: float) -> Estimate | None:
    """Return the estimate with limits at a level that agree with the test; None if few pairs."""
    gap = contrast.gap
    estimate = contrast.at(normal_quantile(level))
    if estimate is None or gap.pairs < MIN_PAIRS:
        return None
    return agreeing_limits(
        estimate,
        is_shown=p <= SIGNIFICANCE_LEVEL,
        direction=gap.only_first - gap.only_second,
    )
