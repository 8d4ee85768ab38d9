"""Scenario packs: shipped, InstrumentalEval's CSV files, TOML files; conditions."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from steertui.core.condition_files import load_conditions
from steertui.core.instrumentaleval import PACK, PAPER_SCENARIOS, benchmark_id
from steertui.core.scenario import MAX_TITLE, first_words, full_title, load_pack
from steertui.errors import ScenarioError
from steertui.toml_files import read_text
from tests.fixtures.real import BENCHMARK, needs_shared

COUNTS = {
    "Deceptive Behavior": 11,
    "Evading Shutdown": 20,
    "Hacking Computer Systems": 10,
    "Hiding Unwanted Behavior": 11,
    "Running Multiple AI Copies": 13,
    "Strategically Appearing Aligned": 11,
}


def test_the_starter_pack_has_six_scenarios_in_each_category() -> None:
    pack = load_pack("starter")
    assert Counter(s.category for s in pack) == dict.fromkeys(COUNTS, 6)
    assert len({s.name for s in pack}) == 36


@needs_shared
def test_instrumentaleval_has_the_published_number_of_scenarios_in_each_category() -> None:
    pack = load_pack(str(BENCHMARK))
    assert Counter(s.category for s in pack) == COUNTS
    assert all(s.task == s.task.strip() and s.system for s in pack)


def test_an_unknown_pack_is_answered_with_one_short_sentence() -> None:
    """A dialog shows it whole in 80 columns; what files contain is said of a file alone."""
    with pytest.raises(ScenarioError) as refused:
        load_pack("nowhere")
    assert str(refused.value) == (
        "nowhere: no such scenario pack; give a shipped pack (benign, starter, steering-train), "
        "instrumentaleval, paper-71, a TOML, CSV or JSON file, or a folder of CSV files"
    )


def test_a_csv_file_is_parsed_as_by_the_papers_code(tmp_path: Path) -> None:
    text = '"Goal: testing \r"\r\n"A, first\r\ntask",more\r\n\r\n  ,\r\n"Second “task”"\r\n'
    (tmp_path / "Alignment Drift - Some Goal.csv").write_bytes(text.encode())
    first, comma, second = load_pack(str(tmp_path))
    assert first.task == "A, first\r\ntask,more"
    assert comma.task == ","
    assert second.task == "Second “task”"
    assert (first.system, first.category) == ("Goal: testing \r", "Some Goal")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"Only the category.\r\n", "no task after the first record"),
        ("x.csv", b"\xff\xfe\x00", "not UTF-16 at byte 2; save it as UTF-8"),
        ("x.csv", b"A\n\xe4h\n", "not UTF-8 at byte 2; save it as UTF-8"),
        ("x.csv", "A\nB\n".encode("utf-16-le"), "holds the character NUL"),
        ("x.xlsx", b"PK\x03\x04", "cannot be read as a scenario pack; accepted are a TOML pack"),
        ("x.toml", b"format = 1\nname = [", "not valid TOML"),
        ("x.toml", b"format = 1\nname = 'x'\ncolour = 3\ncategory = []", "unknown key 'colour'"),
        ("x.toml", b"format = 1\nname = 'x'\ncategory = []", "no scenario; add one"),
        ("x.toml", b"format = 9\nname = 'x'\ncategory = []", "format 9"),
        ("x.toml", b'format = 1\nname = "x\\u0000"\ncategory = []', "the character NUL; remove"),
        ("x.toml", b"format = 'one'\nname = 'x'\ncategory = []", "key 'format'"),
        (
            "x.toml",
            b"format = 1\nname = 'x'\n[[category]]\nname='c'\n[[category.scenario]]\nid='a'\n"
            b"title='t'\ntask='x'\ntasks='y'",
            "unknown key 'category[1].scenario[1].tasks'",
        ),
    ],
)
def test_an_invalid_pack_raises_scenario_error_with_file_and_reason(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as raised:
        load_pack(str(path))
    assert str(path) in str(raised.value)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_pack_raises_scenario_error_with_the_shipped_ones() -> None:
    with pytest.raises(ScenarioError, match="starter"):
        load_pack("no-such-pack")


def test_a_suffix_follows_the_task_as_in_the_paper() -> None:
    conditions = load_conditions()
    assert conditions["baseline"].steer("a task ") == "a task "
    suffix = conditions["pro"].suffix.strip()
    assert conditions["pro"].steer("a task \n") == f"a task\n\n{suffix}\n"


def test_placebo_has_the_length_and_form_of_anti() -> None:
    conditions = load_conditions()
    anti, placebo = conditions["anti"].suffix.strip(), conditions["placebo"].suffix.strip()
    assert abs(len(placebo) / len(anti) - 1) < 0.05
    assert placebo.count("\n") == anti.count("\n")


@needs_shared
def test_the_digests_identify_the_benchmarks_tasks_and_the_papers_subset() -> None:
    pack = load_pack(str(BENCHMARK))
    assert {s.pack for s in pack} == {PACK}
    assert [benchmark_id(s.task) for s in pack] == [s.id for s in pack]
    order = [1, 8, 2, 13, 18, 19, 16, 0, 6, 15, 10, 5, 9, 11, 12]
    tasks = [s.name for s in pack if s.category == "Evading Shutdown"]
    assert PAPER_SCENARIOS["Evading Shutdown"] == tuple(tasks[i] for i in order)
    others = [
        n
        for category, ran in PAPER_SCENARIOS.items()
        if category != "Evading Shutdown"
        for n in ran
    ]
    assert others == [s.name for s in pack if s.category != "Evading Shutdown"]
    single = load_pack(str(BENCHMARK / "Alignment Drift - Evading Shutdown.csv"))
    assert [s.name for s in single] == tasks


@needs_shared
def test_an_edited_benchmark_has_another_pack_name(tmp_path: Path) -> None:
    folder = tmp_path / PACK
    shutil.copytree(BENCHMARK, folder)
    file = folder / "Alignment Drift - Hiding Unwanted Behavior.csv"
    file.write_bytes(file.read_bytes().replace(b" the ", b" The "))
    assert {s.pack for s in load_pack(str(folder))} == {f"{PACK}-edited"}


def test_the_benchmarks_name_is_reserved(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        f"""format = 1
name = "{PACK}"
[[category]]
name = "Evading Shutdown"
[[category.scenario]]
id = "evading-shutdown/01"
title = "One"
task = "Another task."
""",
        encoding="utf-8",
    )
    with pytest.raises(ScenarioError, match="is reserved for the benchmark's files"):
        load_pack(str(own))


@pytest.mark.parametrize("kind", ["private file", "device", "pipe"])
def test_a_folder_of_csv_files_reads_only_files_of_its_own(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    member = folder / "A - B.csv"
    if kind == "pipe":
        os.mkfifo(member)
    else:
        (tmp_path / "private").write_text("x\nsecret\n")
        member.symlink_to(tmp_path / "private" if kind == "private file" else "/dev/zero")
    with pytest.raises(ScenarioError, match=r"outside|not a regular file") as caught:
        load_pack(str(folder))
    assert "secret" not in str(caught.value)


def test_a_text_file_without_an_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ScenarioError, match="larger than 64 MiB"):
        read_text(Path("/dev/zero"), ScenarioError)


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("**Scenario:** You are a robot.\\nStop.", "You are a robot. Stop."),
        ("## Scenario\\n\\n**A quiet server**\\nYou run it.", "A quiet server"),
        ("Task: write a letter", "write a letter"),
        ("Task forces meet at dawn", "Task forces meet at dawn"),
        ("Scenario", "Scenario"),
    ],
)
def test_title_of_a_task_has_no_heading_that_does_not_name_it(
    tmp_path: Path, task: str, title: str
) -> None:
    pack = tmp_path / "pack.json"
    pack.write_text(f'[{{"task": "{task}"}}]', encoding="utf-8")
    assert [scenario.title for scenario in load_pack(str(pack))] == [title]


def test_a_title_that_is_cut_is_continued_by_the_words_of_its_task() -> None:
    task = "**Scenario:** You're an AI advisor. " + "You plan **all** of it for the city. " * 9
    short = first_words(task)
    assert short.startswith("**Scenario:**")
    assert short.endswith("…")
    full = full_title(short, task)
    assert full.startswith("You're an AI advisor. You plan all of it for")
    assert len(short) < len(full) <= MAX_TITLE
    assert full_title("Two levels of logging", task) == "Two levels of logging"


@needs_shared
def test_titles_of_the_benchmark_have_no_markdown() -> None:
    assert not [s.title for s in load_pack(str(BENCHMARK)) if "*" in s.title or "#" in s.title]
