"""Scenario packs as tables and records, as spreadsheets and data sets write them."""

import codecs
import json
from pathlib import Path

import pytest

from steertui.core.scenario import Scenario, load_pack
from steertui.errors import ScenarioError
from steertui.planning.inspection import inspect_file

Row = tuple[str, str, str, str, str]
"""Pack, id, category, task and system message."""

TABLE = (
    "id,category,task,system\n"
    '1,Care,"Write the rota, then ""sign"" it.\nToday.",You are X.\n'
    "2,Care,Order flour.,\n"
    "3,Öl,Prüfe das Öl.,You are Y.\n"
)
"""With a comma, quotes, a line end and letters outside ASCII."""


def expected(pack: str) -> list[Row]:
    return [
        (pack, "1", "Care", 'Write the rota, then "sign" it.\nToday.', "You are X."),
        (pack, "2", "Care", "Order flour.", ""),
        (pack, "3", "Öl", "Prüfe das Öl.", "You are Y."),
    ]


def told(scenarios: tuple[Scenario, ...]) -> list[Row]:
    return [(s.pack, s.id, s.category, s.task, s.system) for s in scenarios]


WINDOWS = TABLE.replace("\n", "\r\n")
SEMICOLON = "id;category;task;system\n" + "".join(
    f'{number};{category};"{task.replace(chr(34), chr(34) * 2)}";{system}\n'
    for _, number, category, task, system in expected("x")
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TABLE.encode()),
        ("upper.CSV", TABLE.encode()),
        ("bom.csv", codecs.BOM_UTF8 + WINDOWS.encode()),
        ("old-mac.csv", TABLE.replace("\n", "\r").encode()),
        ("unicode-text.txt.csv", SEMICOLON.replace(";", "\t").encode("utf-16")),
        ("big-endian.csv", codecs.BOM_UTF16_BE + SEMICOLON.encode("utf-16-be")),
        ("tabs.tsv", SEMICOLON.replace(";", "\t").encode()),
        ("european.csv", SEMICOLON.replace("\n", "\r\n").encode("utf-8-sig")),
        ("marked.csv", b"sep=;\r\n" + SEMICOLON.encode()),
        ("no-last-end.csv", TABLE.rstrip("\n").encode()),
        ("empty-rows.csv", (TABLE + ",,,\n\n,,,\n").encode()),
        ("no-quotes.csv", SEMICOLON.encode()),
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert told(load_pack(str(path))) == expected(path.stem)
    lines = [*inspect_file(path)]
    assert lines[0].endswith(f"scenario pack {path.stem}, 3 scenarios")
    is_utf16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    assert ("  encoding: UTF-16" in lines) == is_utf16


def test_line_ends_and_the_form_of_a_table_do_not_change_a_task(tmp_path: Path) -> None:
    tasks = set()
    for i, content in enumerate((TABLE, WINDOWS, TABLE.replace("\n", "\r"), SEMICOLON)):
        (tmp_path / f"{i}.csv").write_bytes(content.encode())
        tasks.add(tuple(s.task for s in load_pack(str(tmp_path / f"{i}.csv"))))
    assert len(tasks) == 1


def test_the_index_column_of_pandas_is_no_field(tmp_path: Path) -> None:
    path = tmp_path / "frame.csv"
    path.write_text(",category,task\n0,Care,Order flour.\n1,Care,Write the rota.\n")
    assert [s.id for s in load_pack(str(path))] == ["care/00", "care/01"]


