"""Krippendorff's alpha: agreement of any number of judges, with missing labels."""

from collections import Counter
from collections.abc import Iterable, Sequence

from steertui.core.verdict import Label
from steertui.stats.simultaneous import MIN_PAIRS


def krippendorff_alpha(items: Iterable[Sequence[Label | None]]) -> float | None:
    """Return Krippendorff's alpha for nominal labels.

    Each item has one label per judge, None where a judge gave none. Alpha is 1 - observed /
    expected disagreement over the coincidence matrix; items with fewer than two labels are
    excluded (Krippendorff, Content Analysis, 2nd ed., 2004, chapter 11; Hayes and Krippendorff,
    Communication Methods and Measures 1, 2007, 77-89). Return None if fewer than `MIN_PAIRS`
    items have two labels, which say nothing of the expected disagreement, or if all labels are
    equal.
    """
    totals: Counter[Label] = Counter()
    observed = 0.0
    used = 0
    for item in items:
        counts = Counter(label for label in item if label is not None)
        size = counts.total()
        if size < 2:
            continue
        used += 1
        totals.update(counts)
        agreeing = sum(n * (n - 1) for n in counts.values())
        observed += (size * (size - 1) - agreeing) / (size - 1)
    size = totals.total()
    expected = size * size - sum(n * n for n in totals.values())
    if not expected or used < MIN_PAIRS:
        return None
    return 1 - (size - 1) * observed / expected
