"""Planning from a pilot: moves against a gap, detectable gaps, widths of intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

from steertui.analysis.arms import Arms, compared_arms
from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.formatting import table_title
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.declared_analysis import Pair
from steertui.stats.agreement import clopper_pearson_interval
from steertui.stats.gap import shared_scenarios
from steertui.stats.power import (
    minimum_detectable_gap,
    scenarios_for_equivalence,
    scenarios_needed,
)
from steertui.stats.rate import Estimate, ScenarioCounts
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.stats.slope import mean_limits
from steertui.stats.variance_split import VarianceSplit
from steertui.units import quantity

MULTIPLES = (1, 2, 4, 8)
"""Numbers of scenarios and wordings, as multiples of the pilot's."""

MOST_BACK = 0.3
"""Largest share that moves in each direction for which equivalence is planned."""

TOO_MANY = 100_000
"""Number of scenarios from which on a plan is called out of reach."""


@dataclass(frozen=True, slots=True)
class PilotGap:
    """The primary comparison of one model in a pilot.

    Attributes:
        title: model, temperature and judge.
        pair: first minus second condition, turned so that the gap is not negative.
        points: gap over the pairs, percentage points.
        pairs: scenarios valid under both conditions.
        back: share of scenarios whose answer moves against the gap, 0 to 1, with 95 % limits.
        split: of the gap's variance; None if it is unknown.
        wordings: number of wordings of each side of the split.
        between: names of these sides: of the conditions, or of their arms.
        margin: declared margin of equivalence, percentage points, below 100.
    """

    title: str
    pair: Pair
    points: float
    pairs: int
    back: Estimate
    split: VarianceSplit | None
    wordings: tuple[int, int]
    between: Pair
    margin: float = 10.0


def pilot_gaps(summary: Summary, arms: Mapping[str, Arms]) -> Iterator[PilotGap]:
    """Yield the primary comparison of each shown table that draws a headline.

    `arms` has the arms of each experiment. Tables with fewer than `MIN_PAIRS` pairs
    are left out.
    """
    for table in summary.tables:
        if table.primary and table.draws_headline and table.primary.gap.pairs >= MIN_PAIRS:
            gap = table.primary.gap
            yield _pilot_gap(table, (gap.first, gap.second), arms.get(table.experiment, {}))


def _pilot_gap(table: Table, pair: Pair, arms: Arms) -> PilotGap:
    counts = convergence_counts(table.outcomes, table.policy)
    one, two = shared_scenarios(counts[pair[0]], counts[pair[1]])
    points = 100 * _mean_share(one) - 100 * _mean_share(two)
    if points < 0:
        pair, points, one, two = (pair[1], pair[0]), -points, two, one
    (first, some), (second, others) = compared_arms(pair, arms)
    return PilotGap(
        title=table_title(table),
        pair=pair,
        points=points,
        pairs=len(one),
        back=back_share(one, two),
        split=table.split,
        wordings=(len(some), len(others)),
        between=(first, second),
        margin=_margin(table),
    )


def _margin(table: Table) -> float:
    equivalence = table.primary.equivalence if table.primary else None
    return min(equivalence.margin, 99.0) if equivalence else 10.0


def _mean_share(counts: ScenarioCounts) -> float:
    return sum(x / m for x, m in counts.values()) / len(counts)


def back_share(one: ScenarioCounts, two: ScenarioCounts) -> Estimate:
    """Return the share of scenarios that converge only under the second condition, 0 to 1.

    With one sample per scenario it is a share of scenarios, with Clopper and Pearson's exact 95 %
    limits. With several it is the mean probability that one answer of each condition would do so,
    with the limits of a mean over scenarios (`mean_limits`). Both sides have the same scenarios.
    """
    values = [two[name][0] / two[name][1] * (1 - x / m) for name, (x, m) in one.items()]
    mean = sum(values) / len(values)
    if all(m == 1 for side in (one, two) for _, m in side.values()):
        return Estimate(mean, *clopper_pearson_interval(round(sum(values)), len(values)))
    low, high = mean_limits(values, 1.0)
    return Estimate(mean, max(0.0, low), min(1.0, high))


def pilot_sentence(pilot: PilotGap) -> str:
    """Return one sentence on the gap of a pilot and what moved against it, without a full stop."""
    value, low, high = pilot.back.percent()
    first, second = pilot.pair
    return (
        f"{first} − {second} is {pilot.points:+.1f} points over {quantity(pilot.pairs, 'pair')}; "
        f"{value:.1f} % of the scenarios move against it (95 % interval {low:.1f} to {high:.1f} %)"
    )


GAP_COLUMNS = ("at the lower limit", "at the estimate", "at the upper limit")
"""Headings of `detectable_rows`, after the number of scenarios: share that moves against a gap."""


