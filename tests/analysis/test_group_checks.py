"""Sensitivity and warnings of the gaps of dose axes and contests."""

import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.analysis.table import Table
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.stats.rate import Policy
from steertui.store import Store
from tests.fixtures import grouped
from tests.fixtures.program import call

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"


SLOW_FORMS = [pytest.param(f, marks=pytest.mark.slow) for f in ("markdown", "latex", "html")]


def label(condition: Condition, number: int) -> Label:
    """Return labels of 40 scenarios: 12 converge with and without the strongest steering.

    With it the 28 others are nonsensical. Of the 12 pairs 8 move up and none down (p = 0.0078); if
    nonsense counts as not converging, 8 of 40 move up and 8 down.
    """
    is_dose = condition.step is not None and condition.step.dose > 0
    cell = condition.cell
    if is_dose or (cell and cell.defence != "none" and cell.attack != "none"):
        return Label.CONVERGENCE if number < 12 else Label.NONSENSICAL
    hits = {*range(4), *range(20, 28)}
    return Label.CONVERGENCE if number in hits else Label.NO_CONVERGENCE


def table(path: Path) -> Table:
    with Store(path) as store:
        (found,) = summarise(store, ReportFilter()).tables
    return found


@pytest.fixture
def contest(tmp_path: Path) -> Path:
    grouped.write(tmp_path / "contest.db", grouped.contest_conditions(tmp_path), label)
    return tmp_path / "contest.db"


@pytest.fixture
def dose(tmp_path: Path) -> Path:
    grouped.write(tmp_path / "dose.db", grouped.dose_conditions(tmp_path, 0.4), label)
    return tmp_path / "dose.db"


def test_gaps_of_groups_have_their_sensitivity(contest: Path, dose: Path) -> None:
    for db, group, title in (
        (contest, "game", "the effect of attack-1 under defence-1"),
        (dose, "axis", "the effect of axis at 0.4"),
    ):
        (check,) = (c for c in table(db).groups.checks[group] if c.title == title)
        found = check.sensitivity
        assert found.marginal.points == pytest.approx(70)
        assert found.shared.points == pytest.approx(100 * 8 / 12)
        assert found.policies[Policy.ALL].points == pytest.approx(0)
        assert found.p == pytest.approx(2 / 2**8)
        assert found.p_values[Policy.ALL] == pytest.approx(1)
        assert found.worst_case
        assert found.worst_case.lowest == pytest.approx(0)


def test_p_values_by_policy_are_corrected_over_the_family(tmp_path: Path) -> None:
    grouped.write(tmp_path / "a.db", grouped.contest_conditions(tmp_path, 1, 2), label)
    checks = table(tmp_path / "a.db").groups.checks["game"]
    residuals = [c for c in checks if c.title.endswith("under defence-1")]
    assert [check.tests for check in residuals] == [2, 2]
    assert all(check.sensitivity.p == pytest.approx(4 / 2**8) for check in residuals)


@pytest.mark.parametrize("form", ["terminal", *SLOW_FORMS])
def test_conclusions_that_depend_on_other_choices_are_said(
    contest: Path, dose: Path, form: str
) -> None:
    for db, group, title in (
        (contest, "contest game", "the effect of attack-1 under defence-1"),
        (dose, "axis axis", "the effect of axis at 0.4"),
    ):
        code, _, err = call("report", db.name, "--format", form, "-o", "short", cwd=db.parent)
        assert code == 0, err
        text = " ".join((db.parent / "short").read_text(encoding="utf-8").split())
        assert f"Among the conclusions on {group} that depend on other choices: " in text
        assert f"whether {title} is shown depends on the policy" in text
        assert f"the labels of nonsensical answers may explain {title}" in text
        if form == "terminal":
            assert "Sensitivity of" not in text
            _, text, _ = call("report", db.name, "--detail", cwd=db.parent)
        assert f"Sensitivity of {title}: " in " ".join(text.split())


