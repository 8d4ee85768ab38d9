"""Coherence along dose axes: repetition, log-likelihood and their limits."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from steertui.core.condition import Condition
from tests.analysis.test_groups import SCHEMA, groups, report
from tests.fixtures import grouped
from tests.fixtures.database import execute


def test_repetition_is_that_of_the_stored_answers(tmp_path: Path) -> None:
    def answer(condition: Condition) -> str:
        return "a b c d a b c d a b c d" if condition.name == "axis@0.8" else "a b c d e"

    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(grouped.rising), answer=answer)
    (axis,) = groups(tmp_path / "a.db").axes
    shares = {point.dose: point.means.repetition for point in axis.curve.points}
    assert shares == {0.0: 0.0, 0.4: 0.0, 0.8: pytest.approx(5 / 9)}
    assert "repeated" in report(tmp_path / "a.db")


def test_log_likelihoods_are_in_every_form_of_the_report(tmp_path: Path) -> None:
    def loglik(condition: Condition, number: int) -> float:
        fall = condition.step.dose if condition.step else 0.5
        return -1.25 - fall - number / 1000

    text = grouped.DOSE.replace("STRENGTHS", "0.4, 0.8") + "max_loss = 0.5\n"
    conditions = grouped.load(tmp_path, text)
    db = tmp_path / "a.db"
    grouped.write(db, conditions, grouped.by_rate(grouped.rising), loglik=loglik)
    (axis,) = groups(db).axes
    means = [point.means.loglik for point in axis.curve.points]
    assert means == pytest.approx([-1.2695, -1.6695, -2.0695])
    assert [point.is_coherent for point in axis.curve.points] == [True, True, False]
    assert "not coherent: 0.8 (log-likelihood)" in " ".join(axis.sentences)
    limits = "at most 10 points more nonsense and 10 points more repetition than dose 0"
    loss = "log-likelihood at most 0.5 nats per token lower"
    assert f"{limits}, {loss}), 0.4 has the largest estimated effect" in " ".join(axis.sentences)
    for form in ("terminal", "markdown", "latex"):
        assert "-2.07!" in report(db, "--format", form).replace("$-$", "-")
    record = json.loads(report(db, "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (written,) = record["tables"][0]["axes"]
    assert [point["loglik"] for point in written["points"]] == means
    assert [point["exceeded"] for point in written["points"]] == [[], [], ["log-likelihood"]]
    assert (written["max_repetition"], written["max_loss"]) == (0.1, 0.5)
    rows = [*csv.DictReader(report(db, "--format", "trials-csv").splitlines())]
    assert float(rows[0]["loglik"]) / int(rows[0]["loglik_tokens"]) == pytest.approx(-1.75)


@pytest.mark.parametrize(
    ("fall", "words", "dose"),
    [
        (0.5, "axis costs as much at 0.5, interpolated between 0.4 and 0.8 (95 % interval", 0.5),
        (0.4, "axis costs as much at 0.4 (95 % interval 0.4 to 0.4", 0.4),
        (0.9, "no dose of axis from 0 to 0.8 costs as much, nor in 100 %", None),
        (0.0, "pro: no fall of the log-likelihood below dose 0 is shown", None),
        (-0.5, "pro: no fall of the log-likelihood below dose 0 is shown", None),
    ],
)
def test_the_dose_that_costs_as_much_as_a_suffix_is_said(
    tmp_path: Path, fall: float, words: str, dose: float | None
) -> None:
    def loglik(condition: Condition, number: int) -> float:
        return -1.25 - (condition.step.dose if condition.step else fall) - number / 1000

    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(db, conditions, grouped.by_rate(grouped.rising), loglik=loglik)
    (axis,) = groups(db).axes
    assert words in axis.sentences[-1]
    (written,) = json.loads(report(db, "--format", "json"))["tables"][0]["axes"]
    cost = written["matches"][0]["cost"]
    assert cost["loss"]["mean"] == pytest.approx(fall)
    matched = [one["dose"] for one in cost["matched"]]
    assert matched == ([] if fall <= 0 else [pytest.approx(dose) if dose else None])


def test_coherence_is_reported_before_any_answer_is_judged(tmp_path: Path) -> None:
    def loglik(condition: Condition, number: int) -> float:
        return -1.25 - (condition.step.dose if condition.step else 0.5) - number / 1000

    def answer(condition: Condition) -> str:
        return "a b c d a b c d" if condition.step and condition.step.dose == 0.8 else "a b c d e"

    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(db, conditions, grouped.by_rate(grouped.rising), answer=answer, loglik=loglik)
    execute(db, "DELETE FROM verdicts")
    shown = report(db)
    assert "dose repeated  nats" in shown
    assert "0.8       20! -2.07" in shown
    assert (
        "Without labels convergence and nonsense over axis are unknown; beyond the other limits of "
        "coherence (at most 10 points more repetition than dose 0): 0.8 (repetition)"
    ) in shown
    assert "axis costs as much at 0.5" in shown
    assert "convergence rises" not in shown.lower()
    record = json.loads(report(db, "--format", "json"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    (written,) = record["tables"][0]["axes"]
    assert written["max_nonsense"] is None
    assert [point["is_coherent"] for point in written["points"]] == [True, True, False]
    report(db, "--format", "html", "-o", "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Without labels convergence and nonsense over axis are unknown" in page
    assert "Answers without a comparison yet" in page
    assert "Coherence by dose" in page
    assert report(db, "--format", "markdown").count("| 0.8 | 20! | -2.07 |") == 1


def test_nothing_without_an_answer_is_called_beyond_a_limit(tmp_path: Path) -> None:
    """A run of several models: the axis of the next one has no answers, or some doses have none."""
    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(
        db, conditions, grouped.by_rate(grouped.rising), answer=lambda _: "a b c d a b c d"
    )
    execute(db, "DELETE FROM verdicts")
    of_condition = "(SELECT key FROM trials WHERE condition IN (SELECT id FROM conditions {}))"
    dose = of_condition.format("WHERE name = 'axis@0.8'")
    execute(db, f"DELETE FROM generations WHERE trial IN {dose}")
    shown = report(db)
    assert "than dose 0): no dose; not known to be within them: 0.8 (repetition)" in shown
    execute(db, "DELETE FROM generations")
    shown = report(db)
    assert "beyond the other limits" not in shown
    assert "No answer on axis axis is stored yet" in shown


@pytest.mark.parametrize("is_judged", [True, False])
def test_a_part_of_the_log_likelihoods_is_warned_about(tmp_path: Path, is_judged: bool) -> None:
    """A run that was killed while it scored: the means are over the answers scored so far."""
    db = tmp_path / "a.db"
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(db, conditions, grouped.by_rate(grouped.rising), loglik=lambda *_: -1.0)
    if not is_judged:
        execute(db, "DELETE FROM verdicts")
    words = "scored by the unsteered model"
    assert words not in report(db, "--detail")
    execute(
        db, "DELETE FROM answer_logliks WHERE trial IN (SELECT trial FROM generations LIMIT 50)"
    )
    of_axis = sum(bool(c.step or (c.access and not c.groups)) for c in conditions) * 40
    text = " ".join(report(db, "--detail").split())
    assert f"of {of_axis} (" in text[text.index("axis: only ") :]
    assert f"answers are {words}; the others may differ" in text
    execute(db, "DELETE FROM answer_logliks")
    assert words not in report(db, "--detail")


def test_a_limited_measure_that_is_unknown_makes_no_dose_coherent(tmp_path: Path) -> None:
    text = grouped.DOSE.replace("STRENGTHS", "0.4, 0.8") + "max_loss = 0.5\n"
    grouped.write(tmp_path / "a.db", grouped.load(tmp_path, text), grouped.by_rate(grouped.rising))
    (axis,) = groups(tmp_path / "a.db").axes
    assert not any(point.is_coherent for point in axis.curve.points)
    sentences = " ".join(axis.sentences)
    assert "is limited but was not measured, so no dose is called coherent" in sentences
    assert "largest estimated effect" not in sentences
    assert "; not known to be coherent: 0 (log-likelihood), 0.4 (log-likelihood)" in sentences
    assert "not coherent:" not in sentences
    assert "nats:" not in report(tmp_path / "a.db")
