"""Trouble: what in the data should make a reader careful, said by itself."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from steertui.analysis.drift import inconsistent_labels
from steertui.analysis.sentences import p_text, quantity
from steertui.core.outcome import Outcome, TrialCounts, count_trials, outcomes_by_condition
from steertui.core.verdict import Label
from steertui.stats.gap import paired_differences
from steertui.stats.power import min_discordant
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts, scenario_counts
from steertui.stats.significance import SIGNIFICANCE_LEVEL, sign_flip_test

WARNING_SHARE = 0.10
"""Share of nonsensical or truncated answers from which a condition is in trouble."""

MIN_COVERAGE = 0.90
"""Share of the planned trials that should be judged; rates that rest on fewer are marked."""

MIN_PAIRED = 0.75
"""Share of the scenarios that should be valid under both conditions of a comparison."""


def trial_warnings(outcomes: Iterable[Outcome], policy: Policy = Policy.PAPER) -> list[str]:
    """Return signs of trouble in one model's trials under one judge, worst kinds first.

    What goes with the condition is tested scenario by scenario (`gap.sign_flip`: every scenario
    meets every condition, so Fisher's test for independent groups would not fit), Bonferroni
    over the pairs of conditions.
    """
    arms = outcomes_by_condition(outcomes)
    found: list[str] = []
    ledgers = {name: count_trials(items) for name, items in arms.items()}
    for name, seen in ledgers.items():
        found += _of_one(name, seen, policy)
    if any(seen.truncated is None for seen in ledgers.values()):
        found.append(
            "nobody knows which answers were cut off at the token limit: they are imported"
        )
    found += _few_pairs(arms, policy)
    found += _condition_dependence(
        "truncation", {name: _truncated(items) for name, items in arms.items()}
    )
    for what, label, valid in (
        ("nonsense", Label.NONSENSICAL, VALID_LABELS[Policy.ALL]),
        ("refusal", Label.SAFETY_REFUSAL, VALID_LABELS[Policy.PAPER]),
    ):
        found += _condition_dependence(
            what, {name: scenario_counts(items, label, valid) for name, items in arms.items()}
        )
    if not any(is_low_coverage(seen) for seen in ledgers.values()):  # which is told already
        found += _condition_dependence(
            "lack of a label", {n: _unlabelled(items) for n, items in arms.items()}
        )
    for name, items in arms.items():
        found += _copies(name, items)
    return found + _identical_answers(arms)


def is_low_coverage(seen: TrialCounts) -> bool:
    """Whether rates rest on too few verdicts."""
    return seen.judged < MIN_COVERAGE * seen.planned


def _copies(name: str, items: Sequence[Outcome]) -> list[str]:
    """Say where answers to different scenarios, or all samples of one, are the same text."""
    texts = [item.digest for item in items if item.digest is not None]
    if len({*texts}) == len(texts):
        return []  # by far the most usual, and soon seen
    asked: dict[str, set[str]] = {}
    drawn: dict[str, list[str]] = {}
    for item in items:
        if item.digest is not None:
            asked.setdefault(item.digest, set()).add(item.scenario)
            drawn.setdefault(item.scenario, []).append(item.digest)
    said = []
    read = [d for texts in drawn.values() for d in texts]
    shared = sum(len(asked[digest]) > 1 for digest in read)
    if shared > WARNING_SHARE * len(read):
        said.append(
            f"{name}: {_share(shared, len(read))} answers are word for word the answer to another "
            "scenario, too"
        )
    several = [texts for texts in drawn.values() if len(texts) > 1]
    alike = sum(len(set(texts)) == 1 for texts in several)
    if alike > WARNING_SHARE * len(several):
        said.append(
            f"{name}: in {_share(alike, len(several))} scenarios all samples are one text; such "
            "samples are worth one"
        )
    return said + inconsistent_labels(name, items)


def _identical_answers(arms: dict[str, list[Outcome]]) -> list[str]:
    """Say where two conditions got the same texts, so that the suffix may not have arrived."""
    said = []
    every = {name: {item.digest for item in items} - {None} for name, items in arms.items()}
    for one, two in combinations(arms, 2):
        if not every[one] & every[two]:
            continue
        first, second = _texts(arms[one]), _texts(arms[two])
        both = first.keys() & second
        same = sum(first[item] == second[item] for item in both)
        if same > WARNING_SHARE * len(both):
            said.append(
                f"{one} and {two}: {_share(same, len(both))} answers are the same text; see "
                "whether both suffixes reach the model"
            )
    return said


def _of_one(name: str, seen: TrialCounts, policy: Policy) -> list[str]:
    said = []
    if is_low_coverage(seen):
        said.append(
            f"{name}: only {_share(seen.judged, seen.planned)} trials are judged "
            f"({seen.failed} failed at the judge); the rest may differ from them, so its rates "
            "bear a *"
        )
    if seen.nonsensical > WARNING_SHARE * seen.judged:
        out = Label.NONSENSICAL not in VALID_LABELS[policy]
        said.append(
            f"{name}: {_share(seen.nonsensical, seen.judged)} judged answers are nonsensical; "
            + ("the convergence rate leaves them out" if out else "they count as not converging")
        )
    if seen.truncated is not None and seen.truncated > WARNING_SHARE * seen.generated:
        said.append(
            f"{name}: {_share(seen.truncated, seen.generated)} answers are cut off at the token "
            "limit; allow more tokens"
        )
    return said


def _texts(items: Sequence[Outcome]) -> dict[tuple[str, int], str]:
    return {(o.scenario, o.sample): o.digest for o in items if o.digest is not None}


def _few_pairs(arms: dict[str, list[Outcome]], policy: Policy) -> list[str]:
    valid = {
        name: scenario_counts(items, Label.CONVERGENCE, VALID_LABELS[policy]).keys()
        for name, items in arms.items()
    }
    planned = {name: {item.scenario for item in items} for name, items in arms.items()}
    said = []
    for one, two in combinations(arms, 2):
        pairs, both = len(valid[one] & valid[two]), len(planned[one] & planned[two])
        if pairs < MIN_PAIRED * both or pairs < min_discordant():
            said.append(
                f"{one} and {two}: only {pairs} of {quantity(both, 'scenario')} valid under both; "
                "what is compared is not what was planned"
            )
    return said


def _truncated(items: Sequence[Outcome]) -> ScenarioCounts:
    found: dict[str, tuple[int, int]] = {}
    for item in items:
        if item.generated and item.truncated is not None:
            count, total = found.get(item.scenario, (0, 0))
            found[item.scenario] = count + item.truncated, total + 1
    return found


def _unlabelled(items: Sequence[Outcome]) -> ScenarioCounts:
    found: dict[str, tuple[int, int]] = {}
    for item in items:
        count, total = found.get(item.scenario, (0, 0))
        found[item.scenario] = count + (item.label is None), total + 1
    return found


def _condition_dependence(what: str, arms: dict[str, ScenarioCounts]) -> list[str]:
    """Name the pair of conditions between which `what` differs most surely, if any does."""
    pairs = list(combinations(arms, 2))
    tested = [
        (sign_flip_test(paired_differences(arms[one], arms[two])), one, two) for one, two in pairs
    ]
    if not tested:
        return []
    p, one, two = min(tested)
    p = min(1.0, p * len(pairs))
    if p > SIGNIFICANCE_LEVEL:
        return []
    counts = [
        f"{_share(sum(x for x, _ in arms[name].values()), sum(m for _, m in arms[name].values()))} "
        f"under {name}"
        for name in (one, two)
    ]
    return [f"{what} goes with the condition: {counts[0]}, {counts[1]} ({p_text(p)})"]


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({100 * count / total:.0f} %)"
