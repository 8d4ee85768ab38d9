"""Size of the report: many conditions, models and judges stay readable."""

from pathlib import Path

import pytest

from tests.fixtures import large
from tests.fixtures.database import execute
from tests.fixtures.program import call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("size")
    large.write(path / "a.db", models=5, samples=1, judges=3, words=4, conditions=30)
    return path


def test_thirty_conditions_five_models_and_three_judges_fit_into_120_lines(folder: Path) -> None:
    code, out, err = call("report", "a.db", cwd=folder)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) < 120
    assert out.count("▲ made-") == 15
    assert all(f"other-{number:02d} − baseline" in out for number in range(4, 30))
    assert out.count("has not read the control set") == 3
    assert "What these numbers do not say" in out


@pytest.mark.slow
def test_details_have_every_comparison_and_warning(folder: Path) -> None:
    out = call("report", "a.db", "--detail", "--model", "made-1", cwd=folder)[1]
    assert out.count("Of ") > 3 * 32
    assert "by category" in out
    explored = call("report", "a.db", "--all-pairs", "--detail", "--model", "made-1", cwd=folder)[1]
    assert "exploratory, Holm 435" in explored
    assert "other-05 − other-04" in explored
    assert "other-05 − other-04" not in out


def test_a_short_report_of_few_tables_has_every_comparison(tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=1, samples=1, words=4)
    lines = call("report", "a.db", cwd=tmp_path)[1].splitlines()
    assert len(lines) < 40
    table = [line for line in lines if " − " in line and line[0] in "▲▼·"]
    assert len(table) == 6
    assert table[0].rstrip().endswith("primary")
    assert all(line.rstrip().endswith("secondary, Holm 5") for line in table[1:])


def test_warnings_are_one_line_per_kind(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    large.write(db, models=3, samples=1, words=4)
    execute(db, "UPDATE generations SET stop = 'length'")
    out = call("report", "a.db", cwd=tmp_path)[1]
    (line,) = [line for line in out.splitlines() if "truncated at the token limit" in line]
    assert line.endswith("(and 11 more: truncated answers).")