ROWS: list[dict[str, object]] = [
    {"id": 1, "category": "Care", "task": "Order flour.", "system": None},
    {"id": "b", "category": "Care", "task": "Write the rota.", "system": "You are X."},
]
VIEWER = {"rows": [{"row_idx": 0, "row": row, "truncated_cells": []} for row in ROWS]}
CHAT: list[dict[str, object]] = [
    {"category": "Care", "id": "1", "messages": [{"role": "user", "content": "Order flour."}]},
    {
        "category": "Care",
        "id": "b",
        "input": [
            {"role": "system", "content": "You are X."},
            {"role": "user", "content": "Write the rota."},
        ],
    },
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.json", json.dumps(ROWS, indent=2)),
        ("data.json", json.dumps({"version": "1", "data": ROWS})),
        ("columns.json", json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})),
        ("viewer.json", json.dumps(VIEWER)),
        ("lines.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("lines.ndjson", "\r\n".join([*map(json.dumps, ROWS), ""])),
        ("chat.jsonl", "\ufeff" + "\n".join(map(json.dumps, CHAT))),
    ],
)
def test_records_of_data_sets_are_read(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    assert told(load_pack(str(path))) == [
        (path.stem, "1", "Care", "Order flour.", ""),
        (path.stem, "b", "Care", "Write the rota.", "You are X."),
    ]


def test_a_folder_may_hold_tables_upper_case_endings_and_files_of_macos(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "a.CSV").write_text("id,category,task\n1,Care,Order flour.\n")
    (folder / "b.tsv").write_text("id\tcategory\ttask\n2\tCare\tWrite the rota.\n")
    (folder / "Drift - Goal.csv").write_text('You are X.\n"Do one thing."\n')
    (folder / "._a.CSV").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    assert [(s.pack, s.id, s.system) for s in load_pack(str(folder))] == [
        ("pack", "goal/00", "You are X."),
        ("pack", "1", ""),
        ("pack", "2", ""),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", 'task,category\n"Do it,A\nDo that,A\n', "line 2: not a record of a CSV (unexpec"),
        ("x.csv", 'task,category\n"Do" it,A\n', "line 2: not a record of a CSV"),
        ("x.csv", 'You are X.\nOne.\n"Two.\nThree.\n', "line 3: not a record of a CSV (unexpected"),
        ("x.csv", "id,category,text\n1,A,Do it.\n", "has the columns id, category, text but no"),
        ("x.csv", "id;category\n1;A\n", "but no column 'task'; rename the column that holds"),
        ("x.csv", "name,text,group\na,Do it.,A\n", "has the columns name, text, group but no co"),
        ("x.csv", "\nName;Text;Group\na;Do it.;A\n", "has the columns Name, Text, Group but no"),
        ("x.tsv", "behaviour\tgoal text\na\tDo it.\n", "has the columns behaviour, goal text but"),
        ("x.csv", "Text\nDo it.\n", "has the column Text but no column 'task'; rename the column"),
        (
            "x.csv",
            "a_name_of_more_than_32_characters,b\nDo it.,b\n",
            "of_more_than_32_characters, b ",
        ),
        ("x.csv", "Text (max. 9 words),Group\nDo it.,A\n", "the first record has 2 values and is"),
        ("x.csv", "You are X, a robot.\nDo it.\n", "nor one system message; quote a text that"),
        ("x.csv", "", "the first record has 0 values"),
        ("x.csv", "task,category,target\nDo it.,A,b\n", "unknown field 'target'; remove it, or"),
        ("x.csv", "task,prompt\na,b\n", "several fields for 'task' (task, prompt); keep one"),
        ("x.csv", "task,category\nDo it, now.,A\n", "line 2: 3 values, but the header names 2"),
        ("x.csv", "task,category\nDo it.\n", "line 2: 1 value, but the header names 2 columns"),
        ("x.csv", "id,task\n1,a\n,b\n", "line 3: no id; add it"),
        ("x.csv", "id,category,task\n1,A,\n", "line 2: no task; add it"),
        ("x.csv", "id,category,task\n1,A,a\n1,A,b\n", "duplicate scenario id '1'"),
        ("x.csv", "id,category,task\n", "no scenario; add one"),
        ("x.jsonl", '{"task": "a"}\n{"task": \n', "line 2: not JSON"),
        ("x.jsonl", '{"task": "a"}\n["b"]\n', "line 2: not a record with the fields of a scenario"),
        ("x.json", '{"task": "a"}', "not a list of records; accepted are a TOML pack"),
        ("x.json", '[{"task": 5}]', "record 1: 'task' is not a text"),
        ("x.json", '[{"task": "a", "label": 1}]', "record 1: unknown field 'label'; remove it"),
        ("x.json", '{"task": ["a", "b"], "id": [1]}', "columns of different lengths"),
        ("x.json", '{"rows": [{"row": {}, "row_idx": 3, "truncated_cells": ["a"]}]}', "row 3: its"),
        (
            "x.json",
            '[{"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]}]',
            "record 1: a conversation must be one user message",
        ),
        ("x.json", "[" * 100_000, "nested"),
        ("x.jsonl", '{"task": "a"}\n{"task": "b\\u0000"}\n', "line 2: a text has NUL or half"),
        ("x.json", '{"task": ["a", "b\\ud800"]}', "x.json: a text has NUL or half"),
        ("x.jsonl", '{"task": "shown", "task": "used"}\n', "line 1: an object has a name twice"),
        ("x.jsonl", '{"Task": "shown", "task": "used"}\n', "line 1: two fields of one name"),
    ],
)
def test_a_table_that_is_not_understood_is_one_sentence_with_its_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        load_pack(str(path))
    assert str(raised.value).startswith(str(path))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "system",
    [
        "You are X.",
        "Goal: shutdown",
        "A careful robot that sorts parcels in a large warehouse",
        '"Uncertain source\nYou are a robot, and you sort."',
    ],
)
def test_a_file_whose_first_record_is_a_text_is_in_the_form_of_the_benchmark(
    tmp_path: Path, system: str
) -> None:
    (tmp_path / "Drift - Goal.csv").write_text(f'{system}\n"Do one thing, now."\nAnother.\n')
    found = load_pack(str(tmp_path))
    assert [s.task for s in found] == ["Do one thing, now.", "Another."]
    assert {s.system for s in found} == {system.strip('"')}
