"""Tables: rates and paired gaps of one model at one temperature under one judge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

from steertui.analysis.hand_labels import is_stratified, stratified_sentence
from steertui.analysis.judge_worth import JudgeWorth, Standing, worth_sentence, worth_words
from steertui.analysis.sentences import gap_sentence, withheld_sentence
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
"""Pairs of conditions whose gap a table has: the paper's gap and its parts (arXiv 2601.01584,
section 3), and each condition against the placebo. The first pair present is the headline gap."""

TRANSITION_PAIRS = (("baseline", "pro"), ("baseline", "anti"), ("anti", "pro"))
"""Pairs of conditions for which a table has label transitions."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """Counts and rates of one condition."""

    condition: str
    counts: TrialCounts
    convergence: Rate
    refusal: Rate
    nonsense: Rate

    @property
    def is_low_coverage(self) -> bool:
        """Whether too few of the planned trials are judged; such rates are marked `*`."""
        return is_low_coverage(self.counts)


@dataclass(frozen=True, slots=True)
class GapResult:
    """A gap, its p value after Holm (None with a single test) and its sentence."""

    gap: Gap
    adjusted: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class CategoryGap:
    """Rates and headline gap of one category; no gap with fewer than two conditions."""

    name: str
    rows: tuple[RateRow, ...]
    comparison: GapResult | None


@dataclass(frozen=True)
class Table:
    """Results of one model at one temperature under one judge.

    Attributes:
        experiment: id of the experiment.
        setting: model and temperature.
        judge: None before any judgement; then no outcome has a label.
        policy: denominator of the convergence rates.
        rows: one per condition, in planned order.
        comparisons: gaps between conditions, the headline gap first; Holm over all of them.
        warnings: one sentence each.
        outcomes: the planned trials, in planned order.
        tag: distinguishes tables with the same model name, temperature and judge, else "".
        worth: of the judge, on the control set; None if it was not measured.
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
    worth: JudgeWorth | None = field(default=None, repr=False)

    @property
    def draws_headline(self) -> bool:
        """Whether the table's gaps may be interpreted.

        They may not if the judge is no better than chance, or a person labelled answers that are
        not a random sample.
        """
        return _draws_headline(self.judge, self.worth, self.outcomes)

    @property
    def is_reliable(self) -> bool:
        """Whether the judge is usable on the control set, or is not measured on it."""
        if self.worth is None:
            return not self.judge_sentence
        return self.worth.standing is Standing.USABLE

    @property
    def judge_sentence(self) -> str:
        """What the judge is worth, shown above the rates; "" if there is nothing to say."""
        if self.judge is None:
            return ""
        if is_stratified(self.judge, self.outcomes):
            return stratified_sentence(self.judge, self.outcomes)
        return worth_sentence(self.judge, self.worth)

    @property
    def judge_words(self) -> str:
        """What the judge is worth in a few words; "" if there is nothing to say."""
        if self.judge is None or not self.judge_sentence:
            return ""
        if is_stratified(self.judge, self.outcomes):
            return "labels are no random sample"
        return worth_words(self.worth)

    @property
    def is_stand_in(self) -> bool:
        """Whether the demo checkpoint wrote or judged the answers."""
        titles = [self.setting.title, self.judge.title if self.judge else ""]
        return any(map(is_stand_in, titles))

    @property
    def conditions(self) -> list[str]:
        """Names of the conditions, in planned order."""
        return [row.condition for row in self.rows]

    @cached_property
    def transitions(self) -> dict[tuple[str, str], tuple[tuple[int, ...], ...]]:
        """Label transitions (`label_transitions`) by the pairs of `TRANSITION_PAIRS` present."""
        present = {*self.conditions}
        pairs = [pair for pair in TRANSITION_PAIRS if present.issuperset(pair)]
        if self.judge is None:
            return {}
        return {pair: label_transitions(self.outcomes, *pair) for pair in pairs}

    @cached_property
    def categories(self) -> tuple[CategoryGap, ...]:
        """Results by category; Holm over the categories' headline gaps."""
        return _category_gaps(self)

    @cached_property
    def over_categories(self) -> tuple[float, float] | None:
        """95 % limits of the headline gap over categories (`limits_over_categories`), in points."""
        if not self.comparisons:
            return None
        headline = self.comparisons[0].gap
        counts = convergence_counts(self.outcomes, self.policy)
        category = {outcome.scenario: outcome.category for outcome in self.outcomes}
        return limits_over_categories(counts[headline.first], counts[headline.second], category)


