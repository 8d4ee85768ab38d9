"""`steertui --batch`, as a process, on the demo checkpoint."""

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.fixtures.program import call, records, start
from tests.fixtures.real import BENCHMARK, needs_shared

SMALL = ("--batch", "--limit", "6", "--max-tokens", "24", "--db", "a.db")


def rows(db: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(db)
    found = list(connection.execute(sql))
    connection.close()
    return found


def test_the_demo_prints_plan_table_gap_and_that_it_means_nothing(tmp_path: Path) -> None:
    code, out, err = call("--batch", "--demo", cwd=tmp_path)
    assert code == 0, err
    assert "36 scenarios × 4 conditions (baseline, pro, anti, placebo)" in out
    assert "144: 0 answered before, 144 to do" in out
    assert "minimum detectable gap at 80 % power" in out
    assert "gap pro − anti: " in out
    assert out.count("scripted stand-in") == 2  # in the plan and under the table
    assert "means nothing about real models" in out
    db = tmp_path / "steertui-demo.db"
    assert rows(db, "SELECT count(*), count(DISTINCT trial) FROM generations") == [(144, 144)]
    assert rows(db, "SELECT count(*), count(DISTINCT trial) FROM verdicts") == [(144, 144)]
    assert rows(db, "SELECT count(*) FROM verdicts WHERE abs(p_convergence + p_no_convergence"
                " + p_safety_refusal + p_nonsensical - 1) > 1e-9") == [(0,)]  # fmt: skip
    gap = rows(db, "SELECT pro_percent, anti_percent, gap_points FROM gaps")
    assert len(gap) == 1


def test_the_same_command_again_repeats_nothing_and_more_samples_add_only_what_is_missing(
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
    assert "samples each" not in greedy
    more = call(*SMALL, "--temperature", "0", "--temperature", "0.7", cwd=tmp_path)[1]
    assert "36: 18 answered before, 18 to do" in more


def test_two_devices_answer_as_one_does_and_the_first_lines_name_them(tmp_path: Path) -> None:
    both = [*SMALL[:-1], "b.db", "--deterministic", "--devices", "cpu,cpu"]
    code, _, err = call(*both, cwd=tmp_path)
    assert code == 0, err
    assert "2 engines, each of 1 slot of" in err
    assert "on CPU, CPU\n" in err
    assert call(*SMALL, "--deterministic", cwd=tmp_path)[0] == 0
    texts = "SELECT trial, text FROM generations ORDER BY trial"
    assert rows(tmp_path / "a.db", texts) == rows(tmp_path / "b.db", texts)


def test_json_gives_a_record_a_line_and_the_whole_table_last(tmp_path: Path) -> None:
    code, out, _ = call(*SMALL, "--json", cwd=tmp_path)
    assert code == 0
    found = records(out)
    events = [r["event"] for r in found]
    assert events[0] == "planned"
    assert events[-1] == "results"
    assert (events.count("generated"), events.count("judged")) == (18, 18)
    tables = found[-1]["tables"]
    assert isinstance(tables, list)
    assert [row["condition"] for row in tables[0]["rows"]] == ["baseline", "pro", "anti"]
    assert tables[0]["is_stand_in"] is True
    assert rows(tmp_path / "a.db", "PRAGMA integrity_check") == [("ok",)]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    options = ("--batch", "--demo", "--slots", "1", "--threads", "1")
    process = start(*options, cwd=tmp_path)
    assert process.stderr
    assert "answers to do" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    assert "To go on, run the same again:\n  steertui --batch --demo --slots 1" in err
    assert "Traceback" not in err


@needs_shared
def test_all_228_instrumentaleval_trials_are_stored_judged_and_tabulated(tmp_path: Path) -> None:
    code, out, err = call(
        "--batch", "--scenarios", str(BENCHMARK), "--max-tokens", "48", "--db", "i.db", cwd=tmp_path
    )
    assert code == 0, err
    assert "228: 0 answered before, 228 to do" in out
    db = tmp_path / "i.db"
    assert rows(db, "SELECT count(DISTINCT trial) FROM generations") == [(228,)]
    assert rows(db, "SELECT count(DISTINCT trial) FROM verdicts WHERE label IS NOT NULL") == [
        (228,)
    ]
    assert rows(db, "SELECT sum(judged) FROM rates") == [(228,)]
    ((found,),) = rows(
        db, "SELECT count(*) FROM generations_fts WHERE generations_fts MATCH 'will'"
    )
    ((held,),) = rows(db, "SELECT count(*) FROM generations WHERE answer LIKE '%will %'")
    assert isinstance(found, int)
    assert isinstance(held, int)
    assert found >= held > 0


@pytest.mark.slow
@needs_shared
def test_ten_kills_at_random_moments_end_in_the_trials_of_an_undisturbed_run(
    tmp_path: Path,
) -> None:
    import random

    options = ("--batch", "--scenarios", str(BENCHMARK), "--max-tokens", "48", "--slots", "1")
    begin = time.monotonic()
    assert call(*options, "--db", "calm.db", cwd=tmp_path)[0] == 0
    whole = time.monotonic() - begin
    chance = random.Random(1)
    for _ in range(10):
        process = start(*options, "--db", "storm.db", cwd=tmp_path)
        try:
            process.wait(timeout=chance.uniform(0.3, 1) * whole / 6)
        except Exception:
            process.kill()
        process.communicate()
    assert call(*options, "--db", "storm.db", cwd=tmp_path)[0] == 0
    for table, columns in (
        ("generations", "trial, text, stop, tokens"),
        ("verdicts", "trial, judge, label, failure"),
    ):
        sql = f"SELECT {columns} FROM {table} ORDER BY trial"
        assert rows(tmp_path / "storm.db", sql) == rows(tmp_path / "calm.db", sql)
        assert len(rows(tmp_path / "storm.db", sql)) == 228
    assert rows(tmp_path / "storm.db", "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_is_said_and_with_room_the_same_command_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        code, _, err = call("--batch", "--demo", cwd=disk)
        assert code == 1
        assert "the disk is full; what was stored is safe, make room" in err.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        code, out, _ = call("--batch", "--demo", cwd=disk)
        assert code == 0
        assert "144: 0 answered before" not in out
        assert rows(disk / "steertui-demo.db", "SELECT count(*) FROM verdicts") == [(144,)]
        assert rows(disk / "steertui-demo.db", "PRAGMA integrity_check") == [("ok",)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
