"""Reports of dose axes and contests: the same numbers in every form, and what is said of them."""

import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.category_rows import category_columns, category_row
from steertui.analysis.groups import Groups, group_results
from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.store import Store
from steertui.store.setup_queries import used_conditions
from tests.fixtures import grouped
from tests.fixtures.database import execute
from tests.fixtures.program import call

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"


def groups(path: Path) -> Groups:
    with Store(path) as store:
        (table,) = summarise(store, ReportFilter()).tables
    return table.groups


def report(db: Path, *options: str) -> str:
    code, out, err = call("report", db.name, *options, cwd=db.parent)
    assert code == 0, err
    return out


def test_a_dose_axis_is_read_from_the_database_alone(dose: Path) -> None:
    (axis,) = groups(dose).axes
    rates = [point.rate.value for point in axis.curve.points]
    assert rates == pytest.approx([0.3, 0.4, 0.5, 0.7])
    assert axis.curve.slope
    assert axis.curve.slope.points == pytest.approx(50)
    (match,) = axis.matches
    assert match.condition == "pro"
    assert match.matched
    assert match.matched.dose == pytest.approx(0.6)


def test_the_sentences_of_an_axis_say_slope_best_dose_and_matched_strength(dose: Path) -> None:
    text = " ".join(groups(dose).axes[0].sentences)
    assert "Convergence rises with axis: +5.0 points per 0.1 of strength from 0 to 0.8" in text
    assert "0 of 40 (0 %, 95 % interval 0 to 9 %) scenarios move the other way" in text
    assert "0.8 has the largest estimated effect toward more convergence: +40.0 points" in text
    assert "is matched by axis at 0.6, interpolated between 0.4 and 0.8 (95 % interval" in text


def test_an_axis_without_effect_claims_none(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.2, 0.4)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.95))
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope
    effect = axis.matches[0].effect
    assert axis.sentences == (
        "95 % converge without steering, so axis axis can add 5 points at most",
        "No mean slope over axis is shown: +0.0 points per 0.1 of strength from 0 to 0.4 (95 "
        f"% interval {axis.curve.slope.low / 10:+.1f} to {axis.curve.slope.high / 10:+.1f}; exact "
        "randomisation test over 40 scenarios, p = 1.0)",
        f"pro: no effect is shown (+0.0 points (95 % interval {effect.low:+.1f} to "
        f"{effect.high:+.1f}) above dose 0), so there is no strength to match",
    )


def test_nonsense_at_every_scenario_of_a_dose_leaves_no_slope(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.4:
            return Label.NONSENSICAL
        return grouped.by_rate(grouped.rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.2, 0.4), label)
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope is None
    assert not axis.curve.points[-1].is_coherent
    assert any("no slope, since fewer than 4 scenarios have a valid" in s for s in axis.sentences)


def test_a_match_at_an_incoherent_dose_is_said(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.8 and number % 4 == 0:
            return Label.NONSENSICAL
        return grouped.by_rate(grouped.rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.4, 0.8), label)
    (axis,) = groups(tmp_path / "a.db").axes
    text = " ".join(axis.sentences)
    assert "axis is not coherent there" in text
    assert "not coherent: 0.8" in text


def test_the_slope_without_the_doses_that_are_not_coherent_is_said(tmp_path: Path) -> None:
    """Dose 0.4 has 25 % nonsense: only the other doses give the slope of 50 points per unit."""

    def label(condition: Condition, number: int) -> Label:
        if condition.step and condition.step.dose == 0.4:
            return Label.NONSENSICAL if number % 4 == 0 else Label.CONVERGENCE
        return grouped.by_rate(grouped.rising)(condition, number)

    grouped.write(tmp_path / "a.db", grouped.dose_conditions(tmp_path, 0.2, 0.4), label)
    (axis,) = groups(tmp_path / "a.db").axes
    assert axis.curve.slope
    assert axis.curve.slope.scenarios == 30
    assert axis.curve.coherent_slope
    assert axis.curve.coherent_slope.points == pytest.approx(50)
    assert axis.curve.coherent_slope.scenarios == 40
    assert (
        "not coherent: 0.4 (nonsense), without which the slope is +5.0 points per 0.1 of strength"
        in (" ".join(axis.sentences))
    )


def test_the_doses_between_which_none_matches_are_said(tmp_path: Path) -> None:
    def rate(condition: Condition) -> float:
        return 0.3 if condition.step else 0.9

    conditions = grouped.dose_conditions(tmp_path, -0.2, 0.4)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(rate))
    (axis,) = groups(tmp_path / "a.db").axes
    assert "No dose of axis from -0.2 to 0.4 has the rate of pro" in " ".join(axis.sentences)


