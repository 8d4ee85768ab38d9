"""Drift checks: signs that a judge's labels changed, or differ from a reference's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations

from steertui.analysis.sentences import p_text
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.significance import SIGNIFICANCE_LEVEL, sign_flip_test

WARNING_SHARE = 0.10
"""Share of a person's labels that were changed above which there is a warning."""

DAY = timedelta(days=1)
"""Time between the judging of two conditions above which there is a warning."""


def reference_differences(
    outcomes: Iterable[Outcome], reference: Iterable[Outcome], name: str
) -> dict[str, str]:
    """Return a warning by condition at which a judge's rate differs from a reference's.

    Over the answers that both labelled: exact randomisation test of each scenario's difference of
    convergent counts (McNemar's test with one sample), Bonferroni over the conditions. `name` is
    the reference's.
    """
    labels = {(o.condition, o.scenario, o.sample): o.label for o in reference if o.label}
    pairs: dict[str, list[tuple[str, bool, bool]]] = {}
    for o in outcomes:
        other = labels.get((o.condition, o.scenario, o.sample))
        if o.label is not None and other is not None:
            converged = o.label is Label.CONVERGENCE, other is Label.CONVERGENCE
            pairs.setdefault(o.condition, []).append((o.scenario, *converged))
    warnings = {}
    for condition, items in pairs.items():
        differences: dict[str, int] = {}
        for scenario, own, theirs in items:
            differences[scenario] = differences.get(scenario, 0) + own - theirs
        p = min(1.0, len(pairs) * sign_flip_test([*differences.values()]))
        if p <= SIGNIFICANCE_LEVEL:
            warnings[condition] = (
                f"{condition}: this judge labels {sum(own for _, own, _ in items)} of {len(items)} "
                f"answers convergent, and {name} labels {sum(theirs for *_, theirs in items)} of "
                f"them convergent ({p_text(p)}, Bonferroni over {len(pairs)} conditions); the rate "
                "depends on the judge as well as on the model"
            )
    return warnings


def server_model_changes(models: Mapping[str, int]) -> list[str]:
    """Return a warning if a server's replies came from several models.

    `models` has the number of replies by the model name that the server reported.
    """
    if len(models) < 2:
        return []
    counts = " and ".join(f"{name} in {number}" for name, number in models.items())
    return [f"the judge's server reported {counts} replies: the labels are those of several models"]


def changed_labels(changed: int, labelled: int) -> list[str]:
    """Return a warning if a person changed many labels after the first choice."""
    if changed <= WARNING_SHARE * labelled:
        return []
    return [
        f"{changed} of {labelled} labels were changed by the annotator; the last label of each "
        "answer counts"
    ]


def judged_days_apart(spans: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a warning for conditions that a server judge labelled on different days.

    `spans` has by condition the times of the first and the last label, ISO 8601.
    """
    times = {name: [*map(datetime.fromisoformat, span)] for name, span in spans.items()}
    warnings = []
    for one, two in combinations(times, 2):
        if times[two] < times[one]:
            one, two = two, one
        (start, end), (begin, close) = times[one], times[two]
        if begin - end > DAY:
            warnings.append(
                f"{one} and {two} were judged on different days ({start:%Y-%m-%d} to "
                f"{end:%Y-%m-%d}, {begin:%Y-%m-%d} to {close:%Y-%m-%d}); the model behind the "
                "judge's server may have changed in between"
            )
    return warnings


def inconsistent_labels(name: str, items: Sequence[Outcome]) -> list[str]:
    """Return a warning if equal answers to a scenario under condition `name` differ in label."""
    labels: dict[tuple[str, str], list[Label]] = {}
    for o in items:
        if o.digest is not None and o.label is not None:
            labels.setdefault((o.scenario, o.digest), []).append(o.label)
    repeated = [group for group in labels.values() if len(group) > 1]
    inconsistent = sum(len({*group}) > 1 for group in repeated)
    if not inconsistent:
        return []
    return [
        f"{name}: of {len(repeated)} answers with more than one identical copy, {inconsistent} got "
        "different labels from the same judge"
    ]
