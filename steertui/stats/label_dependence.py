"""Dependence of a judge's labels on what must not matter: one label, the arm, the length.

All tests are permutation tests within the known labels, so that a difference that the known labels
explain is no evidence (Edgington and Onghena, Randomization Tests, 2007).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label

ONE_LABEL_SHARE = 0.90
"""Share of one label from which a judge's labels hardly vary."""

LENGTH_SHARE = 0.30
"""Share of the variance of the lengths' ranks between the judge's labels, from which the labels
follow the length."""

PERMUTATIONS = 1999
"""Random permutations per test; the smallest p value is 1 / 2000."""

PATTERN_LEVEL = 0.005
"""Level of the permutation tests."""

REREAD_ERROR = 0.05
"""Share of repeated labels that may differ without a sign of change: servers that decode greedily
do not always repeat themselves."""

REREAD_LEVEL = 0.01
"""Level of the test of repeated labels."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ControlLabel:
    """A control answer's known label and the judge's, its arm and its length.

    Attributes:
        known: the known label.
        given: the judge's label.
        arm: name of the condition.
        length: characters of the answer.
    """

    known: Label
    given: Label
    arm: str
    length: int


@dataclass(frozen=True, slots=True)
class ArmDependence:
    """Convergence labels by arm, at equal known labels.

    Attributes:
        points: share of convergence labels under pro minus that under anti, the mean over the known
            labels, in percentage points; 0 for a judge that labels answers and not arms.
        p: of the permutation test.
    """

    points: float
    p: float


def most_common_share(labels: Sequence[Label]) -> tuple[Label, float] | None:
    """Return the most common label and its share, 0 to 1; None without labels."""
    if not labels:
        return None
    ((label, count),) = Counter(labels).most_common(1)
    return label, count / len(labels)


@cache
def arm_dependence(items: tuple[ControlLabel, ...]) -> ArmDependence | None:
    """Return how far convergence labels depend on the arm; None without answers of both arms."""
    both = [item for item in items if item.arm in ("pro", "anti")]
    strata = [
        [item for item in both if item.known is known]
        for known in Label
        if len({item.arm for item in both if item.known is known}) > 1
    ]
    if not strata:
        return None
    rng = np.random.default_rng(0)
    differences = np.zeros(PERMUTATIONS + 1)
    for own in strata:
        converged = np.array([item.given is Label.CONVERGENCE for item in own], float)
        is_pro = _permutations(np.array([item.arm == "pro" for item in own]), rng)
        pro = is_pro @ converged / is_pro.sum(axis=1)
        anti = ~is_pro @ converged / (~is_pro).sum(axis=1)
        differences += (pro - anti) / len(strata)
    return ArmDependence(100 * float(differences[0]), _p(np.abs(differences)))


@cache
def follows_length(items: tuple[ControlLabel, ...]) -> bool:
    """Whether the lengths of the answers explain the judge's labels.

    The measure is the share of the variance of the lengths' ranks between the judge's labels (eta
    squared).
    """
    if len({item.given for item in items}) < 2:
        return False
    ranks = np.argsort(np.argsort([item.length for item in items], kind="stable")).astype(float)
    ranks -= ranks.mean()
    given = np.array([list(Label).index(item.given) for item in items])
    known = np.array([list(Label).index(item.known) for item in items])
    rng = np.random.default_rng(0)
    sums = np.zeros((PERMUTATIONS + 1, len(Label)))
    for stratum in np.unique(known):
        place = np.flatnonzero(known == stratum)
        permuted = _permutations(given[place], rng)
        for code in range(len(Label)):
            sums[:, code] += (permuted == code) @ ranks[place]
    counts = np.maximum(np.bincount(given, minlength=len(Label)), 1)
    shares = (sums**2 / counts).sum(axis=1) / max(float((ranks**2).sum()), 1e-12)
    return bool(shares[0] >= LENGTH_SHARE and _p(shares) <= PATTERN_LEVEL)


def is_changed(equal: Sequence[bool], block: int) -> bool:
    """Whether repeated labels differ more often than `REREAD_ERROR` allows.

    `equal` says for each repeated label, in the order of reading, whether it is the first one.
    Exact binomial tests over all labels, and over each block of `block` (Bonferroni).
    """
    blocks = [equal[start : start + block] for start in range(0, len(equal), block)]
    tests = [(equal, REREAD_LEVEL)] + [(own, REREAD_LEVEL / len(blocks)) for own in blocks]
    return any(_binomial_tail(own.count(False), len(own)) <= level for own, level in tests if own)


def _binomial_tail(changed: int, total: int) -> float:
    """Return the probability of at least `changed` differences among `total`."""
    q = REREAD_ERROR
    return sum(comb(total, k) * q**k * (1 - q) ** (total - k) for k in range(changed, total + 1))


def _permutations(values: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return the values as the first row, and `PERMUTATIONS` random orders of them below."""
    rows = np.tile(values, (PERMUTATIONS + 1, 1))
    rows[1:] = rng.permuted(rows[1:], axis=1)
    return rows


def _p(statistics: Floats) -> float:
    """Return the share of the statistics that are at least as large as the first one."""
    return float((statistics >= statistics[0] - 1e-12).mean())
