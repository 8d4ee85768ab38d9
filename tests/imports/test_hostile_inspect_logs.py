"""Hostile inspect_ai logs: limits, types, archives, and one sentence for each."""

import json
import lzma
import struct
import zipfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from steertui.errors import SourceError
from steertui.imports import log_file
from steertui.imports.inspect_run import read_runs
from tests.fixtures.inspect_logs import ROOT, stored_log, write_logs
from tests.fixtures.limited import run_limited
from tests.fixtures.program import call

PROGRAM = """
import sys
from steertui.errors import SourceError
from steertui.imports.inspect_run import read_runs
try:
    print(len(read_runs([sys.argv[1]])))
except SourceError as exc:
    print(exc)
"""


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def members_of(condition: str) -> dict[str, bytes]:
    """Return the members of an `.eval` archive with the stored log."""
    log = stored_log(condition)
    samples = log.pop("samples")
    parts = {"header.json": json.dumps(log).encode()}
    for sample in samples:
        parts[f"samples/{sample['id']}_epoch_{sample['epoch']}.json"] = json.dumps(sample).encode()
    return parts


def test_both_forms_of_a_log_are_read_equally(tmp_path: Path) -> None:
    write_logs(tmp_path)
    (as_json,) = read_runs([str(tmp_path / "pro.json")])
    (zipped,) = read_runs([str(archive(tmp_path / "pro.eval", members_of("pro")))])
    assert as_json.samples == zipped.samples
    assert len(as_json.samples) == 12


def test_a_log_compressed_by_inspect_ai_needs_the_package_or_says_so(tmp_path: Path) -> None:
    packed = str(ROOT / "tests/data/inspect_ai/baseline.eval")
    if find_spec("zstandard"):
        (run,) = read_runs([packed])
        assert len(run.samples) == 4
    else:
        with pytest.raises(SourceError, match=r"Zstandard; pip install 'steertui\[inspect\]'"):
            read_runs([packed])


INVALID: dict[str, Any] = {
    "not JSON": b"{",
    "a list": b"[]",
    "no eval": b"{}",
    "no model": b'{"eval": {"task": "x"}}',
    "a number": b'{"eval": 7}',
    "nested": b'{"a":' * 5_000,
    "no samples": b'{"eval": {"model": "m"}}',
    "samples of another type": b'{"eval": {"model": "m"}, "samples": {"a": 1}}',
    "a sample without an id": b'{"eval": {"model": "m"}, "samples": [{"input": "x"}]}',
    "not UTF-8": b"\xff\xfe\x00",
    "empty": b"",
}


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("ending", [".json", ".eval"])
def test_a_file_that_is_no_log_is_one_sentence(tmp_path: Path, name: str, ending: str) -> None:
    (tmp_path / f"log{ending}").write_bytes(INVALID[name])
    options = ("--db", "i.db", "--temperature", "0")
    code, _, err = call("import-inspect", f"log{ending}", *options, cwd=tmp_path)
    assert (code, err.count("\n")) == (1, 1), err
    assert not (tmp_path / "i.db").exists()


def test_archives_that_exceed_a_limit_are_refused(tmp_path: Path) -> None:
    zeros = b'{"a": "' + bytes(log_file.MAX_MEMBER) + b'"}'
    parts = members_of("baseline") | {"samples/a_epoch_1.json": zeros}
    bomb = archive(tmp_path / "bomb.eval", parts)
    assert bomb.stat().st_size < 2 << 20
    code, out, _ = run_limited(PROGRAM, str(bomb), seconds=10)
    assert (code, "'samples/a_epoch_1.json' cannot be read (larger than" in out) == (0, True), out
    raw = bytearray(archive(tmp_path / "lies.eval", members_of("baseline")).read_bytes())
    place = raw.rfind(b"PK\x01\x02")
    raw[place + 24 : place + 28] = struct.pack("<I", 2**32 - 2)
    (tmp_path / "lies.eval").write_bytes(raw)
    with pytest.raises(SourceError, match="members of 4,"):
        read_runs([str(tmp_path / "lies.eval")])


def test_damaged_archives_are_one_sentence(tmp_path: Path) -> None:
    whole = archive(tmp_path / "log.eval", members_of("baseline")).read_bytes()
    step = len(whole) // 40
    for end in range(0, len(whole), step):
        (tmp_path / "cut.eval").write_bytes(whole[:end])
        with pytest.raises(SourceError, match=r"cut\.eval: "):
            read_runs([str(tmp_path / "cut.eval")])
    for place in range(0, len(whole), step):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        (tmp_path / "flipped.eval").write_bytes(changed)
        with suppress(SourceError):  # any other exception fails the test
            assert len(read_runs([str(tmp_path / "flipped.eval")])) == 1


def test_names_of_members_reach_no_file(tmp_path: Path) -> None:
    parts = members_of("baseline")
    evil = {f"samples/../../../evil{i}.json": raw for i, raw in enumerate(parts.values()) if i}
    archive(tmp_path / "log.eval", {"header.json": parts["header.json"], **evil})
    (run,) = read_runs([str(tmp_path / "log.eval")])
    assert len(run.samples) == 12
    assert not [*tmp_path.parent.rglob("evil*")]


def test_a_folder_of_logs_reads_only_files_of_its_own(tmp_path: Path) -> None:
    write_logs(tmp_path / "private")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.json").symlink_to(tmp_path / "private/pro.json")
    with pytest.raises(SourceError, match="a link to a file outside"):
        read_runs([str(tmp_path / "logs")])


VALUES: tuple[Any, ...] = (None, True, -1, 10**300, float("nan"), "", "\x1b[2J\u202e", [], [[]], {})


def test_values_of_other_types_are_missing_or_one_sentence(tmp_path: Path) -> None:
    base = stored_log("baseline")
    base["samples"] = base["samples"][:1]
    base["samples"][0]["events"] = []
    text = json.dumps(base)
    places = [*paths_of(base)]
    assert len(places) > 60
    for index, path in enumerate(places):
        log = json.loads(text)
        value = VALUES[index % len(VALUES)]
        set_at(log, path, value)
        (tmp_path / "log.json").write_text(json.dumps(log), encoding="utf-8")
        code, _, err = call_in_process(tmp_path)
        assert code in (0, 1), (path, value, err)
        assert "\x1b" not in err


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [p for key, part in items for p in ((*path, key), *paths_of(part, (*path, key)))]


def set_at(value: Any, path: tuple[Any, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


def call_in_process(folder: Path) -> tuple[int, str, str]:
    """Run the command in this process, which is faster than a process for each of many logs."""
    from click.testing import CliRunner

    from steertui.cli import cli

    (folder / "i.db").unlink(missing_ok=True)
    arguments = ["import-inspect", str(folder / "log.json"), "--db", str(folder / "i.db")]
    try:
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    except SourceError as exc:
        return 1, "", str(exc)
    return done.exit_code, done.output, done.stderr


def test_no_stored_log_holds_the_name_of_a_machine() -> None:
    for path in sorted((ROOT / "tests/data/inspect_ai").glob("*.xz")):
        text = lzma.decompress(path.read_bytes()).decode()
        assert "/work" not in text
        assert "/tmp" not in text
