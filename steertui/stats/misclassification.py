"""Misclassification correction: convergence rates corrected for a judge's measured errors."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label
from steertui.stats.agreement import LabelPair, confusion_matrix
from steertui.stats.gap import mover_limits
from steertui.stats.rate import Estimate

DRAWS = 4000
"""Posterior draws per interval; its limits vary by about half a percentage point between seeds."""

JEFFREYS_PRIOR = 0.5
"""Jeffreys' prior of a proportion, added to each count of the Dirichlet posterior."""

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A judge's rate, as judged and corrected; proportions.

    Attributes:
        raw: the rate from the judge's labels.
        value: corrected rate, clipped to 0 and 1; None if it cannot be estimated.
        low: lower 95 % limit of `value`; None without a value.
        high: upper 95 % limit of `value`.
        references: number of items with a reference label.
        items: number of items with a label of the judge.
    """

    raw: float
    value: float | None
    low: float | None
    high: float | None
    references: int
    items: int

    @property
    def estimate(self) -> Estimate | None:
        """Corrected rate and limits, None without a value."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return Estimate(self.value, self.low, self.high)


def rogan_gladen(share: float, sensitivity: float, specificity: float) -> float | None:
    """Return the true proportion behind an apparent one, clipped to 0 and 1.

    Rogan-Gladen estimator (American Journal of Epidemiology 107, 1978, 71-76). Return None if
    the judge is no better than chance (sensitivity + specificity <= 1).
    """
    youden = sensitivity + specificity - 1
    if youden <= 0:
        return None
    return min(1.0, max(0.0, (share + specificity - 1) / youden))


def corrected_rate(
    labels: Sequence[Label], pairs: Sequence[LabelPair], counted: Label, valid: frozenset[Label]
) -> CorrectedRate | None:
    """Return the rate of `counted` among `valid` labels, corrected for the judge's errors.

    `labels` are the judge's labels of all items. `pairs` are (reference, judge) labels of a random
    sample of all items, or of a random sample within each of the judge's labels.

    The true share of label t is the sum over the judge's labels j of P(judge says j) *
    P(t | judge says j): double sampling (Tenenbein, JASA 65, 1970, 1350-1361), the multi-class
    form of the Rogan-Gladen estimator. It stays unbiased if a queue draws more items from one of
    the judge's labels than from another. There is no value if one of the judge's labels was never
    checked. The interval has the central 95 % of draws from the Dirichlet posteriors (Jeffreys'
    prior) of both tables, so it includes the uncertainty of the error rates. Return None without
    valid labels.
    """
    counts = Counter(labels)
    total = sum(counts[label] for label in valid)
    if not total:
        return None
    raw = counts[counted] / total
    table = np.array(confusion_matrix(pairs), float)
    judged = np.array([counts[label] for label in Label], float)
    checked = table.sum(axis=0)
    truth = (table / np.maximum(checked, 1)) @ (judged / judged.sum())
    value = float(_rate(truth, counted, valid))
    if np.any((checked == 0) & (judged > 0)) or np.isnan(value):
        return CorrectedRate(raw, None, None, None, references=len(pairs), items=len(labels))
    rates = _rate(_posterior_draws(table, judged), counted, valid)
    low, high = (float(limit) for limit in np.quantile(rates, [0.025, 0.975]))
    return CorrectedRate(
        raw=raw,
        value=value,
        low=min(low, value),
        high=max(high, value),
        references=len(pairs),
        items=len(labels),
    )


def corrected_gap(first: CorrectedRate, second: CorrectedRate) -> Estimate | None:
    """Return the difference of two corrected rates with 95 % limits, in percentage points.

    MOVER (Zou and Donner, Statistics in Medicine 27, 2008) with the rates taken as independent,
    so the interval is too wide rather than too narrow if scenarios are positively correlated.
    Return None unless both rates have a value.
    """
    one = first.estimate
    two = second.estimate
    if one is None or two is None:
        return None
    low, high = mover_limits(one, two, 0.0)
    return Estimate(100 * (one.value - two.value), max(-100.0, 100 * low), min(100.0, 100 * high))


def _rate(shares: Shares, counted: Label, valid: frozenset[Label]) -> Shares:
    """Return the share of one label among the valid ones; labels are along the last axis.

    The sum is in `Label`'s order: a set's order differs between processes, and with it the last
    bit of the sum.
    """
    order = list(Label)
    inside = shares[..., [label in valid for label in order]].sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(shares[..., order.index(counted)] / inside, np.float64)


def _posterior_draws(table: Shares, judged: Shares) -> Shares:
    """Return draws of the true labels' shares, shape (draws, labels).

    Each draw combines the posterior of the true labels given each of the judge's labels with the
    posterior of the judge's label shares.
    """
    rng = np.random.default_rng(0)
    columns = [rng.dirichlet(column + JEFFREYS_PRIOR, DRAWS) for column in table.T]
    shares = rng.dirichlet(judged + JEFFREYS_PRIOR / 2, DRAWS)
    return np.asarray(np.einsum("dtj,dj->dt", np.stack(columns, axis=2), shares), np.float64)