@pytest.mark.parametrize("form", ["terminal", "json", *SLOW_FORMS])
def test_a_verdict_and_a_slope_that_depend_on_other_choices_are_said(
    contest: Path, dose: Path, form: str
) -> None:
    """With all nonsensical answers against the slope 8 of 40 scenarios move up and 8 down."""
    for db, words in (
        (contest, "choices: under policy all defence-1 has no verdict; whether"),
        (dose, "choices: whether a mean slope over axis is shown depends on the policy; "),
        (
            dose,
            "the labels of nonsensical answers may explain the mean slope over axis (with all of "
            "them against it, p = 1.0 instead of 0.0078)",
        ),
    ):
        code, _, err = call("report", db.name, "--format", form, "-o", "short", cwd=db.parent)
        assert code == 0, err
        text = " ".join((db.parent / "short").read_text(encoding="utf-8").split())
        assert words in text.replace("-{}-", "--")


def test_a_margin_and_a_worst_attack_that_depend_on_the_policy_are_said(tmp_path: Path) -> None:
    """Under the defence attack 1 has 10 of 30 or of 40, and attack 2 12 of 40.

    Over valid answers attack 2 adds nothing in 38 pairs; of 40 with nonsense it adds 2.
    """

    def label(condition: Condition, number: int) -> Label:
        assert condition.cell
        cell = (condition.cell.defence, condition.cell.attack)
        is_nonsense = (cell == ("defence-1", "attack-1") and number >= 30) or (
            cell == ("defence-1", "none") and number in {10, 11}
        )
        if is_nonsense:
            return Label.NONSENSICAL
        hits = 12 if cell == ("defence-1", "attack-2") else 10
        return Label.CONVERGENCE if number < hits else Label.NO_CONVERGENCE

    grouped.write(tmp_path / "a.db", grouped.contest_conditions(tmp_path, 1, 2), label)
    (result,) = table(tmp_path / "a.db").groups.contests
    (doubt,) = (text for text in result.verdicts if "other choices" in text)
    assert doubt == (
        "Among the conclusions on contest game that depend on other choices: whether attack-2 is "
        "shown to add less than the margin under defence-1 depends on the policy; the worst attack "
        "against defence-1 depends on the policy"
    )


def test_a_slope_without_nonsense_depends_on_nothing(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.4)
    rates = grouped.by_rate(lambda c: 0.3 + (c.step.dose if c.step else 0))
    grouped.write(tmp_path / "a.db", conditions, rates)
    (axis,) = table(tmp_path / "a.db").groups.axes
    assert axis.curve.slope is not None
    assert axis.curve.slope.p < 0.05
    assert "other choices" not in " ".join(axis.sentences)


def test_the_results_of_a_group_without_nonsense_depend_on_nothing(tmp_path: Path) -> None:
    grouped.write(
        tmp_path / "a.db", grouped.contest_conditions(tmp_path), grouped.by_rate(lambda _: 0.5)
    )
    _, text, _ = call("report", "a.db", "--detail", cwd=tmp_path)
    assert "Sensitivity of" not in text
    assert "depend on other choices" not in text


def test_json_has_the_sensitivity_of_every_tested_gap(contest: Path, dose: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for db, kind, number in ((contest, "contests", 3), (dose, "axes", 2)):
        code, out, err = call("report", db.name, "--format", "json", cwd=db.parent)
        assert code == 0, err
        record = json.loads(out)
        jsonschema.validate(record, schema)
        checks = record["tables"][0][kind][0]["sensitivity"]
        assert len(checks) == number
        (changed,) = (
            one for one in checks if one["policies"]["all"]["p"] == 1 and one["shared"]["p"] < 0.05
        )
        assert changed["policies"]["paper"]["p_holm"] == pytest.approx(2 / 2**8)
        assert changed["is_material"]


def test_groups_have_warnings_on_few_pairs_and_on_dependence(contest: Path, dose: Path) -> None:
    for db, group, pair, tested in (
        (contest, "game", "defence-1×attack-1 and defence-1×none", 3),
        (dose, "axis", "axis@0.4 and axis@0", 2),
    ):
        texts = [warning.text for warning in table(db).warnings]
        assert (
            f"{group}: in 1 of {tested} tested pairs of conditions fewer than 75 % of the "
            f"scenarios are valid under both, fewest under {pair} (12 of 40)"
        ) in texts
        (nonsense,) = (t for t in texts if t.startswith("nonsensical share depends"))
        assert "28 of 40 (70 %)" in nonsense
        assert f"Bonferroni over {tested} pairs" in nonsense
