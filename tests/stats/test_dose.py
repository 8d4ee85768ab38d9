"""Dose curves and matched strength: effects, coherence, the best dose, crossings."""

import numpy as np
import pytest
import scipy.stats

from steertui.core.grouping import CoherenceLimits
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.coherence import (
    AnswerMeasures,
    CoherenceMeasure,
    ScenarioSums,
    paired_mean,
)
from steertui.stats.dose import DoseCurve, dose_curve
from steertui.stats.matched_dose import matched_costs, matched_dose
from steertui.stats.rate import Policy
from steertui.stats.significance import holm

YES, NO, NONSENSE = Label.CONVERGENCE, Label.NO_CONVERGENCE, Label.NONSENSICAL


def outcomes(condition: str, yes: int, no: int, nonsense: int = 0) -> list[Outcome]:
    labels = [YES] * yes + [NO] * no + [NONSENSE] * nonsense
    return [
        Outcome(
            scenario=f"p/{i}",
            category="c",
            condition=condition,
            sample=0,
            generated=True,
            truncated=False,
            label=label,
            failed=False,
        )
        for i, label in enumerate(labels)
    ]


AXIS = [(-1.0, "v@-1"), (0.0, "v@0"), (1.0, "v@1"), (2.0, "v@2"), (3.0, "v@3")]


def curve(nonsense: int = 6) -> DoseCurve:
    """An axis whose strongest dose has the largest effect and this much nonsense."""
    counts = {
        "v@-1": (1, 19, 0),
        "v@0": (4, 16, 0),
        "v@1": (9, 11, 0),
        "v@2": (14, 6, 0),
        "v@3": (20 - nonsense, 0, nonsense),
    }
    by_condition = {name: outcomes(name, *count) for name, count in counts.items()}
    return dose_curve(AXIS, by_condition, CoherenceLimits(0.1))


def test_effects_are_gaps_to_dose_0_after_holm() -> None:
    points = curve().points
    assert points[1].effect is None
    assert points[1].test is None
    effects = [point.effect for point in points if point.effect]
    assert [e.points for e in effects] == pytest.approx([-15, 25, 50, 80])
    adjusted = [point.test.p for point in points if point.test]
    assert adjusted == list(holm([e.p or 0 for e in effects]))
    assert points[3].is_shown
    assert not points[0].is_shown


def test_the_best_dose_is_the_strongest_coherent_effect_in_each_direction() -> None:
    up, down = curve().best(1), curve().best(-1)
    assert up
    assert down
    assert (up.dose, down.dose) == (2.0, -1.0)
    coherent = curve(nonsense=2).best(1)
    assert coherent
    assert coherent.dose == 3.0


def test_nonsense_stays_in_its_own_denominator() -> None:
    last = curve().points[-1]
    assert (last.rate.count, last.rate.total) == (14, 14)
    assert (last.nonsense.count, last.nonsense.total) == (6, 20)
    assert not last.is_coherent


def measures(repetition: float, loglik: float | None) -> AnswerMeasures:
    """Return the measures of two answers whose mean is given."""
    logliks = {} if loglik is None else {"p/0": (loglik - 1, 1), "p/1": (loglik + 1, 1)}
    return AnswerMeasures({"p/0": (0.0, 1), "p/1": (2 * repetition, 1)}, logliks)


def limited(limits: CoherenceLimits, strongest: AnswerMeasures) -> DoseCurve:
    """An axis without nonsense, whose strongest dose has these measures; dose 0 has 0.1 and -1."""
    by_condition = {"a@0": outcomes("a@0", 2, 8), "a@1": outcomes("a@1", 8, 2)}
    known = {"a@0": measures(0.1, -1.0), "a@1": strongest}
    return dose_curve([(0.0, "a@0"), (1.0, "a@1")], by_condition, limits, measures=known)


@pytest.mark.parametrize(
    ("limits", "repetition", "loglik", "exceeded"),
    [
        (CoherenceLimits(0.1), 0.9, -9.0, ()),
        (CoherenceLimits(0.1, 0.2), 0.3, -1.0, ()),
        (CoherenceLimits(0.1, 0.2), 0.31, -1.0, (CoherenceMeasure.REPETITION,)),
        (CoherenceLimits(0.1, None, 0.5), 0.9, -1.5, ()),
        (CoherenceLimits(0.1, None, 0.5), 0.1, -1.51, (CoherenceMeasure.LOGLIK,)),
        (CoherenceLimits(0.1, None, 0.5), 0.1, None, (CoherenceMeasure.LOGLIK,)),
        (
            CoherenceLimits(0.1, 0.2, 0.5),
            0.31,
            -2.0,
            (CoherenceMeasure.REPETITION, CoherenceMeasure.LOGLIK),
        ),
    ],
)
def test_a_dose_is_coherent_within_every_declared_limit(
    limits: CoherenceLimits,
    repetition: float,
    loglik: float | None,
    exceeded: tuple[CoherenceMeasure, ...],
) -> None:
    curve = limited(limits, measures(repetition, loglik))
    assert curve.points[0].is_coherent
    last = curve.points[1]
    assert last.exceeded == exceeded
    assert last.means.repetition == pytest.approx(repetition)
    assert last.means.loglik == pytest.approx(loglik)
    best = curve.best(1)
    assert (best and best.dose) == (None if exceeded else 1.0)


