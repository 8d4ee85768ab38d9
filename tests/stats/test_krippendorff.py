"""Krippendorff's alpha: equal to the krippendorff package and a published example."""

import random

import numpy as np
import pytest

from steertui.core.verdict import Label
from steertui.stats.krippendorff import krippendorff_alpha

C, N, S, X = Label


@pytest.mark.parametrize("seed", range(5))
def test_alpha_equals_the_krippendorff_package(seed: int) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = random.Random(seed)
    truth = rng.choices(list(Label), [5, 4, 2, 1], k=80)
    items = [
        [
            None if rng.random() < 0.2 else t if rng.random() < 0.7 else rng.choice(list(Label))
            for _ in range(3)
        ]
        for t in truth
    ]
    codes = {label: float(i) for i, label in enumerate(Label)}
    data = np.array([[codes[x] if x else np.nan for x in item] for item in items]).T
    reference = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    assert krippendorff_alpha(items) == pytest.approx(reference, abs=1e-9)


def test_alpha_equals_the_published_example() -> None:
    """Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), part A: two observers,
    ten articles, alpha 0.095."""
    one, two = "0100000010", "1110010000"
    items = [[C if x == "1" else N for x in pair] for pair in zip(one, two, strict=True)]
    assert krippendorff_alpha(items) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_undefined_without_pairs_or_with_one_label() -> None:
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[C, C], [C, None]]) is None
    assert krippendorff_alpha([[C, C]] * 5) is None


def test_alpha_needs_four_items_with_two_labels() -> None:
    """Of one answer with two labels alpha is 0 by the formula, whatever the judges do."""
    assert krippendorff_alpha([[C, N], [N, C], [C, C], [C, None]]) is None
    assert krippendorff_alpha([[C, N], [N, C], [C, C], [N, N]]) == pytest.approx(0.125)
