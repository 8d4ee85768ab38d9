"""Misclassification correction: convergence rates corrected for a judge's measured errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label
from steertui.stats.rate import Estimate
from steertui.stats.simultaneous import MIN_PAIRS

DRAWS = 4000
"""Posterior draws per interval; its limits vary by about half a percentage point between seeds."""

BLOCK = 200
"""Draws at a time: it limits the memory to a few megabytes per thousand scenarios."""

JEFFREYS_PRIOR = 0.5
"""Jeffreys' prior of a proportion, added to each count of the Dirichlet posterior."""

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer with the judge's label.

    Attributes:
        scenario: its cluster.
        label: the judge's label.
        reference: the label taken as true; None for an answer that was not checked.
    """

    scenario: str
    label: Label
    reference: Label | None = None


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
    answers: Sequence[JudgedAnswer], counted: Label, valid: frozenset[Label]
) -> CorrectedRate | None:
    """Return the rate of `counted` among `valid` labels, corrected for the judge's errors.

    The checked answers are a random sample of all, or a random sample within each of the judge's
    labels.

    The true share of label t is the sum over the judge's labels j of P(judge says j) *
    P(t | judge says j): double sampling (Tenenbein, JASA 65, 1970, 1350-1361), the multi-class
    form of the Rogan-Gladen estimator. It stays unbiased if a queue draws more items from one of
    the judge's labels than from another. There is no value if one of the judge's labels was never
    checked, or if no checked answer is valid. The interval has the central 95 % of posterior draws
    (`_draws`), so it includes the uncertainty of the error rates. Return None without valid labels.
    """
    counts = _Counts.of(answers)
    judged = counts.judged.sum(axis=0)
    total = judged[[label in valid for label in Label]].sum()
    if not total:
        return None
    raw = float(judged[[*Label].index(counted)] / total)
    references = int(counts.checked.sum())
    value = counts.value(counted, valid)
    if value is None:
        return CorrectedRate(raw, None, None, None, references=references, items=len(answers))
    low, high = _limits(_rate(_draws([counts])[0], counted, valid), value)
    return CorrectedRate(raw, value, low, high, references=references, items=len(answers))


def corrected_gap(
    first: Sequence[JudgedAnswer],
    second: Sequence[JudgedAnswer],
    counted: Label,
    valid: frozenset[Label],
) -> Estimate | None:
    """Return the difference of two conditions' corrected rates, with 95 % limits, in points.

    The draws give a scenario the same weight under both conditions, so the interval is paired.
    Return None unless both rates have a value, and under each condition answers of at least
    `MIN_PAIRS` scenarios are checked.
    """
    if any(checked_scenarios(side) < MIN_PAIRS for side in (first, second)):
        return None
    names = [*dict.fromkeys(answer.scenario for answer in (*first, *second))]
    one, two = (_Counts.of(side, names) for side in (first, second))
    a = one.value(counted, valid)
    b = two.value(counted, valid)
    if a is None or b is None:
        return None
    draws = [_rate(side, counted, valid) for side in _draws([one, two])]
    low, high = _limits(draws[0] - draws[1], a - b)
    return Estimate(a - b, max(-1.0, low), min(1.0, high)).percent()


def checked_scenarios(answers: Sequence[JudgedAnswer]) -> int:
    """Return the number of scenarios with a checked answer."""
    return len({answer.scenario for answer in answers if answer.reference})


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts by scenario.

    Attributes:
        judged: shape (scenarios, labels): answers by the judge's label.
        checked: shape (scenarios, labels, labels): checked answers by true and judge's label.
    """

    judged: Shares
    checked: Shares

    @classmethod
    def of(cls, answers: Sequence[JudgedAnswer], scenarios: Sequence[str] = ()) -> "_Counts":
        names = scenarios or [*dict.fromkeys(answer.scenario for answer in answers)]
        row = {name: index for index, name in enumerate(names)}
        column = {label: index for index, label in enumerate(Label)}
        judged = np.zeros((len(names), len(Label)))
        checked = np.zeros((len(names), len(Label), len(Label)))
        for answer in answers:
            judged[row[answer.scenario], column[answer.label]] += 1
            if answer.reference:
                own = row[answer.scenario], column[answer.reference], column[answer.label]
                checked[own] += 1
        return cls(judged, checked)

    def value(self, counted: Label, valid: frozenset[Label]) -> float | None:
        """Return the corrected rate.

        None if a label that the judge gave was never checked, or no checked answer is valid.
        """
        judged = self.judged.sum(axis=0)
        table = self.checked.sum(axis=0)
        checked = table.sum(axis=0)
        if not judged.sum() or np.any((checked == 0) & (judged > 0)):
            return None
        truth = (table / np.maximum(checked, 1)) @ (judged / judged.sum())
        value = float(_rate(truth, counted, valid))
        return None if np.isnan(value) else value


