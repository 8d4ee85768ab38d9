"""A Table: one model at one temperature under one judge, counted and compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from steertui.analysis.sentences import gap_sentence
from steertui.analysis.warnings import is_low_coverage, trial_warnings
from steertui.core.model import is_stand_in
from steertui.core.outcome import (
    Outcome,
    TrialCounts,
    count_trials,
    outcomes_by_category,
    outcomes_by_condition,
)
from steertui.core.verdict import Label
from steertui.stats.gap import Gap, condition_gap, label_transitions, paired_gap
from steertui.stats.over_categories import limits_over_categories
from steertui.stats.rate import (
    VALID_LABELS,
    Policy,
    Rate,
    ScenarioCounts,
    convergence_rate,
    nonsensical_rate,
    refusal_rate,
    scenario_counts,
)
from steertui.stats.significance import holm
from steertui.store import JudgeInfo, ModelSetting

PAPER_PAIRS = (
    ("pro", "anti"),
    ("pro", "baseline"),
    ("baseline", "anti"),
    ("pro", "placebo"),
    ("anti", "placebo"),
    ("baseline", "placebo"),
)
"""The gap and its parts (arXiv 2601.01584, section 3), each against the placebo too."""


TRANSITION_PAIRS = (("baseline", "pro"), ("baseline", "anti"), ("anti", "pro"))
"""Pairs of conditions between which labels are followed."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """One condition's counts and rates."""

    condition: str
    counts: TrialCounts
    convergence: Rate
    refusal: Rate
    nonsense: Rate

    @property
    def is_low_coverage(self) -> bool:
        """Whether the rates rest on too few verdicts; then they are marked."""
        return is_low_coverage(self.counts)


@dataclass(frozen=True, slots=True)
class GapResult:
    """Two sides compared, with the p value after Holm and the sentence that says it."""

    gap: Gap
    adjusted: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class CategoryGap:
    """One category's rows, and its headline gap; None without two conditions."""

    name: str
    rows: tuple[RateRow, ...]
    comparison: GapResult | None


@dataclass(frozen=True)
class Table:
    """One model at one temperature under one judge.

    Attributes:
        experiment: the id of the one it belongs to.
        judge: None where nobody has judged yet; then every label is missing.
        policy: which items make the convergence rates' denominator.
        rows: a condition each, in planned order.
        comparisons: the first is the headline; Holm's correction is over them all.
        warnings: signs of trouble, a sentence each.
        outcomes: what all this was counted from, in planned order.
        tag: its experiment, where another table is about the same model, temperature and judge.
    """

    experiment: str
    setting: ModelSetting
    judge: JudgeInfo | None
    policy: Policy
    rows: tuple[RateRow, ...]
    comparisons: tuple[GapResult, ...]
    warnings: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = field(repr=False, compare=False)
    tag: str = ""

    @property
    def is_stand_in(self) -> bool:
        """Whether the demo checkpoint wrote or judged the answers."""
        titles = [self.setting.title, self.judge.title if self.judge else ""]
        return any(map(is_stand_in, titles))

    @property
    def conditions(self) -> list[str]:
        """Their names, in planned order."""
        return [row.condition for row in self.rows]

    @cached_property
    def transitions(self) -> dict[tuple[str, str], tuple[tuple[int, ...], ...]]:
        """Label transitions (`label_transitions`) by the pairs of `TRANSITION_PAIRS` present."""
        here = {*self.conditions}
        pairs = [pair for pair in TRANSITION_PAIRS if here.issuperset(pair)] if self.judge else []
        return {pair: label_transitions(self.outcomes, *pair) for pair in pairs}

    @cached_property
    def categories(self) -> tuple[CategoryGap, ...]:
        """Each category by itself; Holm's correction is over all their headline gaps."""
        return _categories(self)

    @cached_property
    def over_categories(self) -> tuple[float, float] | None:
        """95 % limits of the headline gap, in points, over other categories of this kind."""
        if not self.comparisons:
            return None
        g, sides = self.comparisons[0].gap, convergence_counts(self.outcomes, self.policy)
        category = {o.scenario: o.category for o in self.outcomes}
        return limits_over_categories(sides[g.first], sides[g.second], category)


