"""Sentences: comparisons in words that claim no more than the data carry, and signs of trouble."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import ceil

from steertui.gap import FEWEST, LEVEL, Gap, scenarios_for, shifts, sign_flip, smallest_gap
from steertui.rate import VALID, Cells, Ledger, Outcome, Policy, cells, ledger
from steertui.verdict import Label

MANY = 0.10
"""Share of nonsensical or truncated answers from which a condition is in trouble."""

COVERAGE = 0.90
"""Share of the planned trials that should be judged."""

PAIRED = 0.75
"""Share of the scenarios that should be valid under both conditions of a comparison."""


def gap_sentence(gap: Gap, planned_scenarios: int, adjusted: float | None = None) -> str:
    """Say what a gap shows, and no more; one sentence, no full stop.

    The exact test decides, at 5 %; `adjusted` is its p after Holm, and then decides.
    """
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.low is None or gap.high is None:
        return f"{names} cannot be compared: no valid answer under at least one of them"
    size = f"{gap.points:+.1f} points (95 % interval {gap.low:+.1f} to {gap.high:+.1f})"
    if gap.p is None:
        return f"{names} cannot be tested: no scenario is valid under both; difference {size}"
    p = gap.p if adjusted is None else adjusted
    holm = "" if adjusted is None else " after Holm"
    kind = "discordant" if gap.samples == 1 else "scenarios converge more often, sign-flip"
    counts = f"{gap.only_first} against {gap.only_second} {kind}, {p_text(p)}{holm}"
    if p <= LEVEL:
        said = f"{_direction(gap)}: {size}; {counts}"
    else:
        said = f"{names} are not distinguishable: {counts}; difference {size}; {_least(gap)}"
    if (p <= LEVEL) != (gap.low > 0 or gap.high < 0):
        said += f"; interval and test disagree, and the test, over {gap.pairs} pairs, decides"
    if gap.pairs < planned_scenarios:
        said += f"; only {gap.pairs} of {planned_scenarios} scenarios are valid under both"
    return said


def _direction(gap: Gap) -> str:
    assert gap.points is not None
    if gap.points * (gap.only_first - gap.only_second) <= 0:
        return (
            f"{gap.first} and {gap.second} differ, but rates and pairs point different ways, so "
            "the direction is not shown"
        )
    more, less = (gap.first, gap.second) if gap.points > 0 else (gap.second, gap.first)
    return f"{more} converges more than {less}"


def _least(gap: Gap) -> str:
    least = smallest_gap(gap.pairs)
    if least is None:
        return f"with {_count(gap.pairs, 'pair')} no difference could show ({FEWEST} is the least)"
    points = f"{ceil(least)} points is"
    if gap.samples > 1:  # between independent samples and copies; see smallest_gap_sentence
        points = (
            f"{ceil(smallest_gap(gap.pairs * gap.samples) or least)} to {ceil(least)} points is"
        )
    return f"with {gap.pairs} pairs, {points} the least that could show"


def smallest_gap_sentence(scenarios: int, samples: int = 1) -> str:
    """Say before a run the smallest gap it can show, and what half of it would need.

    "Show" is 80 % power of the exact test in the best case (`gap.smallest_gap`). Samples of a
    scenario lie between copies (worth one) and independent (worth a scenario each).
    """
    least = smallest_gap(scenarios)
    if least is None:
        return (
            f"With {_count(scenarios, 'scenario')} no gap is sure to show, however large: "
            f"plan at least {FEWEST}"
        )
    half = ceil(least) / 2
    said = f"With {scenarios} scenarios, {ceil(least)} points is the smallest gap that can show"
    if samples > 1:
        best = smallest_gap(scenarios * samples) or least
        said += (
            f"; {samples} samples each bring that to {ceil(best)} points at best, if the samples "
            "of a scenario differ as much as scenarios do, and change nothing if they are alike"
        )
    return f"{said}; a gap of {half:g} points needs at least {scenarios_for(half)} scenarios"


def p_text(p: float) -> str:
    """Return "p = 0.0075", "p < 0.001" or "p = 1.0"; never rounded across 0.05."""
    if p < 0.001:
        return "p < 0.001"
    if p >= 0.995:
        return "p = 1.0"
    digits = next(d for d in range(2, 18) if (float(f"{p:.{d}g}") <= LEVEL) == (p <= LEVEL))
    return f"p = {p:.{digits}g}"


def warnings(outcomes: Iterable[Outcome]) -> list[str]:
    """Return signs of trouble in one model's trials under one judge, worst kinds first.

    What goes with the condition is tested scenario by scenario (`gap.sign_flip`: every scenario
    meets every condition, so Fisher's test for independent groups would not fit), Bonferroni
    over the pairs of conditions.
    """
    arms: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        arms.setdefault(outcome.condition, []).append(outcome)
    found = []
    for name, items in arms.items():
        found += _of_one(name, ledger(items))
    found += _few_pairs(arms)
    found += _moving("truncation", {name: _truncated(items) for name, items in arms.items()})
    for what, label, valid in (
        ("nonsense", Label.NONSENSICAL, VALID[Policy.ALL]),
        ("refusal", Label.SAFETY_REFUSAL, VALID[Policy.PAPER]),
    ):
        found += _moving(what, {name: cells(items, label, valid) for name, items in arms.items()})
    return found


def _of_one(name: str, seen: Ledger) -> list[str]:
    said = []
    if seen.judged < COVERAGE * seen.planned:
        said.append(
            f"{name}: only {_share(seen.judged, seen.planned)} trials are judged "
            f"({seen.failed} failed at the judge); the rest may differ from them"
        )
    if seen.nonsensical > MANY * seen.judged:
        said.append(
            f"{name}: {_share(seen.nonsensical, seen.judged)} judged answers are nonsensical; "
            "the convergence rate leaves them out"
        )
    if seen.truncated > MANY * seen.generated:
        said.append(
            f"{name}: {_share(seen.truncated, seen.generated)} answers are cut off at the token "
            "limit; allow more tokens"
        )
    return said


def _few_pairs(arms: dict[str, list[Outcome]]) -> list[str]:
    valid = {
        name: cells(items, Label.CONVERGENCE, VALID[Policy.PAPER]).keys()
        for name, items in arms.items()
    }
    planned = {name: {item.scenario for item in items} for name, items in arms.items()}
    said = []
    for one, two in combinations(arms, 2):
        pairs, both = len(valid[one] & valid[two]), len(planned[one] & planned[two])
        if pairs < PAIRED * both or pairs < FEWEST:
            said.append(
                f"{one} and {two}: only {pairs} of {_count(both, 'scenario')} valid under both; "
                "what is compared is not what was planned"
            )
    return said


def _truncated(items: Sequence[Outcome]) -> Cells:
    found: dict[str, tuple[int, int]] = {}
    for item in items:
        if item.generated:
            count, total = found.get(item.scenario, (0, 0))
            found[item.scenario] = count + item.truncated, total + 1
    return found


def _moving(what: str, arms: dict[str, Cells]) -> list[str]:
    """Name the pair of conditions between which `what` differs most surely, if any does."""
    pairs = list(combinations(arms, 2))
    tested = [(sign_flip(shifts(arms[one], arms[two])), one, two) for one, two in pairs]
    if not tested:
        return []
    p, one, two = min(tested)
    p = min(1.0, p * len(pairs))
    if p > LEVEL:
        return []
    counts = [
        f"{_share(sum(x for x, _ in arms[name].values()), sum(m for _, m in arms[name].values()))} "
        f"under {name}"
        for name in (one, two)
    ]
    return [f"{what} goes with the condition: {counts[0]}, {counts[1]} ({p_text(p)})"]


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({100 * count / total:.0f} %)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