def shares(*values: float, scenarios: int = 100) -> list[dict[str, tuple[int, int]]]:
    """Return counts by condition in which the same scenarios converge first."""
    return [{str(i): (int(i < value * scenarios), 1) for i in range(scenarios)} for value in values]


def test_the_matched_dose_is_interpolated_where_the_rates_cross() -> None:
    *doses, target = shares(0.2, 0.4, 0.6, 0.5)
    found = matched_dose([0, 1, 2], doses, target)
    assert found.dose == pytest.approx(1.5)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.5 < found.high
    assert found.absent < 0.025


def test_the_matched_dose_may_be_on_the_other_side_of_0() -> None:
    *doses, target = shares(0.6, 0.4, 0.2, 0.5)
    found = matched_dose([-1, 0, 1], doses, target)
    assert found.dose == pytest.approx(-0.5)
    assert found.low is not None
    assert found.high is not None
    assert found.high < -0.5 < found.low


def test_no_dose_matches_a_condition_beyond_all_rates() -> None:
    *doses, target = shares(0.2, 0.3, 0.35, 0.9)
    found = matched_dose([0, 1, 2], doses, target)
    assert (found.dose, found.low, found.high, found.absent) == (None, None, None, 1.0)


def test_a_limit_beyond_the_strongest_dose_is_open() -> None:
    *doses, target = shares(0.2, 0.4, 0.42)
    independent = {str((i * 37) % 100): value for i, (_, value) in enumerate(target.items())}
    found = matched_dose([0, 1], doses, independent)
    assert found.low is not None
    assert found.high is None
    assert 0.025 < found.absent < 1


def costs(*means: float, scenarios: int = 30) -> list[ScenarioSums]:
    """Return a cost of each scenario by condition, with these means and a common spread."""
    middle = (scenarios - 1) / 2
    return [{str(i): (mean + (i - middle) / 50, 1) for i in range(scenarios)} for mean in means]


def test_the_dose_of_equal_cost_is_found_on_both_sides() -> None:
    *doses, target = costs(0.8, 0.0, 0.2, 1.0, 0.6)
    up, down = matched_costs([-1, 0, 1, 2], doses, target)
    assert up.dose == pytest.approx(1.5)
    assert down.dose == pytest.approx(-0.75)
    # All costs have the same deviation of a scenario, so no resample changes their differences.
    assert up.low == pytest.approx(1.5)
    assert up.high == pytest.approx(1.5)
    assert up.scenarios == 30


def test_no_dose_may_cost_as_much() -> None:
    *doses, target = costs(0.0, 0.2, 0.4, 0.6)
    (found,) = matched_costs([0, 1, 2], doses, target)
    assert (found.dose, found.low, found.high, found.absent) == (None, None, None, 1.0)


def test_a_condition_without_cost_is_matched_by_dose_0() -> None:
    *doses, target = costs(0.0, 0.2, -0.1)
    (found,) = matched_costs([0, 1], doses, target)
    assert (found.dose, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_paired_mean_is_students_over_scenarios() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.3, 1, 20), rng.normal(0, 1, 20)
    found = paired_mean(
        {str(i): (2 * value, 2) for i, value in enumerate(first)},
        {str(i): (value, 1) for i, value in enumerate(second)} | {"other": (9.0, 1)},
    )
    theirs = scipy.stats.ttest_rel(first, second)
    assert found.mean == pytest.approx((first - second).mean())
    limits = theirs.confidence_interval(0.95)
    assert found.low == pytest.approx(limits.low)
    assert found.high == pytest.approx(limits.high)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.02)
    assert found.scenarios == 20
    wider = paired_mean({"a": (1.0, 1), "b": (2.0, 1)}, {"a": (0.0, 1), "b": (0.0, 1)}, 0.01)
    assert wider.level == 0.99
    assert wider.high == pytest.approx(1.5 + 63.657 * 0.5, rel=1e-4)
    none = paired_mean({"a": (1.0, 1)}, {"b": (1.0, 1)})
    assert (none.mean, none.low, none.p, none.scenarios) == (0.0, None, 1.0, 0)
    single = paired_mean({"a": (1.0, 1)}, {"a": (3.0, 2)})
    assert (single.mean, single.low, single.high, single.p) == (-0.5, None, None, 1.0)


def test_policies_change_only_the_rates() -> None:
    by_condition = {"a@0": outcomes("a@0", 2, 6, 2), "a@1": outcomes("a@1", 4, 4, 2)}
    axis = [(0.0, "a@0"), (1.0, "a@1")]
    paper = dose_curve(axis, by_condition, CoherenceLimits(0.1))
    every = dose_curve(axis, by_condition, CoherenceLimits(0.1), Policy.ALL)
    assert [p.rate.total for p in paper.points] == [8, 8]
    assert [p.rate.total for p in every.points] == [10, 10]
    assert [p.nonsense.total for p in paper.points] == [10, 10]
