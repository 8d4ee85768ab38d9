"""Estimators on the paper's run logs: sensitivity, odds ratio, posterior, pooled gaps, power."""

from math import inf

import pytest

from steertui.core.outcome import Outcome
from steertui.paper.published import CONDITIONS
from steertui.paper.run_log import read_log
from steertui.stats.matched_pairs import (
    PairedCells,
    matched_odds_ratio,
    paired_cells,
    paired_posterior,
)
from steertui.stats.pooled import pooled_contrast, pooled_difference
from steertui.stats.power import minimum_detectable_gap
from steertui.stats.rate import Policy
from steertui.stats.sensitivity import LabelCounts, Sensitivity, gap_sensitivity, label_counts
from tests.fixtures.real import RUNS, needs_shared

MODES = {name: mode for mode, name in CONDITIONS.items()}
BASE, INSTRUCT, THINKING = "Qwen3-4B-Base", "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507"


def published(model: str, condition: str) -> LabelCounts:
    (folder,) = RUNS.glob(f"{model}_{MODES[condition]}_max_15_*")
    return label_counts(
        [
            Outcome(
                scenario=item.task_prompt,
                category=item.category,
                condition=condition,
                sample=0,
                generated=True,
                truncated=False,
                label=item.decision,
                failed=False,
            )
            for item in read_log(folder / "stdout.log")
        ]
    )


def sensitivity(model: str, first: str = "pro", second: str = "anti") -> Sensitivity:
    return gap_sensitivity(published(model, first), published(model, second), first, second)


@needs_shared
def test_the_gap_of_the_base_model_depends_on_its_scenarios() -> None:
    result = sensitivity(BASE)
    assert result.marginal.points == pytest.approx(42.38, abs=0.005)
    assert result.shared.points == pytest.approx(32.43, abs=0.005)
    shared = result.shared
    assert (shared.pairs, shared.only_first, shared.only_second) == (37, 15, 3)
    assert shared.p == result.marginal.p == pytest.approx(0.0075, abs=5e-5)
    assert (shared.low, shared.high) == pytest.approx((10.67, 50.08), abs=0.005)
    assert result.policies[Policy.ALL].points == pytest.approx(23.94, abs=0.005)
    worst = result.worst_case
    assert worst is not None
    assert (worst.lowest, worst.highest) == pytest.approx((-4.23, 61.97), abs=0.005)
    assert result.headline is shared
    assert result.nonsense_may_explain


@needs_shared
@pytest.mark.parametrize(
    ("model", "points", "only_pro"), [(INSTRUCT, 67.61, 48), (THINKING, 71.83, 51)]
)
def test_gaps_without_nonsense_do_not_depend_on_choices(
    model: str, points: float, only_pro: int
) -> None:
    result = sensitivity(model)
    assert result.headline is result.marginal
    assert result.marginal.points == pytest.approx(points, abs=0.005)
    assert (result.marginal.only_first, result.marginal.only_second) == (only_pro, 0)
    assert not result.is_material


@needs_shared
def test_a_policy_decides_on_pro_against_baseline_of_the_base_model() -> None:
    result = sensitivity(BASE, "pro", "baseline")
    assert result.policies[Policy.PAPER].p == pytest.approx(0.0574, abs=5e-5)
    assert (result.policies[Policy.ALL].p or 1) < 0.001
    assert result.policies_differ


@needs_shared
def test_matched_odds_ratio_and_posterior_of_the_base_model() -> None:
    one, two = (published(BASE, name).by_policy[Policy.PAPER] for name in ("pro", "anti"))
    cells = paired_cells(one, two)
    assert cells == PairedCells(9, 15, 3, 10)
    assert cells is not None
    assert matched_odds_ratio(cells.only_first, cells.only_second) == pytest.approx(
        (5.0, 1.414424, 26.944605), abs=1e-6
    )
    posterior = paired_posterior(cells)
    assert posterior.above_zero == pytest.approx(0.9984, abs=5e-5)
    assert posterior.gap == pytest.approx((30.92, 10.88, 49.74), abs=0.02)
    ceiling = matched_odds_ratio(48, 0)
    assert ceiling == pytest.approx((inf, 12.518485, inf), abs=1e-6)


@needs_shared
def test_back_movement_of_the_base_model_raises_its_minimum_detectable_gap() -> None:
    shared = sensitivity(BASE).shared
    back = shared.only_second / shared.pairs
    assert minimum_detectable_gap(shared.pairs) == pytest.approx(20.5, abs=0.05)
    assert minimum_detectable_gap(shared.pairs, back=back) == pytest.approx(32.2, abs=0.05)


@needs_shared
def test_pooled_gap_of_three_models_and_the_difference_of_the_base_model() -> None:
    gaps = []
    for model in (BASE, INSTRUCT, THINKING):
        one, two = (published(model, name).by_policy[Policy.PAPER] for name in ("pro", "anti"))
        gaps.append((one, two))
    pooled = pooled_contrast(gaps, "pro", "anti").gap
    assert pooled.points == pytest.approx(62.01, abs=0.005)
    assert (pooled.low, pooled.high) == pytest.approx((52.95, 69.15), abs=0.005)
    assert (pooled.pairs, pooled.only_first, pooled.only_second) == (71, 61, 0)
    difference = pooled_difference(gaps[:1], gaps[1:], "Base", "tuned")
    assert difference.points == pytest.approx(-37.29, abs=0.005)
    assert difference.p == pytest.approx(0.0016, abs=5e-5)
