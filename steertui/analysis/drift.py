"""Drift: signs that a judge's labels are not what they were, or not what a reference says."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from steertui.analysis.sentences import p_text
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.significance import SIGNIFICANCE_LEVEL, sign_flip_test

WARNING_SHARE = 0.10
"""Share of a person's labels that were changed afterwards, from which it is said."""

DAY = timedelta(days=1)
"""What lies between the readings of two conditions before it is said."""


def reference_differences(
    outcomes: Iterable[Outcome], reference: Iterable[Outcome], name: str
) -> list[str]:
    """Say under which conditions a judge converges more, or less, often than a reference.

    Over the answers that both have labelled; per scenario, the difference of their counts of
    convergent answers under the exact sign-flip test (McNemar's, for one sample each);
    Bonferroni over the conditions.
    """
    theirs = {(o.condition, o.scenario, o.sample): o.label for o in reference if o.label}
    counts: dict[str, list[int]] = {}
    moved: dict[str, dict[str, int]] = {}
    for o in outcomes:
        label = theirs.get((o.condition, o.scenario, o.sample))
        if o.label is None or label is None:
            continue
        own, other = (int(one is Label.CONVERGENCE) for one in (o.label, label))
        seen = counts.setdefault(o.condition, [0, 0, 0])
        seen[0], seen[1], seen[2] = seen[0] + own, seen[1] + other, seen[2] + 1
        steps = moved.setdefault(o.condition, {})
        steps[o.scenario] = steps.get(o.scenario, 0) + own - other
    said = []
    for condition, (own, other, items) in counts.items():
        p = min(1.0, len(counts) * sign_flip_test([*moved[condition].values()]))
        if p <= SIGNIFICANCE_LEVEL:
            said.append(
                f"{condition}: this judge calls {own} of {items} answers convergent and {name} "
                f"{other} of the same ({p_text(p)}, corrected for {len(counts)} conditions); the "
                "rate says as much of the judge as of the model"
            )
    return said


def server_model_changes(models: Mapping[str, int]) -> list[str]:
    """Say that a server's replies came from several models; `models` counts replies by name."""
    if len(models) < 2:
        return []
    counts = " and ".join(f"{name} in {number}" for name, number in models.items())
    return [
        f"the judge's server answered as {counts} replies: its labels are those of several models"
    ]


def changed_labels(changed: int, labelled: int) -> list[str]:
    """Say that a person gave many answers another label than at first."""
    if changed <= WARNING_SHARE * labelled:
        return []
    return [
        f"{changed} of {labelled} labels were changed by the person who gave them; the last ones "
        "count"
    ]


def judged_days_apart(spans: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say which conditions a judge behind a server read at different times.

    `spans` holds by condition when it read the first and the last answer, ISO 8601.
    """
    times = {name: [*map(datetime.fromisoformat, span)] for name, span in spans.items()}
    said = []
    for one, two in combinations(times, 2):
        if times[two] < times[one]:
            one, two = two, one
        (start, end), (begin, close) = times[one], times[two]
        if begin - end > DAY:
            said.append(
                f"{one} and {two} were read on different days ({start:%Y-%m-%d} to {end:%Y-%m-%d}, "
                f"{begin:%Y-%m-%d} to {close:%Y-%m-%d}); a judge behind a server may have changed "
                "between them"
            )
    return said


def inconsistent_labels(name: str, items: Sequence[Outcome]) -> list[str]:
    """Say how often equal answers to one scenario, under one condition, got different labels."""
    given: dict[tuple[str, str], list[Label]] = {}
    for o in items:
        if o.digest is not None and o.label is not None:
            given.setdefault((o.scenario, o.digest), []).append(o.label)
    repeated = [labels for labels in given.values() if len(labels) > 1]
    different = sum(len({*labels}) > 1 for labels in repeated)
    if not different:
        return []
    return [
        f"{name}: of {len(repeated)} answers that stand there more than once, word for word, "
        f"{different} got different labels from the same judge"
    ]
