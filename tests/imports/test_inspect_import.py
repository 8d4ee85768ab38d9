"""Import of inspect_ai logs: the rates that inspect_ai printed, texts, and what logs lack."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from steertui.core.scenario import load_pack
from tests.fixtures.inspect_logs import (
    CONDITIONS,
    PYTHON,
    ROOT,
    TASK,
    printed_rate,
    stored_log,
    write_logs,
)
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.program import call
from tests.fixtures.server_runs import rows


def report(db: str, folder: Path) -> dict[str, Any]:
    code, out, err = call("report", db, "--format", "json", cwd=folder)
    assert code == 0, err
    record: dict[str, Any] = json.loads(out)
    return record


def import_stored(folder: Path, *options: str) -> str:
    code, out, err = call("import-inspect", *options, "--db", "i.db", cwd=folder)
    assert code == 0, err
    return out


def test_rates_are_those_that_inspect_ai_printed(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    out = import_stored(tmp_path, "logs")
    assert "36 answers and 36 labels of 3 logs are in i.db." in out
    (table,) = report("i.db", tmp_path)["tables"]
    assert (table["model"], table["judge"]) == ("openai-api/demo/demo", "inspect:words")
    found = {row["condition"]: row["convergence"]["value"] for row in table["rows"]}
    nonsense = {row["condition"]: row["nonsense"]["value"] for row in table["rows"]}
    assert len({*found.values()}) == 3
    for condition in CONDITIONS:
        log = stored_log(condition)
        assert found[condition] == pytest.approx(printed_rate(log), abs=1e-12)
        assert nonsense[condition] == pytest.approx(printed_rate(log, "nonsense_rate"), abs=1e-12)


def test_prompts_answers_and_suffixes_are_those_of_the_logs(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    import_stored(tmp_path, "logs")
    sql = """SELECT s.name, s.task, s.category, c.name AS condition, c.suffix, p.text, g.answer,
            g.stop, g.tokens, g.prompt_tokens
        FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition JOIN prompts AS p ON p.sha256 = t.prompt
        JOIN generations AS g ON g.trial = t.key"""
    stored = {(row["name"], row["condition"]): row for row in rows(tmp_path / "i.db", sql)}
    tasks = {scenario.id.rpartition("/")[2]: scenario for scenario in load_pack("starter")}
    for condition in CONDITIONS:
        for sample in stored_log(condition)["samples"]:
            row = stored.pop((f"suffixes/{sample['id']}", condition))
            user = sample["messages"][0]["content"]
            assert json.loads(str(row["text"]))["messages"] == [{"role": "user", "content": user}]
            assert row["task"] == tasks[sample["id"]].task
            assert row["category"] == tasks[sample["id"]].category
            assert user.strip() == f"{row['task']}\n\n{row['suffix']}".strip()
            assert bool(row["suffix"]) == (condition != "baseline")
            assert row["answer"] == sample["output"]["completion"]
            assert (
                row["stop"]
                == {"stop": "stop", "max_tokens": "length"}[
                    sample["output"]["choices"][0]["stop_reason"]
                ]
            )
            assert row["tokens"] == sample["output"]["usage"]["output_tokens"]
            assert row["prompt_tokens"] == sample["output"]["input_context_tokens"]
    assert not stored


def test_what_a_log_lacks_is_printed_and_in_the_methods(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    out = import_stored(tmp_path, "logs")
    assert "! the log does not state top_p, top_k and seed; the provider's values held." in out
    assert "! the log holds chat messages; the chat template" in out
    methods = call("report", "i.db", "--format", "latex", cwd=tmp_path)[1]
    assert "were imported from logs of inspect\\_ai" in methods
    assert "The log does not state top\\_p, top\\_k and seed" in methods
    assert "at most 64 new tokens" in methods


def test_a_log_without_a_temperature_is_refused_until_the_user_states_it(tmp_path: Path) -> None:
    log = stored_log("baseline")
    del log["plan"]["config"]["temperature"]
    del log["plan"]["config"]["max_tokens"]
    write_logs(tmp_path / "logs", baseline=log)
    code, _, err = call("import-inspect", "logs/baseline.json", "--db", "i.db", cwd=tmp_path)
    assert (code, err.count("\n")) == (1, 1)
    assert "states no temperature; give it with --temperature" in err
    out = import_stored(tmp_path, "logs/baseline.json", "--temperature", "0.7")
    assert "0.7 is the user's statement" in out
    assert "does not state max_tokens" in out
    assert "new tokens" not in call("report", "i.db", "--format", "latex", cwd=tmp_path)[1]


def relabelled(values: dict[str, str]) -> dict[str, Any]:
    """Return the stored baseline with other values of the scorer, by label."""
    log = stored_log("baseline")
    for sample in log["samples"]:
        score = sample["scores"]["words"]
        (label,) = [name for name, mark in score["value"].items() if mark]
        score["value"] = values[label]
    return log


def test_values_are_mapped_by_name_or_by_the_user(tmp_path: Path) -> None:
    names = {
        "convergence": "Convergence",
        "no_convergence": "no convergence",
        "safety_refusal": "Safety-Refusal",
        "nonsensical": "nonsensical",
    }
    write_logs(tmp_path / "named", baseline=relabelled(names))
    assert "12 labels" in import_stored(tmp_path, "named/baseline.json")
    letters = dict.fromkeys(names, "I") | {"convergence": "C"}
    write_logs(tmp_path / "letters", baseline=relabelled(letters))
    out = import_stored(tmp_path, "letters/baseline.json")
    assert "scorer words: not imported, because its values" in out
    assert "12 answers and 0 labels" in out
    out = import_stored(tmp_path, "letters/baseline.json", "--label", "C=convergence")
    assert "12 answers and 7 labels" in out
    assert "5 scores ('I') are none of the four labels and stored as failures" in out
    both = ("--label", "C=convergence", "--label", "I=no_convergence")
    assert "12 answers and 12 labels" in import_stored(tmp_path, "letters/baseline.json", *both)
    assert len(rows(tmp_path / "i.db", "SELECT id FROM judges")) == 3  # other labels, other judge
    assert len(rows(tmp_path / "i.db", "SELECT key FROM trials")) == 24


def test_a_mapping_of_another_form_is_a_usage_error(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    code, _, err = call("import-inspect", "logs", "--label", "C=good", cwd=tmp_path)
    assert code == 2
    assert "C=good is not VALUE=LABEL with a label of convergence" in err


def test_the_same_logs_again_change_nothing(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    first = import_stored(tmp_path, "logs")
    before = [rows(tmp_path / "i.db", f"SELECT * FROM {t}") for t in ("verdicts", "runs")]
    assert import_stored(tmp_path, "logs") == first
    assert before == [rows(tmp_path / "i.db", f"SELECT * FROM {t}") for t in ("verdicts", "runs")]


def test_a_log_without_a_condition_is_named_on_the_command_line(tmp_path: Path) -> None:
    log = stored_log("pro")
    del log["eval"]["task_args"]["condition"]
    write_logs(tmp_path / "logs", pro=log)
    code, _, err = call("import-inspect", "logs/pro.json", "--db", "i.db", cwd=tmp_path)
    assert (code, err.count("\n")) == (1, 1)
    assert "names no condition" in err
    import_stored(tmp_path, "suffix A=logs/pro.json", "logs/baseline.json")
    names = [row["name"] for row in rows(tmp_path / "i.db", "SELECT name FROM conditions")]
    assert sorted(map(str, names)) == ["baseline", "suffix A"]


def test_suffixes_in_the_datasets_input_are_found_by_the_baseline(tmp_path: Path) -> None:
    log = stored_log("pro")
    for sample in log["samples"]:
        sample["input"] = sample["messages"][0]["content"]
    write_logs(tmp_path / "logs", pro=log)
    import_stored(tmp_path, "logs/pro.json", "logs/baseline.json")
    texts = {r["name"]: r["suffix"] for r in rows(tmp_path / "i.db", "SELECT * FROM conditions")}
    assert str(texts["pro"]).startswith("Before you answer, think like an agent")
    (table,) = report("i.db", tmp_path)["tables"]
    assert {c["pairs"] for c in table["comparisons"]} == {12}


def test_prompts_that_are_no_task_with_a_text_are_stored_and_said(tmp_path: Path) -> None:
    log = stored_log("pro")
    for index, sample in enumerate(log["samples"]):
        sample["messages"][0]["content"] += f" {index}"
    write_logs(tmp_path / "logs", pro=log)
    out = import_stored(tmp_path, "logs")
    assert "! condition pro: its text is unknown" in out
    texts = {r["name"]: r["suffix"] for r in rows(tmp_path / "i.db", "SELECT * FROM conditions")}
    assert texts["pro"] == ""


def test_samples_that_are_no_single_answer_are_failures_with_a_reason(tmp_path: Path) -> None:
    log = stored_log("baseline")
    log["status"] = "error"
    log["samples"][0]["error"] = {"message": "the server broke"}
    log["samples"][1]["messages"] += [{"role": "user", "content": "And?"}]
    write_logs(tmp_path / "logs", baseline=log)
    out = import_stored(tmp_path, "logs")
    assert "34 answers and 34 labels" in out
    assert "has the status 'error', and its log holds 12 samples" in out
    reasons = [row["reason"] for row in rows(tmp_path / "i.db", "SELECT reason FROM failures")]
    assert reasons == [
        "inspect_ai: the server broke",
        "the conversation has 3 messages; a trial is one user message and one answer",
    ]


def test_reasoning_and_system_messages_are_stored_apart(tmp_path: Path) -> None:
    log = stored_log("baseline")
    for sample in log["samples"]:
        sample["messages"].insert(0, {"role": "system", "content": "Obey."})
        parts = [
            {"type": "reasoning", "reasoning": "Hm."},
            {"type": "text", "text": sample["output"]["completion"]},
        ]
        sample["output"]["choices"][0]["message"]["content"] = parts
    write_logs(tmp_path / "logs", baseline=log)
    import_stored(tmp_path, "logs/baseline.json")
    found = rows(tmp_path / "i.db", "SELECT DISTINCT reasoning FROM generations")
    assert found == [{"reasoning": "Hm."}]
    assert rows(tmp_path / "i.db", "SELECT DISTINCT system FROM scenarios") == [{"system": "Obey."}]


def test_our_own_export_is_imported_with_the_same_rates_and_names(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "12", "--db", "d.db")
    assert call(*run, cwd=tmp_path)[0] == 0
    assert call("export", "d.db", "--inspect", "logs", cwd=tmp_path)[0] == 0
    out = import_stored(tmp_path, "logs", "--temperature", "0")
    assert "48 answers and 48 labels of 4 logs" in out
    tables = [report(db, tmp_path)["tables"][0] for db in ("d.db", "i.db")]
    assert [table["is_stand_in"] for table in tables] == [True, True]
    titles = rows(tmp_path / "i.db", "SELECT settings ->> 'title' AS title FROM judges")
    assert titles == rows(tmp_path / "d.db", "SELECT settings ->> 'title' AS title FROM judges")
    own, imported = (table["rows"] for table in tables)
    assert [(row["condition"], row["counts"]) for row in own] == [
        (row["condition"], row["counts"]) for row in imported
    ]
    sql = """SELECT DISTINCT s.name, s.task, c.name AS condition, c.suffix FROM trials AS t
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        ORDER BY s.name, c.name"""
    first, second = rows(tmp_path / "d.db", sql), rows(tmp_path / "i.db", sql)
    for row in first:
        row["suffix"] = str(row["suffix"]).strip()
    assert first == second


def test_our_own_export_states_the_sampling_parameters(tmp_path: Path) -> None:
    run = ("--batch", "--demo", "--limit", "2", "--temperature", "0.7", "--max-tokens", "12")
    filters = ("--top-p", "0.9", "--top-k", "30", "--min-p", "0.05", "--seed", "7")
    assert call(*run, *filters, "--db", "d.db", cwd=tmp_path)[0] == 0
    assert call("export", "d.db", "--inspect", "logs", cwd=tmp_path)[0] == 0
    out = import_stored(tmp_path, "logs")
    assert "the log does not state" not in out
    assert "the log sets extra_body, which trials do not store" in out
    keys = ("temperature", "top_p", "top_k", "seed", "max_tokens", "presence_penalty")
    own, imported = (
        [
            json.loads(str(row["sampling"]))
            for row in rows(tmp_path / db, "SELECT sampling FROM trials")
        ]
        for db in ("d.db", "i.db")
    )
    assert len(own) == len(imported) == 8
    assert {tuple(s[key] for key in keys) for s in own} == {(0.7, 0.9, 30, 7, 12, 0.0)}
    assert {tuple(s[key] for key in keys) for s in imported} == {(0.7, 0.9, 30, 7, 12, 0.0)}


def test_an_export_of_imported_answers_states_no_sampling_that_their_logs_lacked(
    tmp_path: Path,
) -> None:
    write_logs(tmp_path / "logs")
    import_stored(tmp_path, "logs")
    assert call("export", "i.db", "--inspect", "again", cwd=tmp_path)[0] == 0
    for path in (tmp_path / "again").glob("*.eval"):
        with ZipFile(path) as log:
            config = json.loads(log.read("header.json"))["eval"]["model_generate_config"]
        assert "seed" not in config
        assert "top_k" not in config


def test_an_imported_database_merges_and_is_judged_again(tmp_path: Path) -> None:
    write_logs(tmp_path / "logs")
    import_stored(tmp_path, "logs")
    assert call("merge", "all.db", "i.db", cwd=tmp_path)[0] == 0
    code, _, err = call("judge", "all.db", "--judge", "local:demo", cwd=tmp_path)
    assert code == 0, err
    assert len(report("all.db", tmp_path)["tables"]) == 2


@pytest.mark.slow
def test_logs_that_inspect_ai_makes_now_have_the_rates_that_it_prints(tmp_path: Path) -> None:
    if not PYTHON.is_file():
        pytest.skip("inspect_ai is not installed (python -m venv .venv/inspect, then pip install)")
    (tmp_path / "suffixes.py").write_text(TASK, encoding="utf-8")
    printed = {}
    with Loopback(Fake(models=("demo",))) as server:
        env = os.environ | {"DEMO_API_KEY": "none", "DEMO_BASE_URL": server.url}
        for condition in CONDITIONS:
            command = [
                str(PYTHON.with_name("inspect")),
                "eval",
                "suffixes.py",
                "--display",
                "plain",
            ]
            command += ["--model", "openai-api/demo/demo", "--log-dir", "logs"]
            command += ["--log-format", "json"]
            command += ["-T", f"condition={condition}", "-T", f"root={ROOT}"]
            done = subprocess.run(
                command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, done.stderr
            lines = done.stdout.splitlines()
            (line,) = [line for line in lines if line.startswith("convergence_rate  ")]
            printed[condition] = float(line.split()[1])
    import_stored(tmp_path, "logs")
    (table,) = report("i.db", tmp_path)["tables"]
    found = {row["condition"]: row["convergence"]["value"] for row in table["rows"]}
    assert found == {name: pytest.approx(rate, abs=5e-4) for name, rate in printed.items()}
