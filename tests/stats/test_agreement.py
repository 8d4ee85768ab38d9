"""Agreement equals statsmodels', scipy's and scikit-learn's, and keeps its width at the edges."""

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


def mixed(seed: int, size: int) -> list[tuple[Label, Label]]:
    rng = random.Random(seed)
    firsts = rng.choices(list(Label), [5, 4, 2, 1], k=size)
    return [(one, one if rng.random() < 0.7 else rng.choice(list(Label))) for one in firsts]


@pytest.mark.parametrize("seed", range(5))
def test_kappa_and_its_limits_equal_statsmodels(seed: int) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    pairs = mixed(seed, 60)
    found, theirs = measure_agreement(pairs), cohens_kappa(confusion_matrix(pairs))
    assert found.kappa == pytest.approx(theirs.kappa, abs=1e-12)
    reach = kappa_half_width(pairs, range(60))
    assert theirs.kappa - reach == pytest.approx(theirs.kappa_low, abs=1e-9)
    assert theirs.kappa + reach == pytest.approx(theirs.kappa_upp, abs=1e-9)
    assert found.kappa_low is not None
    assert found.kappa_low <= theirs.kappa_low + 1e-9
    assert found.kappa_high is not None
    assert found.kappa_high >= theirs.kappa_upp - 1e-9


def test_kappa_equals_the_published_example() -> None:
    """Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table 18.1: 0.676."""
    cells = {(C, C): 75, (C, N): 1, (C, S): 4, (N, C): 5, (N, N): 4, (N, S): 1, (S, S): 10}
    pairs = [pair for pair, count in cells.items() for _ in range(count)]
    found = measure_agreement(pairs)
    assert (found.items, found.agreed) == (100, 89)
    assert found.kappa == pytest.approx(0.676, abs=5e-4)


def test_copies_of_an_answer_are_worth_one_where_limits_are_clustered() -> None:
    from scipy.stats import norm, t

    pairs = mixed(2, 40)
    once = measure_agreement(pairs)
    copies, owners = [p for p in pairs for _ in range(5)], [i for i in range(40) for _ in "12345"]
    found = measure_agreement(copies, owners)
    assert (found.items, found.agreed) == (200, 5 * once.agreed)
    assert found.kappa == pytest.approx(once.kappa, abs=1e-12)
    stretch = (40 / 39) ** 0.5 * t.ppf(0.975, 39) / norm.ppf(0.975)
    expected = stretch * kappa_half_width(pairs, range(40))
    assert kappa_half_width(copies, owners) == pytest.approx(expected, abs=1e-9)
    assert found.low is not None
    assert once.low is not None
    assert once.low - 0.02 < found.low <= once.low


def test_clustered_limits_are_near_those_of_a_jackknife_over_clusters() -> None:
    rng = random.Random(4)
    groups = [(i, rng.random() < 0.6) for i in range(60)]
    items = [
        (i, (one, one if good or rng.random() < 0.3 else rng.choice(list(Label))))
        for i, good in groups
        for one in rng.choices(list(Label), [5, 4, 2, 1], k=4)
    ]
    reach = kappa_half_width([p for _, p in items], [i for i, _ in items])
    left = [measure_agreement([p for i, p in items if i != out]).kappa or 0 for out in range(60)]
    mean = sum(left) / 60
    error = (59 / 60 * sum((k - mean) ** 2 for k in left)) ** 0.5
    assert reach / 2.001 == pytest.approx(error, rel=0.03)


def test_the_raw_limits_equal_scipys_exact_ones() -> None:
    from scipy.stats import binomtest

    for count, total in ((0, 5), (5, 5), (60, 71), (1, 3)):
        theirs = binomtest(count, total).proportion_ci(method="exact")
        assert clopper_pearson_interval(count, total) == pytest.approx(
            (theirs.low, theirs.high), abs=1e-9
        )


def test_precision_and_recall_take_the_first_judge_as_reference() -> None:
    found = agreement_by_label([(C, C), (C, C), (C, N), (N, C), (S, N)])
    assert found[C].precision == found[C].recall == pytest.approx(2 / 3)
    assert (found[N].precision, found[N].recall) == (0, 0)
    assert (found[S].precision, found[S].recall) == (None, 0)
    assert (found[X].precision, found[X].recall) == (None, None)


def test_precision_and_recall_equal_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    pairs = mixed(9, 80)
    one, two = zip(*pairs, strict=True)
    theirs = metrics.precision_recall_fscore_support(one, two, labels=list(Label), zero_division=0)
    found = agreement_by_label(pairs).values()
    assert [f.precision or 0 for f in found] == pytest.approx(list(theirs[0]), abs=1e-12)
    assert [f.recall or 0 for f in found] == pytest.approx(list(theirs[1]), abs=1e-12)


def test_judges_that_always_agree_still_have_an_interval() -> None:
    found = measure_agreement([(C, C), (N, N)] * 5)
    assert (found.kappa, found.kappa_high) == (1.0, 1.0)
    assert found.kappa_low == pytest.approx(2 * 0.025 ** (1 / 10) - 1)


def test_judges_that_never_agree_still_have_an_interval() -> None:
    found = measure_agreement([(C, N), (N, C)] * 3)
    assert (found.agreed, found.kappa, found.kappa_low) == (0, -1.0, -1.0)
    assert found.kappa_high is not None
    assert found.kappa_high > -0.5


def test_a_constant_judge_has_kappa_zero_with_an_interval() -> None:
    found = measure_agreement([(C, C)] * 7 + [(C, N)] * 3)
    assert found.kappa == pytest.approx(0)
    assert found.kappa_low is not None
    assert found.kappa_high is not None
    assert found.kappa_low < -0.2 < 0.2 < found.kappa_high


def test_one_label_throughout_leaves_kappa_unsaid() -> None:
    found = measure_agreement([(C, C)] * 4)
    assert (found.items, found.agreed, found.kappa, found.kappa_low) == (4, 4, None, None)


def test_no_items_leave_everything_unsaid() -> None:
    found = measure_agreement([])
    assert (found.items, found.low, found.kappa) == (0, None, None)
    assert confusion_matrix([]) == ((0,) * 4,) * 4
