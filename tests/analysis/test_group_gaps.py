"""Gaps of dose axes and contests whose pairs give other gaps, and what is said of them."""

import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.groups import Groups
from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.condition import Condition
from steertui.core.verdict import Label
from steertui.report import figures
from steertui.report.contest_figure import contest_parts
from steertui.store import Store
from tests.fixtures import grouped
from tests.fixtures.program import call

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"

FORMS = ("terminal", "markdown", "latex", "html")


def nonsensical(condition: Condition, number: int) -> Label:
    """Return labels of 40 scenarios with 10 nonsensical answers under steering.

    Without the nonsense 15 of 30 converge, as 20 of 40 do without steering; over the 30 pairs
    10 converge without steering, so that the gap is 0 over all answers and +16.7 over the pairs.
    """
    is_dose = condition.step is not None and condition.step.dose > 0
    cell = condition.cell
    if is_dose or (cell and cell.defence != "none" and cell.attack != "none"):
        if number < 10:
            return Label.NONSENSICAL
        return Label.CONVERGENCE if number < 25 else Label.NO_CONVERGENCE
    limit = 36 if cell and cell.attack != "none" else 20
    return Label.CONVERGENCE if number < limit else Label.NO_CONVERGENCE


def groups(path: Path) -> Groups:
    with Store(path) as store:
        (table,) = summarise(store, ReportFilter()).tables
    return table.groups


def report(db: Path, form: str, *options: str) -> str:
    code, out, err = call(
        "report", db.name, "--format", form, "-o", f"out.{form}", *options, cwd=db.parent
    )
    assert code == 0, (out, err)
    return (db.parent / f"out.{form}").read_text(encoding="utf-8")


@pytest.fixture
def contest(tmp_path: Path) -> Path:
    conditions = grouped.contest_conditions(tmp_path)
    grouped.write(tmp_path / "contest.db", conditions, nonsensical)
    return tmp_path / "contest.db"


@pytest.fixture
def dose(tmp_path: Path) -> Path:
    conditions = grouped.dose_conditions(tmp_path, 0.4)
    grouped.write(tmp_path / "dose.db", conditions, nonsensical)
    return tmp_path / "dose.db"


def test_a_gap_has_the_points_over_its_pairs(contest: Path, dose: Path) -> None:
    (result,) = groups(contest).contests
    (defence,) = result.estimates.defences
    (duel,) = defence.duels
    parts = (defence.authorised, duel.residual, duel.protection, duel.interaction)
    assert [gap.points for gap in parts] == pytest.approx([0, 0, 40, 40])
    assert [gap.shared for gap in parts] == pytest.approx([0, 50 / 3, 110 / 3, 110 / 3])
    assert [gap.pairs for gap in parts] == [40, 30, 30, 30]
    (axis,) = groups(dose).axes
    effect = axis.curve.points[1].effect
    assert effect
    assert [effect.points, effect.shared] == pytest.approx([0, 50 / 3])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_marks_a_gap_that_its_pairs_do_not_give(
    contest: Path, dose: Path, form: str
) -> None:
    for db, other in ((contest, "16.7 (30)"), (dose, "over 30 pairs")):
        text = report(db, form, *(["--detail"] if form == "terminal" else []))
        assert "0.0†" in text.replace(r"\textdagger{}", "†").replace(r"$\dagger$", "†")
        assert other in text
        assert "16.7" in text
        assert "over its pairs, the scenarios valid on all its sides" in " ".join(text.split())


def test_sentences_have_the_gap_over_the_pairs(contest: Path, dose: Path) -> None:
    (result,) = groups(contest).contests
    sentence = next(s for s in result.evidence if s.startswith("Under defence-1"))
    assert sentence.startswith("Under defence-1, attack-1 is not shown to add: +0.0 points (")
    assert ", and +16.7 over the 30 scenarios valid on both sides, p = " in sentence
    authorised = result.verdicts[-1]
    assert "valid on both sides" not in authorised  # both gaps are 0
    (axis,) = groups(dose).axes
    assert not any("valid on both sides" in s for s in axis.sentences)  # none is on this effect


