"""Fidelity: a run's rates beside the paper's, with what can be said of their difference."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist

from steertui.core.instrumentaleval import RAN, covered
from steertui.paper.published import PUBLISHED, Counts
from steertui.stats.equivalence import is_equivalent
from steertui.stats.gap import Gap, mover_limits, paired_gap, rate_correlation
from steertui.stats.gap_difference import GapCounts, gap_correlation, gap_difference
from steertui.stats.rate import (
    VALID_LABELS,
    Z95,
    Estimate,
    Policy,
    Rate,
    ScenarioCounts,
    pooled_rate,
)
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm

BAND = 10.0
"""Points: a run that is shown to lie within this band around the paper is called equivalent (two
one-sided tests at 5 %, Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): its 90 % interval does,
and where the paper's own items are at hand, `equivalence.is_equivalent` says so too."""

Z90 = NormalDist().inv_cdf(0.95)

_QUANTISATION = re.compile(
    r"(gguf|ud|i1|imat|imatrix|bf16|f16|fp16|f32|q\d|iq\d|tq\d|k|m|s|l|xl|xs|xxs|nl|p|mxfp4|\d+|of)"
)
_OWNERS = {"qwen", "unsloth", "bartowski", "lmstudio", "community", "mradermacher", "ggml", "org"}


class Standing(StrEnum):
    """What the data say of a difference from the paper."""

    EQUIVALENT = "equivalent"
    DIFFERS = "differs"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class PaperDifference:
    """One rate, or the gap, beside the paper's.

    Attributes:
        what: a condition, or "gap".
        run: the run's value, percent or points.
        paper: the paper's.
        points: run minus paper.
        low: lower 95 % limit of it.
        high: upper 95 % limit.
        standing: EQUIVALENT within `BAND`, else DIFFERS: by the exact test after Holm where the
            paper's own items are at hand, otherwise where the 95 % interval leaves 0 out.
        paired: run against paper scenario by scenario; None without the paper's items.
        adjusted: its p after Holm over all that one table compares.
    """

    what: str
    run: float
    paper: float
    points: float
    low: float
    high: float
    standing: Standing
    paired: Gap | None = None
    adjusted: float | None = None


def paper_model(names: Iterable[str]) -> str | None:
    """Return the paper's name of a model that a GGUF's name or title names; None for any other.

    Only an owner before and a quantisation after the name are passed over, so that a fine-tune of
    one of the paper's models is not taken for it.
    """
    for name in names:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        for model in dict.fromkeys(model for model, _ in PUBLISHED):
            before, found, after = f"-{words}-".partition(f"-{model.lower()}-")
            others = [w for w in before.split("-") if w and w not in _OWNERS]
            rest = [w for w in after.split("-") if w and not _QUANTISATION.fullmatch(w)]
            if found and not others and not rest:
                return model
    return None


def published_rates(model: str, scenarios: Iterable[str], policy: Policy) -> dict[str, Rate]:
    """Return the paper's convergence rates by condition, with Wilson's intervals, to stand beside
    rates over these scenarios.

    The paper's counts are published by category: they are added up where the scenarios are whole
    categories of it. None else, for a rate over other scenarios is another rate.
    """
    names = set(scenarios)
    categories = covered(names)
    if {_category(name) for name in names} - {_category(RAN[c][0]) for c in categories}:
        return {}
    return {
        name: pooled_rate(cells)
        for name, cells in published_cells(model, categories, policy).items()
    }


def _category(scenario: str) -> str:
    """Return pack and category as a scenario's name holds them."""
    return scenario.rpartition("/")[0]


def published_cells(
    model: str, categories: Iterable[str], policy: Policy
) -> dict[str, ScenarioCounts]:
    """Return the counts over some categories, by condition, as items whose names nobody knows."""
    inside = tuple(categories)
    found: dict[str, ScenarioCounts] = {}
    for (name, condition), published in PUBLISHED.items():
        if name == model and inside:
            counts = sum((published.by_category[c] for c in inside), Counts(0, 0, 0, 0))
            total = sum(getattr(counts, label) for label in VALID_LABELS[policy])
            found[condition] = {str(i): (int(i < counts.convergence), 1) for i in range(total)}
    return found


