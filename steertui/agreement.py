"""An Agreement: how far two judges, or one judge at two times, give the same answers one label."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from steertui.verdict import Label

Pair = tuple[Label, Label]
"""Two judges' labels of one answer; the first judge is the reference where there is one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Raw agreement and Cohen's kappa over the items that both labelled.

    Attributes:
        items: how many both labelled.
        agreed: on how many the labels are equal.
        low: lower 95 % limit of agreed / items, Clopper and Pearson's exact; None without items.
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


def by_label(pairs: Sequence[Pair]) -> dict[Label, LabelAgreement]:
    """Return precision and recall of the second judge against the first, for each label."""
    return {
        label: LabelAgreement(
            sum(one is label for one, _ in pairs),
            sum(two is label for _, two in pairs),
            sum(one is label and two is label for one, two in pairs),
        )
        for label in Label
    }


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """Return raw agreement and Cohen's kappa (1960) with 95 % limits.

    Kappa's limits: the large-sample variance of Fleiss, Cohen and Everitt (Psychological
    Bulletin 72, 1969), cut to -1 ... 1. It vanishes where the judges always agree, never do, or
    one of them is constant; there the limits of the raw agreement are carried over, with the
    chance agreement held fixed.
    """
    items, agreed = len(pairs), sum(one is two for one, two in pairs)
    if not items:
        return Agreement(0, 0, None, None, None, None, None)
    low, high = exact_limits(agreed, items)
    chance = sum(found.first * found.second for found in by_label(pairs).values()) / items**2
    if chance == 1:
        return Agreement(items, agreed, low, high, None, None, None)
    kappa = (agreed / items - chance) / (1 - chance)
    error = sqrt(_variance(pairs, kappa, chance))
    if error > 1e-7:
        reach = NormalDist().inv_cdf(0.975) * error
        limits = kappa - reach, kappa + reach
    else:
        limits = (low - chance) / (1 - chance), (high - chance) / (1 - chance)
    return Agreement(items, agreed, low, high, kappa, max(-1.0, limits[0]), min(1.0, limits[1]))


def exact_limits(count: int, total: int) -> tuple[float, float]:
    """Return Clopper and Pearson's (Biometrika 26, 1934) 95 % limits of count / total."""
    from scipy.special import betaincinv

    low = float(betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0
    return low, high


def _variance(pairs: Sequence[Pair], kappa: float, chance: float) -> float:
    """Fleiss, Cohen and Everitt's formula 13, as in statsmodels' `cohens_kappa`, for shares."""
    items = len(pairs)
    share = by_label(pairs)
    same = other = 0.0
    for (one, two), count in Counter(pairs).items():
        if one is two:
            margins = (share[one].first + share[one].second) / items
            same += count / items * (1 - margins * (1 - kappa)) ** 2
        else:
            margins = (share[one].second + share[two].first) / items
            other += count / items * margins**2
    spread = same + (1 - kappa) ** 2 * other - (kappa - chance * (1 - kappa)) ** 2
    return max(0.0, spread) / (items * (1 - chance) ** 2)
