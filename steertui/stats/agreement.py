"""Agreement of two judges: raw agreement, Cohen's kappa, precision and recall per label."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from steertui.core.verdict import Label
from steertui.stats.rate import Z95, effective_sample_size
from steertui.stats.simultaneous import MIN_PAIRS

LabelPair = tuple[Label, Label]
"""Two judges' labels of one answer; the reference's label comes first if there is a reference."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Raw agreement and Cohen's kappa over the items that both judges labelled.

    Attributes:
        items: number of items that both labelled.
        agreed: number of items with equal labels.
        low: lower 95 % limit of agreed / items (Clopper-Pearson); None without items.
        high: upper 95 % limit of agreed / items.
        kappa: Cohen's kappa; None with fewer than `MIN_PAIRS` items, which say nothing of the
            agreement expected by chance, or if both judges gave one and the same label to every
            item, where kappa is 0 / 0.
        kappa_low: lower 95 % limit of kappa.
        kappa_high: upper 95 % limit of kappa.
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
    """Counts of one label: by the first judge, by the second judge, by both."""

    first: int
    second: int
    both: int

    @property
    def precision(self) -> float | None:
        """Share of the second judge's items with this label that the first labelled the same."""
        return self.both / self.second if self.second else None

    @property
    def recall(self) -> float | None:
        """Share of the first judge's items with this label that the second labelled the same."""
        return self.both / self.first if self.first else None


def confusion_matrix(pairs: Iterable[LabelPair]) -> tuple[tuple[int, ...], ...]:
    """Return the 4 x 4 table of the first judge's labels (rows) and the second's (columns).

    Rows and columns are in `Label`'s order.
    """
    counts = Counter(pairs)
    return tuple(tuple(counts[row, column] for column in Label) for row in Label)


def agreement_by_label(pairs: Iterable[LabelPair]) -> dict[Label, LabelAgreement]:
    """Return each label's counts, for the second judge's precision and recall."""
    table = confusion_matrix(pairs)
    columns = [sum(column) for column in zip(*table, strict=True)]
    return {
        label: LabelAgreement(sum(table[i]), columns[i], table[i][i])
        for i, label in enumerate(Label)
    }


def measure_agreement(
    pairs: Sequence[LabelPair], clusters: Sequence[Hashable] | None = None
) -> Agreement:
    """Return raw agreement and Cohen's kappa with 95 % limits.

    `clusters` gives each item's cluster, such as its scenario; the limits then account for
    correlated errors within a cluster. By default all items are independent.

    Kappa: Cohen, Educational and Psychological Measurement 20, 1960, 37-46. Raw limits:
    Clopper-Pearson on the effective sample size (Korn and Graubard, Survey Methodology 24, 1998).
    Limits of kappa: those of the large-sample interval (`kappa_half_width`) or, if wider, the raw
    limits transformed with the chance agreement held fixed; clipped to -1 and 1. The large-sample
    interval alone covers less than 95 % when few labels differ (benchmarks/COVERAGE.md) and has
    zero width when none does.
    """
    items = len(pairs)
    agreed = sum(one is two for one, two in pairs)
    if not items:
        return Agreement(0, 0, None, None, kappa=None, kappa_low=None, kappa_high=None)
    groups = range(items) if clusters is None else clusters
    low, high = _raw_limits(pairs, groups)
    chance = _chance_agreement(pairs)
    if chance == 1 or items < MIN_PAIRS:
        return Agreement(items, agreed, low, high, kappa=None, kappa_low=None, kappa_high=None)
    kappa = (agreed / items - chance) / (1 - chance)
    half_width = kappa_half_width(pairs, groups)
    kappa_low = min(kappa - half_width, (low - chance) / (1 - chance))
    kappa_high = max(kappa + half_width, (high - chance) / (1 - chance))
    return Agreement(
        items=items,
        agreed=agreed,
        low=low,
        high=high,
        kappa=kappa,
        kappa_low=max(-1.0, kappa_low),
        kappa_high=min(1.0, kappa_high),
    )


def _chance_agreement(pairs: Sequence[LabelPair]) -> float:
    """Return the agreement expected from the two judges' label frequencies; `pairs` not empty."""
    counts = agreement_by_label(pairs)
    return sum(label.first * label.second for label in counts.values()) / len(pairs) ** 2


def _raw_limits(pairs: Sequence[LabelPair], clusters: Sequence[Hashable]) -> tuple[float, float]:
    counts: dict[Hashable, tuple[int, int]] = {}
    for (one, two), cluster in zip(pairs, clusters, strict=True):
        count, total = counts.get(cluster, (0, 0))
        counts[cluster] = count + (one is two), total + 1
    items = len(pairs)
    agreed = sum(count for count, _ in counts.values())
    size = effective_sample_size({str(i): cell for i, cell in enumerate(counts.values())})
    return clopper_pearson_interval(size if agreed == items else size * agreed / items, size)


def clopper_pearson_interval(count: float, total: float) -> tuple[float, float]:
    """Return the exact 95 % interval of count / total; both may be fractional.

    Source: Clopper and Pearson, Biometrika 26, 1934, 404-413.
    """
    from scipy.special import betaincinv

    low = float(betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0
    return low, high


def kappa_half_width(pairs: Sequence[LabelPair], clusters: Sequence[Hashable]) -> float:
    """Return half the width of kappa's large-sample 95 % interval; 0 if kappa is not defined.

    Variance by formula 13 of Fleiss, Cohen and Everitt (Psychological Bulletin 72, 1969,
    323-327), as in statsmodels' `cohens_kappa`. Its linear terms are summed by cluster; with
    several items per cluster, the quantile is Student's t for the number of clusters.
    """
    items = len(pairs)
    chance = _chance_agreement(pairs)
    if chance == 1:
        return 0.0
    terms = _kappa_terms(pairs, chance)
    sums: dict[Hashable, float] = {}
    for pair, cluster in zip(pairs, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + terms[pair]
    number = len(sums)
    quantile = Z95
    correction = 1.0
    if 1 < number < items:
        from scipy.special import stdtrit

        quantile = float(stdtrit(number - 1, 0.975))
        correction = number / (number - 1)
    error = sqrt(correction * sum(term * term for term in sums.values())) / (items * (1 - chance))
    return quantile * error


def _kappa_terms(pairs: Sequence[LabelPair], chance: float) -> dict[LabelPair, float]:
    """Return the linearised contribution of an item to kappa, by its pair of labels."""
    items = len(pairs)
    counts = agreement_by_label(pairs)
    agreed = sum(one is two for one, two in pairs) / items
    kappa = (agreed - chance) / (1 - chance)
    return {
        (one, two): (one is two)
        - agreed
        - (1 - kappa) * ((counts[one].second + counts[two].first) / items - 2 * chance)
        for one in Label
        for two in Label
    }
