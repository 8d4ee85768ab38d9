"""Conditions of one name with different texts: marked in reports, tables, views and data frames."""

import csv
import sqlite3
import tomllib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import tomli_w

import steertui
from steertui.paths import package_data
from tests.fixtures.program import call

SENTENCE = "different texts for the same condition name (pro)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a database of two experiments, each with its own text of `pro`."""
    path = tmp_path_factory.mktemp("names")
    shipped = tomllib.loads((package_data("scenarios") / "conditions.toml").read_text("utf-8"))
    for condition in shipped["condition"]:
        if condition["name"] == "pro":
            condition["suffix"] = "Another text under the same name."
    (path / "own.toml").write_text(tomli_w.dumps(shipped), encoding="utf-8")
    run = ("--batch", "--model", "demo", "--limit", "6", "--max-tokens", "16", "--db", "two.db")
    for options in ((), ("--conditions-file", "own.toml")):
        code, _, err = call(*run, "--conditions", "baseline,pro", *options, cwd=path)
        assert code == 0, err
    return path


def both(folder: Path, form: str) -> str:
    """Return the report on both experiments in a form."""
    options = ("--experiment", "all", "--format", form, "-o", f"out.{form}")
    code, _, err = call("report", "two.db", *options, cwd=folder)
    assert code == 0, err
    return (folder / f"out.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex", "json"])
def test_every_report_says_so(folder: Path, form: str) -> None:
    assert SENTENCE in " ".join(both(folder, form).split())


@pytest.mark.parametrize("form", ["trials-csv", "rates-csv"])
def test_rows_of_csv_files_have_different_ids(folder: Path, form: str) -> None:
    rows = [*csv.DictReader(both(folder, form).splitlines())]
    assert_two_texts([(row["condition"], row["condition_id"]) for row in rows])


@pytest.mark.parametrize("view", ["answers", "rates"])
def test_rows_of_sql_views_have_different_ids(folder: Path, view: str) -> None:
    with closing(sqlite3.connect(folder / "two.db")) as db:
        assert_two_texts(db.execute(f"SELECT condition, condition_id FROM {view}").fetchall())
        unknown = (
            f"SELECT count(*) FROM {view} WHERE condition_id NOT IN (SELECT id FROM conditions)"
        )
        assert db.execute(unknown).fetchone() == (0,)


def test_rows_of_data_frames_have_different_ids(folder: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    data = steertui.load(folder / "two.db", "all")
    for frame in (data.trials, data.rates):
        assert_two_texts([*zip(frame["condition"], frame["condition_id"], strict=True)])


def assert_two_texts(rows: Sequence[tuple[str, str]]) -> None:
    """Assert that `pro` has two ids and `baseline` one, whose text is the same."""
    ids = {name: {identity for other, identity in rows if other == name} for name, _ in rows}
    assert {name: len(found) for name, found in ids.items()} == {"baseline": 1, "pro": 2}
