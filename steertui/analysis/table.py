"""Tables: rates and paired gaps of one model at one temperature under one judge."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from steertui.analysis.arms import ArmResult
from steertui.analysis.condition_gaps import ConditionGaps, condition_gaps, convergence_counts
from steertui.analysis.groups import Groups
from steertui.analysis.hand_labels import LabelMix, label_mix
from steertui.analysis.judge_worth import JudgeWorth, Standing, worth_sentence, worth_words
from steertui.analysis.sentences import GapResult, contested, gap_result, withheld
from steertui.analysis.trial_warning import TrialWarning
from steertui.analysis.warnings import is_low_coverage, trial_warnings
from steertui.core.declared_analysis import DeclaredAnalysis, Pair
from steertui.core.model import is_stand_in
from steertui.core.outcome import (
    Outcome,
    TrialCounts,
    count_trials,
    outcomes_by_category,
    outcomes_by_condition,
)
from steertui.stats.families import Family, Role, family_tests, headline_contrast
from steertui.stats.gap import label_transitions
from steertui.stats.matched_pairs import PairedPosterior, paired_cells, paired_posterior
from steertui.stats.over_categories import CategoryLimits, limits_over_categories
from steertui.stats.rate import (
    Policy,
    Rate,
    ScenarioCounts,
    convergence_rate,
    nonsensical_rate,
    refusal_rate,
)
from steertui.stats.sensitivity import headline_counts
from steertui.stats.variance_split import VarianceSplit
from steertui.store import JudgeInfo, ModelSetting

TableKey = tuple[str, ModelSetting, str]
"""Experiment, model setting and judge id of a table."""

DEFAULT_ANALYSIS = DeclaredAnalysis()

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
    def valid(self) -> int:
        """Answers in the denominator of the convergence rate, which the policy chooses."""
        return self.convergence.total

    @property
    def is_low_coverage(self) -> bool:
        """Whether too few of the planned trials are judged; such rates are marked `*`."""
        return is_low_coverage(self.counts)


@dataclass(frozen=True, slots=True)
class RepeatedPrompt:
    """Two conditions with equal prompts and steering in all trials.

    Attributes:
        first: name of the condition that is planned first.
        second: name of the other one.
        answers: number of scenarios with both answers.
        unequal: number of these whose answers have different texts.
    """

    first: str
    second: str
    answers: int
    unequal: int


@dataclass(frozen=True, slots=True)
class CategoryGap:
    """Rates and primary gap of one category; no gap if its conditions are not shown.

    Attributes:
        posterior: of the gap over the scenarios valid under both conditions; None with several
            samples per scenario, or if nothing is concluded from the labels.
    """

    name: str
    rows: tuple[RateRow, ...]
    comparison: GapResult | None
    posterior: PairedPosterior | None = None

    @property
    def pairs(self) -> str:
        """Number of scenarios valid under both conditions of the gap; "" without a gap."""
        return str(self.comparison.gap.pairs) if self.comparison else ""


@dataclass(frozen=True)
class Table:
    """Results of one model at one temperature under one judge.

    Attributes:
        experiment: id of the experiment.
        setting: model and temperature.
        judge: None before any judgement; then no outcome has a label.
        policy: denominator of the convergence rates.
        rows: one per condition, in planned order.
        primary: the primary comparison; None without one, or if its conditions are not shown.
        secondary: the declared family; Holm over all of it, whether shown or not.
        exploratory: all other pairs of conditions; Holm over all pairs. Empty unless asked for.
        warnings: the gravest kinds first.
        outcomes: the planned trials, in planned order.
        tag: distinguishes tables with the same model name, temperature and judge, else "".
        worth: of the judge, on the control set; None if it was not measured.
        mix: of a person's labels, if rates cannot be read from them; None otherwise.
        primary_over_settings: p value of the primary comparison after Holm over all models and
            temperatures of the experiment under this judge; None without a test.
        groups: dose axes and contests.
        arms: gaps between arms of several wordings.
        split: of the variance of the primary gap, or of the gap of the arms that its conditions
            stand for (`compared_arms`); None if nothing is concluded on it.
        split_between: names of the two conditions or arms.
        repeated: greedy conditions with equal prompts and steering.
        category_rivals: by category, the judges of the same answers that contradict its gap.
    """

    experiment: str
    setting: ModelSetting
    judge: JudgeInfo | None
    policy: Policy
    rows: tuple[RateRow, ...]
    primary: GapResult | None
    secondary: tuple[GapResult, ...]
    exploratory: tuple[GapResult, ...]
    warnings: tuple[TrialWarning, ...]
    outcomes: tuple[Outcome, ...] = field(repr=False, compare=False)
    tag: str = ""
    worth: JudgeWorth | None = field(default=None, repr=False)
    mix: LabelMix | None = None
    primary_over_settings: float | None = None
    groups: Groups = field(default=Groups(), repr=False)
    arms: tuple[ArmResult, ...] = ()
    split: VarianceSplit | None = None
    split_between: tuple[str, str] = ("", "")
    repeated: tuple[RepeatedPrompt, ...] = ()
    category_rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> TableKey:
        """Experiment, model setting and id of the judge, "" without one."""
        return self.experiment, self.setting, self.judge.id if self.judge else ""

    @property
    def comparisons(self) -> tuple[GapResult, ...]:
        """The primary comparison, the declared family, the exploratory comparisons."""
        first = (self.primary,) if self.primary else ()
        return (*first, *self.secondary, *self.exploratory)

    @property
    def draws_headline(self) -> bool:
        """Whether the table's gaps may be interpreted.

        They may not if the judge is no better than chance, or a person labelled a mix of answers
        that is not that of all answers.
        """
        return self.mix is None and (self.worth is None or self.worth.draws_headline)

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
        return self.mix.sentence if self.mix else worth_sentence(self.judge, self.worth)

    @property
    def judge_words(self) -> str:
        """What the judge is worth in a few words; "" if there is nothing to say."""
        if not self.judge_sentence:
            return ""
        return self.mix.words if self.mix else worth_words(self.worth)

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
    def category_gaps(self) -> dict[str, GapResult]:
        """Primary gap by category, Holm over the categories; {} without a primary comparison."""
        return _category_gaps(self)

    @cached_property
    def categories(self) -> tuple[CategoryGap, ...]:
        """Results by category; Holm over the categories' primary comparisons."""
        return tuple(_categories(self))

    @cached_property
    def over_categories(self) -> CategoryLimits | None:
        """95 % limits of the primary gap over categories (`limits_over_categories`), in points."""
        if not self.primary:
            return None
        gap = self.primary.gap
        counts = convergence_counts(self.outcomes, self.policy)
        category = {outcome.scenario: outcome.category for outcome in self.outcomes}
        sides = headline_counts(counts[gap.first], counts[gap.second])
        return limits_over_categories(*sides, category)

    @property
    def ungrouped(self) -> "Table":
        """The table without the conditions that its dose axes and contests show."""
        covered = self.groups.covered
        if not covered:
            return self
        return self.only([name for name in self.conditions if name not in covered])

    def only(self, conditions: Collection[str]) -> "Table":
        """Return the table with these conditions alone; no p value, interval or verdict changes."""
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.condition in conditions),
            primary=next(iter(_within(conditions, [self.primary] if self.primary else [])), None),
            secondary=_within(conditions, self.secondary),
            exploratory=_within(conditions, self.exploratory),
            warnings=tuple(w for w in self.warnings if w.is_about(conditions)),
            outcomes=tuple(o for o in self.outcomes if o.condition in conditions),
            arms=tuple(arm for arm in self.arms if {*arm.conditions} <= {*conditions}),
            repeated=tuple(r for r in self.repeated if {r.first, r.second} <= {*conditions}),
        )


