"""The public Python API runs, opens and summarises, and is all that `steertui` promises."""

import subprocess
import sys
from pathlib import Path

import pytest

import steertui
from steertui.errors import ExperimentError, StoreError
from tests.fixtures.program import call, call_anew


def test_an_experiment_is_run_opened_and_summarised(tmp_path: Path) -> None:
    db = tmp_path / "api.db"
    experiment = steertui.Experiment(limit=2, max_tokens=24)
    events: list[steertui.Event] = []
    summary = steertui.run(experiment, db, on_event=events.append)
    (table,) = summary.tables
    assert [row.condition for row in table.rows] == ["baseline", "pro", "anti"]
    assert {row.counts.planned for row in table.rows} == {2}
    assert any(type(event).__name__ == "Generated" for event in events)

    events.clear()
    again = steertui.run(experiment, db, on_event=events.append)
    assert not events
    with steertui.open_store(db) as store:
        stored = steertui.summarise(store)
        with pytest.raises(ExperimentError, match="nonesuch"):
            steertui.summarise(store, "nonesuch")
    for other in (again, stored):
        assert [r.counts for r in other.tables[0].rows] == [r.counts for r in table.rows]


def test_the_api_and_the_command_line_share_an_experiment(tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text("limit = 1\nmax_tokens = 16\nconditions = ['baseline']\njudges = ['none']\n")
    summary = steertui.run(steertui.load_experiment(file), tmp_path / "shared.db")
    code, out, err = call("report", "shared.db", "--list-experiments", cwd=tmp_path)
    assert code == 0, err
    assert summary.experiments[0] in out
    # Most tests run the program in a process forked from one that has imported it.
    assert call_anew("report", "shared.db", "--list-experiments", cwd=tmp_path) == (0, out, err)


def test_a_missing_database_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing\.db"):
        steertui.open_store(tmp_path / "missing.db")
    assert not list(tmp_path.iterdir())


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import steertui\n"
        "experiment = steertui.Experiment(limit=1, max_tokens=8, judges=['none'])\n"
        "print(len(steertui.run(experiment, 'script.db').tables))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists_and_is_imported_at_first_use() -> None:
    for name in steertui.__all__:
        assert getattr(steertui, name) is not None
    assert not hasattr(steertui, "nonesuch")
    program = "import sys, steertui; sys.exit('steertui.store' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
