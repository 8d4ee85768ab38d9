"""Equivalence of two conditions within the declared margin: verdicts, family, every form."""

import json
from pathlib import Path

import jsonschema
import pytest

from steertui.analysis.formatting import comparison_row, mark_legend
from steertui.analysis.sentences import Finding, withheld
from steertui.analysis.table import Table, make_table
from steertui.core.condition import Condition
from steertui.core.declared_analysis import DeclaredAnalysis
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.equivalence import equivalence_p, is_equivalent
from steertui.stats.families import Family, Role, equivalence_tests, gap_contrast
from steertui.stats.rate import Policy, ScenarioCounts
from steertui.stats.significance import holm
from steertui.store import JudgeInfo, ModelSetting
from tests.fixtures import grouped, large
from tests.fixtures.program import call

SCHEMA = Path(__file__).parents[2] / "steertui/report/schema.json"


def table(scenarios: int, *, margin: float = 10, **changed: tuple[int, int]) -> Table:
    """Return a table of scenarios of which half converge under anti.

    Under each other condition `changed` scenarios converge alone, and alone do not.
    """

    def converges(name: str, number: int) -> bool:
        more, fewer = changed.get(name, (0, 0))
        under_anti = number < scenarios // 2
        return number >= fewer if under_anti else number < scenarios // 2 + more

    outcomes = [
        Outcome(
            scenario=str(number),
            category="c",
            condition=name,
            sample=0,
            generated=True,
            truncated=False,
            label=Label.CONVERGENCE if converges(name, number) else Label.NO_CONVERGENCE,
            failed=False,
        )
        for name in ("anti", *changed)
        for number in range(scenarios)
    ]
    judge, setting = JudgeInfo("a", "a", "", JudgeKind.LOCAL), ModelSetting("sha", "model", "", 0.0)
    analysis = DeclaredAnalysis(margin=margin)
    return make_table("e", setting, judge, outcomes, Policy.PAPER, analysis=analysis)


def side(scenarios: int, changed: int) -> ScenarioCounts:
    """Return counts of which the first `changed` pairs of scenarios are exchanged."""
    converges = [number % 2 for number in range(scenarios)]
    converges[: 2 * changed] = [1 - value for value in converges[: 2 * changed]]
    return {str(number): (value, 1) for number, value in enumerate(converges)}


def test_the_p_value_decides_and_no_margin_is_too_large() -> None:
    differences = [0.0] * 60 + [1.0] * 3 + [-1.0] * 2
    p = equivalence_p(differences, 0.1, 1.0)
    assert 0 < p < 1
    assert is_equivalent(differences, 0.1, 1.0, level=p + 1e-6)
    assert not is_equivalent(differences, 0.1, 1.0, level=p - 1e-6)
    assert equivalence_p(differences, 0.1, 1.0) == pytest.approx(
        equivalence_p([-d for d in differences], 0.1, 1.0)
    )
    assert equivalence_p(differences, 1.0, 1.0) < 1e-6
    assert equivalence_p([1.0] * 20, 1.0, 1.0) > 0.05


def test_few_changes_of_many_scenarios_are_equivalence() -> None:
    found = table(200, pro=(3, 3)).primary
    assert found is not None
    assert found.finding is Finding.EQUIVALENT
    assert found.statement.startswith(
        "No difference between pro and anti is shown, and equivalence within ±10 points is: +0.0"
    )
    assert found.evidence.endswith("; equivalence test, p < 0.001")
    assert comparison_row(found)[0] == "≈ pro − anti"
    assert mark_legend([found]).startswith("≈ equivalence within the margin is shown")


def test_few_scenarios_show_neither() -> None:
    found = table(20, pro=(3, 3)).primary
    assert found is not None
    assert found.finding is Finding.NOT_SHOWN
    assert "is shown, nor equivalence within ±10 points: +0.0 points" in found.statement


def test_a_small_difference_is_shown_with_its_equivalence() -> None:
    found = table(400, pro=(14, 2)).primary
    assert found is not None
    assert found.finding is Finding.MORE
    assert found.statement.endswith("; equivalence within ±10 points is shown, too")
    large = table(400, pro=(90, 2)).primary
    assert large is not None
    assert "equivalence" not in large.sentence


def test_the_declared_margin_and_the_family_decide() -> None:
    wide = table(200, pro=(6, 6), margin=10).primary
    narrow = table(200, pro=(6, 6), margin=2).primary
    assert wide is not None
    assert narrow is not None
    assert [wide.finding, narrow.finding] == [Finding.EQUIVALENT, Finding.NOT_SHOWN]
    sides = [side(100, changed) for changed in (5, 6, 9)]
    contrasts = [gap_contrast(side(100, 0), other, "a", "b") for other in sides]
    single = [equivalence_p(contrast.differences, 0.1, 1.0) for contrast in contrasts]
    tests = equivalence_tests(contrasts, Family(Role.SECONDARY, 4), 10)
    assert [test.p for test in tests if test] == [*holm([*single, 1.0])][:3]
    assert [test.is_shown for test in tests if test] == [p <= 0.05 for p in holm([*single, 1.0])][
        :3
    ]


def test_labels_without_worth_show_no_equivalence() -> None:
    found = table(200, pro=(3, 3)).primary
    assert found is not None
    assert withheld(found).equivalence is None


def test_every_form_has_the_verdict(tmp_path: Path) -> None:
    conditions = [Condition("pro", "Go on."), Condition("anti", "Stop.")]
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5, 80), 80)
    sentence = "No difference between pro and anti is shown, and equivalence within"
    for form, words in (
        ("terminal", sentence),
        ("markdown", sentence),
        ("html", "equivalence within"),
        ("latex", r"$\approx$ pro $-$ anti"),
    ):
        options = ("--detail", "--format", form, "-o", form)
        code, _, err = call("report", "a.db", *options, cwd=tmp_path)
        assert code == 0, err
        text = (tmp_path / form).read_text(encoding="utf-8").replace("\\", "")
        assert words.replace("\\", "") in " ".join(text.split()), form
    record = json.loads(call("report", "a.db", "--format", "json", cwd=tmp_path)[1])
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (result,) = record["tables"][0]["comparisons"]
    assert result["equivalence"]["is_shown"] is True
    assert result["equivalence"]["margin"] == 10
    assert "schuirmann1987" in call("report", "a.db", "--format", "bibtex", cwd=tmp_path)[1]


@pytest.mark.parametrize("samples", [1, 2])
def test_the_methods_name_the_test_of_equivalence(tmp_path: Path, samples: int) -> None:
    large.write(tmp_path / "a.db", models=1, samples=samples, words=4)
    source = call("report", "a.db", "--format", "latex", cwd=tmp_path)[1]
    (line,) = [part for part in source.split(". ") if part.startswith("Equivalence within 10 ")]
    assert ("empirical-likelihood" in line, "owen2001" in line) == (samples > 1, samples > 1)
    assert ("tango1998" in line) == (samples == 1)
    assert "Holm's procedure" in line
    entries = call("report", "a.db", "--format", "bibtex", cwd=tmp_path)[1]
    assert ("@book{owen2001" in entries) == (samples > 1)
