"""Alpha equals the krippendorff package's, and a published example; corrections undo errors."""

import random

import numpy as np
import pytest

from steertui.core.verdict import Label
from steertui.stats.krippendorff import krippendorff_alpha
from steertui.stats.misclassification import corrected_rate, rogan_gladen

C, N, S, X = Label
VALID = frozenset(Label) - {X}


@pytest.mark.parametrize("seed", range(5))
def test_alpha_equals_the_krippendorff_package(seed: int) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = random.Random(seed)
    truth = rng.choices(list(Label), [5, 4, 2, 1], k=80)
    items = [
        [None if rng.random() < 0.2 else t if rng.random() < 0.7 else rng.choice(list(Label))
         for _ in range(3)]
        for t in truth
    ]  # fmt: skip
    places = {label: float(i) for i, label in enumerate(Label)}
    data = np.array([[places[x] if x else np.nan for x in item] for item in items]).T
    theirs = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    assert krippendorff_alpha(items) == pytest.approx(theirs, abs=1e-9)


def test_alpha_equals_the_published_example() -> None:
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), part A: two observers,
    ten articles, alpha 0.095."""
    one, two = "0100000010", "1110010000"
    items = [[C if x == "1" else N for x in pair] for pair in zip(one, two, strict=True)]
    assert krippendorff_alpha(items) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_unsaid_where_nothing_can_differ() -> None:
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[C, C], [C, None]]) is None


def test_rogan_and_gladens_estimator_undoes_known_errors() -> None:
    seen = 0.3 * 0.9 + 0.7 * 0.2
    assert rogan_gladen(seen, 0.9, 0.8) == pytest.approx(0.3)
    assert rogan_gladen(0.05, 0.9, 0.8) == 0.0
    assert rogan_gladen(0.5, 0.5, 0.5) is None


def test_a_correction_over_two_labels_is_rogan_and_gladens() -> None:
    pairs = [(C, C)] * 27 + [(C, N)] * 3 + [(N, N)] * 56 + [(N, C)] * 14
    labels = [two for _, two in pairs]
    found = corrected_rate(labels, pairs, C, VALID)
    assert found
    assert found.raw == pytest.approx(0.41)
    assert found.value == pytest.approx(rogan_gladen(0.41, 0.9, 0.8), abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.3 < found.high


def test_a_label_that_was_never_checked_leaves_the_rate_uncorrected() -> None:
    found = corrected_rate([C, N, S], [(C, C), (N, N)], C, VALID)
    assert found
    assert found.raw == pytest.approx(1 / 3)
    assert (found.value, found.low) == (None, None)


@pytest.mark.slow
def test_corrected_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(1)
    names, errors = list(Label), np.full((4, 4), 0.06)
    np.fill_diagonal(errors, 0.82)
    true = np.array([0.35, 0.45, 0.15, 0.05])
    target = true[0] / true[:3].sum()
    hits = 0
    for _ in range(300):
        truth = rng.choice(4, 400, p=true)
        given = np.array([rng.choice(4, p=errors[t]) for t in truth])
        checked = rng.permutation(400)[:120]
        pairs = [(names[truth[i]], names[given[i]]) for i in checked]
        found = corrected_rate([names[g] for g in given], pairs, C, VALID)
        assert found
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= target <= found.high
    assert hits >= 0.92 * 300
