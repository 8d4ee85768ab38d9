"""Planning from a pilot: share that moves back, detectable gaps, expected widths."""

from math import ceil, inf, sqrt
from pathlib import Path

import pytest

from steertui.analysis.pilot import (
    PilotGap,
    back_share,
    detectable_rows,
    equivalence_row,
    expected_width,
    needed_row,
    width_rows,
    width_sentence,
)
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.stats.agreement import clopper_pearson_interval
from steertui.stats.gap import gap_estimate
from steertui.stats.power import minimum_detectable_gap, scenarios_for_equivalence, scenarios_needed
from steertui.stats.rate import Estimate, ScenarioCounts
from steertui.stats.variance_split import VarianceSplit, split_variance
from tests.fixtures import grouped
from tests.fixtures.program import call


def side(values: list[int], samples: int = 1) -> ScenarioCounts:
    return {str(i): (value, samples) for i, value in enumerate(values)}


def pilot(
    back: Estimate, split: VarianceSplit | None = None, wordings: tuple[int, int] = (1, 1)
) -> PilotGap:
    pair = ("pro", "anti")
    return PilotGap(
        "m",
        pair,
        points=30.0,
        pairs=40,
        back=back,
        split=split,
        wordings=wordings,
        between=pair,
    )


def test_the_share_that_moves_back_is_that_of_the_second_condition_alone() -> None:
    one = side([1] * 20 + [0] * 20)
    two = side([1] * 10 + [0] * 27 + [1] * 3)
    assert back_share(one, two) == (3 / 40, *clopper_pearson_interval(3, 40))
    shares = back_share(side([2] * 10, 4), side([1] * 10, 4))
    assert shares.value == pytest.approx(0.5 * 0.25)
    assert shares.low < shares.value < shares.high


def test_the_tables_have_the_gaps_and_numbers_of_the_power_of_the_exact_test() -> None:
    own = pilot(Estimate(0.05, 0.01, 0.15))
    rows = [*detectable_rows(own, [71])]
    expected = [minimum_detectable_gap(71, back=share) or 0 for share in (0.01, 0.05, 0.15)]
    assert rows == [("71", *(str(ceil(gap)) for gap in expected))]
    needed = [scenarios_needed(10, back=share) for share in (0.01, 0.05, 0.15)]
    assert needed_row(own, 10)[1:] == tuple(f"{number} scenarios" for number in needed)
    assert [row[0] for row in detectable_rows(own, [])] == ["40", "80", "160", "320"]
    hopeless = pilot(Estimate(0.3, 0.1, 0.6))
    assert next(detectable_rows(hopeless, [20]))[3] == "none"
    assert needed_row(hopeless, 10)[3] == "none"


def test_scenarios_for_equivalence_have_the_power_of_the_test() -> None:
    row = equivalence_row(pilot(Estimate(0.02, 0.0, 0.4)))
    expected = [scenarios_for_equivalence(10, back=share) for share in (0.0, 0.02)]
    assert row == ("equivalence ±10", *(f"{n} scenarios" for n in expected), "–")


def test_the_expected_width_at_the_pilots_size_is_nearly_that_of_its_interval() -> None:
    one, two = side([1] * 26 + [0] * 14), side([1] * 12 + [0] * 28)
    split = split_variance([one], [two])
    found = gap_estimate((one, two))
    assert found is not None
    own = pilot(Estimate(0.0, 0.0, 0.1), split)
    width = expected_width(own, 1, 1)
    assert width == pytest.approx(found.high - found.low, rel=0.1)
    assert expected_width(own, 4, 1) == pytest.approx((width or 0) / 2)
    assert len([*width_rows(own)]) == 1
    sentence = width_sentence(own, 20)
    assert sentence.endswith("scenarios with 1 wording of pro and 1 of anti")
    number = int(sentence.split("from ")[1].split()[0].replace(",", ""))
    assert (expected_width(own, number / 40, 1) or inf) <= 20
    assert (expected_width(own, (number - 1) / 40, 1) or 0) > 20


def test_more_wordings_reach_what_more_scenarios_do_not() -> None:
    split = VarianceSplit(
        scenarios=16, interaction=4, wordings=64, samples=None, judges=None, number=40
    )
    own = pilot(Estimate(0.0, 0.0, 0.1), split, (3, 3))
    assert split.variance_with(scenarios=2, wordings=4, judges=inf) == 8 + 0.5 + 16
    floor = 2 * 1.96 * sqrt(64)
    assert (expected_width(own, 1000, 1) or 0) > floor
    rows = [*width_rows(own)]
    assert [row[0] for row in rows] == ["3 and 3", "6 and 6", "12 and 12", "24 and 24"]
    sentence = width_sentence(own, 20)
    assert "with 3 wordings" not in sentence
    assert "with 12 wordings of pro and 12 of anti" in sentence
    assert "out of reach" in width_sentence(own, 1)


def test_the_command_prints_the_plan_of_a_pilot(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        hits = {"pro": range(20), "anti": range(18, 22)}[condition.name]
        return Label.CONVERGENCE if number in hits else Label.NO_CONVERGENCE

    conditions = [Condition("pro", "Go on."), Condition("anti", "Stop.")]
    grouped.write(tmp_path / "a.db", conditions, label)
    code, out, err = call("power", "a.db", "--scenarios", "71", "--gap", "15", cwd=tmp_path)
    assert code == 0, err
    text = " ".join(out.split())
    assert "+40.0 points over 40 pairs; 5.0 % of the scenarios move against it" in text
    low, high = (100 * limit for limit in clopper_pearson_interval(2, 40))
    assert f"(95 % interval {low:.1f} to {high:.1f} %)" in text
    assert f"71 {ceil(minimum_detectable_gap(71, back=low / 100) or 0)} " in text
    assert f"for 15 points {scenarios_needed(15, back=low / 100)} scenarios" in text
    assert "An interval 20 points wide is expected from" in text
    code, out, _ = call("power", "a.db", "--judge", "none", cwd=tmp_path)
    assert code == 1


def test_a_pilot_without_pairs_says_so(tmp_path: Path) -> None:
    conditions = [Condition("pro", "Go on."), Condition("anti", "Stop.")]
    grouped.write(tmp_path / "a.db", conditions, lambda _, __: Label.NONSENSICAL)
    code, out, err = call("power", "a.db", cwd=tmp_path)
    assert code == 0, err
    assert "nothing can be planned from this pilot" in " ".join(out.split())
