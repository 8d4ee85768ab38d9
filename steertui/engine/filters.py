"""Filters of the sampling chain: top-k, top-p and min-p, without sorting the vocabulary.

Every filter keeps the tokens whose logit is at least some threshold. The threshold is found from
the head of the distribution. Of equal logits at the threshold, the lowest token ids are kept.
"""

from math import log

import numpy as np
from numpy.typing import NDArray

from steertui.core.generation import SamplingParams

Values = NDArray[np.float32]
Indices = NDArray[np.intp]

BLOCKS_PER_TOKEN = 4
"""Blocks per token that top-k keeps; their maxima bound the k-th highest logit."""

HEADS = (2.0**-5, 2.0**-10, 2.0**-16, 2.0**-149)
"""Probabilities, relative to the most likely token, down to which top-p looks for its mass.

The last one is the least positive number of 32 bits.
"""

SORTED = 2_048
"""Weights that are sorted, when top-p has found the others to be kept or not."""


class Filters:
    """The filters, with work memory for one row: new arrays of this size cost page faults."""

    def __init__(self, vocabulary: int) -> None:
        """Prepare for rows of `vocabulary` values."""
        self._powers = np.empty(vocabulary, np.float32)
        self._head = np.empty(vocabulary, np.float32)
        self._mask = np.empty(vocabulary, np.bool_)

    def kept(self, values: Values, params: SamplingParams) -> Indices | None:
        """Return the ids, in ascending order, of the tokens that pass; None if no filter is set.

        The order is top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al.
        2024), each applied to what the one before it left.

        Args:
            values: logits minus the highest logit, shape (vocabulary,).
            params: parameters of the filters; the temperature is ignored.
        """
        tokens: Indices | None = None
        if 0 < params.top_k < len(values):
            tokens = self._top_k(values, params.top_k)
            values = values[tokens]
        if params.top_p < 1:
            kept = self._top_p(values, params.top_p)
            tokens = kept if tokens is None else tokens[kept]
            values = values[kept] if params.min_p > 0 else values
        if params.min_p > 0:
            kept = self._at_least(values, log(params.min_p))
            tokens = kept if tokens is None else tokens[kept]
        return tokens

    def _top_k(self, values: Values, count: int) -> Indices:
        """Return the indices of the `count` highest values.

        The maxima of blocks bound the `count`-th highest value from below, so that only about
        `count` values remain to be partitioned.
        """
        size = max(1, len(values) // (BLOCKS_PER_TOKEN * count))
        maxima = np.maximum.reduceat(values, np.arange(0, len(values), size))
        head = self._at_least(values, np.partition(maxima, -count)[-count])
        threshold = np.partition(values[head], -count)[-count]
        return self._highest(values, threshold, count)

    def _top_p(self, values: Values, mass: float) -> Indices:
        """Return the indices of the smallest set of most likely tokens with probability `mass`."""
        powers = np.exp(values, out=self._powers[: len(values)])
        goal = mass * float(powers.sum())
        mask = self._mask[: len(values)]
        for least in HEADS:
            np.greater_equal(powers, least, out=mask)
            if np.dot(powers, mask) >= goal:
                break
        threshold, count = _heaviest(self._taken(powers, mask), goal)
        return self._highest(powers, threshold, count)

    def _taken(self, powers: Values, mask: NDArray[np.bool_]) -> Values:
        """Return a copy of the powers in the mask; of all if it has most, which is faster."""
        if 2 * np.count_nonzero(mask) > len(powers):
            np.copyto(self._head[: len(powers)], powers)
            return self._head[: len(powers)]
        tokens = np.flatnonzero(mask)
        return powers.take(tokens, out=self._head[: len(tokens)], mode="clip")

    def _highest(self, values: Values, threshold: np.float32, count: int) -> Indices:
        """Return the indices of the `count` highest values, given the lowest of them."""
        kept = self._at_least(values, threshold)
        excess = len(kept) - count
        if excess:
            ties = np.flatnonzero(values[kept] == threshold)
            kept = np.delete(kept, ties[-excess:])
        return kept

    def _at_least(self, values: Values, threshold: float | np.float32) -> Indices:
        return np.flatnonzero(np.greater_equal(values, threshold, out=self._mask[: len(values)]))


def _heaviest(weights: Values, goal: float) -> tuple[np.float32, int]:
    """Return the lowest of the fewest highest weights whose sum reaches `goal`, and their number.

    All are needed if the sum does not reach it. The weights are reordered: in halves, of which one
    remains each time, so that the work is in proportion to their number.
    """
    start = 0
    end = len(weights)
    above = 0.0
    while end - start > SORTED:
        middle = (start + end) // 2
        weights[start:end].partition(middle - start)
        upper = float(weights[middle:end].sum())
        if above + upper >= goal:
            start = middle
        else:
            above += upper
            end = middle
    weights[start:end].sort()
    cumulative = weights[start:end][::-1].cumsum(dtype=np.float64)
    last = min(int(np.searchsorted(cumulative, goal - above)), len(cumulative) - 1)
    return weights[end - 1 - last], len(weights) - end + last + 1
