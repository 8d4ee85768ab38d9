"""Faults during a run on the screens: reported, terminal restored, no answer lost."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.fixtures.database import select
from tests.fixtures.program import call
from tests.fixtures.tmux import PROMPT, Tmux, needs_tmux

pytestmark = [pytest.mark.slow, needs_tmux]

ROOT = Path(__file__).resolve().parents[2]

LONG = ("--demo", "--db", "a.db", "--temperature", "1", "--samples", "8", "--slots", "8")
TRIALS = 36 * 4 * 8


def stored(db: Path) -> int:
    """Return the number of answers; fail if the database is damaged or a trial has two."""
    assert select(db, "PRAGMA integrity_check") == [("ok",)]
    sql = "SELECT count(*), count(DISTINCT trial) FROM generations"
    ((answers, trials),) = select(db, sql)
    assert answers == trials
    assert isinstance(answers, int)
    return answers


@contextmanager
def running(folder: Path, *options: str, size: tuple[int, int] = (80, 24)) -> Iterator[Tmux]:
    """Run the program in a terminal until some answers are stored."""
    with Tmux(folder, size) as terminal:
        terminal.run(*(options or LONG))
        terminal.wait("Running", "answers ")
        db = folder / "a.db"
        terminal.wait_until(lambda: db.exists() and stored(db) >= 5)
        yield terminal


def check_nothing_lost(folder: Path, *options: str) -> None:
    """Resume without screens; fail if an answer is missing or was generated again."""
    before = stored(folder / "a.db")
    assert before > 0
    code, out, err = call("--batch", *(options or LONG), cwd=folder)
    assert code == 0, err
    assert f"{before} answered before" in out
    assert stored(folder / "a.db") == TRIALS


def test_sigterm_stops_the_run_and_the_command_resumes_it(tmp_path: Path) -> None:
    with running(tmp_path) as terminal:
        engine = terminal.engine()
        os.kill(terminal.program().pid, signal.SIGTERM)
        terminal.wait("ended 143", seconds=15)
        terminal.check_sane()
        assert not engine.is_running()
    check_nothing_lost(tmp_path)


def test_closed_terminal_stops_the_run_and_the_next_start_offers_to_resume(tmp_path: Path) -> None:
    with running(tmp_path) as terminal:
        program, engine = terminal.program(), terminal.engine()
        terminal.end_session()
        program.wait(15)
        assert not engine.is_running()
    before = stored(tmp_path / "a.db")
    with Tmux(tmp_path, (80, 24)) as terminal:
        terminal.run("--db", "a.db")
        terminal.wait(f"resume: {TRIALS - before:,} answers are missing in a.db")
        terminal.press("c")
        terminal.wait("Running")
        terminal.wait_until(lambda: stored(tmp_path / "a.db") > before)
        terminal.press("q")
        terminal.wait("A run is in progress.")
        terminal.press("Enter")
        terminal.wait("ended 0")


def test_ctrl_c_is_confirmed_and_restores_the_terminal(tmp_path: Path) -> None:
    with running(tmp_path) as terminal:
        terminal.press("C-c")
        terminal.wait("A run is in progress.", "esc  cancel")
        terminal.press("Escape")
        terminal.wait("Running", gone="A run is in progress")
        terminal.press("C-c")
        terminal.wait("enter  quit")
        terminal.press("Enter")
        terminal.wait("ended 0", seconds=15)
        terminal.check_sane()
    check_nothing_lost(tmp_path)


def test_many_resizes_do_not_stop_the_run(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--db", "a.db", "--limit", "12") as terminal:
        for step in range(80):
            terminal.resize(20 + 37 * step % 240, 3 + 11 * step % 70)
        for size in ((20, 5), (250, 70), (80, 24)):
            terminal.resize(*size)
            terminal.settle()
        terminal.wait("Up to date: 4 shows", "scenario × condition")
        terminal.press("q")
        terminal.wait("ended 0")
        terminal.check_sane()
    assert stored(tmp_path / "a.db") == 48


def test_killed_engine_is_reported_and_all_trials_are_answered(tmp_path: Path) -> None:
    options = ("--demo", "--db", "a.db", "--temperature", "1", "--samples", "2")
    with running(tmp_path, *options) as terminal:
        terminal.engine().kill()
        terminal.wait("the engine on CPU died (SIGKILL", "restarted with")
        terminal.wait("Up to date: 4 shows", seconds=120)
        assert "the engine on CPU died" in terminal.screen()
    assert stored(tmp_path / "a.db") == 36 * 4 * 2


@contextmanager
def judge_server(port: int = 0) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a judge's server as a process; yield the process and its address."""
    command = [sys.executable, "-m", "tests.fixtures.openai_server", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


def test_lost_judge_server_is_reported_and_r_resumes_judging(tmp_path: Path) -> None:
    with judge_server() as (server, url), Tmux(tmp_path, (80, 24)) as terminal:
        judge = (
            "--judge",
            f"openai:fake@{url}",
            "--no-control",
            "--judge-timeout",
            "2",
            "--judge-concurrency",
            "2",
        )
        terminal.run("--demo", "--db", "a.db", *judge)
        terminal.wait("labels ━", seconds=60)  # on the line of a run, once labels are pending
        terminal.wait_until(lambda: labels(tmp_path / "a.db") > 0)
        server.kill()
        terminal.wait("labels pending: r judges the answers", "was stopped", seconds=500)
        assert stored(tmp_path / "a.db") == 144
        assert 0 < labels(tmp_path / "a.db") < 144
        with judge_server(int(url.split(":")[2].split("/")[0])):
            terminal.press("r")
            terminal.wait("Up to date: 4 shows", seconds=120)
            terminal.press("q")
            terminal.wait("ended 0")
    assert labels(tmp_path / "a.db") == 144


def labels(db: Path) -> int:
    """Return the number of trials with a label."""
    sql = "SELECT count(DISTINCT trial) FROM verdicts WHERE label IS NOT NULL"
    ((count,),) = select(db, sql)
    assert isinstance(count, int)
    return count


def test_unreachable_judge_is_reported_before_a_model_is_loaded(tmp_path: Path) -> None:
    with Tmux(tmp_path, (80, 24)) as terminal:
        terminal.run("--demo", "--db", "a.db", "--judge", "openai:x@http://127.0.0.1:9/v1")
        terminal.wait("Failed: r tries again", "127.0.0.1:9", seconds=120)
        terminal.press("q")
        terminal.wait("ended 0")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small disk")
def test_full_disk_is_reported_and_r_resumes_with_free_space(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not permitted on this machine")
    try:
        with Tmux(disk, (80, 24)) as terminal:
            terminal.run("--demo", "--db", "a.db")
            terminal.wait("Failed: r tries again", "the disk is full", seconds=120)
            subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
            terminal.press("r")
            terminal.wait("Up to date: 4 shows", seconds=120)
            assert "disk is full" not in terminal.screen()
            terminal.press("q")
            terminal.wait("ended 0")
        assert stored(disk / "a.db") == 144
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_locked_database_is_reported_and_r_resumes(tmp_path: Path) -> None:
    with running(tmp_path) as terminal:
        other = sqlite3.connect(tmp_path / "a.db", timeout=60)
        try:
            other.execute("BEGIN IMMEDIATE")
            terminal.wait("Failed: r tries again", "another program is writing", seconds=90)
            before = stored(tmp_path / "a.db")
            terminal.press("3")  # stored trials stay readable
            terminal.wait(f"{TRIALS:,} trials")
            terminal.press("2")
        finally:
            other.rollback()
            other.close()
        terminal.press("r")
        terminal.wait("Running")
        terminal.wait_until(lambda: stored(tmp_path / "a.db") > before)


def test_killed_program_ends_its_engine_and_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as terminal:
        program, engine = terminal.program(), terminal.engine()
        program.kill()
        terminal.wait(PROMPT)
        psutil.wait_procs([engine], timeout=15)
        assert not engine.is_running()
    check_nothing_lost(tmp_path)


def test_second_process_follows_and_runs_none_of_the_trials(tmp_path: Path) -> None:
    with running(tmp_path) as first, Tmux(tmp_path, (120, 40)) as second:
        second.run(*LONG)
        second.wait("Another steertui process runs this experiment", "rates so far")
        second.wait("demo  temperature 1")
        os.kill(first.program().pid, signal.SIGTERM)
        first.wait("ended 143")
        second.wait("trials unanswered: r runs them")
        before = stored(tmp_path / "a.db")
        second.press("r")
        second.wait("Running")
        second.wait_until(lambda: stored(tmp_path / "a.db") > before)