def _within(conditions: Collection[str], results: Iterable[GapResult]) -> tuple[GapResult, ...]:
    return tuple(r for r in results if {r.gap.first, r.gap.second} <= {*conditions})


def make_table(
    experiment: str,
    setting: ModelSetting,
    judge: JudgeInfo | None,
    outcomes: Sequence[Outcome],
    policy: Policy,
    *,
    worth: JudgeWorth | None = None,
    analysis: DeclaredAnalysis = DEFAULT_ANALYSIS,
    grouped: Collection[str] = (),
    is_exploring: bool = False,
) -> Table:
    """Return the table of the planned trials of a model setting under a judge of this worth.

    `grouped` are the conditions of dose axes and contests. `is_exploring` adds the pairs of
    conditions that the analysis does not declare.
    """
    comparisons = analysis.comparisons([*dict.fromkeys(o.condition for o in outcomes)], grouped)
    gaps = ConditionGaps()
    if judge:
        gaps = condition_gaps(outcomes, policy, comparisons, is_exploring=is_exploring)
    mix = label_mix(judge, setting, outcomes) if judge else None
    if mix or (worth and not worth.draws_headline):
        gaps = gaps.withheld()
    return Table(
        experiment=experiment,
        setting=setting,
        judge=judge,
        policy=policy,
        rows=_rate_rows(outcomes, policy),
        primary=gaps.primary,
        secondary=gaps.secondary,
        exploratory=gaps.exploratory,
        warnings=tuple(trial_warnings(outcomes, policy, comparisons.declared)) if judge else (),
        outcomes=tuple(outcomes),
        worth=worth,
        mix=mix,
    )


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


def _category_gaps(table: Table) -> dict[str, GapResult]:
    if not table.primary:
        return {}
    groups = outcomes_by_category(table.outcomes)
    one, two = pair = table.primary.gap.first, table.primary.gap.second
    counts = [convergence_counts(own, table.policy) for own in groups.values()]
    contrasts = [headline_contrast(own.get(one, {}), own.get(two, {}), one, two) for own in counts]
    tests = family_tests(contrasts, Family(Role.EXPLORATORY, len(contrasts), "categories"))
    results = {}
    for (name, own), contrast, test in zip(groups.items(), contrasts, tests, strict=True):
        planned = ({o.scenario for o in own if o.condition == side} for side in pair)
        result = gap_result(contrast, test, len(set.intersection(*planned)))
        if not table.draws_headline:
            result = withheld(result)
        if rivals := table.category_rivals.get(name):
            result = contested(result, rivals)
        results[name] = result
    return results


def _categories(table: Table) -> Iterator[CategoryGap]:
    for name, own in outcomes_by_category(table.outcomes).items():
        result = table.category_gaps.get(name)
        posterior = None
        if result and table.draws_headline:
            pair = result.gap.first, result.gap.second
            posterior = _posterior(convergence_counts(own, table.policy), pair)
        yield CategoryGap(name, _rate_rows(own, table.policy), result, posterior)


def _posterior(counts: Mapping[str, ScenarioCounts], pair: Pair) -> PairedPosterior | None:
    one, two = (counts.get(name, {}) for name in pair)
    cells = paired_cells(one, two)
    return paired_posterior(cells) if cells else None