def _limits(draws: Shares, value: float) -> tuple[float, float]:
    """Return the central 95 % of the draws, extended to the value."""
    low, high = (float(limit) for limit in np.quantile(draws, [0.025, 0.975]))
    return min(low, value), max(high, value)


def _rate(shares: Shares, counted: Label, valid: frozenset[Label]) -> Shares:
    """Return the share of one label among the valid ones; labels are along the last axis.

    The sum is in `Label`'s order: a set's order differs between processes, and with it the last
    bit of the sum.
    """
    order = list(Label)
    inside = shares[..., [label in valid for label in order]].sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(shares[..., order.index(counted)] / inside, np.float64)


def _draws(sides: Sequence[_Counts]) -> list[Shares]:
    """Return posterior draws of the true labels' shares by side, shape (draws, labels).

    Bayesian bootstrap over scenarios (Rubin, Annals of Statistics 9, 1981, 130-134): each draw
    gives each scenario an exponential weight, so the answers of a scenario, their labels and the
    judge's errors on them stay together. A gamma variate per cell adds Jeffreys' prior. With one
    answer per scenario the draws are those of Dirichlet posteriors with Jeffreys' prior, since
    independent gamma variates divided by their sum are Dirichlet. All sides have the same
    scenarios, with the same weights, and variates of the prior of their own.
    """
    weights = np.random.default_rng(0)
    blocks: list[list[Shares]] = [[] for _ in sides]
    for block in range(DRAWS // BLOCK):
        own = weights.exponential(size=(BLOCK, len(sides[0].judged)))
        for stream, (side, drawn) in enumerate(zip(sides, blocks, strict=True)):
            drawn.append(_draw_block(side, own, _prior(stream)[block]))
    return [np.concatenate(drawn) for drawn in blocks]


@cache
def _prior(stream: int) -> list[tuple[Shares, Shares]]:
    """Return the gamma variates of Jeffreys' prior by block: of the judge's labels, of the cells.

    They are the same for all intervals: drawing them takes longer than the rest.
    """
    variates = np.random.default_rng([1, stream])
    size = len(Label)
    return [
        (
            variates.gamma(JEFFREYS_PRIOR / 2, size=(BLOCK, size)),
            variates.gamma(JEFFREYS_PRIOR, size=(BLOCK, size, size)),
        )
        for _ in range(DRAWS // BLOCK)
    ]


def _draw_block(counts: _Counts, own: Shares, prior: tuple[Shares, Shares]) -> Shares:
    """Return one block of draws with these weights of the scenarios, shape (draws, scenarios)."""
    size = len(Label)
    judged = own @ counts.judged + prior[0]
    cells = (own @ counts.checked.reshape(len(counts.checked), -1)).reshape(BLOCK, size, size)
    cells += prior[1]
    errors = cells / cells.sum(axis=1, keepdims=True)
    shares = judged / judged.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("dtj,dj->dt", errors, shares), np.float64)