def make_table(
    experiment: str,
    setting: ModelSetting,
    judge: JudgeInfo | None,
    outcomes: Sequence[Outcome],
    policy: Policy,
) -> Table:
    """Return one table; `outcomes` are the arm's planned trials under the judge."""
    rows = _rows(outcomes, policy)
    compared = _compare(outcomes, policy) if judge else ()
    signs = tuple(trial_warnings(outcomes, policy)) if judge else ()
    return Table(experiment, setting, judge, policy, rows, compared, signs, tuple(outcomes))


def _rows(outcomes: Sequence[Outcome], policy: Policy) -> tuple[RateRow, ...]:
    return tuple(
        RateRow(
            name, count_trials(own), convergence_rate(own, policy), refusal_rate(own, policy),
            nonsensical_rate(own),
        )
        for name, own in outcomes_by_condition(outcomes).items()
    )  # fmt: skip


def convergence_counts(outcomes: Iterable[Outcome], policy: Policy) -> dict[str, ScenarioCounts]:
    """Return by condition what a gap is made of: each scenario's convergent and valid samples."""
    arms = outcomes_by_condition(outcomes)
    return {
        name: scenario_counts(own, Label.CONVERGENCE, VALID_LABELS[policy])
        for name, own in arms.items()
    }


def _compare(outcomes: Sequence[Outcome], policy: Policy) -> tuple[GapResult, ...]:
    planned = len({o.scenario for o in outcomes})
    sides = convergence_counts(outcomes, policy)
    gaps = [paired_gap(sides[one], sides[two], one, two) for one, two in compared_pairs([*sides])]
    tests = count_tests(gaps)
    thin = {name: _few_judged(name, own) for name, own in outcomes_by_condition(outcomes).items()}
    return tuple(
        GapResult(g, p, gap_sentence(g, planned, p, tests) + thin[g.first] + thin[g.second])
        for g, p in zip(gaps, holm_adjusted(gaps), strict=True)
    )


def _few_judged(name: str, outcomes: Sequence[Outcome]) -> str:
    seen = count_trials(outcomes)
    return (
        f"; under {name} {seen.judged} of {seen.planned} are judged"
        if is_low_coverage(seen)
        else ""
    )


def holm_adjusted(gaps: Sequence[Gap]) -> list[float | None]:
    """Return each gap's p after Holm over them all; None where there is one test, or none."""
    known = [g.p for g in gaps if g.p is not None]
    adjusted = iter(holm(known)) if len(known) > 1 else iter(())
    return [None if g.p is None else next(adjusted, None) for g in gaps]


def count_tests(gaps: Sequence[Gap]) -> int:
    """Return over how many tests `adjust` corrects."""
    return sum(g.p is not None for g in gaps)


def _categories(table: Table) -> tuple[CategoryGap, ...]:
    found = outcomes_by_category(table.outcomes)
    if not table.comparisons:
        return tuple(CategoryGap(n, _rows(own, table.policy), None) for n, own in found.items())
    head = table.comparisons[0].gap
    gaps = [condition_gap(own, head.first, head.second, table.policy) for own in found.values()]
    every = zip(found.items(), gaps, holm_adjusted(gaps), strict=True)
    return tuple(
        CategoryGap(
            name, _rows(own, table.policy),
            GapResult(g, p, gap_sentence(g, len({o.scenario for o in own}), p, count_tests(gaps))),
        )
        for (name, own), g, p in every
    )  # fmt: skip


def compared_pairs(conditions: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs to compare: the paper's first, then the user's own conditions'."""
    known = [pair for pair in PAPER_PAIRS if set(pair) <= set(conditions)]
    return known + [
        (one, two)
        for two, one in combinations(conditions, 2)
        if (one, two) not in known and (two, one) not in known
    ]
