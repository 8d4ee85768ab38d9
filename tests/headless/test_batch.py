"""`steertui --batch` as a process, with the demo model."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from steertui.engine.sampler import SAMPLER_VERSION
from steertui.store.run_lock import run_lock
from tests.fixtures.changed_models import write_nan
from tests.fixtures.database import select
from tests.fixtures.program import call, records, start
from tests.fixtures.real import BENCHMARK, needs_shared

PAID = ("--judge", "openai:gpt-5.2")
SMALL = ("--batch", "--limit", "6", "--max-tokens", "24", "--db", "a.db")


def test_demo_prints_plan_table_gap_and_the_stand_in_warning(tmp_path: Path) -> None:
    code, out, err = call("--batch", "--demo", cwd=tmp_path)
    assert code == 0, err
    assert "36 scenarios × 4 conditions (baseline, pro, anti, placebo)" in out
    assert "144: 0 answered before, 144 to do" in out
    assert "minimum detectable gap of the primary comparison pro − anti at 80 % power" in out
    assert "pro − anti" in out
    assert "not distinguishable" not in out
    assert out.count("scripted stand-in") == 2  # in the plan and under the table
    assert "means nothing about real models" in out
    db = tmp_path / "steertui-demo.db"
    assert select(db, "SELECT count(*), count(DISTINCT trial) FROM generations") == [(144, 144)]
    assert select(db, "SELECT count(*), count(DISTINCT trial) FROM verdicts") == [(144, 144)]
    total = "p_convergence + p_no_convergence + p_safety_refusal + p_nonsensical"
    assert select(db, f"SELECT count(*) FROM verdicts WHERE abs({total} - 1) > 1e-9") == [(0,)]
    gap = select(db, "SELECT pro_percent, anti_percent, gap_points FROM gaps")
    assert len(gap) == 1


def test_repeated_command_runs_only_what_is_missing(
    tmp_path: Path,
) -> None:
    first = call(*SMALL, cwd=tmp_path)[1]
    code, second, err = call(*SMALL, cwd=tmp_path)
    assert code == 0
    assert "18: 18 answered before, 0 to do" in second
    assert "Answering" not in err
    assert first[first.index("demo, temperature") :] == second[second.index("demo, temperature") :]
    greedy = call(*SMALL, "--samples", "5", cwd=tmp_path)[1]
    assert "temperature 0, 1 sample," in greedy
    assert "Note    at temperature 0 one sample is run, not 5, since all would have" in greedy
    assert "set a temperature above 0 for several" in " ".join(greedy.split())
    assert "samples each" not in greedy
    more = call(*SMALL, "--temperature", "0", "--temperature", "0.7", cwd=tmp_path)[1]
    assert "temperature 0, 0.7, 2 samples (1 at temperature 0, 1 at 0.7), " in more
    assert "36: 18 answered before, 18 to do" in more
    with run_lock(tmp_path / "a.db"):
        code, out, err = call(*SMALL, "--limit", "5", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert "another steertui is running on it" in err
    code, again, err = call("--batch", "--db", "a.db", cwd=tmp_path)
    assert code == 0
    assert "36: 36 answered before, 0 to do" in again  # the refused plan is not the newest one
    assert err.startswith("a.db: no option names an experiment, so this is the newest of this")
    plans = "SELECT count(*) FROM experiment_plans"
    before = select(tmp_path / "a.db", plans)
    code, _, err = call(*SMALL, "--samples", "2", "--temperature", "1", *PAID, cwd=tmp_path)
    assert code == 1
    assert "needs a key; put it into OPENAI_API_KEY" in err
    assert select(tmp_path / "a.db", plans) == before  # it would be the newest, without an answer
    samplers = "SELECT DISTINCT json_extract(versions, '$.sampler') FROM runs"
    assert select(tmp_path / "a.db", samplers) == [(SAMPLER_VERSION,)]


def test_the_demo_is_not_added_to_the_experiments_of_other_models(tmp_path: Path) -> None:
    shutil.copy(demo_path(), tmp_path / "own.gguf")
    planned = (*SMALL, "--model", "own.gguf", "--register", "plan.md")
    assert call(*planned, cwd=tmp_path)[0] == 0
    code, out, err = call("--batch", "--db", "a.db", "--samples", "2", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("steertui: a.db: no model is given, and the experiments of this database")
    assert select(tmp_path / "a.db", "SELECT count(*) FROM trials") == [(18,)]


def test_two_devices_give_the_answers_of_one_and_are_named(tmp_path: Path) -> None:
    both = [*SMALL[:-1], "b.db", "--deterministic", "--devices", "cpu,cpu"]
    code, _, err = call(*both, cwd=tmp_path)
    assert code == 0, err
    assert "2 engines, each of 1 slot of" in err
    assert "on CPU\n" in err
    assert call(*SMALL, "--deterministic", cwd=tmp_path)[0] == 0
    texts = "SELECT trial, text FROM generations ORDER BY trial"
    assert select(tmp_path / "a.db", texts) == select(tmp_path / "b.db", texts)


def test_json_output_has_one_record_per_line_and_ends_with_the_tables(tmp_path: Path) -> None:
    code, out, _ = call(*SMALL, "--json", cwd=tmp_path)
    assert code == 0
    records_found = records(out)
    events = [record["event"] for record in records_found]
    assert events[0] == "planned"
    assert events[-1] == "results"
    assert (events.count("generated"), events.count("judged")) == (18, 18)
    tables = records_found[-1]["tables"]
    assert isinstance(tables, list)
    assert [row["condition"] for row in tables[0]["rows"]] == ["baseline", "pro", "anti"]
    assert tables[0]["is_stand_in"] is True
    assert select(tmp_path / "a.db", "PRAGMA integrity_check") == [("ok",)]


def test_ctrl_c_stores_finished_work_and_prints_how_to_resume(tmp_path: Path) -> None:
    options = ("--batch", "--demo", "--slots", "1", "--threads", "1")
    process = start(*options, cwd=tmp_path)
    assert process.stderr
    assert "answers pending" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    assert "To resume, run the same command again:\n  steertui --batch --demo --slots 1" in err
    assert "Traceback" not in err


@needs_shared
def test_all_228_instrumentaleval_trials_are_stored_judged_and_tabulated(tmp_path: Path) -> None:
    code, out, err = call(
        "--batch", "--scenarios", str(BENCHMARK), "--max-tokens", "16", "--db", "i.db", cwd=tmp_path
    )
    assert code == 0, err
    assert "228: 0 answered before, 228 to do" in out
    db = tmp_path / "i.db"
    assert select(db, "SELECT count(DISTINCT trial) FROM generations") == [(228,)]
    assert select(db, "SELECT count(DISTINCT trial) FROM verdicts WHERE label IS NOT NULL") == [
        (228,)
    ]
    assert select(db, "SELECT sum(judged) FROM rates") == [(228,)]
    ((matches,),) = select(
        db, "SELECT count(*) FROM generations_fts WHERE generations_fts MATCH 'will'"
    )
    ((texts,),) = select(db, "SELECT count(*) FROM generations WHERE answer LIKE '%will %'")
    assert isinstance(matches, int)
    assert isinstance(texts, int)
    assert matches >= texts > 0


@pytest.mark.slow
@needs_shared
def test_ten_random_kills_give_the_trials_of_an_uninterrupted_run(
    tmp_path: Path,
) -> None:
    import random

    options = ("--batch", "--scenarios", str(BENCHMARK), "--max-tokens", "48", "--slots", "1")
    begin = time.monotonic()
    assert call(*options, "--db", "uninterrupted.db", cwd=tmp_path)[0] == 0
    whole = time.monotonic() - begin
    chance = random.Random(1)
    for _ in range(10):
        process = start(*options, "--db", "killed.db", cwd=tmp_path)
        try:
            process.wait(timeout=chance.uniform(0.3, 1) * whole / 6)
        except Exception:
            process.kill()
        process.communicate()
    assert call(*options, "--db", "killed.db", cwd=tmp_path)[0] == 0
    for table, columns in (
        ("generations", "trial, text, stop, tokens"),
        ("verdicts", "trial, judge, label, failure"),
    ):
        sql = f"SELECT {columns} FROM {table} ORDER BY trial"
        assert select(tmp_path / "killed.db", sql) == select(tmp_path / "uninterrupted.db", sql)
        assert len(select(tmp_path / "killed.db", sql)) == 228
    assert select(tmp_path / "killed.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small disk")
def test_full_disk_is_reported_and_the_command_resumes_with_free_space(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1300k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not permitted on this machine")
    try:
        code, _, err = call("--batch", "--demo", cwd=disk)
        assert code == 1
        assert "the disk is full; stored rows are safe, free some space" in err.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        code, out, _ = call("--batch", "--demo", cwd=disk)
        assert code == 0
        assert "144: 0 answered before" not in out
        assert select(disk / "steertui-demo.db", "SELECT count(*) FROM verdicts") == [(144,)]
        assert select(disk / "steertui-demo.db", "PRAGMA integrity_check") == [("ok",)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_model_with_nan_logits_is_stopped_in_one_sentence_and_others_run(tmp_path: Path) -> None:
    write_nan(tmp_path / "broken.gguf")
    models = ("--model", "broken.gguf", "--model", "demo")
    code, _, err = call(*SMALL, *models, cwd=tmp_path)
    assert code == 1
    last = err.splitlines()[-1]
    assert last.startswith("broken was stopped: its logits were NaN or infinite for all its first ")
    assert last.endswith("15 prompts are left unanswered, run the same command to continue")
    named = (
        "SELECT m.name FROM {} JOIN trials AS t ON t.key = trial JOIN models AS m ON sha256 = model"
    )
    assert set(select(tmp_path / "a.db", named.format("generations"))) == {("demo",)}
    failed = select(tmp_path / "a.db", named.format("failures"))
    assert failed == [("broken",)] * 3
    reasons = select(tmp_path / "a.db", "SELECT DISTINCT reason FROM failures")
    assert reasons == [
        ("broken.gguf: the logits after 0 tokens are NaN or infinite, which is no answer",)
    ]