def paper_differences(
    run: Mapping[str, ScenarioCounts], paper: Mapping[str, ScenarioCounts], *, paired: bool
) -> list[PaperDifference]:
    """Return each condition's deviation, then the gap's, where both sides have a rate.

    Both sides are over the same scenarios, by condition. Paired, they bear the same names on both
    (`gap.gap_of`, `contrast.gap_contrast`). Else run and paper count as independent: Newcombe's
    square-and-add (Statistics in Medicine 17, 1998, 873-890, method 10), which for the same
    scenarios is too wide, not too narrow.
    """
    sides: list[tuple[str, GapCounts, GapCounts]] = [
        (c, (run[c], {}), (own, {})) for c, own in paper.items() if run.get(c)
    ]
    gap = [run.get("pro"), run.get("anti"), paper.get("pro"), paper.get("anti")]
    if all(gap):
        a, b, c, d = (side or {} for side in gap)
        sides.append(("gap", (a, b), (c, d)))
    found = [_deviation(*side, paired=paired) for side in sides]
    tested = [d for d in found if d.paired and d.paired.p is not None]
    ps = holm([d.paired.p for d in tested if d.paired and d.paired.p is not None])
    after = {d.what: p for d, p in zip(tested, ps, strict=True)}
    return [_decided(d, after.get(d.what)) if d.paired else d for d in found]


def _deviation(what: str, run: GapCounts, paper: GapCounts, *, paired: bool) -> PaperDifference:
    """Return one deviation; where each side has a second condition, of the two gaps."""
    is_gap, rho = bool(run[1]), 0.0
    if paired:
        rho = gap_correlation(run, paper) if is_gap else rate_correlation(run[0], paper[0])
    one, two = (_estimate(side, Z95, paired=paired) for side in (run, paper))
    low, high = mover_limits(one, two, rho)
    narrow = [_estimate(side, Z90, paired=paired) for side in (run, paper)]
    low90, high90 = mover_limits(narrow[0], narrow[1], rho)
    standing = Standing.DIFFERS if low > 0 or high < 0 else Standing.OPEN
    if low90 > -BAND and high90 < BAND and (not paired or _are_close(run, paper)):
        standing = Standing.EQUIVALENT
    names = "the run", "the paper"
    test = gap_difference(run, paper, *names) if is_gap else paired_gap(run[0], paper[0], *names)
    return PaperDifference(
        what, one[0], two[0], one[0] - two[0], low, high, standing, test if paired else None
    )


def _are_close(run: GapCounts, paper: GapCounts) -> bool:
    """Whether the scenarios valid on both sides show that run and paper are equivalent."""
    sides = [(run[0], 1), (paper[0], -1)]
    if run[1]:
        sides += [(run[1], -1), (paper[1], 1)]
    shared = [name for name in run[0] if all(name in side for side, _ in sides)]
    apart = [sum(sign * side[n][0] / side[n][1] for side, sign in sides) for n in shared]
    return is_equivalent(apart, BAND / 100, len(sides) / 2)


def _estimate(side: GapCounts, z: float, *, paired: bool) -> Estimate:
    """Return a rate, or a gap where there is a second condition, with limits in per cent."""
    one = pooled_rate(side[0], z).estimate
    assert one
    if not side[1]:
        return one.percent()
    two = pooled_rate(side[1], z).estimate
    assert two
    correlation = rate_correlation(*side) if paired else 0.0
    limits = mover_limits(one.percent(), two.percent(), correlation)
    return Estimate(100 * one.value - 100 * two.value, *limits)


def _decided(found: PaperDifference, adjusted: float | None) -> PaperDifference:
    """Let the exact test say whether a paired deviation is one."""
    standing = found.standing
    if standing is not Standing.EQUIVALENT:
        differs = adjusted is not None and adjusted <= SIGNIFICANCE_LEVEL
        standing = Standing.DIFFERS if differs else Standing.OPEN
    return replace(found, standing=standing, adjusted=adjusted)
