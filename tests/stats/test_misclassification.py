"""Misclassification correction: Rogan-Gladen, double sampling, coverage."""

import numpy as np
import pytest

from steertui.core.verdict import Label
from steertui.stats.misclassification import corrected_rate, rogan_gladen

C, N, S, X = Label
VALID = frozenset(Label) - {X}


def test_rogan_gladen_recovers_the_true_share() -> None:
    apparent = 0.3 * 0.9 + 0.7 * 0.2
    assert rogan_gladen(apparent, 0.9, 0.8) == pytest.approx(0.3)
    assert rogan_gladen(0.05, 0.9, 0.8) == 0.0
    assert rogan_gladen(0.5, 0.5, 0.5) is None


def test_correction_with_two_labels_equals_rogan_gladen() -> None:
    pairs = [(C, C)] * 27 + [(C, N)] * 3 + [(N, N)] * 56 + [(N, C)] * 14
    labels = [two for _, two in pairs]
    result = corrected_rate(labels, pairs, C, VALID)
    assert result
    assert result.raw == pytest.approx(0.41)
    assert result.value == pytest.approx(rogan_gladen(0.41, 0.9, 0.8), abs=1e-9)
    assert result.low is not None
    assert result.high is not None
    assert result.low < 0.3 < result.high


def test_an_unchecked_label_leaves_the_rate_uncorrected() -> None:
    result = corrected_rate([C, N, S], [(C, C), (N, N)], C, VALID)
    assert result
    assert result.raw == pytest.approx(1 / 3)
    assert (result.value, result.low) == (None, None)


@pytest.mark.slow
def test_corrected_intervals_cover_the_true_rate() -> None:
    rng = np.random.default_rng(1)
    names, errors = list(Label), np.full((4, 4), 0.06)
    np.fill_diagonal(errors, 0.82)
    true = np.array([0.35, 0.45, 0.15, 0.05])
    target = true[0] / true[:3].sum()
    hits = 0
    for _ in range(300):
        truth = rng.choice(4, 400, p=true)
        judged = np.array([rng.choice(4, p=errors[t]) for t in truth])
        checked = rng.permutation(400)[:120]
        pairs = [(names[truth[i]], names[judged[i]]) for i in checked]
        result = corrected_rate([names[g] for g in judged], pairs, C, VALID)
        assert result
        assert result.low is not None
        assert result.high is not None
        hits += result.low <= target <= result.high
    assert hits >= 0.92 * 300
