"""The paper's own runs, imported: every item and label, the published counts to a digit."""

import json
from pathlib import Path

import pytest

from steertui.core.instrumentaleval import CATEGORIES
from steertui.core.scenario import load_pack
from steertui.core.verdict import Label
from steertui.errors import SourceError
from steertui.paper.importing import LoggedRun, import_runs, read_runs
from steertui.paper.published import PUBLISHED, Counts
from steertui.store import Store
from tests.fixtures.program import call
from tests.fixtures.real import BENCHMARK, RUNS, needs_shared


@needs_shared
def test_all_639_items_and_labels_and_the_published_counts_by_category(tmp_path: Path) -> None:
    with Store(tmp_path / "p.db") as store:
        runs = read_runs(RUNS)
        experiment = import_runs(runs, store)
        assert import_runs(runs, store) == experiment  # again changes nothing
        (reader,) = store.readers(experiment)
        assert (reader.id, reader.name) == ("paper:gpt-5.2", "paper:gpt-5.2")
        arms = store.outcomes(experiment, reader.id)
        assert sum(map(len, arms.values())) == 639
        for arm, outcomes in arms.items():
            for condition in ("baseline", "pro", "anti"):
                published = PUBLISHED[arm.name, condition]
                for category in CATEGORIES:
                    labels = [
                        o.label for o in outcomes
                        if (o.condition, o.category) == (condition, category)
                    ]  # fmt: skip
                    found = Counts(*(labels.count(label) for label in Label))
                    assert found == published.by_category[category]
        logged = {(i.response, i.thinking, i.decision) for run in runs for i in run.items}
        rows = store.query(
            "SELECT answer, reasoning, label, stop FROM generations JOIN verdicts USING (trial)"
        )
        assert {(r["answer"], r["reasoning"], Label(r["label"])) for r in rows} == logged
        assert {r["stop"] for r in rows} == {"unknown"}
        assert len(rows) == 639


@needs_shared
def test_items_bear_the_names_that_the_benchmarks_files_give_them(tmp_path: Path) -> None:
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
    """Write runs again as somebody's own: other answers, another label, another judge."""
    for run in runs:
        own = folder / run.log.parent.name
        own.mkdir(parents=True)
        text = run.log.read_bytes().decode("utf-8")
        for i in run.items:
            between = "</test_llm_response>\n  <judge_decision>"
            text = text.replace(
                f"{i.response}{between}{i.decision}<", f"Mine.{between}nonsensical<"
            )
        (own / "stdout.log").write_bytes(text.encode())
        config = json.dumps({**run.config, "JUDGE_MODEL": judge})
        (own / "config.json").write_text(config, encoding="utf-8")
    return read_runs(folder)


WHOSE = """SELECT g.answer = 'Mine.' AS is_mine, v.judge, count(*) AS n
    FROM generations AS g JOIN verdicts AS v USING (trial) GROUP BY 1, 2 ORDER BY 1"""


@needs_shared
def test_ones_own_run_of_the_program_is_another_model_than_the_papers(tmp_path: Path) -> None:
    runs = [run for run in read_runs(RUNS) if "Instruct" in run.name]
    own = rerun(runs, tmp_path / "own")
    assert all(i.response == "Mine." for run in own for i in run.items)
    with Store(tmp_path / "p.db") as store:
        import_runs([run for run in runs if run.items[0].mode == "baseline"], store)
        mine = import_runs(own, store)
        import_runs(runs, store)
        assert import_runs(own, store) == mine
        assert [tuple(row.values()) for row in store.query(WHOSE)] == [
            (0, "paper:gpt-5.2", 213), (1, "paper:gpt-4o", 213),
        ]  # fmt: skip
        (arm,) = store.outcomes(mine, "paper:gpt-4o")
        assert arm.name == runs[0].name
        assert arm.model.startswith(f"imported:{arm.name}#")


@needs_shared
def test_an_import_that_was_killed_goes_on_with_the_same_command(tmp_path: Path) -> None:
    runs = read_runs(RUNS)[:1]
    with Store(tmp_path / "p.db") as store:
        experiment = import_runs(runs, store)
        whole = store.query("SELECT trial, label FROM verdicts ORDER BY trial")
        with store._writing() as db:
            last = store.column("SELECT trial FROM generations ORDER BY rowid DESC LIMIT 30")
            for table in ("verdicts", "generations"):
                marks = ", ".join("?" * len(last))
                db.execute(f"DELETE FROM {table} WHERE trial IN ({marks})", last)
        assert import_runs(runs, store) == experiment
        assert store.query("SELECT trial, label FROM verdicts ORDER BY trial") == whole


@needs_shared
def test_the_command_imports_and_a_local_judge_reads_all_of_it(tmp_path: Path) -> None:
    code, out, err = call("import-paper", str(RUNS), cwd=tmp_path)
    assert code == 0, err
    assert "639 answers and labels of 9 runs are in paper.db" in out
    code, out, err = call("report", "paper.db", cwd=tmp_path)
    assert code == 0, err
    assert "paper:gpt-5.2" in out
    assert "gap pro − anti: +67.6" in out


def test_a_folder_without_runs_or_with_a_broken_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no run"):
        read_runs(tmp_path)
    (tmp_path / "stdout.log").write_text("x", encoding="utf-8")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="lacks HF_MODEL_NAME"):
        read_runs(tmp_path)
