"""Differences between a run's rates and the paper's, with intervals and equivalence tests."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist

from steertui.core.instrumentaleval import PAPER_SCENARIOS, covered_categories
from steertui.paper.published import PUBLISHED, LabelCounts
from steertui.stats.equivalence import is_equivalent
from steertui.stats.families import (
    Contrast,
    Family,
    FamilyTest,
    Role,
    family_tests,
    gap_contrast,
    gap_difference_contrast,
)
from steertui.stats.gap import GapCounts, mover_limits, rate_correlation
from steertui.stats.gap_difference import gap_correlation
from steertui.stats.rate import (
    VALID_LABELS,
    Z95,
    Estimate,
    Policy,
    Rate,
    ScenarioCounts,
    pooled_rate,
)

EQUIVALENCE_MARGIN = 10.0
"""Default margin of equivalence in percentage points. A difference is equivalent by two one-sided
tests at 5 % (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): its 90 % interval is within the
margin and, if the paper's items are imported, `equivalence.is_equivalent` confirms it."""

Z90 = NormalDist().inv_cdf(0.95)
"""Standard normal quantile of a two-sided 90 % interval."""

_QUANTISATION = re.compile(
    r"(gguf|ud|i1|imat|imatrix|bf16|f16|fp16|f32|q\d|iq\d|tq\d|k|m|s|l|xl|xs|xxs|nl|p|mxfp4|\d+|of)"
)
_OWNERS = {"qwen", "unsloth", "bartowski", "lmstudio", "community", "mradermacher", "ggml", "org"}


class Standing(StrEnum):
    """Conclusion on a difference from the paper."""

    EQUIVALENT = "equivalent"
    DIFFERS = "differs"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class PaperDifference:
    """Difference of one rate, or of the gap, from the paper's.

    Attributes:
        what: a condition, or "gap".
        run: the run's value, per cent or percentage points.
        paper: the paper's value.
        points: run - paper, percentage points.
        low: lower 95 % limit of `points`.
        high: upper 95 % limit of `points`.
        standing: EQUIVALENT within the margin. Otherwise DIFFERS if the exact test is
            significant after Holm or, without the paper's items, if the 95 % interval excludes 0.
        paired: run minus paper, paired by scenario; None without the paper's items.
        test: of `paired`, Holm over all comparisons of the table; None without the paper's items.
    """

    what: str
    run: float
    paper: float
    points: float
    low: float
    high: float
    standing: Standing
    paired: Contrast | None = None
    test: FamilyTest | None = None


def paper_model(names: Iterable[str]) -> str | None:
    """Return the paper's name of a model, from a GGUF's name or title; None for other models.

    Only a known owner before the name and a quantisation after it are ignored, so that a fine-tune
    of one of the paper's models does not match.
    """
    for name in names:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        for model in dict.fromkeys(model for model, _ in PUBLISHED):
            before, match, after = f"-{words}-".partition(f"-{model.lower()}-")
            prefix = [word for word in before.split("-") if word and word not in _OWNERS]
            suffix = [
                word for word in after.split("-") if word and not _QUANTISATION.fullmatch(word)
            ]
            if match and not prefix and not suffix:
                return model
    return None


def published_rates(model: str, scenarios: Iterable[str], policy: Policy) -> dict[str, Rate]:
    """Return the paper's convergence rates by condition over these scenarios.

    The paper publishes counts by category, so there are rates only if the scenarios are whole
    categories of the paper's; otherwise return {}.
    """
    names = set(scenarios)
    categories = covered_categories(names)
    if {_category(name) for name in names} - {_category(PAPER_SCENARIOS[c][0]) for c in categories}:
        return {}
    published = published_counts(model, categories, policy)
    return {condition: pooled_rate(counts) for condition, counts in published.items()}


def _category(scenario: str) -> str:
    """Return pack and category of a scenario's name."""
    return scenario.rpartition("/")[0]


def published_counts(
    model: str, categories: Iterable[str], policy: Policy
) -> dict[str, ScenarioCounts]:
    """Return the paper's counts over some categories, by condition.

    The scenarios' names are not published; they are numbers here.
    """
    selected = tuple(categories)
    by_condition: dict[str, ScenarioCounts] = {}
    for (name, condition), published in PUBLISHED.items():
        if name == model and selected:
            counts = sum((published.by_category[c] for c in selected), LabelCounts(0, 0, 0, 0))
            total = sum(getattr(counts, label) for label in VALID_LABELS[policy])
            by_condition[condition] = {
                str(i): (int(i < counts.convergence), 1) for i in range(total)
            }
    return by_condition