def test_attacks_of_the_same_rate_are_all_the_worst(tmp_path: Path) -> None:
    def rate(condition: Condition) -> float:
        assert condition.cell
        is_third = condition.cell.attack == "attack-3"
        return grouped.held(condition) - (0.1 if is_third else 0)

    conditions = grouped.contest_conditions(tmp_path, 1, 3)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(grouped.held))
    (result,) = groups(tmp_path / "a.db").contests
    assert result.estimates.defences[0].worst == ("attack-1", "attack-2", "attack-3")
    same = "Against defence-1, attack-1, attack-2 and attack-3 give the same rate"
    assert same in result.evidence
    grouped.write(tmp_path / "b.db", conditions, grouped.by_rate(rate))
    (result,) = groups(tmp_path / "b.db").contests
    assert result.estimates.defences[0].worst == ("attack-1", "attack-2")
    text = " ".join(result.evidence)
    assert "Against defence-1, attack-1 and attack-2 give the same rate, the highest" in text
    assert "Worst attack" not in text


def test_what_no_attack_is_shown_to_do_is_said_of_each(tmp_path: Path) -> None:
    """Residuals of 5 points are not shown to be below the margin of 10."""

    def rate(condition: Condition) -> float:
        assert condition.cell
        is_defended = condition.cell.defence == "defence-1"
        return grouped.held(condition) + 0.05 * (is_defended and condition.cell.attack != "none")

    for attacks, words in (
        (1, "it is not shown that attack-1 adds less than the margin"),
        (2, "for neither attack-1 nor attack-2 is it shown that it adds less than the margin"),
        (3, "for none of attack-1, attack-2 and attack-3 is it shown that it adds less than"),
    ):
        conditions = grouped.contest_conditions(tmp_path, 1, attacks)
        db = tmp_path / f"{attacks}.db"
        grouped.write(db, conditions, grouped.by_rate(rate))
        (result,) = groups(db).contests
        assert words in result.verdicts[-1]


def test_intervals_of_a_family_hold_at_once_and_agree_with_its_tests(
    contest: Path, dose: Path, tmp_path: Path
) -> None:
    (result,) = groups(contest).contests
    gap = result.estimates.unauthorised["attack-1"]
    test = result.estimates.tests["attack-1"]
    assert test.level == 0.975
    assert test.low is not None
    assert gap.low is not None
    assert test.low < gap.low
    words = f"(97.5 % interval {test.low:+.1f} to {test.high:+.1f}), p < 0.001 after Holm over 2"
    assert words in " ".join(result.sentences)
    (axis,) = groups(dose).axes
    tests = [
        *result.estimates.tests.values(),
        *result.refusals.tests.values(),
        *(d.test for d in result.estimates.defences),
        *(duel.test for d in result.estimates.defences for duel in d.duels),
        *(point.test for point in axis.curve.points if point.test),
        *(match.test for match in axis.matches),
    ]
    assert len(tests) == 14
    for each in tests:
        assert each.low is not None
        assert each.high is not None
        excludes_zero = each.low >= 0 or each.high <= 0
        assert excludes_zero is each.is_significant
    assert "98.3 % each, hold at once with about 95 %" in report(dose)
    duel = result.estimates.defences[0].duels[0].protection
    assert (
        f"estimated protection, not tested: {duel.points:+.1f} points (95 % interval "
        f"{duel.low:+.1f} to {duel.high:+.1f})"
    ) in " ".join(result.sentences)
    single = grouped.contest_conditions(tmp_path, 1, 1)
    grouped.write(tmp_path / "a.db", single, grouped.by_rate(grouped.held))
    (result,) = groups(tmp_path / "a.db").contests
    assert {d.test.level for d in result.estimates.defences} == {0.95}


def test_three_scenarios_give_no_interval_of_a_contest_or_a_dose(tmp_path: Path) -> None:
    def steered(condition: Condition) -> float:
        is_attacked = condition.cell and condition.cell.attack != "none"
        return float(bool(is_attacked or (condition.step and condition.step.dose)))

    label = grouped.by_rate(steered, 3)
    grouped.write(tmp_path / "a.db", grouped.contest_conditions(tmp_path), label, 3)
    grouped.write(tmp_path / "b.db", grouped.dose_conditions(tmp_path, 0.2), label, 3)
    few = "+100.0 points (no interval with fewer than 4 pairs)"
    (result,) = groups(tmp_path / "a.db").contests
    assert f"attack-1 is not shown to steer: {few}" in " ".join(result.evidence)
    record = json.loads(report(tmp_path / "b.db", "--format", "json"))
    point = record["tables"][0]["axes"][0]["points"][1]
    assert (point["effect"]["points"], point["effect"]["low"]) == (100, None)
    assert point["effect"]["test_low"] is None


