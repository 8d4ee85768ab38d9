"""No text of others controls the terminal: output of every command, one module that prints."""

import ast
import json
import tomllib
import unicodedata
from pathlib import Path

import pytest

from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.generation import Generation, StopReason
from steertui.core.verdict import Label, Verdict
from steertui.printable import (
    escape_toml,
    one_line,
    print_json,
    printable,
    printable_cell,
    printable_line,
    to_json,
)
from steertui.store import Store
from tests.fixtures.database import execute, select
from tests.fixtures.program import call
from tests.fixtures.rehashing import rehash
from tests.store.test_merge_conflicts import ANN, SERVER, plan

ROOT = Path(__file__).resolve().parents[1] / "steertui"

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\u200f\u061c\x7f\r\x08"

VISIBLE_FORMAT = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
VISIBLE_FORMAT |= set(range(0x13430, 0x13440))
"""Format characters with a glyph, or that join hieroglyphs."""


def is_harmful(character: str) -> bool:
    """Whether a terminal obeys a character or shows the text around it in another order."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ord(character) not in VISIBLE_FORMAT
    return kind in ("Cc", "Cs", "Zl", "Zp") and character not in "\n\t"


def harmful(text: str) -> set[str]:
    """Return the control, format and separator characters of a text other than newline and tab."""
    return {f"{ord(c):x}" for c in text if is_harmful(c)}


def test_no_control_and_no_format_character_is_printable() -> None:
    every = [chr(code) for code in range(0x110000) if is_harmful(chr(code))]
    assert len(every) > 2_200
    for convert in (printable, printable_line, one_line):
        assert not harmful(convert(f"a{'b'.join(every)}c"))
    assert printable_line("a\nb  c") == "a b  c"


def test_json_and_toml_keep_every_character_and_hold_none_that_does_harm() -> None:
    every = "b".join(chr(code) for code in range(0x110000) if is_harmful(chr(code)))
    text = to_json({every: [every, "né\U0001f600"]})
    assert not harmful(text)
    assert "né\U0001f600" in text
    assert json.loads(text) == {every: [every, "né\U0001f600"]}
    names = "".join(c for c in every if unicodedata.category(c) != "Cs" and c != "\0")
    toml = escape_toml(Experiment(models=[names], rubric=HOSTILE).to_toml())
    assert not harmful(toml)
    assert tomllib.loads(toml)["models"] == [names]
    assert parse_experiment(toml).rubric == HOSTILE


def test_a_csv_cell_keeps_line_ends_tabs_and_joiners() -> None:
    kept = "a\r\nb\nc\td\u200d\ufe0f"
    assert printable_cell(kept) == kept
    assert printable_cell("a\rb\x1b\x9b\u202e\ud800") == "a" + "\ufffdb" + "\ufffd" * 4


def test_a_record_is_printed_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"event": HOSTILE})
    out = capsys.readouterr().out
    assert json.loads(out) == {"event": HOSTILE}
    assert not harmful(out)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a database whose names and texts hold escape sequences."""
    with Store(tmp_path / "hostile.db") as store:
        experiment, keys = plan(store)
        run = store.add_run(experiment, {}, "", {})
        for judge in (ANN, SERVER):
            store.add_judge(judge, judge.partition("#")[0], {"title": ""})
        for place, key in enumerate(keys):
            store.add_generation(key, run, Generation(HOSTILE, StopReason.STOP, 1, 1, 0.0))
            store.add_verdict(key, Verdict(SERVER, Label.NO_CONVERGENCE, reason=HOSTILE))
            store.add_verdict(key, Verdict(ANN, list(Label)[place % 2], reason=HOSTILE))
    path = tmp_path / "hostile.db"
    execute(path, "UPDATE conditions SET name = name || ?", [HOSTILE])
    execute(path, "UPDATE scenarios SET category = ?, name = name || ?", [HOSTILE, HOSTILE])
    execute(path, "UPDATE judges SET name = name || ?", [HOSTILE])
    execute(path, "UPDATE models SET name = name || ?", [HOSTILE])
    rehash(path)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        ["report", "hostile.db"],
        ["report", "hostile.db", "--format", "markdown"],
        ["report", "hostile.db", "--format", "json"],
        ["report", "hostile.db", "--format", "rates-csv"],
        ["report", "hostile.db", "--format", "trials-csv"],
        ["report", "hostile.db", "--list-experiments"],
        ["report", "hostile.db", "--model", "none"],
        ["report", f"{HOSTILE}.db"],
        ["report", f"--{HOSTILE}"],
        ["report", "hostile.db", HOSTILE],
        [f"{HOSTILE}"],
        ["agree", "hostile.db", "--disagreements"],
        ["agree", "hostile.db", "--judge", "none"],
        ["merge", "new.db", "hostile.db"],
        ["models", "verify", HOSTILE],
        ["--print-experiment", "--model", HOSTILE],
        ["--batch", "--model", HOSTILE],
        ["--batch", "--experiment", f"{HOSTILE}.toml"],
        ["sources", "pull", HOSTILE],
    ],
)
def test_no_command_prints_a_control_character(folder: Path, options: list[str]) -> None:
    _, out, err = call(*options, cwd=folder)
    assert out + err
    assert not harmful(out.replace("\r\n", "\n")), out
    assert not harmful(err), err


def test_the_json_report_keeps_the_names(folder: Path) -> None:
    _, out, _ = call("report", "hostile.db", "--format", "json", cwd=folder)
    names = [name for (name,) in select(folder / "hostile.db", "SELECT name FROM judges")]
    assert {table["judge"] for table in json.loads(out)["tables"]} <= set(names)


def test_names_are_no_markup_in_a_markdown_report(folder: Path) -> None:
    markup = "<img src=x>&lt;![a](b)~~c~~$d$"
    execute(folder / "hostile.db", "UPDATE conditions SET name = name || ?", [markup])
    rehash(folder / "hostile.db")
    _, out, _ = call("report", "hostile.db", "--format", "markdown", cwd=folder)
    escaped = r"\<img src=x\>\&lt;\!\[a\](b)\~\~c\~\~\$d\$"
    assert escaped in out
    assert markup not in out


def prints_itself(node: ast.AST) -> bool:
    """Whether a call writes to a stream without `printable`."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in {"print", "echo", "Text"}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="click"), attr=name)):
            return name in {"echo", "secho", "echo_via_pager"}
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=stream), attr="write")):
            return stream in {"stdout", "stderr"}
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="dumps")):
            return True
        case ast.Call(func=ast.Name(id="TextColumn"), keywords=keywords):
            return "markup" not in {keyword.arg for keyword in keywords}
    return False


JSON_FILES = {"planning/consent.py", "planning/rates.py", "headless/run_summary.py"}
"""Modules that write JSON to files and print nothing."""


def test_only_one_module_prints() -> None:
    paths = [ROOT / "__main__.py", ROOT / "report" / "terminal.py", ROOT / "report" / "command.py"]
    paths += [ROOT / "report" / "agreement_tables.py", *(ROOT / "planning").glob("*.py")]
    paths += [*(ROOT / "cli").glob("*.py"), *(ROOT / "headless").glob("*.py")]
    assert len(paths) > 25
    for path in paths:
        if path.relative_to(ROOT).as_posix() in JSON_FILES:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not prints_itself(node), f"{path}:{getattr(node, 'lineno', 0)}"
