"""Pooled contrasts: one gap over several models or families, averaged within each scenario."""

from collections.abc import Sequence

from steertui.stats.families import Contrast, gap_contrast
from steertui.stats.gap import Gap, GapCounts, shared_scenarios
from steertui.stats.gap_difference import gap_difference


def pooled_counts(gaps: Sequence[GapCounts]) -> GapCounts:
    """Return the counts of several models' gaps, added within each scenario.

    A model counts in the scenarios that are valid under both conditions for it, so that no model
    weighs more under one condition than under the other.
    """
    sums: tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]] = ({}, {})
    for gap in gaps:
        for total, side in zip(sums, shared_scenarios(*gap), strict=True):
            for name, (x, m) in side.items():
                count, size = total.get(name, (0, 0))
                total[name] = count + x, size + m
    return sums


def pooled_contrast(gaps: Sequence[GapCounts], first: str, second: str) -> Contrast:
    """Return the gap between two conditions over several models.

    `gap_contrast` of the pooled counts. The models' answers to one scenario are kept together: the
    interval has scenarios as clusters, and the test flips the sign of a scenario's whole
    difference, which is exact if the conditions are exchangeable within every scenario, for all
    models at once. The gap speaks of these models, not of models like them.
    """
    return gap_contrast(*pooled_counts(gaps), first, second)


def pooled_difference(
    one: Sequence[GapCounts], two: Sequence[GapCounts], first: str, second: str
) -> Gap:
    """Return the pooled gap of some models minus that of others, such as large minus small ones.

    As `gap_difference`: its test is exact if the two groups are exchangeable within every scenario,
    as groups of equal size are if the models' gaps do not depend on the group.
    """
    return gap_difference(pooled_counts(one), pooled_counts(two), first, second)