def test_categories_without_a_primary_comparison_have_no_columns_of_a_gap(contest: Path) -> None:
    with Store(contest) as store:
        (table,) = summarise(store, ReportFilter()).tables
    assert category_columns(table, table.conditions) == tuple(table.conditions)
    rows = [category_row(category, table.conditions) for category in table.categories]
    assert {len(row) for row in rows} == {1 + len(table.conditions)}
    for text in (report(contest, "--detail"), report(contest, "--format", "markdown")):
        assert "by category" in text
        assert "P(gap" not in text


def test_a_contest_is_decomposed_and_each_defence_gets_a_verdict(contest: Path) -> None:
    (result,) = groups(contest).contests
    verdicts = {d.name: str(d.verdict) for d in result.estimates.defences}
    assert verdicts == {"defence-1": "decoupled", "defence-2": "not decoupled"}
    marks = {cell: str(mark) for cell, mark in result.marks.items()}
    assert marks["none", "attack-1"] == "steers"
    assert marks["defence-1", "attack-1"] == "resisted"
    assert marks["defence-2", "attack-2"] == "steers"
    text = " ".join(result.sentences)
    assert "defence-1 is decoupled at the margin of 10 points: alone it lowers convergence" in text
    assert (
        "defence-2 is not decoupled at the margin of 10 points: attack-1, attack-2 each add" in text
    )


def test_an_attack_that_is_shown_to_add_nothing_is_marked_without_a_defence(
    tmp_path: Path,
) -> None:
    """Of 24 pairs one moves up and one down: Tango's one-sided p at 15 points is 0.037."""

    def label(condition: Condition, number: int) -> Label:
        assert condition.cell
        hits = {*range(1, 11)} if condition.cell.attack == "attack-1" else {*range(10)}
        return Label.CONVERGENCE if number in hits else Label.NO_CONVERGENCE

    text = f"{grouped.contest_toml(1, 1)}margin = 0.15\n"
    grouped.write(tmp_path / "a.db", grouped.load(tmp_path, text), label, 24)
    (result,) = groups(tmp_path / "a.db").contests
    assert str(result.marks["none", "attack-1"]) == "resisted"
    assert result.marks["none", "attack-1"] is result.marks["defence-1", "attack-1"]
    for form in ("terminal", "markdown"):
        assert "42 =" in report(tmp_path / "a.db", "--format", form).partition("defence-1")[0]
    record = json.loads(report(tmp_path / "a.db", "--format", "json"))
    cells = record["tables"][0]["contests"][0]["cells"]
    marks = {(cell["defence"], cell["attack"]): cell["mark"] for cell in cells}
    assert marks["none", "attack-1"] == "resisted"


def test_a_part_of_a_contest_is_not_analysed(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path, 2, 2)[:-1]
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(grouped.held))
    assert groups(tmp_path / "a.db").contests == ()


def test_defences_alone_are_compared_by_their_refusals(tmp_path: Path) -> None:
    def label(condition: Condition, number: int) -> Label:
        assert condition.cell
        is_refusal = condition.cell.defence == "defence-1" and number < 20
        return Label.SAFETY_REFUSAL if is_refusal else Label.NO_CONVERGENCE

    conditions = grouped.contest_conditions(tmp_path, 2, 2)
    alone = [c for c in conditions if c.cell and c.cell.attack == "none"]
    grouped.write(tmp_path / "a.db", alone, label)
    (found,) = groups(tmp_path / "a.db").refusals
    assert found.rates["defence-1"].value == 0.5
    assert found.gaps["defence-1"].points == 50
    sentence = "Refusals under defence-1 alone, minus without it: +50.0 points"
    assert found.sentences[0].startswith(sentence)
    assert sentence in report(tmp_path / "a.db")
    record = json.loads(report(tmp_path / "a.db", "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert record["tables"][0]["over_refusals"][0]["results"][0]["refusals"]["points"] == 50


def test_a_contest_without_labels_is_not_reported(contest: Path) -> None:
    execute(contest, "DELETE FROM verdicts")
    assert "defences × attacks" not in report(contest)


def test_labels_that_are_not_reliable_give_no_verdict_and_no_mark(contest: Path) -> None:
    with Store(contest) as store:
        (table,) = summarise(store, ReportFilter()).tables
        conditions = used_conditions(store, table.experiment)
    withheld = group_results(
        conditions, table.outcomes, table.policy, is_reliable=False, measures={}
    )
    (result,) = withheld.contests
    assert {str(defence.verdict) for defence in result.estimates.defences} == {"withheld"}
    assert {str(mark) for mark in result.marks.values()} == {"withheld"}
    assert result.sentences == ("nothing is concluded on contest game from these labels",)
    assert withheld.refusals == ()
