"""Datasette's metadata, and the dataset for the Hugging Face hub."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from steertui.report.descriptions import table_descriptions
from steertui.store import Store
from steertui.store.datasette_queries import QUERIES, public_tables
from tests.fixtures.database import select
from tests.fixtures.program import call

RUN = ("--batch", "--demo", "--limit", "4", "--max-tokens", "32", "--no-control", "--db", "runs.db")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a judged run."""
    folder = tmp_path_factory.mktemp("out")
    code, _, err = call(*RUN, cwd=folder)
    assert code == 0, err
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made / "runs.db", tmp_path)
    return tmp_path


def test_metadata_describes_every_table_and_column(folder: Path) -> None:
    code, out, err = call("export", "runs.db", "--datasette", "m.json", cwd=folder)
    assert (code, out) == (0, ""), err
    database = json.loads((folder / "m.json").read_text())["databases"]["runs"]
    with Store(folder / "runs.db") as store:
        tables = public_tables(store)
    assert {"answers", "rates", "trials", "verdicts"} <= tables.keys()
    for name, columns in tables.items():
        described = database["tables"][name]
        if name in table_descriptions():
            assert described["description"]
            assert set(described["columns"]) == set(columns)
        else:
            assert described == {"hidden": True}
            assert "_fts" in name or name.startswith("_")


@pytest.mark.parametrize("name", QUERIES)
def test_a_stored_query_runs_on_the_database(folder: Path, name: str) -> None:
    sql = QUERIES[name]["sql"].replace(":condition", "'pro'").replace(":words", "'plan OR the'")
    found = select(folder / "runs.db", sql)
    if name == "rates_by_condition":
        assert [row[4] for row in found] == ["anti", "baseline", "placebo", "pro"]
    if name == "answers_that_converge":
        assert (
            len(found)
            == select(
                folder / "runs.db",
                "SELECT count(*) FROM answers WHERE label = 'convergence' AND condition = 'pro'",
            )[0][0]
        )
    if name == "search":
        assert found


def test_datasette_itself_accepts_the_metadata(folder: Path) -> None:
    datasette = shutil.which("datasette")
    if datasette is None:
        pytest.skip("datasette is not installed")
    assert call("export", "runs.db", "--datasette", "m.json", cwd=folder)[0] == 0
    for path in ("/runs/answers.json?_shape=array", "/runs/rates_by_condition.json?_shape=array"):
        done = subprocess.run(
            [datasette, "runs.db", "--metadata", "m.json", "--get", path],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)) in (4, 16)


def test_a_dataset_has_a_valid_card_and_the_reports_numbers(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    code, _, err = call("export", "runs.db", "--dataset", "set", cwd=folder)
    assert code == 0, err
    card = DatasetCard.load(folder / "set" / "README.md")
    configs = {c["config_name"]: c["data_files"] for c in card.data.to_dict()["configs"]}
    assert set(configs) == {"trials", "rates", "gaps"}
    tables = {n: parquet.read_table(folder / "set" / path) for n, path in configs.items()}
    for name, table in tables.items():
        assert f"| `{name}` | {table.num_rows} rows |" in card.text
    report = json.loads(call("report", "runs.db", "--format", "json", cwd=folder)[1])
    (expected,) = report["tables"]
    rates = [row for row in tables["rates"].to_pylist() if not row["category"]]
    assert [(r["condition"], r["convergence_rate"]) for r in rates] == [
        (row["condition"], row["convergence"]["value"]) for row in expected["rows"]
    ]
    gaps = tables["gaps"].to_pylist()
    assert [(g["points"], g["p_holm"], g["finding"]) for g in gaps] == [
        (c["points"], c["p_holm"], c["finding"]) for c in expected["comparisons"]
    ]
    assert "The demo checkpoint is a scripted stand-in" in card.text
    assert "No licence is stated" in card.text
    for column in tables["trials"].column_names:
        assert f"| `{column}` |" in card.text
    assert call("export", "runs.db", "--dataset", "set", cwd=folder)[0] == 0
    (folder / "set" / "README.md").write_text("mine")
    code, _, err = call("export", "runs.db", "--dataset", "set", cwd=folder)
    assert (code, "exists, and is not an unchanged dataset card file" in err) == (1, True)


def test_an_export_of_nothing_is_a_usage_error(folder: Path) -> None:
    code, _, err = call("export", "runs.db", cwd=folder)
    assert (code, "give --inspect, --dataset or --datasette" in err) == (2, True)
