"""Two models' gaps are compared scenario by scenario, and no closer than the data allow."""

import itertools
import random

import pytest

from steertui.analysis.formatting import over_categories
from steertui.analysis.sentences import contrast_sentence
from steertui.analysis.table import make_table
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.paper.published import CONDITIONS
from steertui.paper.run_log import read_log
from steertui.stats.gap import paired_gap
from steertui.stats.gap_difference import gap_difference
from steertui.stats.over_categories import limits_over_categories
from steertui.stats.rate import Policy, ScenarioCounts
from steertui.store import JudgeInfo, ModelSetting
from tests.fixtures.real import RUNS, needs_shared


def side(*counts: int, samples: int = 1) -> ScenarioCounts:
    return {str(i): (x, samples) for i, x in enumerate(counts)}


def published(model: str, condition: str) -> ScenarioCounts:
    mode = {name: mode for mode, name in CONDITIONS.items()}[condition]
    (folder,) = RUNS.glob(f"{model}_{mode}_max_15_*")
    items = read_log(folder / "stdout.log")
    return {
        item.task_prompt: (int(item.decision is Label.CONVERGENCE), 1)
        for item in items
        if item.decision is not Label.NONSENSICAL
    }


def test_a_models_gap_does_not_differ_from_itself() -> None:
    one = side(1, 1, 1, 0, 1, 1), side(0, 0, 1, 0, 0, 1)
    found = gap_difference(one, one, "a", "b")
    assert (found.points, found.p, found.only_first, found.only_second) == (0, 1.0, 0, 0)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0 <= found.high


def test_the_test_is_every_sign_of_every_scenarios_difference_of_differences() -> None:
    rng = random.Random(7)
    pro, anti, other_pro, other_anti = (
        {str(i): (rng.randint(0, 3), 3) for i in range(9)} for _ in range(4)
    )
    found = gap_difference((pro, anti), (other_pro, other_anti), "a", "b")
    moved = [
        pro[i][0] - anti[i][0] - other_pro[i][0] + other_anti[i][0] for i in map(str, range(9))
    ]
    sums = [
        abs(sum(s * m for s, m in zip(signs, moved, strict=True)))
        for signs in itertools.product((1, -1), repeat=9)
    ]
    expected = sum(value >= abs(sum(moved)) for value in sums) / 2**9
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_swapping_the_models_mirrors_the_contrast() -> None:
    one, two = (side(1, 1, 1, 1, 0, 1), side(0, 0, 0, 0, 0, 1)), (side(1, 0), side(0, 1, 1))
    there, back = gap_difference(one, two, "a", "b"), gap_difference(two, one, "b", "a")
    assert there.points == pytest.approx(-(back.points or 0))
    assert there.low == pytest.approx(-(back.high or 0))
    assert there.p == back.p
    assert there.pairs == 2


def test_samples_of_uneven_number_still_pair_their_scenarios() -> None:
    one = {"a": (7, 97), "b": (3, 89)}, {"a": (1, 83), "b": (0, 79)}
    two = {"a": (5, 73), "b": (2, 71)}, {"a": (2, 67), "b": (1, 61)}
    found = gap_difference(one, two, "a", "b")
    assert (found.pairs, found.samples) == (2, 97)
    assert found.p is not None


def test_nothing_valid_leaves_the_contrast_unsaid() -> None:
    found = gap_difference((side(1), {}), (side(1), side(0)), "a", "b")
    assert (found.points, found.low, found.p, found.pairs) == (None, None, None, 0)
    assert contrast_sentence(found, "pro − anti") == (
        "pro − anti: a and b cannot be compared: they share no scenario that is valid in both"
    )


def test_a_contrast_is_said_no_stronger_than_it_is() -> None:
    """The paper's own anti arms: 4B against 30B Instruct are 3 against 2 discordant items."""
    small = {str(i): (int(i in (0, 1, 2)), 1) for i in range(71)}
    large = {str(i): (int(i in (3, 4)), 1) for i in range(71)}
    said = contrast_sentence(paired_gap(small, large, "4B", "30B"), "anti")
    assert said.startswith("anti: 4B and 30B are not distinguishable: 3 against 2 discordant, p = ")
    assert said.endswith("with 71 pairs, 11 points is the least that shows in 4 runs of 5")


def test_a_difference_is_said_from_the_larger_ones_side() -> None:
    few, many = side(*[0] * 12), side(*[1] * 12)
    said = contrast_sentence(paired_gap(few, many, "4B", "30B"), "pro")
    assert said.startswith("pro: larger for 30B than for 4B: +100.0 points (95 % interval +")
    assert "; 12 against 0 discordant, p < 0.001" in said


@needs_shared
def test_the_published_gaps_of_instruct_and_thinking_are_not_told_apart() -> None:
    names = "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507"
    instruct, thinking = ((published(m, "pro"), published(m, "anti")) for m in names)
    found = gap_difference(instruct, thinking, "Instruct", "Thinking")
    assert found.points == pytest.approx(67.61 - 71.83, abs=0.01)
    assert found.p is not None
    assert found.p > 0.05
    assert "not distinguishable" in contrast_sentence(found, "pro − anti")


def test_limits_over_categories_equal_the_cluster_robust_ones_of_statsmodels() -> None:
    import numpy as np
    import statsmodels.api as sm
    from scipy.stats import t

    one, two = side(1, 1, 0, 1, 1, 0, 1, 1), side(0, 1, 0, 0, 1, 0, 0, 0)
    category = {str(i): "aabbbccc"[i] for i in range(8)}
    moved = np.array([one[i][0] - two[i][0] for i in category], float)
    fit = sm.OLS(moved, np.ones((8, 1))).fit(
        cov_type="cluster",
        cov_kwds={"groups": np.array([ord(c) for c in category.values()]), "use_correction": False},
    )
    reach = 100 * t.ppf(0.975, 2) * fit.bse[0] * (3 / 2) ** 0.5
    found = limits_over_categories(one, two, category)
    assert found is not None
    assert found == pytest.approx((100 * moved.mean() - reach, 100 * moved.mean() + reach))


def test_one_category_or_none_valid_says_nothing_of_others() -> None:
    one, two = side(1, 1, 0), side(0, 1, 0)
    assert limits_over_categories(one, two, dict.fromkeys("012", "a")) is None
    assert limits_over_categories({}, two, dict.fromkeys("012", "a")) is None
    alike = limits_over_categories(side(1, 1), side(0, 0), {"0": "a", "1": "b"})
    assert alike is None


@pytest.mark.parametrize(("shares", "is_doubted"), [((3, 1), True), ((40, 3), False)])
def test_an_interval_over_categories_is_doubted_where_rates_lie_near_0(
    shares: tuple[int, int], is_doubted: bool
) -> None:
    items = [
        Outcome(
            f"s{i}",
            f"c{i % 6}",
            name,
            0,
            True,
            False,
            Label.CONVERGENCE if i < share else Label.NO_CONVERGENCE,
            False,
        )
        for name, share in zip(("pro", "anti"), shares, strict=True)
        for i in range(71)
    ]
    arm = ModelSetting("0" * 64, "m", "m", 0.0)
    table = make_table("e", arm, JudgeInfo("g", "gpt", "", JudgeKind.SERVER), items, Policy.PAPER)
    assert ("87 of 100" in over_categories(table)) is is_doubted