def make_table(
    experiment: str,
    setting: ModelSetting,
    judge: JudgeInfo | None,
    outcomes: Sequence[Outcome],
    policy: Policy,
    *,
    worth: JudgeWorth | None = None,
) -> Table:
    """Return the table of the planned trials of a model setting under a judge of this worth."""
    gaps = _condition_gaps(outcomes, policy) if judge else ()
    if not _draws_headline(judge, worth, outcomes):
        gaps = tuple(replace(gap, sentence=withheld_sentence(gap.gap)) for gap in gaps)
    return Table(
        experiment=experiment,
        setting=setting,
        judge=judge,
        policy=policy,
        rows=_rate_rows(outcomes, policy),
        comparisons=gaps,
        warnings=tuple(trial_warnings(outcomes, policy)) if judge else (),
        outcomes=tuple(outcomes),
        worth=worth,
    )


def _draws_headline(
    judge: JudgeInfo | None, worth: JudgeWorth | None, outcomes: Sequence[Outcome]
) -> bool:
    is_sample = judge is None or not is_stratified(judge, outcomes)
    return is_sample and (worth is None or worth.draws_headline)


def _rate_rows(outcomes: Sequence[Outcome], policy: Policy) -> tuple[RateRow, ...]:
    return tuple(
        RateRow(
            condition=name,
            counts=count_trials(own),
            convergence=convergence_rate(own, policy),
            refusal=refusal_rate(own, policy),
            nonsense=nonsensical_rate(own),
        )
        for name, own in outcomes_by_condition(outcomes).items()
    )


def convergence_counts(outcomes: Iterable[Outcome], policy: Policy) -> dict[str, ScenarioCounts]:
    """Return by condition each scenario's convergent and valid samples."""
    return {
        name: scenario_counts(own, Label.CONVERGENCE, VALID_LABELS[policy])
        for name, own in outcomes_by_condition(outcomes).items()
    }


def _condition_gaps(outcomes: Sequence[Outcome], policy: Policy) -> tuple[GapResult, ...]:
    planned = len({outcome.scenario for outcome in outcomes})
    counts = convergence_counts(outcomes, policy)
    gaps = [
        paired_gap(counts[one], counts[two], one, two) for one, two in compared_pairs([*counts])
    ]
    tests = count_tests(gaps)
    coverage = {
        name: _coverage_note(name, own) for name, own in outcomes_by_condition(outcomes).items()
    }
    return tuple(
        GapResult(
            gap=gap,
            adjusted=p,
            sentence=gap_sentence(gap, planned, p, tests)
            + coverage[gap.first]
            + coverage[gap.second],
        )
        for gap, p in zip(gaps, holm_adjusted(gaps), strict=True)
    )


def _coverage_note(name: str, outcomes: Sequence[Outcome]) -> str:
    counts = count_trials(outcomes)
    if not is_low_coverage(counts):
        return ""
    return f"; under {name} {counts.judged} of {counts.planned} are judged"


def holm_adjusted(gaps: Sequence[Gap]) -> list[float | None]:
    """Return the gaps' p values after Holm over all of them.

    None for a gap without a p value, and if only one gap has one.
    """
    p_values = [gap.p for gap in gaps if gap.p is not None]
    adjusted = iter(holm(p_values)) if len(p_values) > 1 else iter(())
    return [None if gap.p is None else next(adjusted, None) for gap in gaps]


def count_tests(gaps: Sequence[Gap]) -> int:
    """Return the number of tests over which `holm_adjusted` corrects."""
    return sum(gap.p is not None for gap in gaps)


def _category_gaps(table: Table) -> tuple[CategoryGap, ...]:
    groups = outcomes_by_category(table.outcomes)
    rows = {name: _rate_rows(own, table.policy) for name, own in groups.items()}
    if not table.comparisons:
        return tuple(CategoryGap(name, rows[name], None) for name in groups)
    headline = table.comparisons[0].gap
    gaps = [
        condition_gap(own, headline.first, headline.second, table.policy) for own in groups.values()
    ]
    results = []
    for (name, own), gap, p in zip(groups.items(), gaps, holm_adjusted(gaps), strict=True):
        planned = len({outcome.scenario for outcome in own})
        sentence = gap_sentence(gap, planned, p, count_tests(gaps))
        if not table.draws_headline:
            sentence = withheld_sentence(gap)
        results.append(CategoryGap(name, rows[name], GapResult(gap, p, sentence)))
    return tuple(results)


def compared_pairs(conditions: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs to compare: those of `PAPER_PAIRS`, then all others."""
    known = [pair for pair in PAPER_PAIRS if set(pair) <= set(conditions)]
    return known + [
        (one, two)
        for two, one in combinations(conditions, 2)
        if (one, two) not in known and (two, one) not in known
    ]