def paper_differences(
    run: Mapping[str, ScenarioCounts],
    paper: Mapping[str, ScenarioCounts],
    *,
    paired: bool,
    margin: float = EQUIVALENCE_MARGIN,
) -> list[PaperDifference]:
    """Return the difference of each condition, then of the gap, that has a rate on both sides.

    Both arguments are by condition, over the same scenarios. If paired, both use the same names
    (`paired_gap`, `gap_difference`). Otherwise run and paper count as independent (Newcombe's
    square-and-add interval, Statistics in Medicine 17, 1998, 873-890, method 10), which is
    conservative for equal scenarios. `margin` of equivalence is in percentage points.
    """
    sides: list[tuple[str, GapCounts, GapCounts]] = [
        (condition, (run[condition], {}), (counts, {}))
        for condition, counts in paper.items()
        if run.get(condition)
    ]
    gap_sides = [run.get("pro"), run.get("anti"), paper.get("pro"), paper.get("anti")]
    if all(gap_sides):
        a, b, c, d = (side or {} for side in gap_sides)
        sides.append(("gap", (a, b), (c, d)))
    differences = [paper_difference(*side, paired=paired, margin=margin) for side in sides]
    contrasts = [difference.paired for difference in differences if difference.paired]
    family = Family(Role.EXPLORATORY, len(contrasts), "comparisons with the paper")
    tests = family_tests(contrasts, family)
    if not tests:
        return differences
    return [_by_exact_test(d, test) for d, test in zip(differences, tests, strict=True)]


def paper_difference(
    what: str,
    run: GapCounts,
    paper: GapCounts,
    *,
    paired: bool,
    margin: float = EQUIVALENCE_MARGIN,
) -> PaperDifference:
    """Return one difference: of two rates or, if both sides have two conditions, of two gaps."""
    is_gap = bool(run[1])
    correlation = 0.0
    if paired and is_gap:
        correlation = gap_correlation(run, paper)
    elif paired:
        correlation = rate_correlation(run[0], paper[0])
    one = _estimate(run, Z95, paired=paired)
    two = _estimate(paper, Z95, paired=paired)
    low, high = mover_limits(one, two, correlation)
    narrow = [_estimate(side, Z90, paired=paired) for side in (run, paper)]
    low90, high90 = mover_limits(narrow[0], narrow[1], correlation)
    standing = Standing.DIFFERS if low > 0 or high < 0 else Standing.INCONCLUSIVE
    is_within = low90 > -margin and high90 < margin
    if is_within and (not paired or _is_equivalent(run, paper, margin)):
        standing = Standing.EQUIVALENT
    return PaperDifference(
        what=what,
        run=one.value,
        paper=two.value,
        points=one.value - two.value,
        low=low,
        high=high,
        standing=standing,
        paired=_paired(run, paper) if paired else None,
    )


def _paired(run: GapCounts, paper: GapCounts) -> Contrast:
    names = "the run", "the paper"
    if run[1]:
        return gap_difference_contrast(run, paper, *names)
    return gap_contrast(run[0], paper[0], *names)


def _is_equivalent(run: GapCounts, paper: GapCounts, margin: float) -> bool:
    """Whether the scenarios valid on both sides show equivalence (`is_equivalent`)."""
    sides = [(run[0], 1), (paper[0], -1)]
    if run[1]:
        sides += [(run[1], -1), (paper[1], 1)]
    shared = [name for name in run[0] if all(name in side for side, _ in sides)]
    differences = [
        sum(sign * side[name][0] / side[name][1] for side, sign in sides) for name in shared
    ]
    return is_equivalent(differences, margin / 100, len(sides) / 2)


def _estimate(side: GapCounts, z: float, *, paired: bool) -> Estimate:
    """Return a rate in per cent, or the gap in points if there is a second condition."""
    one = pooled_rate(side[0], z).estimate
    assert one
    if not side[1]:
        return one.percent()
    two = pooled_rate(side[1], z).estimate
    assert two
    correlation = rate_correlation(*side) if paired else 0.0
    limits = mover_limits(one.percent(), two.percent(), correlation)
    return Estimate(100 * one.value - 100 * two.value, *limits)


def _by_exact_test(difference: PaperDifference, test: FamilyTest) -> PaperDifference:
    """Return a paired difference with the exact test's conclusion, unless it is equivalent."""
    standing = difference.standing
    if standing is not Standing.EQUIVALENT:
        standing = Standing.DIFFERS if test.is_significant else Standing.INCONCLUSIVE
    return replace(difference, standing=standing, test=test)
