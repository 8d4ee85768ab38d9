"""Wordings as a random factor, and the variance split: equal to an analysis of variance."""

from statistics import variance

import numpy as np
import pytest
from numpy.typing import NDArray

from steertui.stats.gap import paired_gap
from steertui.stats.rate import ScenarioCounts
from steertui.stats.variance_split import Factor, split_variance
from steertui.stats.wordings import wording_gap

Table = NDArray[np.int64]


def sides(counts: Table, samples: int = 1) -> list[ScenarioCounts]:
    """Return one wording per column of counts of convergent samples."""
    return [
        {str(i): (int(x), samples) for i, x in enumerate(column)} for column in counts.T.tolist()
    ]


def draw(
    rng: np.random.Generator, wordings: int, rate: float, spread: float = 0.0, scenarios: int = 60
) -> Table:
    trait = rng.normal(0, 0.5, (scenarios, 1))
    shift = rng.normal(0, spread, (1, wordings)) if spread else 0.0
    noise = rng.normal(0, 1, (scenarios, wordings))
    return np.asarray(trait + shift + noise > -np.log(rate / (1 - rate)) / 1.7, np.int64)


def test_components_equal_the_mean_squares_of_a_two_way_analysis_of_variance() -> None:
    from statsmodels.api import OLS

    table = draw(np.random.default_rng(2), 4, 0.5, 0.6)
    number, size = table.shape
    scenario = np.repeat(np.eye(number), size, axis=0)
    wording = np.tile(np.eye(size), (number, 1))
    both, without_scenario, without_wording = (
        float(OLS(table.ravel().astype(float), np.hstack(parts)).fit().ssr)
        for parts in ([scenario, wording[:, 1:]], [wording], [scenario])
    )
    error = both / (number - 1) / (size - 1)
    scenarios = ((without_scenario - both) / (number - 1) - error) / size / number
    wordings = ((without_wording - both) / (size - 1) - error) / number / size
    split = split_variance(sides(table), sides(np.zeros((number, 1), np.int64)))
    assert split is not None
    assert split.scenarios == pytest.approx(1e4 * scenarios, rel=1e-9)
    assert split.wordings == pytest.approx(1e4 * wordings, rel=1e-9)
    assert split.interaction == pytest.approx(1e4 * error / number / size, rel=1e-9)


def test_limits_are_students_with_satterthwaites_degrees_of_freedom() -> None:
    from scipy.stats import t

    rng = np.random.default_rng(6)
    table = draw(rng, 5, 0.5, 0.8)
    number, size = table.shape
    other = np.zeros((number, 1), np.int64)
    result = wording_gap(sides(table), sides(other), "pro", "anti")
    assert result is not None
    assert result.over is not None
    rows = table.mean(axis=1).var(ddof=1) / number
    columns = table.mean(axis=0).var(ddof=1) / size
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    cells = float((rest**2).sum()) / (number - 1) / (size - 1) / number / size
    assert columns > cells
    total = rows + columns - cells
    freedom = total**2 / (
        rows**2 / (number - 1) + columns**2 / (size - 1) + cells**2 / (number - 1) / (size - 1)
    )
    half = 100 * t.ppf(0.975, freedom) * total**0.5
    points = 100 * table.mean()
    assert result.over == pytest.approx((points, points - half, points + half), rel=1e-9)
    assert result.share == pytest.approx((columns - cells) / total, rel=1e-9)
    assert result.spread[0] == pytest.approx(100 * (size * (columns - cells)) ** 0.5)
    assert result.spread[1] is None


def test_one_wording_has_no_interval_over_wordings() -> None:
    rng = np.random.default_rng(1)
    one, two = sides(draw(rng, 1, 0.6)), sides(draw(rng, 1, 0.3))
    result = wording_gap(one, two, "pro", "anti")
    assert result is not None
    assert (result.over, result.share, result.spread) == (None, None, (None, None))
    assert result.texts == paired_gap(one[0], two[0], "pro", "anti")


@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_limits_over_wordings_are_never_inside_those_over_the_texts(spread: float) -> None:
    rng = np.random.default_rng(9)
    for _ in range(40):
        one = sides(draw(rng, 3, 0.6, spread))
        two = sides(draw(rng, 2, 0.2, spread))
        result = wording_gap(one, two, "pro", "anti")
        assert result is not None
        assert result.over is not None
        assert result.texts.low is not None
        assert result.texts.high is not None
        assert result.over.value == pytest.approx(result.texts.points)
        assert result.over.low <= result.texts.low + 1e-9
        assert result.over.high >= result.texts.high - 1e-9


def test_a_wording_without_valid_answers_or_one_scenario_gives_nothing() -> None:
    assert wording_gap([{"a": (1, 1)}, {}], [{"a": (0, 1), "b": (1, 1)}], "pro", "anti") is None
    assert wording_gap([{"a": (1, 1)}], [{"a": (0, 1)}], "pro", "anti") is None
    assert wording_gap([], [{"a": (0, 1), "b": (1, 1)}], "pro", "anti") is None
    assert split_variance([{"a": (1, 1)}], [{"a": (0, 1)}]) is None


