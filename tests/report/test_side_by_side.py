"""Answers of a condition and of the dose that matches it, side by side, in every form."""

import html
import json
from pathlib import Path

import pytest

from steertui.core.condition import Condition
from steertui.core.verdict import Label
from tests.fixtures import grouped
from tests.fixtures.program import call

HOSTILE = "First <b>line</b> | *x*\nsecond \x1b[31m"


def rates(condition: Condition) -> float:
    """Converge by 50 points more at dose 0.8 than at dose 0; `pro` is matched at 0.48."""
    return 0.3 + 0.625 * condition.step.dose if condition.step else 0.6


def loglik(condition: Condition, number: int) -> float:
    """Cost 1 nat per unit of dose, and 0.7 nats under `pro`."""
    return -1.0 - (condition.step.dose if condition.step else 0.7) - number / 100


def answer(condition: Condition) -> str:
    return f"{condition.name} says: {HOSTILE}" + "y" * (2000 if condition.name == "pro" else 0)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    path = tmp_path / "a.db"
    grouped.write(path, conditions, grouped.by_rate(rates), answer=answer, loglik=loglik)
    return path


def report(db: Path, *options: str) -> str:
    code, out, err = call("report", db.name, *options, cwd=db.parent)
    assert code == 0, err
    return out


TITLES = (
    "pro and axis@0.4, the dose of axis nearest to 0.48, which converges as often",
    "pro and axis@0.8, the dose of axis nearest to 0.7, which costs as much log-likelihood",
)


def test_the_terminal_has_the_answers_of_a_random_choice_on_demand(db: Path) -> None:
    assert "Answers at matched strength" not in report(db)
    shown = report(db, "--answers").partition("Answers at matched strength")[2]
    assert report(db, "--answers").endswith(shown)
    for title in TITLES:
        assert f"{title}; 3 of 40 scenarios, drawn at random with seed 0." in shown
    assert shown.count("pro says: First <b>line</b>") == 6
    assert shown.count("axis@0.8 says: First") == 3
    assert "pro (convergence)" in shown
    assert "… (" in shown
    assert "\x1b" not in shown


def test_markdown_has_them_escaped(db: Path) -> None:
    written = report(db, "--answers", "--format", "markdown")
    shown = written.partition("## Answers at matched strength")[2]
    assert shown.count("pro says: First \\<b\\>line\\</b\\> \\| \\*x\\*<br>second") == 6
    rows = [line for line in shown.splitlines() if line.startswith("| pro says")]
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)


def test_the_page_has_them_at_their_axis(db: Path) -> None:
    report(db, "--format", "html", "-o", "a.html")
    page = (db.parent / "a.html").read_text(encoding="utf-8")
    for title in TITLES:
        assert f"Answers side by side: {html.escape(title)}" in page
    assert page.count('<div class="answer">pro says: First &lt;b&gt;line&lt;/b&gt;') == 6
    assert "3 of 40 scenarios, drawn at random with seed 0" in page


def test_nothing_to_match_is_said(tmp_path: Path) -> None:
    conditions = grouped.dose_conditions(tmp_path, 0.4, 0.8)
    grouped.write(tmp_path / "a.db", conditions, grouped.by_rate(lambda _: 0.5))
    assert "No dose of an axis matches another condition" in report(tmp_path / "a.db", "--answers")


def test_the_labels_are_those_of_the_shown_answers(db: Path) -> None:
    rows = json.loads(report(db, "--format", "json"))["tables"][0]["axes"][0]
    assert rows["matches"][0]["matched"]["dose"] == pytest.approx(0.48)
    shown = report(db, "--answers").partition("Answers at matched strength")[2]
    names = [line.strip() for line in shown.splitlines() if line.strip().startswith("p/s/")]
    assert len(names) == 6
    label = grouped.by_rate(rates)
    heads = [line for line in shown.splitlines() if line.startswith("pro (")]
    for name, head in zip(names, heads, strict=True):
        number = int(name.rpartition("/")[2])
        is_hit = label(Condition("pro"), number) is Label.CONVERGENCE
        assert head.startswith("pro (convergence)" if is_hit else "pro (no convergence)")
