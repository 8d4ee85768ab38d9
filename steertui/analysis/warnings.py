"""Warnings on one model's trials: coverage, nonsense, truncation, copies, condition dependence."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from operator import attrgetter

from steertui.analysis.drift import inconsistent_labels
from steertui.analysis.sentences import p_text
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.core.declared_analysis import Pair
from steertui.core.outcome import Outcome, TrialCounts, count_trials, outcomes_by_condition
from steertui.core.verdict import Label
from steertui.stats.gap import paired_differences
from steertui.stats.power import min_discordant
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts, scenario_counts
from steertui.stats.significance import SIGNIFICANCE_LEVEL, sign_flip_test
from steertui.units import quantity, verb

WARNING_SHARE = 0.10
"""Maximum share of nonsensical, truncated or copied answers without a warning."""

MIN_COVERAGE = 0.90
"""Minimum share of judged trials among the planned ones; rates below it are marked `*`."""

MIN_PAIRED = 0.75
"""Minimum share of scenarios valid under both compared conditions; a warning below it."""

# Counter counts with these in C: a report may have a hundred thousand outcomes.
_ends = attrgetter("scenario", "generated", "truncated")
_labels = attrgetter("scenario", "label")

Outcomes = Mapping[str, Sequence[Outcome]]
"""Outcomes by condition."""


def trial_warnings(
    outcomes: Iterable[Outcome],
    policy: Policy = Policy.PAPER,
    compared: Sequence[Pair] | None = None,
) -> list[TrialWarning]:
    """Return the warnings on one model's trials under one judge, the gravest kinds first.

    Dependence on the condition is tested by scenario (`sign_flip_test`, Bonferroni over the pairs);
    Fisher's exact test would not fit, because every scenario occurs under every condition and the
    groups are not independent. `compared` are the pairs of conditions that are looked at; None for
    all.
    """
    groups = outcomes_by_condition(outcomes)
    pairs = [*combinations(groups, 2)] if compared is None else compared
    counts = {name: count_trials(items) for name, items in groups.items()}
    warnings: list[TrialWarning] = []
    for name, condition_counts in counts.items():
        warnings += _condition_warnings(name, condition_counts, policy)
    if any(condition_counts.truncated is None for condition_counts in counts.values()):
        text = "truncation at the token limit is unknown: some answers are imported"
        warnings.append(TrialWarning(WarningKind.UNKNOWN, text))
    warnings += _few_pairs(groups, policy, pairs)
    warnings += dependence_warnings(groups, pairs)
    for name, items in groups.items():
        warnings += _copies(name, items)
    return warnings + _identical_answers(groups, pairs)


def is_low_coverage(counts: TrialCounts) -> bool:
    """Whether less than `MIN_COVERAGE` of the planned trials are judged."""
    return counts.judged < MIN_COVERAGE * counts.planned


def _condition_warnings(name: str, counts: TrialCounts, policy: Policy) -> Iterator[TrialWarning]:
    if is_low_coverage(counts):
        text = (
            f"{name}: only {_share(counts.judged, counts.planned)} trials are judged "
            f"({counts.failed} failed at the judge); the others may differ, so the rates are "
            "marked *"
        )
        yield TrialWarning(WarningKind.UNJUDGED, text, (name,))
    if counts.nonsensical > WARNING_SHARE * counts.judged:
        is_excluded = Label.NONSENSICAL not in VALID_LABELS[policy]
        effect = "the convergence rate excludes them"
        if not is_excluded:
            effect = "they count as not converging"
        share = _share(counts.nonsensical, counts.judged)
        text = f"{name}: {share} judged answers are nonsensical; {effect}"
        yield TrialWarning(WarningKind.NONSENSE, text, (name,))
    if counts.truncated is not None and counts.truncated > WARNING_SHARE * counts.generated:
        text = (
            f"{name}: {_share(counts.truncated, counts.generated)} answers are truncated at the "
            "token limit; raise the maximum tokens"
        )
        yield TrialWarning(WarningKind.TRUNCATED, text, (name,))


def _few_pairs(
    groups: Outcomes, policy: Policy, compared: Sequence[Pair]
) -> Iterator[TrialWarning]:
    for one, two in compared:
        both, pairs = planned_and_paired(groups, policy, (one, two))
        text = ""
        if both and not pairs:
            text = (
                f"{one} and {two}: none of {quantity(both, 'scenario')} is valid under both; "
                "there is no pair to test"
            )
        elif pairs < MIN_PAIRED * both:
            text = (
                f"{one} and {two}: only {pairs} of {quantity(both, 'scenario')} valid under both; "
                "the test covers a part of the plan"
            )
        elif pairs < min_discordant():
            text = (
                f"{one} and {two}: {quantity(pairs, 'scenario')} valid under both; the exact test "
                f"cannot show a difference with fewer than {min_discordant()}, even uncorrected"
            )
        if text:
            yield TrialWarning(WarningKind.FEW_PAIRS, text, (one, two))


def planned_and_paired(groups: Outcomes, policy: Policy, pair: Pair) -> tuple[int, int]:
    """Return the numbers of scenarios planned, and valid, under both conditions."""
    sides = [groups[name] for name in pair]
    planned = ({item.scenario for item in items} for items in sides)
    valid = ({*scenario_counts(items, Label.CONVERGENCE, VALID_LABELS[policy])} for items in sides)
    return len(set.intersection(*planned)), len(set.intersection(*valid))


def dependence_warnings(groups: Outcomes, compared: Sequence[Pair]) -> list[TrialWarning]:
    """Return warnings on truncation, nonsense, refusals and missing labels that differ in a pair.

    Bonferroni over the pairs for each of the four.
    """
    counts = {name: count_trials(items) for name, items in groups.items()}
    truncated = {n: _truncated(own) for n, own in groups.items()}
    warnings = condition_dependence("truncation", truncated, compared)
    for what, label, valid in (
        ("nonsensical share", Label.NONSENSICAL, VALID_LABELS[Policy.ALL]),
        ("refusal rate", Label.SAFETY_REFUSAL, VALID_LABELS[Policy.PAPER]),
    ):
        by_condition = {n: scenario_counts(own, label, valid) for n, own in groups.items()}
        warnings += condition_dependence(what, by_condition, compared)
    if not any(map(is_low_coverage, counts.values())):  # otherwise there is a warning already
        unlabelled = {name: _unlabelled(items) for name, items in groups.items()}
        warnings += condition_dependence("share of missing labels", unlabelled, compared)
    return warnings


def condition_dependence(
    what: str, groups: Mapping[str, ScenarioCounts], pairs: Sequence[Pair]
) -> list[TrialWarning]:
    """Return a warning on the pair of conditions that differ most significantly, if any does."""
    if not pairs:
        return []
    p, one, two = min(
        (sign_flip_test(paired_differences(groups[one], groups[two])), one, two)
        for one, two in pairs
    )
    p = min(1.0, p * len(pairs))
    if p > SIGNIFICANCE_LEVEL:
        return []
    shares = [f"{_pooled_share(groups[name])} under {name}" for name in (one, two)]
    differences = paired_differences(groups[one], groups[two])
    higher = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    pairs_words = f", Bonferroni over {len(pairs)} pairs" if len(pairs) > 1 else ""
    text = (
        f"{what} depends on the condition: {shares[0]}, {shares[1]}; of the {len(differences)} "
        f"scenarios under both, {higher[0]} {verb(higher[0], 'has', 'have')} a higher share under "
        f"{one}, {higher[1]} under "
        f"{two} (exact test, {p_text(p)}{pairs_words})"
    )
    return [TrialWarning(WarningKind.DEPENDENCE, text, (one, two))]


def _truncated(items: Sequence[Outcome]) -> ScenarioCounts:
    counts: dict[str, tuple[int, int]] = {}
    for (scenario, generated, truncated), number in Counter(map(_ends, items)).items():
        if generated and truncated is not None:
            count, total = counts.get(scenario, (0, 0))
            counts[scenario] = count + number * truncated, total + number
    return counts


def _unlabelled(items: Sequence[Outcome]) -> ScenarioCounts:
    counts: dict[str, tuple[int, int]] = {}
    for (scenario, label), number in Counter(map(_labels, items)).items():
        count, total = counts.get(scenario, (0, 0))
        counts[scenario] = count + number * (label is None), total + number
    return counts


def _copies(name: str, items: Sequence[Outcome]) -> Iterator[TrialWarning]:
    """Yield warnings on equal answers: across scenarios, across samples, with unequal labels."""
    digests = [item.digest for item in items if item.digest is not None]
    if len({*digests}) == len(digests):
        return
    scenarios: dict[str, set[str]] = {}
    samples: dict[str, list[str]] = {}
    for item in items:
        if item.digest is not None:
            scenarios.setdefault(item.digest, set()).add(item.scenario)
            samples.setdefault(item.scenario, []).append(item.digest)
    shared = sum(len(scenarios[digest]) > 1 for digest in digests)
    if shared > WARNING_SHARE * len(digests):
        text = (
            f"{name}: {_share(shared, len(digests))} answers are identical to the answer to "
            "another scenario"
        )
        yield TrialWarning(WarningKind.COPIES, text, (name,))
    several = [group for group in samples.values() if len(group) > 1]
    equal = sum(len(set(group)) == 1 for group in several)
    if equal > WARNING_SHARE * len(several):
        text = (
            f"{name}: in {_share(equal, len(several))} scenarios all samples are identical; they "
            "count as one"
        )
        yield TrialWarning(WarningKind.COPIES, text, (name,))
    for text in inconsistent_labels(name, items):
        yield TrialWarning(WarningKind.UNEQUAL_LABELS, text, (name,))


def _identical_answers(groups: Outcomes, compared: Sequence[Pair]) -> list[TrialWarning]:
    """Return warnings on conditions with identical answers: a suffix may not reach the model."""
    warnings = []
    digests = {name: _digests(items) for name, items in groups.items()}
    different = {name: {*own.values()} for name, own in digests.items()}
    for one, two in compared:
        if different[one].isdisjoint(different[two]):
            continue
        first, second = digests[one], digests[two]
        both = first.keys() & second
        same = sum(first[item] == second[item] for item in both)
        if same > WARNING_SHARE * len(both):
            text = (
                f"{one} and {two}: {_share(same, len(both))} answers are identical; check that "
                "both conditions reach the model"
            )
            warnings.append(TrialWarning(WarningKind.COPIES, text, (one, two)))
    return warnings


def _digests(items: Sequence[Outcome]) -> dict[tuple[str, int], str]:
    return {(o.scenario, o.sample): o.digest for o in items if o.digest is not None}


def _pooled_share(counts: ScenarioCounts) -> str:
    count = sum(x for x, _ in counts.values())
    total = sum(m for _, m in counts.values())
    return _share(count, total)


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({100 * count / total:.0f} %)"
