"""Rates corrected for a judge's measured errors, with intervals that carry their uncertainty."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label
from steertui.stats.agreement import Pair, confusion
from steertui.stats.gap import Estimate, mover_limits

DRAWS = 4000
"""Draws for an interval: its limits move by about half a percentage point from seed to seed."""

PRIOR = 0.5
"""Jeffreys' prior for a share among labels, added to each count that is drawn from."""


Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A rate as the judge gave it, and corrected; proportions.

    Attributes:
        raw: the judge's own.
        value: corrected, cut to 0 ... 1; None where the errors cannot be undone.
        low: lower 95 % limit; None without a value.
        high: upper 95 % limit.
        references: items that a reference labelled, too.
        items: items that the judge labelled.
    """

    raw: float
    value: float | None
    low: float | None
    high: float | None
    references: int
    items: int


def rogan_gladen(share: float, sensitivity: float, specificity: float) -> float | None:
    """Return the true share behind an apparent one (Rogan and Gladen, Am. J. Epidemiology 107,
    1978), cut to 0 ... 1; None where the judge is no better than chance."""
    power = sensitivity + specificity - 1
    if power <= 0:
        return None
    return min(1.0, max(0.0, (share + specificity - 1) / power))


def corrected_rate(
    labels: Sequence[Label], pairs: Sequence[Pair], counted: Label, valid: frozenset[Label]
) -> Corrected | None:
    """Return the share of `counted` among `valid` labels, corrected for the judge's errors.

    `labels` are the judge's, of all items; `pairs` are (reference, judge) of those that a
    reference labelled, drawn at random from all items, or at random from the items of each of
    the judge's labels. The true share of label t is the sum over the judge's labels j of
    P(judge says j) × P(t | judge said j): double sampling (Tenenbein, JASA 65, 1970), the
    multi-class form of Rogan and Gladen's estimator, which stays right where a queue takes more
    items of one of the judge's labels than of another. Where a label of the judge's was never
    checked, its items may be anything: there is no value. The interval is the middle 95 % of
    draws from the Dirichlet posteriors (Jeffreys' prior) of both tables, so it carries that the
    errors are only estimated. None without valid labels.
    """
    given = Counter(labels)
    total = sum(given[label] for label in valid)
    if not total:
        return None
    table = np.array(confusion(pairs), float)
    raw = given[counted] / total
    judged = np.array([given[label] for label in Label], float)
    checked = table.sum(axis=0)
    truth = (table / np.maximum(checked, 1)) @ (judged / judged.sum())
    value = float(_rate(truth, counted, valid))
    if np.any((checked == 0) & (judged > 0)) or np.isnan(value):
        return Corrected(raw, None, None, None, len(pairs), len(labels))
    rates = _rate(_draws(table, judged), counted, valid)
    low, high = (float(limit) for limit in np.quantile(rates, [0.025, 0.975]))
    return Corrected(raw, value, min(low, value), max(high, value), len(pairs), len(labels))


def corrected_gap(first: Corrected, second: Corrected) -> Estimate | None:
    """Return the difference of two corrected rates with its 95 % limits, in percentage points.

    Square-and-add (Zou and Donner, Statistics in Medicine 27, 2008) of limits that count as
    independent, so too wide rather than too narrow where scenarios go together. None without
    both values.
    """
    sides = [_estimate(one) for one in (first, second)]
    if sides[0] is None or sides[1] is None:
        return None
    low, high = mover_limits(sides[0], sides[1], 0.0)
    points = sides[0][0] - sides[1][0]
    return 100 * points, max(-100.0, 100 * low), min(100.0, 100 * high)


def _estimate(found: Corrected) -> Estimate | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    return found.value, found.low, found.high


def _rate(shares: Shares, counted: Label, valid: frozenset[Label]) -> Shares:
    """Return the share of one label among the valid ones; labels lie along the last axis.

    They are summed in the order of `Label`: a set's own order changes from process to process,
    and with it the last bit of a sum.
    """
    order = list(Label)
    inside = shares[..., [label in valid for label in order]].sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(shares[..., order.index(counted)] / inside, np.float64)


def _draws(table: Shares, judged: Shares) -> Shares:
    """Return draws of the true labels' shares, (draws, labels): from the posterior of each judge's
    label's true labels, and from that of the judge's own shares."""
    rng = np.random.default_rng(0)
    columns = [rng.dirichlet(column + PRIOR, DRAWS) for column in table.T]
    shares = rng.dirichlet(judged + PRIOR / 2, DRAWS)
    return np.asarray(np.einsum("dtj,dj->dt", np.stack(columns, axis=2), shares), np.float64)
