"""Paired gaps: published examples, exact tests, power."""

import random

import pytest

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.gap import condition_gap, label_transitions
from steertui.stats.power import minimum_detectable_gap, scenarios_needed
from steertui.stats.rate import Policy
from steertui.stats.significance import holm, sign_flip_test

C, N, S, X = Label


def pair(
    scenario: int | str, one: Label | None, two: Label | None, sample: int = 0
) -> list[Outcome]:
    return [
        Outcome(
            scenario=str(scenario),
            category="c",
            condition=condition,
            sample=sample,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
        )
        for condition, label in (("pro", one), ("anti", two))
    ]


def table(both: int, first: int, second: int, neither: int) -> list[Outcome]:
    """Return the outcomes of a paired 2 x 2 table, one sample per scenario."""
    kinds = [(C, C)] * both + [(C, N)] * first + [(N, C)] * second + [(N, N)] * neither
    return [item for i, kind in enumerate(kinds) for item in pair(i, *kind)]


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((1, 1, 7, 12), -0.5069, -0.0256),
        ((59, 6, 16, 80), -0.1186, -0.0046),
    ],
)
def test_interval_equals_published_examples(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 2635-2650, method 10; the data of Bentur and of
    Cavo in Fagerland, Lydersen and Laake (Statistics in Medicine 33, 2014, 2850-2875), the last
    limits as printed by their R package contingencytables.
    """
    result = condition_gap(table(*cells), "pro", "anti")
    assert result.low == pytest.approx(100 * low, abs=5e-3)
    assert result.high == pytest.approx(100 * high, abs=5e-3)


@pytest.mark.parametrize(
    ("first", "second"), [(48, 0), (15, 3), (3, 2), (0, 0), (1, 9), (200, 150)]
)
def test_p_value_equals_mcnemars_exact_test(first: int, second: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    result = condition_gap(table(5, first, second, 7), "pro", "anti")
    reference = mcnemar([[5, first], [second, 7]], exact=True).pvalue
    assert (result.only_first, result.only_second) == (first, second)
    assert result.p == pytest.approx(reference, rel=1e-9)


def test_sign_flip_test_equals_scipys_permutation_test() -> None:
    from scipy.stats import permutation_test

    differences = [5, 3, 0, -2, 4, 1, 1, -1, 2]
    reference = permutation_test(
        (differences,), lambda x, axis: x.sum(axis), permutation_type="samples", n_resamples=10**5
    )
    assert sign_flip_test(differences) == pytest.approx(reference.pvalue, rel=1e-9)
    assert sign_flip_test([7 * difference for difference in differences]) == sign_flip_test(
        differences
    )


def test_identical_samples_give_mcnemars_p_value() -> None:
    copies = [item for s in range(4) for i in range(8) for item in pair(i, C, N if i else C, s)]
    result = condition_gap(copies, "pro", "anti")
    assert result.p == pytest.approx(2 * 0.5**7)
    assert (result.pairs, result.only_first, result.only_second) == (8, 7, 0)


@pytest.mark.parametrize("cells", [(10, 0, 0, 0), (0, 10, 0, 0), (0, 0, 0, 4), (5, 0, 0, 5)])
def test_no_interval_has_zero_width(cells: tuple[int, int, int, int]) -> None:
    result = condition_gap(table(*cells), "pro", "anti")
    assert result.low is not None
    assert result.high is not None
    assert result.high - result.low > 20
    assert -100 <= result.low <= result.high <= 100


def test_swapping_the_conditions_negates_the_gap() -> None:
    there, back = (
        condition_gap(table(5, 9, 2, 7), "pro", "anti"),
        condition_gap(table(5, 9, 2, 7), "anti", "pro"),
    )
    assert there.points == -(back.points or 0)
    assert there.low == pytest.approx(-(back.high or 0))
    assert there.p == back.p


def test_rates_use_all_valid_items_and_the_test_uses_pairs() -> None:
    items = pair(0, C, X) + pair(1, C, N) + pair(2, N, N) + pair(3, X, C)
    result = condition_gap(items, "pro", "anti")
    assert result.points == pytest.approx(100 * (2 / 3 - 1 / 3))
    assert (result.pairs, result.only_first, result.p) == (2, 1, 1.0)
    assert condition_gap(items, "pro", "anti", Policy.ALL).pairs == 4


def test_gap_is_undefined_without_valid_items_on_a_side() -> None:
    for items in ([], pair(0, C, None), pair(0, X, N)):
        result = condition_gap(items, "pro", "anti")
        assert (result.points, result.low, result.high, result.p, result.pairs) == (None,) * 4 + (
            0,
        )


def test_gap_without_shared_scenarios_has_points_but_no_p_value() -> None:
    result = condition_gap(pair(0, C, X) + pair(1, X, N), "pro", "anti")
    assert (result.points, result.pairs, result.p) == (100.0, 0, None)
    assert result.low is None


def test_holm_equals_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm([]) == ()
    assert holm([0.04]) == (0.04,)
    rng = random.Random(4)
    for size in (2, 5, 30):
        p_values = [round(rng.random() ** 3, 2) for _ in range(size)]
        reference = multipletests(p_values, method="holm")[1]
        assert holm(p_values) == pytest.approx(tuple(reference), abs=1e-12)


def test_label_transitions_count_pairs_of_labels() -> None:
    items = pair(0, C, N) + pair(1, C, N) + pair(2, S, X) + pair(3, C, None) + pair(4, X, X)
    assert label_transitions(items, "pro", "anti") == (
        (0, 2, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (0, 0, 0, 1),
    )


@pytest.mark.parametrize("tests", [1, 3, 6])
@pytest.mark.parametrize("scenarios", [8, 11, 71, 500])
def test_minimum_detectable_gap_has_80_percent_power(scenarios: int, tests: int) -> None:
    from scipy.stats import binom, binomtest

    points = minimum_detectable_gap(scenarios, tests=tests)
    assert points is not None
    p_values = [binomtest(b, b).pvalue for b in range(1, scenarios + 1)]
    shows = [holm([p] + [1.0] * (tests - 1))[0] <= 0.05 for p in p_values]
    chances = binom.pmf(range(1, scenarios + 1), scenarios, points / 100)
    assert sum(chances[shows]) == pytest.approx(0.8, abs=1e-9)


def test_too_few_scenarios_have_no_minimum_detectable_gap() -> None:
    assert minimum_detectable_gap(5) is None
    assert minimum_detectable_gap(0) is None
    assert condition_gap(table(0, 5, 0, 0), "pro", "anti").p == 0.0625


def test_scenarios_needed_is_the_smallest_sufficient_number() -> None:
    for points in (97, 60, 10.7, 3):
        needed = scenarios_needed(points)
        assert (
            (minimum_detectable_gap(needed) or 0)
            <= points
            < (minimum_detectable_gap(needed - 1) or 101)
        )
        more = scenarios_needed(points, tests=6)
        assert more > needed
        assert (minimum_detectable_gap(more, tests=6) or 0) <= points
        assert (minimum_detectable_gap(more - 1, tests=6) or 101) > points
    with pytest.raises(ValueError, match="above 0"):
        scenarios_needed(0)


def test_sign_flip_test_with_more_scenarios_than_a_float_has_powers_of_two() -> None:
    rng = random.Random(5)
    differences = [rng.choice((1, 2, 3)) * rng.choice((1, 1, 1, -1, -1)) for _ in range(1100)]
    ways = {0: 1}
    for step in map(abs, differences):
        wider: dict[int, int] = {}
        for at, count in ways.items():
            wider[at - step] = wider.get(at - step, 0) + count
            wider[at + step] = wider.get(at + step, 0) + count
        ways = wider
    beyond = sum(count for at, count in ways.items() if abs(at) >= abs(sum(differences)))
    expected = beyond / 2 ** len(differences)
    assert 0 < expected < 0.1
    assert sign_flip_test(differences) == pytest.approx(expected, rel=1e-9)
