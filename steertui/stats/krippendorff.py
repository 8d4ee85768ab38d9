"""Krippendorff's alpha: how far any number of judges agree, over items some have not labelled."""

from collections import Counter
from collections.abc import Iterable, Sequence

from steertui.core.verdict import Label


def alpha(items: Iterable[Sequence[Label | None]]) -> float | None:
    """Return Krippendorff's alpha for nominal labels; `items` hold a label a judge, or None.

    1 - observed / expected disagreement over the coincidence matrix, items with one label left
    out (Krippendorff, Content Analysis, 2004, chapter 11; Hayes and Krippendorff, Communication
    Methods and Measures 1, 2007). None where nothing can be paired, or all labels are one.
    """
    totals: Counter[Label] = Counter()
    observed = 0.0
    for item in items:
        counts = Counter(label for label in item if label is not None)
        size = counts.total()
        if size < 2:
            continue
        totals.update(counts)
        same = sum(n * (n - 1) for n in counts.values())
        observed += (size * (size - 1) - same) / (size - 1)
    size = totals.total()
    expected = size * size - sum(n * n for n in totals.values())
    if not expected:
        return None
    return 1 - (size - 1) * observed / expected