def test_three_scenarios_or_two_judges_show_no_variance() -> None:
    four = {name: (number % 2, 1) for number, name in enumerate("abcd")}
    three = {name: four[name] for name in "abc"}
    assert split_variance([three], [dict.fromkeys("abc", (0, 1))]) is None
    split = split_variance([four], [dict.fromkeys("abcd", (0, 1))], judges=(54.5, 0.0))
    assert split is not None
    assert split.judges is None
    assert split.error_with_twice(Factor.JUDGES) is None


def test_unequal_numbers_of_valid_answers_weigh_wordings_equally() -> None:
    one = [dict.fromkeys("abcd", (1, 1)), {"a": (0, 1)}]
    two = [dict.fromkeys("abcd", (0, 1))]
    result = wording_gap(one, two, "pro", "anti")
    assert result is not None
    assert result.over is not None
    assert result.over.value == pytest.approx(50)
    assert result.texts.points == pytest.approx(80)


def test_sampling_variance_is_that_of_binomial_counts() -> None:
    rng = np.random.default_rng(4)
    samples = 5
    one, two = (rng.binomial(samples, rng.beta(1, b, (80, 1))) for b in (1, 2))
    split = split_variance(sides(one, samples), sides(two, samples))
    assert split is not None
    expected = sum(
        variance([1.0] * x + [0.0] * (samples - x)) / samples
        for side in (one, two)
        for x in side.ravel().tolist()
    )
    assert split.samples == pytest.approx(1e4 * expected / 80**2, rel=1e-9)
    differences = ((one - two) / samples).ravel()
    assert split.total == pytest.approx(1e4 * differences.var(ddof=1) / 80, rel=1e-9)
    assert split.wordings is None
    assert split.interaction == 0


def test_twice_as_many_halve_their_own_part_of_the_variance() -> None:
    rng = np.random.default_rng(7)
    one = sides(rng.binomial(4, rng.beta(2, 2, (50, 3))), 4)
    two = sides(rng.binomial(4, rng.beta(2, 4, (50, 3))), 4)
    split = split_variance(one, two, judges=(30.0, 36.0, 33.0))
    assert split is not None
    assert split.wordings is not None
    assert split.samples is not None
    assert split.judges == pytest.approx((36 - 33) ** 2)  # of one judge, not of their mean
    assert split.judges is not None
    saved = {
        Factor.SCENARIOS: split.scenarios + split.interaction + split.samples,
        Factor.WORDINGS: split.wordings + split.interaction + split.samples,
        Factor.SAMPLES: split.samples,
        Factor.JUDGES: split.judges,
    }
    for factor, part in saved.items():
        expected = (split.total - part / 2) ** 0.5
        assert split.error_with_twice(factor) == pytest.approx(expected)
    assert sum(share or 0 for share in split.shares.values()) == pytest.approx(1)


def test_what_the_data_do_not_show_is_not_said() -> None:
    rng = np.random.default_rng(5)
    split = split_variance(sides(draw(rng, 1, 0.6)), sides(draw(rng, 1, 0.3)))
    assert split is not None
    assert [factor for factor in Factor if split.error_with_twice(factor) is None] == [
        Factor.WORDINGS,
        Factor.SAMPLES,
        Factor.JUDGES,
    ]


def test_the_limits_of_the_scenarios_share_are_those_of_f() -> None:
    from scipy.stats import f

    one = np.array([[5], [4], [0], [2], [5], [3], [1], [5], [4], [0], [2], [3]])
    two = np.array([[1], [3], [0], [2], [0], [3], [2], [1], [4], [1], [0], [0]])
    samples = 5
    split = split_variance(sides(one, samples), sides(two, samples))
    assert split is not None
    assert split.number == 12
    between = variance([float(x) for x in (one - two)[:, 0] / samples])
    parts = [float(np.mean(k * (samples - k) / samples**2 / (samples - 1))) for k in (one, two)]
    degrees = sum(parts) ** 2 / sum(part**2 / (12 * (samples - 1)) for part in parts)
    ratio = between / sum(parts)
    expected = [max(0.0, 1 - f.ppf(p, 11, degrees) / ratio) for p in (0.975, 0.025)]
    assert split.scenario_limits == pytest.approx(expected)
    share = split.shares[Factor.SCENARIOS]
    assert share is not None
    assert expected[0] < share < expected[1]


def test_a_split_without_two_known_parts_has_no_limits() -> None:
    whole = split_variance(sides(np.array([[1], [0], [1], [1]])), sides(np.zeros((4, 1), np.int64)))
    assert whole is not None
    assert whole.scenario_limits is None
    equal = split_variance(
        sides(np.array([[3], [0], [3], [3]]), 3), sides(np.array([[0], [0], [3], [0]]), 3)
    )
    assert equal is not None
    assert equal.scenario_limits is None


def test_the_limits_of_the_scenarios_share_cover_it() -> None:
    # Rates are uniform: variance 1/12 over scenarios, 1/6 of one answer about its rate.
    rng = np.random.default_rng(11)
    share = (1 / 6) / (1 / 6 + 1 / 15)
    covered = 0
    for _ in range(500):
        counts = rng.binomial(5, rng.uniform(size=(12, 2)))
        split = split_variance(sides(counts[:, :1], 5), sides(counts[:, 1:], 5))
        assert split is not None
        assert split.scenario_limits is not None
        low, high = split.scenario_limits
        covered += low <= share <= high
    assert 0.92 <= covered / 500 <= 0.98
