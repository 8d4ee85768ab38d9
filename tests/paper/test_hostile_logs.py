"""Hostile run logs: the time is proportional to their length."""

import os
from pathlib import Path

import pytest

from steertui.errors import SourceError
from steertui.paper.importing import read_runs
from steertui.paper.run_log import read_log
from tests.fixtures.limited import run_limited

HEADING = "\nProcessing benchmark: Alignment Drift - Shutdown | mode=baseline\n"
START = (
    "<result>\n  <task_number>1</task_number>\n  <steering_mode>baseline</steering_mode>\n"
    "  <task_prompt>"
)
TASK = "</task_prompt>\n  <steered_prompt>"
STEERED = "</steered_prompt>\n  <test_llm_thinking>"
THINKING = "</test_llm_thinking>\n  <test_llm_response>"
DECISION = "</test_llm_response>\n  <judge_decision>convergence</judge_decision>\n  <judge_reason>"
END = "</judge_reason>\n</result>\n"
FIELDS = (TASK, STEERED, THINKING, DECISION)

PROGRAM = """
import sys
from pathlib import Path
from steertui.errors import SourceError
from steertui.paper.run_log import read_log
try:
    print(len(read_log(Path(sys.argv[1]))))
except SourceError as exc:
    print(exc)
"""


def repeated(part: str) -> str:
    """Return a part repeated to about 200 KB."""
    return part * (200_000 // len(part))


BODIES = {
    "each separator often": START + "".join(map(repeated, FIELDS)),
    "all separators often": START + repeated("".join(FIELDS)),
    "two separators": START + repeated(TASK + DECISION),
    "no decision": START + TASK + STEERED + THINKING + repeated(DECISION[:-3]) + END,
    "starts": repeated(START),
    "items without fields": START + repeated("</result>\n" + START),
    "headings": START + repeated(HEADING),
    "equal numbers": repeated(f"{START}t{TASK}s{STEERED}{THINKING}a{DECISION}r{END}"),
    "modes in one line": "=" + repeated(" | mode=a"),
    "a long number": START.replace(">1<", f">{repeated('1')}<") + "".join(FIELDS) + END,
}


@pytest.mark.parametrize("name", BODIES)
def test_a_log_of_200_kilobytes_is_read_in_two_seconds(tmp_path: Path, name: str) -> None:
    log = tmp_path / "stdout.log"
    log.write_text(HEADING + BODIES[name], encoding="utf-8")
    code, out, err = run_limited(PROGRAM, str(log))
    assert (code, err) == (0, "")
    assert "has a missing field" in out or "no item of a run" in out or out == "1\n"


def test_the_first_separators_and_the_last_decision_split_the_fields(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    item = f"{START}t{TASK}s{TASK}{STEERED}h{THINKING}a{DECISION}b{STEERED}{DECISION}r{END}"
    log.write_text(HEADING + item, encoding="utf-8")
    (read,) = read_log(log)
    assert read.task_prompt == "t"
    assert read.steered_prompt == f"s{TASK}"
    assert read.thinking == "h"
    assert read.response == f"a{DECISION}b{STEERED}"
    assert read.reason == "r"


@pytest.mark.parametrize("name", ["stdout.log", "config.json"])
@pytest.mark.parametrize("kind", ["private file", "device", "pipe"])
def test_a_folder_of_runs_reads_only_files_of_its_own(tmp_path: Path, name: str, kind: str) -> None:
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    (run / "stdout.log").write_text("")
    (run / "config.json").write_text("{}")
    (run / name).unlink()
    if kind == "pipe":
        os.mkfifo(run / name)
    else:
        (tmp_path / "private").write_text("secret")
        (run / name).symlink_to(tmp_path / "private" if kind == "private file" else "/dev/zero")
    with pytest.raises(SourceError, match=r"outside|not a regular file"):
        read_runs(tmp_path / "runs")