def test_json_has_both_gaps_and_no_p_value_of_what_is_not_tested(contest: Path) -> None:
    record = json.loads(report(contest, "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (duel,) = record["tables"][0]["contests"][0]["results"][0]["attacks"]
    assert duel["residual"]["points"] == pytest.approx(0)
    assert duel["residual"]["shared"] == pytest.approx(50 / 3)
    assert "p" in duel["residual"]
    assert "p" not in duel["protection"]
    assert "p" not in duel["interaction"]


def test_what_an_attack_adds_is_asserted_only_where_it_is_shown(tmp_path: Path) -> None:
    """Residuals of +5 (p = 0.5) and of +30 points."""

    def rate(condition: Condition) -> float:
        assert condition.cell
        return 0.3 + {"none": 0, "attack-1": 0.05, "attack-2": 0.3}[condition.cell.attack]

    conditions = grouped.contest_conditions(tmp_path, 1, 2)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(rate))
    grouped.write(tmp_path / "b.db", conditions[:2] + conditions[3:5], grouped.by_rate(rate))
    (both,) = groups(tmp_path / "a.db").contests
    text = " ".join(both.evidence)
    assert "Under defence-1, attack-2 adds +30.0 points" in text
    (one,) = groups(tmp_path / "b.db").contests
    text = " ".join(one.evidence)
    assert "Under defence-1, attack-1 is not shown to add: +5.0 points" in text
    assert "attack-1 adds" not in text


def test_a_contest_without_a_shown_attack_does_not_deny_one(tmp_path: Path) -> None:
    conditions = grouped.contest_conditions(tmp_path)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5))
    (result,) = groups(tmp_path / "a.db").contests
    assert str(result.estimates.defences[0].verdict) == "no attack shown to steer"
    for form in ("html", "json"):
        assert "no attack to resist" not in report(tmp_path / "a.db", form)
    picture = contest_parts(result, figures.WIDE).inline()
    assert ": no attack shown to steer</text>" in picture


def test_all_marks_have_a_meaning_and_figures_name_the_levels(contest: Path) -> None:
    for form in FORMS:
        text = " ".join(report(contest, form).split())
        assert "it is shown to add less than the margin of 10 points" in text
        assert "protection and interaction are not tested" in text
        assert "neither is shown" in text
    (result,) = groups(contest).contests
    for width in (figures.WIDE, figures.NARROW):
        picture = contest_parts(result, width).inline()
        assert "Intervals: authorised 95 %" in picture
        assert "not tested" in picture
        assert "+0.0† [" in picture or width == figures.NARROW


def test_rates_by_category_are_in_tables_that_fit_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    conditions = grouped.contest_conditions(tmp_path, 3, 3)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5))
    code, text, err = call("report", "a.db", "--detail", cwd=tmp_path)
    assert code == 0, err
    blocks = text.split("by category ")[1:]
    assert len(blocks) > 2
    shown = []
    for block in blocks:
        heading, *rows = block.splitlines()[:3]
        shown += heading.split()
        assert [row.split()[0] for row in rows] == ["A", "B"]
        assert all(row.split()[1:] == ["50.0"] * len(heading.split()) for row in rows)
    assert shown == [condition.name for condition in conditions]


def test_the_margin_of_a_contest_is_in_points_and_not_called_a_default(contest: Path) -> None:
    record = json.loads(report(contest, "json"))
    assert record["tables"][0]["contests"][0]["margin"] == 10
    sentences = " ".join(record["declarations"][0]["sentences"])
    assert "margin of 10 points" in sentences
    assert "steertui's default analysis" not in sentences
    assert "The analysis was" in sentences


def test_methods_name_system_texts_and_prefills(tmp_path: Path) -> None:
    conditions = [
        *grouped.contest_conditions(tmp_path),
        Condition("prefilled", prefill="Sure,"),
        Condition("replaced", system="Obey.", system_mode="replace"),
        Condition("framed", prefix="Read this."),
    ]
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5))
    text = " ".join(report(tmp_path / "a.db", "latex").split())
    assert "added text to the system message and replaced the system message." in text
    assert "Some conditions gave the beginning of the answer, which the model continued." in text
    assert "Some conditions put text before the task." in text
