"""An Agreement: how far two judges, or one judge at two times, give the same answers one label."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from steertui.core.verdict import Label
from steertui.stats.rate import Z, effective_size

Pair = tuple[Label, Label]
"""Two judges' labels of one answer; the first judge is the reference where there is one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Raw agreement and Cohen's kappa over the items that both labelled.

    Attributes:
        items: how many both labelled.
        agreed: on how many the labels are equal.
        low: lower 95 % limit of agreed / items, Clopper and Pearson's; None without items.
        high: its upper limit.
        kappa: chance-corrected; None without items, or where both gave one and the same label
            to all of them and chance would agree as well.
        kappa_low: lower 95 % limit of kappa.
        kappa_high: its upper limit.
    """

    items: int
    agreed: int
    low: float | None
    high: float | None
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How often each judge gave one label, and how often both did."""

    first: int
    second: int
    both: int

    @property
    def precision(self) -> float | None:
        """Of the second judge's items with this label, the share the first confirms."""
        return self.both / self.second if self.second else None

    @property
    def recall(self) -> float | None:
        """Of the first judge's items with this label, the share the second found."""
        return self.both / self.first if self.first else None


def confusion(pairs: Iterable[Pair]) -> tuple[tuple[int, ...], ...]:
    """Return a 4 x 4 table in `Label`'s order: row the first judge's label, column the second's."""
    counts = Counter(pairs)
    return tuple(tuple(counts[row, column] for column in Label) for row in Label)


def by_label(pairs: Iterable[Pair]) -> dict[Label, LabelAgreement]:
    """Return precision and recall of the second judge against the first, for each label."""
    table = confusion(pairs)
    columns = [sum(column) for column in zip(*table, strict=True)]
    return {
        label: LabelAgreement(sum(table[i]), columns[i], table[i][i])
        for i, label in enumerate(Label)
    }


def agreement(pairs: Sequence[Pair], clusters: Sequence[Hashable] | None = None) -> Agreement:
    """Return raw agreement and Cohen's kappa (1960) with 95 % limits.

    `clusters` names what each item belongs to, such as its scenario: items of one cluster may be
    right or wrong together, and the limits allow for it. Without, every item stands alone.
    Raw limits: Clopper and Pearson's on the effective sample size (Korn and Graubard, Survey
    Methodology 24, 1998). Kappa's: those of `kappa_reach` or, where they lie further out, those of
    the raw agreement with the chance agreement held fixed; cut to -1 ... 1. The large-sample
    variance alone falls short of 95 % where few labels differ (benchmarks/COVERAGE.md), and
    vanishes where none does.
    """
    items, agreed = len(pairs), sum(one is two for one, two in pairs)
    if not items:
        return Agreement(0, 0, None, None, None, None, None)
    groups = range(items) if clusters is None else clusters
    low, high = _raw_limits(pairs, groups)
    share = by_label(pairs)
    chance = sum(found.first * found.second for found in share.values()) / items**2
    if chance == 1:
        return Agreement(items, agreed, low, high, None, None, None)
    kappa = (agreed / items - chance) / (1 - chance)
    reach = kappa_reach(pairs, groups)
    least = min(kappa - reach, (low - chance) / (1 - chance))
    most = max(kappa + reach, (high - chance) / (1 - chance))
    return Agreement(items, agreed, low, high, kappa, max(-1.0, least), min(1.0, most))


def _raw_limits(pairs: Sequence[Pair], clusters: Sequence[Hashable]) -> tuple[float, float]:
    cells: dict[Hashable, tuple[int, int]] = {}
    for (one, two), cluster in zip(pairs, clusters, strict=True):
        count, total = cells.get(cluster, (0, 0))
        cells[cluster] = count + (one is two), total + 1
    items, agreed = len(pairs), sum(count for count, _ in cells.values())
    size = effective_size({str(i): cell for i, cell in enumerate(cells.values())})
    return exact_limits(size if agreed == items else size * agreed / items, size)


def exact_limits(count: float, total: float) -> tuple[float, float]:
    """Return Clopper and Pearson's (Biometrika 26, 1934) 95 % limits of count / total."""
    from scipy.special import betaincinv

    low = float(betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0
    return low, high


def kappa_reach(pairs: Sequence[Pair], clusters: Sequence[Hashable]) -> float:
    """Return half the width of kappa's large-sample 95 % interval, 0 where kappa is not defined.

    Fleiss, Cohen and Everitt's formula 13 (Psychological Bulletin 72, 1969), as in statsmodels'
    `cohens_kappa`; its linear terms summed by cluster, with Student's t for as many clusters.
    """
    items, share = len(pairs), by_label(pairs)
    chance = sum(found.first * found.second for found in share.values()) / items**2
    if chance == 1:
        return 0.0
    agreed = sum(one is two for one, two in pairs) / items
    kappa = (agreed - chance) / (1 - chance)
    pulls = {
        (one, two): (one is two) - agreed
        - (1 - kappa) * ((share[one].second + share[two].first) / items - 2 * chance)
        for one in Label for two in Label
    }  # fmt: skip
    sums: dict[Hashable, float] = {}
    for pair, cluster in zip(pairs, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + pulls[pair]
    number, quantile, more = len(sums), Z, 1.0
    if 1 < number < items:
        from scipy.special import stdtrit

        quantile, more = float(stdtrit(number - 1, 0.975)), number / (number - 1)
    error = sqrt(more * sum(pull * pull for pull in sums.values())) / (items * (1 - chance))
    return quantile * error