def detectable_rows(pilot: PilotGap, sizes: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Yield the minimum detectable gap with 80 % power by number of scenarios."""
    shares = pilot.back.low, pilot.back.value, pilot.back.high
    for size in sizes or [multiple * pilot.pairs for multiple in MULTIPLES]:
        gaps = [minimum_detectable_gap(size, back=min(share, 0.5)) for share in shares]
        yield (str(size), *("none" if gap is None else f"{ceil(gap)}" for gap in gaps))


def needed_row(pilot: PilotGap, points: float) -> tuple[str, ...]:
    """Return the scenarios that a gap of `points` needs, in the columns of `detectable_rows`."""
    shares = pilot.back.low, pilot.back.value, pilot.back.high
    return (f"for {points:g} points", *(_needed(points, share) for share in shares))


def _needed(points: float, back: float) -> str:
    if points > 100 * (1 - 2 * back):
        return "none"
    return f"{scenarios_needed(points, back=back):,} scenarios"


def equivalence_row(pilot: PilotGap) -> tuple[str, ...]:
    """Return the scenarios that equivalence needs without a gap, as `needed_row`."""
    shares = pilot.back.low, pilot.back.value, pilot.back.high
    needed = (
        f"{scenarios_for_equivalence(pilot.margin, back=share):,} scenarios"
        if share <= MOST_BACK
        else "–"
        for share in shares
    )
    return (f"equivalence ±{pilot.margin:g}", *needed)


def expected_width(pilot: PilotGap, scenarios: float, wordings: float) -> float | None:
    """Return the expected width of the gap's 95 % interval, percentage points.

    Args:
        pilot: with a variance split.
        scenarios: their number as a multiple of the pilot's.
        wordings: of the arms that have several, as a multiple of the pilot's.

    Two normal quantiles times the standard error that the split predicts under this judge; with
    several wordings Student's, with the degrees of freedom of the wordings. None without a split.
    """
    if pilot.split is None:
        return None
    variance = pilot.split.variance_with(scenarios=scenarios, wordings=wordings, judges=inf)
    freedom = sum(number * wordings - 1 for number in pilot.wordings if number > 1)
    between = (pilot.split.wordings or 0.0) / wordings
    return 2 * _quantile(freedom, between / variance if variance else 0.0) * sqrt(variance)


def _quantile(freedom: float, share: float) -> float:
    """Return the 97.5 % quantile of an error of which wordings make this share (Satterthwaite)."""
    if not share or not freedom:
        return NormalDist().inv_cdf(0.975)
    from scipy.special import stdtrit

    return float(stdtrit(max(1.0, freedom / share**2), 0.975))


def width_rows(pilot: PilotGap) -> Iterator[tuple[str, ...]]:
    """Yield the expected width by multiples of wordings (rows) and of scenarios (columns)."""
    several = max(pilot.wordings) > 1
    for wordings in MULTIPLES if several else MULTIPLES[:1]:
        widths = [expected_width(pilot, multiple, wordings) for multiple in MULTIPLES]
        if any(width is None for width in widths):
            return
        names = " and ".join(str(n * wordings if n > 1 else n) for n in pilot.wordings)
        yield (names, *(f"{width:.0f}" for width in widths if width is not None))


def width_columns(pilot: PilotGap) -> tuple[str, ...]:
    """Return the headings of `width_rows`, after the number of wordings."""
    return tuple(f"{multiple * pilot.pairs} scenarios" for multiple in MULTIPLES)


def width_sentence(pilot: PilotGap, width: float) -> str:
    """Return which numbers reach a width of the interval, without a full stop; "" if unknown."""
    if expected_width(pilot, 1, 1) is None:
        return ""
    reached = [_scenarios_for(pilot, width, wordings) for wordings in MULTIPLES]
    parts = [
        f"{size:,} scenarios with {wordings_text(pilot, wordings)}"
        for size, wordings in zip(reached, MULTIPLES, strict=True)
        if size is not None
    ]
    if max(pilot.wordings) == 1:
        parts = parts[:1]
    if not parts:
        most = wordings_text(pilot, MULTIPLES[-1])
        return f"A width of {width:g} points is out of reach with {most} or fewer"
    return f"An interval {width:g} points wide is expected from {', or '.join(parts)}"


def wordings_text(pilot: PilotGap, multiple: int) -> str:
    """Return "6 wordings of pro and 4 of anti", for a multiple of the pilot's."""
    first, second = (n * multiple if n > 1 else n for n in pilot.wordings)
    noun = "wording" if first == 1 else "wordings"
    return f"{first} {noun} of {pilot.between[0]} and {second} of {pilot.between[1]}"


def _scenarios_for(pilot: PilotGap, width: float, wordings: int) -> int | None:
    """Return the number of scenarios whose expected width is at most `width`; None if too many."""

    def is_wide(size: int) -> bool:
        expected = expected_width(pilot, size / pilot.pairs, wordings)
        return expected is None or expected > width

    if is_wide(TOO_MANY):
        return None
    low, high = 0, TOO_MANY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_wide(middle) else (low, middle)
    return high
