"""Sentences on comparisons: what is shown, its interval, the exact test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from steertui.analysis.interval_text import interval_words
from steertui.stats.families import Contrast, EquivalenceTest, FamilyTest
from steertui.stats.gap import Gap
from steertui.stats.matched_pairs import matched_odds_ratio
from steertui.stats.power import (
    BACK_SHARES,
    best_sampled_gap,
    min_discordant,
    minimum_detectable_gap,
    scenarios_needed,
)
from steertui.stats.rate import Estimate
from steertui.stats.sensitivity import Sensitivity
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.units import list_text, quantity, verb

POWER = "80 % power"
"""Power of the minimum detectable gaps in sentences: the default of `minimum_detectable_gap`."""

PLANNED_POINTS = 10.0
"""Gap in percentage points for which a plan's sentence states the number of scenarios."""


class Finding(StrEnum):
    """What the test of a comparison shows."""

    MORE = "more under the first"
    FEWER = "fewer under the first"
    UNDIRECTED = "different, direction not shown"
    EQUIVALENT = "equivalent within the margin"
    NOT_SHOWN = "no difference shown"
    UNTESTED = "not tested"
    CONTESTED = "no finding: judges differ"
    WITHHELD = "withheld: the labels allow no conclusion"

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing may be concluded, whatever the test shows."""
        return self in (Finding.CONTESTED, Finding.WITHHELD)

    @property
    def sign(self) -> int:
        """1 if the first is larger, -1 if the second is, 0 if no direction is shown."""
        return {Finding.MORE: 1, Finding.FEWER: -1}.get(self, 0)


@dataclass(frozen=True, slots=True)
class GapResult:
    """A comparison within its family, with its wording.

    Attributes:
        gap: with 95 % limits and the uncorrected p value.
        test: p value after Holm over the family, and limits at the level of the test.
        finding: what the test shows.
        statement: the finding with points and interval, without a full stop.
        evidence: counts, test and family, without a full stop; "" without a test.
        sensitivity: the gap under other choices; None for comparisons of tables.
        equivalence: within the declared margin; None without a scenario valid under both
            conditions, and for comparisons of tables and of categories.
        is_shared: whether points and interval are over the scenarios of the test alone, so that
            they are not the difference of the printed rates.
    """

    gap: Gap
    test: FamilyTest
    finding: Finding
    statement: str
    evidence: str = ""
    sensitivity: Sensitivity | None = None
    equivalence: EquivalenceTest | None = None
    is_shared: bool = False

    @property
    def sentence(self) -> str:
        """Statement and evidence, without a full stop at the end."""
        return f"{self.statement}. {self.evidence}" if self.evidence else self.statement

    @property
    def odds_ratio(self) -> Estimate | None:
        """Matched odds ratio of two conditions with one sample per scenario, else None."""
        if self.sensitivity is None or self.gap.samples > 1:
            return None
        return matched_odds_ratio(self.gap.only_first, self.gap.only_second)

    @property
    def adjusted(self) -> float | None:
        """The p value after Holm; None if there is no test, or no other comparison."""
        return self.test.p if self.test.family.is_corrected else None


@dataclass(frozen=True, slots=True)
class Notes:
    """What is added to a comparison of two conditions.

    Attributes:
        coverage: sentences on low coverage, for the evidence.
        sensitivity: the gap under other choices; None if it is not measured.
        equivalence: test of equivalence; None if no margin is declared.
    """

    coverage: tuple[str, ...] = ()
    sensitivity: Sensitivity | None = None
    equivalence: EquivalenceTest | None = None


NO_NOTES = Notes()


def gap_result(
    contrast: Contrast, test: FamilyTest, planned: int, notes: Notes = NO_NOTES
) -> GapResult:
    """Return the result on two conditions; `planned` is the number of planned scenarios."""
    gap, equivalence = contrast.gap, notes.equivalence
    finding = _finding(gap, test, equivalence)
    one, limits = _larger_first(gap, test) if finding.sign else (gap, test)
    parts = [
        _condition_counts(one, test, planned),
        *_power(gap, test),
        *_equivalence_words(finding, equivalence),
        *notes.coverage,
    ]
    return GapResult(
        gap,
        test,
        finding,
        statement=_statement(one, limits, finding, equivalence),
        evidence="" if gap.points is None or test.p is None else "; ".join(parts),
        sensitivity=notes.sensitivity,
        equivalence=equivalence,
        is_shared=contrast.is_shared,
    )


def _statement(
    gap: Gap, test: FamilyTest, finding: Finding, equivalence: EquivalenceTest | None
) -> str:
    """Return what is shown on two conditions; if one converges more often, it is the first."""
    names = f"{gap.first} and {gap.second}"
    if gap.points is None:
        return f"{names} cannot be compared: no valid answer under at least one of them"
    size = _size(gap, test)
    within = f"equivalence within ±{equivalence.margin:g} points" if equivalence else ""
    match finding:
        case Finding.UNTESTED:
            return f"{names} cannot be tested: no scenario is valid under both; {size}"
        case Finding.NOT_SHOWN:
            neither = f", nor {within}" * bool(within)
            return f"No difference between {names} is shown{neither}: {size}"
        case Finding.EQUIVALENT:
            return f"No difference between {names} is shown, and {within} is: {size}"
        case Finding.UNDIRECTED:
            return (
                f"{names} differ, but the rates and the pairs have opposite directions, so the "
                f"direction is not shown: {size}"
            )
        case _:
            is_small = equivalence is not None and equivalence.is_shown
            small = f"; {within} is shown, too" * is_small
            return (
                f"Answers converge more often under {gap.first} than under {gap.second}: "
                f"{gap.points:.1f} points more ({interval_words(test, sign='')}){small}"
            )


def _equivalence_words(finding: Finding, equivalence: EquivalenceTest | None) -> Iterator[str]:
    """Yield the test of equivalence, unless a difference is shown and equivalence is not."""
    if equivalence is None or (finding.sign and not equivalence.is_shown):
        return
    family = equivalence.family
    holm = f", Holm over {family.tests}" if family.is_corrected else ""
    yield f"equivalence test, {p_text(equivalence.p)}{holm}"


def difference_result(contrast: Contrast, test: FamilyTest, what: str) -> GapResult:
    """Return the result on two models, temperatures or judges.

    `what` is a condition, or a gap such as "pro − anti" of which the contrast is the difference.
    """
    gap = contrast.gap
    finding = _finding(gap, test)
    is_gap = "−" in what
    where = f"The gap {what}" if is_gap else f"Under {what}"
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.p is None:
        statement = f"{where}: {names} share no scenario that is valid in both"
        return GapResult(gap, test, Finding.UNTESTED, statement)
    one, limits = _larger_first(gap, test) if finding.sign else (gap, test)
    size = _size(one, limits)
    if contrast.is_shared:
        size = f"{size} over the {quantity(gap.pairs, 'scenario')} valid in both"
    subject = f"{where} is larger" if is_gap else f"{where} the convergence rate is higher"
    match finding:
        case Finding.NOT_SHOWN:
            statement = f"{where}: no difference between {names} is shown: {size}"
        case Finding.UNDIRECTED:
            statement = f"{where}: {names} differ, but the direction is not shown: {size}"
        case _:
            statement = f"{subject} for {one.first} than for {one.second}: {size}"
    evidence = (
        f"Of {quantity(gap.pairs, 'scenario')} {one.only_first} "
        f"{verb(one.only_first, 'is', 'are')} higher for {one.first}, "
        f"{one.only_second} for {one.second} ({_test_words(gap, test, is_gap=is_gap)})"
    )
    return GapResult(gap, test, finding, statement, evidence, is_shared=contrast.is_shared)


def withheld(result: GapResult) -> GapResult:
    """Return the result for labels that allow no conclusion."""
    gap = result.gap
    statement = f"nothing is concluded on {gap.first} and {gap.second} from these labels"
    return replace(
        result, finding=Finding.WITHHELD, statement=statement, evidence="", equivalence=None
    )


def contested(result: GapResult, judges: Sequence[str]) -> GapResult:
    """Return the result where these judges of the same answers lead to another conclusion."""
    statement = no_finding(judges, result.statement)
    return replace(result, finding=Finding.CONTESTED, statement=statement)


def no_finding(judges: Sequence[str], statement: str) -> str:
    """Return the statement as one that these judges of the same answers contradict."""
    leads = verb(len(judges), "leads", "lead")
    return f"No finding ({list_text(judges)} {leads} to another conclusion): {statement}"


def _finding(gap: Gap, test: FamilyTest, equivalence: EquivalenceTest | None = None) -> Finding:
    if gap.points is None or test.p is None:
        return Finding.UNTESTED
    if not test.is_significant:
        is_same = equivalence is not None and equivalence.is_shown
        return Finding.EQUIVALENT if is_same else Finding.NOT_SHOWN
    if gap.points * (gap.only_first - gap.only_second) <= 0:
        return Finding.UNDIRECTED
    return Finding.MORE if gap.points > 0 else Finding.FEWER


def _condition_counts(gap: Gap, test: FamilyTest, planned: int) -> str:
    """Return "Of 65 scenarios 27 converged only under pro, 5 only under anti (exact test, …)"."""
    scenarios = f"{quantity(gap.pairs, 'scenario')}"
    if gap.pairs < planned:
        scenarios = f"{scenarios} valid under both ({planned} planned)"
    how = "only" if gap.samples == 1 else "more often"
    return (
        f"Of {scenarios} {gap.only_first} converged {how} under {gap.first}, {gap.only_second} "
        f"{how} under {gap.second} ({_test_words(gap, test)})"
    )


def _test_words(gap: Gap, test: FamilyTest, *, is_gap: bool = False) -> str:
    """Return "exact test, p < 0.001, Holm over the 3 comparisons of the declared family"."""
    name = "exact test" if gap.samples == 1 and not is_gap else "exact randomisation test"
    p = "" if test.p is None else f", {p_text(test.p)}"
    family = test.family
    holm = f", Holm over the {family.tests} {family.words}" if family.is_corrected else ""
    return f"{name}{p}{holm}"


def _power(gap: Gap, test: FamilyTest) -> list[str]:
    """Return what the test could have shown, if it shows no difference, in a list.

    The minimum detectable gap with the share of scenarios that moved the other way in this result,
    called a best case if none did; with several samples per scenario it is not known.
    """
    needed = min_discordant(test.family.tests)
    if gap.pairs < needed:
        return [f"with fewer than {needed} scenarios no difference can be shown"]
    if test.is_significant or gap.samples > 1:
        return []
    fewer = min(gap.only_first, gap.only_second)
    least = minimum_detectable_gap(gap.pairs, tests=test.family.tests, back=fewer / gap.pairs)
    moves = f"{fewer} of {gap.pairs} moving the other way"
    if least is not None and not fewer:
        return [
            f"if no scenario truly moves the other way (0 of {gap.pairs} did), the minimum "
            f"detectable gap at {POWER} is at most {ceil(least)} points: a best case"
        ]
    if least is None:
        over = f" (Bonferroni over {test.family.tests})" if test.family.is_corrected else ""
        return [f"if {moves} is the true share, no gap has {POWER}{over}"]
    return [f"minimum detectable gap at {POWER} with {moves}: at most {ceil(least)} points"]


def _size(gap: Gap, test: FamilyTest) -> str:
    return f"{gap.points:+.1f} points ({interval_words(test)})"


def _larger_first(gap: Gap, test: FamilyTest) -> tuple[Gap, FamilyTest]:
    """Return the gap with the larger rate as `first`, and the limits of that gap."""
    if gap.points is None or gap.points >= 0 or test.low is None or test.high is None:
        return gap, test
    turned = replace(
        gap,
        first=gap.second,
        second=gap.first,
        points=-gap.points,
        only_first=gap.only_second,
        only_second=gap.only_first,
    )
    return turned, replace(test, low=-test.high, high=-test.low)


def minimum_gap_sentence(scenarios: int, samples: int, primary: tuple[str, str] | None) -> str:
    """Return one sentence on the smallest gap that a plan can detect, without a full stop.

    The gap is that of the `primary` comparison; None for an uncorrected one of any conditions.
    Every scenario counts as a valid pair: valid under both conditions.
    A range over the share of scenarios that move against the gap (`BACK_SHARES`). Several samples
    of a scenario help between not at all (copies) and as `best_sampled_gap` (independent).
    """
    gaps = {back: minimum_detectable_gap(scenarios, back=back) for back in BACK_SHARES}
    smallest = gaps[0.0]
    if smallest is None:
        return (
            f"With {quantity(scenarios, 'scenario')} no gap of any size is detectable at {POWER}; "
            f"plan at least {min_discordant()}"
        )
    others = [
        f"{ceil(gap)} points if {100 * back:g} % do"
        if gap
        else f"not detectable if {100 * back:g} % do"
        for back, gap in gaps.items()
        if back
    ]
    none = f"{ceil(smallest)} points if no scenario moves the other way"
    compared = "one uncorrected comparison"
    if primary:
        compared = f"the primary comparison {' − '.join(primary)}"
    sentence = (
        f"With {quantity(scenarios, 'valid pair')}, the minimum detectable gap of {compared} at "
        f"{POWER} is at most {', '.join([none, *others])}"
    )
    if samples > 1:
        best = best_sampled_gap(smallest, samples)
        sentence += (
            f"; {samples} samples make it {ceil(best)} points at best, if they vary independently "
            "and none moves the other way, and change nothing if they are equal"
        )
    needed = [scenarios_needed(PLANNED_POINTS, back=back) for back in BACK_SHARES]
    one = " with one sample" if samples > 1 else ""
    return f"{sentence}; {PLANNED_POINTS:g} points need {needed[0]} to {needed[-1]} pairs{one}"


def p_text(p: float) -> str:
    """Return "p = 0.0075", "p < 0.001" or "p = 1.0"; never rounded across 0.05."""
    if p < 0.001:
        return "p < 0.001"
    if p >= 0.995:
        return "p = 1.0"
    is_significant = p <= SIGNIFICANCE_LEVEL
    digits = next(
        digits
        for digits in range(2, 18)
        if (float(f"{p:.{digits}g}") <= SIGNIFICANCE_LEVEL) == is_significant
    )
    return f"p = {p:.{digits}g}"
