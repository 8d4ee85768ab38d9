"""Gaps equal the published examples, and carry an interval that the data can bear."""

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
        Outcome(str(scenario), "c", arm, sample, True, False, label, False)
        for arm, label in (("pro", one), ("anti", two))
    ]


def table(both: int, first: int, second: int, neither: int) -> list[Outcome]:
    """The cells of a paired 2 x 2 table, one sample a scenario."""
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
def test_the_interval_equals_the_published_examples(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 2635-2650, method 10; the data of Bentur and of
    Cavo in Fagerland, Lydersen and Laake (Statistics in Medicine 33, 2014, 2850-2875), the last
    limits as printed by their R package contingencytables.
    """
    found = condition_gap(table(*cells), "pro", "anti")
    assert found.low == pytest.approx(100 * low, abs=5e-3)
    assert found.high == pytest.approx(100 * high, abs=5e-3)


@pytest.mark.parametrize(
    ("first", "second"), [(48, 0), (15, 3), (3, 2), (0, 0), (1, 9), (200, 150)]
)
def test_the_test_is_mcnemars_exact_one(first: int, second: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    found = condition_gap(table(5, first, second, 7), "pro", "anti")
    theirs = mcnemar([[5, first], [second, 7]], exact=True).pvalue
    assert (found.only_first, found.only_second) == (first, second)
    assert found.p == pytest.approx(theirs, rel=1e-9)


def test_several_samples_are_flipped_by_scenario_over_every_sign() -> None:
    from scipy.stats import permutation_test

    shifts = [5, 3, 0, -2, 4, 1, 1, -1, 2]
    theirs = permutation_test(
        (shifts,), lambda x, axis: x.sum(axis), permutation_type="samples", n_resamples=10**5
    )
    assert sign_flip_test(shifts) == pytest.approx(theirs.pvalue, rel=1e-9)
    assert sign_flip_test([7 * shift for shift in shifts]) == sign_flip_test(shifts)


def test_several_samples_that_are_copies_give_mcnemars_p() -> None:
    copies = [item for s in range(4) for i in range(8) for item in pair(i, C, N if i else C, s)]
    found = condition_gap(copies, "pro", "anti")
    assert found.p == pytest.approx(2 * 0.5**7)
    assert (found.pairs, found.only_first, found.only_second) == (8, 7, 0)


@pytest.mark.parametrize("cells", [(10, 0, 0, 0), (0, 10, 0, 0), (0, 0, 0, 1), (5, 0, 0, 5)])
def test_no_interval_has_zero_width(cells: tuple[int, int, int, int]) -> None:
    found = condition_gap(table(*cells), "pro", "anti")
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 20
    assert -100 <= found.low <= found.high <= 100


def test_swapping_the_conditions_mirrors_the_gap() -> None:
    there, back = (
        condition_gap(table(5, 9, 2, 7), "pro", "anti"),
        condition_gap(table(5, 9, 2, 7), "anti", "pro"),
    )
    assert there.points == -(back.points or 0)
    assert there.low == pytest.approx(-(back.high or 0))
    assert there.p == back.p


def test_each_rate_keeps_its_own_denominator_and_the_test_only_pairs() -> None:
    items = pair(0, C, X) + pair(1, C, N) + pair(2, N, N) + pair(3, X, C)
    found = condition_gap(items, "pro", "anti")
    assert found.points == pytest.approx(100 * (2 / 3 - 1 / 3))
    assert (found.pairs, found.only_first, found.p) == (2, 1, 1.0)
    assert condition_gap(items, "pro", "anti", Policy.ALL).pairs == 4


def test_a_condition_without_valid_items_leaves_the_gap_unsaid() -> None:
    for items in ([], pair(0, C, None), pair(0, X, N)):
        found = condition_gap(items, "pro", "anti")
        assert (found.points, found.low, found.high, found.p, found.pairs) == (None,) * 4 + (0,)


def test_valid_items_without_a_shared_scenario_give_points_but_no_test() -> None:
    found = condition_gap(pair(0, C, X) + pair(1, X, N), "pro", "anti")
    assert (found.points, found.pairs, found.p) == (100.0, 0, None)
    assert found.low is not None


def test_holm_equals_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm([]) == ()
    assert holm([0.04]) == (0.04,)
    rng = random.Random(4)
    for size in (2, 5, 30):
        p_values = [round(rng.random() ** 3, 2) for _ in range(size)]
        theirs = multipletests(p_values, method="holm")[1]
        assert holm(p_values) == pytest.approx(tuple(theirs), abs=1e-12)


def test_transitions_say_what_each_item_was_and_became() -> None:
    items = pair(0, C, N) + pair(1, C, N) + pair(2, S, X) + pair(3, C, None) + pair(4, X, X)
    assert label_transitions(items, "pro", "anti") == (
        (0, 2, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 1),
        (0, 0, 0, 1),
    )


@pytest.mark.parametrize("tests", [1, 3, 6])
@pytest.mark.parametrize("scenarios", [8, 11, 71, 500])
def test_the_smallest_gap_is_shown_four_times_in_five(scenarios: int, tests: int) -> None:
    from scipy.stats import binom, binomtest

    points = minimum_detectable_gap(scenarios, tests=tests)
    assert points is not None
    alone = [binomtest(b, b).pvalue for b in range(1, scenarios + 1)]
    shows = [holm([p] + [1.0] * (tests - 1))[0] <= 0.05 for p in alone]
    chances = binom.pmf(range(1, scenarios + 1), scenarios, points / 100)
    assert sum(chances[shows]) == pytest.approx(0.8, abs=1e-9)


def test_too_few_scenarios_can_show_no_gap() -> None:
    assert minimum_detectable_gap(5) is None
    assert minimum_detectable_gap(0) is None
    assert condition_gap(table(0, 5, 0, 0), "pro", "anti").p == 0.0625


def test_scenarios_for_a_gap_are_the_fewest_that_show_it() -> None:
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


def test_the_sign_flip_test_holds_for_more_scenarios_than_a_float_has_powers_of_two() -> None:
    rng = random.Random(5)
    moved = [rng.choice((1, 2, 3)) * rng.choice((1, 1, 1, -1, -1)) for _ in range(1100)]
    ways = {0: 1}
    for step in map(abs, moved):
        wider: dict[int, int] = {}
        for at, count in ways.items():
            wider[at - step] = wider.get(at - step, 0) + count
            wider[at + step] = wider.get(at + step, 0) + count
        ways = wider
    beyond = sum(count for at, count in ways.items() if abs(at) >= abs(sum(moved)))
    expected = beyond / 2 ** len(moved)
    assert 0 < expected < 0.1
    assert sign_flip_test(moved) == pytest.approx(expected, rel=1e-9)
