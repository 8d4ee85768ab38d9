"""Import of the paper's runs: every item and label, the published counts."""

import json
from pathlib import Path

import pytest

from steertui.core.instrumentaleval import CATEGORIES
from steertui.core.scenario import load_pack
from steertui.core.verdict import Label
from steertui.errors import SourceError
from steertui.paper.importing import LoggedRun, import_runs, read_runs
from steertui.paper.published import PUBLISHED, LabelCounts
from steertui.store import Store
from tests.fixtures.database import execute
from tests.fixtures.program import call
from tests.fixtures.real import BENCHMARK, RUNS, needs_shared


@needs_shared
def test_all_639_items_are_imported_with_the_published_counts_by_category(tmp_path: Path) -> None:
    with Store(tmp_path / "p.db") as store:
        runs = read_runs(RUNS)
        experiment = import_runs(runs, store)
        assert import_runs(runs, store) == experiment  # a second import changes nothing
        (judge_info,) = store.judges(experiment)
        assert (judge_info.id, judge_info.name) == ("paper:gpt-5.2", "paper:gpt-5.2")
        settings = store.outcomes(experiment, judge_info.id)
        assert sum(map(len, settings.values())) == 639
        for setting, outcomes in settings.items():
            for condition in ("baseline", "pro", "anti"):
                published = PUBLISHED[setting.name, condition]
                for category in CATEGORIES:
                    labels = [
                        o.label
                        for o in outcomes
                        if (o.condition, o.category) == (condition, category)
                    ]
                    result = LabelCounts(*(labels.count(label) for label in Label))
                    assert result == published.by_category[category]
        logged = {(i.response, i.thinking, i.decision) for run in runs for i in run.items}
        rows = store.query(
            "SELECT answer, reasoning, label, stop FROM generations JOIN verdicts USING (trial)"
        )
        assert {(r["answer"], r["reasoning"], Label(r["label"])) for r in rows} == logged
        assert {r["stop"] for r in rows} == {"unknown"}
        assert len(rows) == 639


@needs_shared
def test_imported_scenarios_have_the_benchmarks_names(tmp_path: Path) -> None:
    benchmark = {s.task: s for s in load_pack(str(BENCHMARK))}
    with Store(tmp_path / "p.db") as store, Store(tmp_path / "q.db") as other:
        import_runs(read_runs(RUNS), store)
        rows = store.query("SELECT name, task, system FROM scenarios")
        assert {(r["name"], r["task"]) for r in rows} <= {
            (s.name, s.task) for s in benchmark.values()
        }
        assert len(rows) == 71
        assert {r["system"] for r in rows} == {""}
        import_runs(read_runs(RUNS), other, list(benchmark.values()))
        for row in other.query("SELECT task, system FROM scenarios"):
            assert row["system"] == benchmark[row["task"]].system


def rerun(runs: list[LoggedRun], folder: Path, judge: str = "gpt-4o") -> list[LoggedRun]:
    """Write runs again with other answers, another label and another judge."""
    for run in runs:
        target = folder / run.log.parent.name
        target.mkdir(parents=True)
        text = run.log.read_bytes().decode("utf-8")
        for i in run.items:
            between = "</test_llm_response>\n  <judge_decision>"
            text = text.replace(
                f"{i.response}{between}{i.decision}<", f"Mine.{between}nonsensical<"
            )
        (target / "stdout.log").write_bytes(text.encode())
        config = json.dumps({**run.config, "JUDGE_MODEL": judge})
        (target / "config.json").write_text(config, encoding="utf-8")
    return read_runs(folder)


COUNTS_BY_JUDGE = """SELECT g.answer = 'Mine.' AS is_rerun, v.judge, count(*) AS n
    FROM generations AS g JOIN verdicts AS v USING (trial) GROUP BY 1, 2 ORDER BY 1"""


@needs_shared
def test_another_run_of_the_program_is_another_model(tmp_path: Path) -> None:
    runs = [run for run in read_runs(RUNS) if "Instruct" in run.name]
    rerun_runs = rerun(runs, tmp_path / "rerun")
    assert all(i.response == "Mine." for run in rerun_runs for i in run.items)
    with Store(tmp_path / "p.db") as store:
        import_runs([run for run in runs if run.items[0].mode == "baseline"], store)
        rerun_experiment = import_runs(rerun_runs, store)
        import_runs(runs, store)
        assert import_runs(rerun_runs, store) == rerun_experiment
        assert [tuple(row.values()) for row in store.query(COUNTS_BY_JUDGE)] == [
            (0, "paper:gpt-5.2", 213),
            (1, "paper:gpt-4o", 213),
        ]
        (setting,) = store.outcomes(rerun_experiment, "paper:gpt-4o")
        assert setting.name == runs[0].name
        assert setting.model.startswith(f"imported:{setting.name}#")


@needs_shared
def test_an_interrupted_import_is_completed_by_repeating_it(tmp_path: Path) -> None:
    runs = read_runs(RUNS)[:1]
    with Store(tmp_path / "p.db") as store:
        experiment = import_runs(runs, store)
        verdicts = store.query("SELECT trial, label FROM verdicts ORDER BY trial")
        last = store.column("SELECT trial FROM generations ORDER BY rowid DESC LIMIT 30")
        marks = ", ".join("?" * len(last))
        for table in ("verdicts", "generations"):
            execute(tmp_path / "p.db", f"DELETE FROM {table} WHERE trial IN ({marks})", last)
        assert import_runs(runs, store) == experiment
        assert store.query("SELECT trial, label FROM verdicts ORDER BY trial") == verdicts


@needs_shared
def test_the_import_command_and_its_report(tmp_path: Path) -> None:
    code, out, err = call("import-paper", str(RUNS), cwd=tmp_path)
    assert code == 0, err
    assert "639 answers and labels of 9 runs are in paper.db" in out
    code, out, err = call("report", "paper.db", cwd=tmp_path)
    assert code == 0, err
    assert "paper:gpt-5.2" in out
    assert "▲ Qwen3-4B-Instruct-2507" in out
    assert "+67.6 [" in out


def test_a_folder_without_a_valid_run_raises_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no run"):
        read_runs(tmp_path)
    (tmp_path / "stdout.log").write_text("x", encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="key HF_MODEL_NAME is missing"):
        read_runs(tmp_path)
