"""Power of the exact test: equal to an enumeration of the multinomial, and to published figures."""

import numpy as np
import pytest

from steertui.stats.equivalence import is_equivalent
from steertui.stats.power import (
    BACK_SHARES,
    detection_power,
    equivalence_power,
    min_discordant,
    minimum_detectable_gap,
    scenarios_for_equivalence,
    scenarios_needed,
)


def enumerated_power(scenarios: int, points: float, tests: int, back: float) -> float:
    """Return the power by summing over all paired tables with scipy's distributions."""
    from scipy.stats import binomtest, multinomial

    forward = points / 100 + back
    total = 0.0
    for x in range(scenarios + 1):
        for y in range(min(x, scenarios - x + 1)):
            if y <= scenarios - x and tests * binomtest(y, x + y).pvalue <= 0.05:
                cells = [x, y, scenarios - x - y]
                total += multinomial.pmf(cells, scenarios, [forward, back, 1 - forward - back])
    return total


@pytest.mark.parametrize(
    ("scenarios", "points", "tests", "back"),
    [(11, 60, 1, 0.0), (11, 50, 1, 0.1), (30, 30, 3, 0.05), (30, 0, 1, 0.2), (24, 100, 2, 0.0)],
)
def test_power_equals_an_enumeration_of_all_tables(
    scenarios: int, points: float, tests: int, back: float
) -> None:
    expected = enumerated_power(scenarios, points, tests, back)
    assert detection_power(scenarios, points, tests, back) == pytest.approx(expected, abs=1e-10)


def test_back_movement_of_5_and_10_percent_doubles_the_minimum_detectable_gap() -> None:
    gaps = [minimum_detectable_gap(71, tests=3, back=back) for back in BACK_SHARES]
    assert gaps == pytest.approx([12.50, 21.73, 26.30], abs=0.005)


def test_fifteen_points_are_shown_in_23_percent_of_runs_if_7_of_60_scenarios_move_back() -> None:
    assert minimum_detectable_gap(60, tests=3) == pytest.approx(15, abs=0.5)
    assert detection_power(60, 15, tests=3, back=7 / 60) == pytest.approx(0.23, abs=0.005)
    assert minimum_detectable_gap(60, tests=3, back=7 / 60) == pytest.approx(31, abs=0.5)


@pytest.mark.parametrize("back", [0.0, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("tests", [1, 6])
def test_the_minimum_detectable_gap_has_the_power(back: float, tests: int) -> None:
    points = minimum_detectable_gap(120, power=0.9, tests=tests, back=back)
    assert points is not None
    assert detection_power(120, points, tests, back) == pytest.approx(0.9, abs=1e-9)


def test_no_gap_is_detectable_if_too_many_scenarios_move_back() -> None:
    assert minimum_detectable_gap(20, back=0.45) is None
    assert minimum_detectable_gap(20, back=0.5) is None
    assert minimum_detectable_gap(min_discordant() - 1, back=0.05) is None


def test_scenarios_needed_has_the_power_and_one_fewer_has_not() -> None:
    for points, back in ((40, 0.1), (15, 0.05), (5, 0.0)):
        needed = scenarios_needed(points, tests=3, back=back)
        assert detection_power(needed, points, 3, back) >= 0.8
        assert detection_power(needed - 1, points, 3, back) < 0.8


@pytest.mark.parametrize(("points", "back"), [(-1, 0.0), (50, 0.3), (10, -0.1), (10, 1.0)])
def test_an_impossible_population_is_refused(points: float, back: float) -> None:
    with pytest.raises(ValueError, match="no such population"):
        detection_power(71, points, back=back)


def test_scenarios_needed_refuses_a_gap_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        scenarios_needed(90, back=0.1)


def test_power_equals_a_simulation_of_the_test() -> None:
    from steertui.stats.significance import sign_flip_test

    rng = np.random.default_rng(3)
    cells = rng.multinomial(71, [0.30, 0.08, 0.62], 2000)
    shown = [2 * sign_flip_test([1] * x + [-1] * y) <= 0.05 and x > y for x, y, _ in cells.tolist()]
    assert detection_power(71, 22, tests=2, back=0.08) == pytest.approx(np.mean(shown), abs=0.04)


@pytest.mark.parametrize(
    ("scenarios", "margin", "back"), [(30, 15, 0.05), (40, 10, 0.0), (36, 20, 0.2)]
)
def test_power_of_equivalence_equals_an_enumeration_of_all_tables(
    scenarios: int, margin: float, back: float
) -> None:
    from scipy.stats import multinomial

    expected = 0.0
    for x in range(scenarios + 1):
        for y in range(scenarios + 1 - x):
            unchanged = scenarios - x - y
            differences = [1.0] * x + [-1.0] * y + [0.0] * unchanged
            if is_equivalent(differences, margin / 100, 1.0):
                cells = [x, y, unchanged]
                expected += multinomial.pmf(cells, scenarios, [back, back, 1 - 2 * back])
    assert equivalence_power(scenarios, margin, back) == pytest.approx(expected, abs=1e-10)


def test_the_number_of_scenarios_reaches_the_power_of_equivalence() -> None:
    number = scenarios_for_equivalence(10, back=0.05)
    assert equivalence_power(number, 10, 0.05) >= 0.8 > equivalence_power(number - 1, 10, 0.05)
    assert scenarios_for_equivalence(10) == 25  # no scenario changes: sqrt(25) / 3 > 1.645
    with pytest.raises(ValueError, match="out of range"):
        equivalence_power(30, 10, 0.6)
