"""Agreement: equal to statsmodels, scipy and scikit-learn; intervals at the extremes."""

import random

import pytest

from steertui.core.verdict import Label
from steertui.stats.agreement import (
    agreement_by_label,
    clopper_pearson_interval,
    confusion_matrix,
    kappa_half_width,
    measure_agreement,
)

C, N, S, X = Label


def random_pairs(seed: int, size: int) -> list[tuple[Label, Label]]:
    rng = random.Random(seed)
    firsts = rng.choices(list(Label), [5, 4, 2, 1], k=size)
    return [(one, one if rng.random() < 0.7 else rng.choice(list(Label))) for one in firsts]


@pytest.mark.parametrize("seed", range(5))
def test_kappa_and_its_limits_equal_statsmodels(seed: int) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    pairs = random_pairs(seed, 60)
    result, reference = measure_agreement(pairs), cohens_kappa(confusion_matrix(pairs))
    assert result.kappa == pytest.approx(reference.kappa, abs=1e-12)
    half_width = kappa_half_width(pairs, range(60))
    assert reference.kappa - half_width == pytest.approx(reference.kappa_low, abs=1e-9)
    assert reference.kappa + half_width == pytest.approx(reference.kappa_upp, abs=1e-9)
    assert result.kappa_low is not None
    assert result.kappa_low <= reference.kappa_low + 1e-9
    assert result.kappa_high is not None
    assert result.kappa_high >= reference.kappa_upp - 1e-9


def test_kappa_equals_the_published_example() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1: 0.676."""
    cells = {(C, C): 75, (C, N): 1, (C, S): 4, (N, C): 5, (N, N): 4, (N, S): 1, (S, S): 10}
    pairs = [pair for pair, count in cells.items() for _ in range(count)]
    result = measure_agreement(pairs)
    assert (result.items, result.agreed) == (100, 89)
    assert result.kappa == pytest.approx(0.676, abs=5e-4)


def test_clustered_limits_count_copies_of_an_answer_once() -> None:
    from scipy.stats import norm, t

    pairs = random_pairs(2, 40)
    once = measure_agreement(pairs)
    copies, owners = [p for p in pairs for _ in range(5)], [i for i in range(40) for _ in "12345"]
    result = measure_agreement(copies, owners)
    assert (result.items, result.agreed) == (200, 5 * once.agreed)
    assert result.kappa == pytest.approx(once.kappa, abs=1e-12)
    stretch = (40 / 39) ** 0.5 * t.ppf(0.975, 39) / norm.ppf(0.975)
    expected = stretch * kappa_half_width(pairs, range(40))
    assert kappa_half_width(copies, owners) == pytest.approx(expected, abs=1e-9)
    assert result.low is not None
    assert once.low is not None
    assert once.low - 0.02 < result.low <= once.low


def test_clustered_kappa_error_is_close_to_a_jackknife_over_clusters() -> None:
    rng = random.Random(4)
    groups = [(i, rng.random() < 0.6) for i in range(60)]
    items = [
        (i, (one, one if good or rng.random() < 0.3 else rng.choice(list(Label))))
        for i, good in groups
        for one in rng.choices(list(Label), [5, 4, 2, 1], k=4)
    ]
    half_width = kappa_half_width([p for _, p in items], [i for i, _ in items])
    leave_one_out = [
        measure_agreement([p for i, p in items if i != out]).kappa or 0 for out in range(60)
    ]
    mean = sum(leave_one_out) / 60
    error = (59 / 60 * sum((k - mean) ** 2 for k in leave_one_out)) ** 0.5
    assert half_width / 2.001 == pytest.approx(error, rel=0.03)


def test_clopper_pearson_equals_scipy() -> None:
    from scipy.stats import binomtest

    for count, total in ((0, 5), (5, 5), (60, 71), (1, 3)):
        reference = binomtest(count, total).proportion_ci(method="exact")
        assert clopper_pearson_interval(count, total) == pytest.approx(
            (reference.low, reference.high), abs=1e-9
        )


def test_precision_and_recall_use_the_first_judge_as_reference() -> None:
    result = agreement_by_label([(C, C), (C, C), (C, N), (N, C), (S, N)])
    assert result[C].precision == result[C].recall == pytest.approx(2 / 3)
    assert (result[N].precision, result[N].recall) == (0, 0)
    assert (result[S].precision, result[S].recall) == (None, 0)
    assert (result[X].precision, result[X].recall) == (None, None)


def test_precision_and_recall_equal_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    pairs = random_pairs(9, 80)
    one, two = zip(*pairs, strict=True)
    reference = metrics.precision_recall_fscore_support(
        one, two, labels=list(Label), zero_division=0
    )
    result = agreement_by_label(pairs).values()
    assert [f.precision or 0 for f in result] == pytest.approx(list(reference[0]), abs=1e-12)
    assert [f.recall or 0 for f in result] == pytest.approx(list(reference[1]), abs=1e-12)


def test_perfect_agreement_has_an_interval() -> None:
    result = measure_agreement([(C, C), (N, N)] * 5)
    assert (result.kappa, result.kappa_high) == (1.0, 1.0)
    assert result.kappa_low == pytest.approx(2 * 0.025 ** (1 / 10) - 1)


def test_no_agreement_has_an_interval() -> None:
    result = measure_agreement([(C, N), (N, C)] * 3)
    assert (result.agreed, result.kappa, result.kappa_low) == (0, -1.0, -1.0)
    assert result.kappa_high is not None
    assert result.kappa_high > -0.5


def test_a_constant_judge_has_kappa_zero_with_an_interval() -> None:
    result = measure_agreement([(C, C)] * 7 + [(C, N)] * 3)
    assert result.kappa == pytest.approx(0)
    assert result.kappa_low is not None
    assert result.kappa_high is not None
    assert result.kappa_low < -0.2 < 0.2 < result.kappa_high


def test_kappa_is_undefined_if_all_labels_are_equal() -> None:
    result = measure_agreement([(C, C)] * 4)
    assert (result.items, result.agreed, result.kappa, result.kappa_low) == (4, 4, None, None)


def test_kappa_needs_four_items() -> None:
    """Of one answer with two labels, an interval of 0 to 0.97 had excluded a negative kappa."""
    few = measure_agreement([(C, N), (N, C), (C, C)])
    assert (few.items, few.agreed, few.kappa, few.kappa_low) == (3, 1, None, None)
    assert few.low is not None
    assert measure_agreement([(C, N), (N, C), (C, C), (N, N)]).kappa == pytest.approx(0)


def test_agreement_is_undefined_without_items() -> None:
    result = measure_agreement([])
    assert (result.items, result.low, result.kappa) == (0, None, None)
    assert confusion_matrix([]) == ((0,) * 4,) * 4
