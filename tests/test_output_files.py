"""Output files: only unchanged earlier outputs are replaced, and no file is half written."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.model import demo_path
from steertui.errors import OutputError
from steertui.output_files import file_name, is_partial, text_output
from steertui.report.page import writer
from steertui.report.page.writer import write_page
from steertui.store import Store
from tests.fixtures import large
from tests.fixtures.database import write_small_database
from tests.fixtures.program import COMMAND, call, start
from tests.fixtures.rehashing import rehash

ROOT = Path(__file__).resolve().parents[1]
FORMS = (
    "terminal",
    "trials-csv",
    *(
        pytest.param(form, marks=pytest.mark.slow)
        for form in ("markdown", "json", "rates-csv", "html")
    ),
)
SHELL = {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outputs") / "a.db"
    large.write(path, models=1, samples=1, judges=2, words=12)
    return path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made, tmp_path / "a.db")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file's bytes; SQLite's log of an open database comes and goes."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}


def edit(db: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(db)
    connection.execute(sql, values)
    connection.commit()
    connection.close()
    rehash(db)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_report_replaces_what_it_did_not_write(folder: Path, form: str) -> None:
    shutil.copy(folder / "a.db", folder / "other.db")
    shutil.copy(demo_path(), folder / "model.gguf")
    (folder / "link.db").symlink_to("a.db")
    os.link(folder / "a.db", folder / "hard.html")
    (folder / "link.html").symlink_to("notes.txt")
    for name in ("notes.txt", "experiment.toml", "scenarios.csv", "page.html"):
        (folder / name).write_text("samples = 3\n", encoding="utf-8")
    said = {
        "a.db": "is an input of this command",
        "link.db": "is an input of this command",
        "hard.html": "is an input of this command",
        "other.db": "is a SQLite database",
        "model.gguf": "is a GGUF file",
        "a.db-wal": "is where SQLite keeps a log of a.db",
        "a.db-shm": "is where SQLite keeps a log of a.db",
        "other.db-journal": "is where SQLite keeps a log of other.db",
        "link.html": "is a symbolic link",
        "notes.txt": "exists, and is not a",
        "experiment.toml": "exists, and is not a",
        "scenarios.csv": "exists, and is not a",
        "page.html": "exists, and is not a",
        ".": "is a folder",
    }
    before = contents(folder)
    for name in said if form == "trials-csv" else ("a.db",):
        code, out, err = call("report", "a.db", "--format", form, "-o", name, cwd=folder)
        assert (code, out, len(err.splitlines())) == (1, "", 1), err
        assert f"steertui: {name}: {said[name]}" in err
    assert contents(folder) == before


def test_an_earlier_output_is_replaced_until_somebody_changes_it(folder: Path) -> None:
    (folder / "empty.csv").touch()
    for name in ("a.csv", "a.csv", "empty.csv"):
        assert call("report", "a.db", "--format", "trials-csv", "-o", name, cwd=folder)[0] == 0
    assert "exists" in call("report", "a.db", "--format", "html", "-o", "a.csv", cwd=folder)[2]
    written = folder / "a.csv"
    written.write_bytes(written.read_bytes() + b"a note of mine\r\n")
    code, _, err = call("report", "a.db", "--format", "trials-csv", "-o", "a.csv", cwd=folder)
    assert code == 1
    assert "file written by steertui; remove it, or choose another path" in err
    assert written.read_bytes().endswith(b"a note of mine\r\n")


def test_an_output_has_the_mode_of_the_umask_and_leaves_nothing_beside_it(folder: Path) -> None:
    before = os.umask(0o027)
    try:
        with text_output(folder / "new.csv", "trials-csv") as file:
            file.write("x")
        with (
            pytest.raises(ZeroDivisionError),
            text_output(folder / "none.csv", "trials-csv") as file,
        ):
            file.write(str(1 / 0))
    finally:
        os.umask(before)
    assert (folder / "new.csv").stat().st_mode & 0o777 == 0o640
    assert sorted(contents(folder)) == ["a.db", "new.csv"]


def test_a_link_made_while_the_file_is_written_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    def write() -> None:
        with text_output(tmp_path / "a.csv", "trials-csv") as file:
            file.write("rows")
            (tmp_path / "a.csv").symlink_to("mine.txt")

    with pytest.raises(OutputError, match="symbolic link"):
        write()
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("form", ["trials-csv", "html"])
def test_a_kill_in_the_middle_of_a_write_leaves_the_earlier_file(tmp_path: Path, form: str) -> None:
    large.write(tmp_path / "a.db", models=1, samples=12, judges=1, words=250)
    options = "report", "a.db", "--format", form, "-o", "out"
    assert call(*options, cwd=tmp_path)[0] == 0
    before = (tmp_path / "out").read_bytes()
    with start(*options, cwd=tmp_path) as process:
        while process.poll() is None:
            partial = [p for p in tmp_path.iterdir() if is_partial(p)]
            if partial and partial[0].stat().st_size:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (tmp_path / "out").read_bytes() == before
    assert call(*options, cwd=tmp_path)[0] == 0


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_file_and_no_other(tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=1, samples=12, judges=1, words=250)
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        target = disk / "out"
        assert (
            call("report", "a.db", "--format", "rates-csv", "-o", str(target), cwd=tmp_path)[0] == 0
        )
        before = target.read_bytes()
        for form, name in (
            ("rates-csv", "out"),
            ("trials-csv", "new"),
            ("html", "new"),
            ("svg", "drawn"),
        ):
            (disk / "filler").write_bytes(b"")
            room = os.statvfs(disk)
            (disk / "filler").write_bytes(b"x" * (room.f_bavail * room.f_bsize))
            options = "--format", form, "-o", str(disk / name)
            code, _, err = call("report", "a.db", *options, cwd=tmp_path)
            assert (code, len(err.splitlines())) == (1, 1), err
            assert "cannot be written (No space left on device)" in err
            assert target.read_bytes() == before
            assert not [p for p in disk.rglob("*") if is_partial(p)]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# A page with a folder of texts


def page_of(db: Path, path: Path) -> list[Path]:
    with Store(db) as store:
        return write_page(store, summarise(store, ReportFilter(("all",))), path)


def test_a_folder_of_texts_holds_what_the_page_names_and_nothing_old(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_INLINE", 1000)
    page, texts = page_of(folder / "a.db", folder / "p.html")
    first = contents(texts)
    edit(folder / "a.db", "UPDATE generations SET answer = 'another'")
    page_of(folder / "a.db", page)
    second = contents(texts)
    assert first
    assert not set(first) & set(second)
    assert all(f"./p-texts/{name}" in page.read_text(encoding="utf-8") for name in second)


@pytest.mark.parametrize("foreign", ["thesis.txt", "0.js", f"{'0' * 32}.js", "folder", "link"])
def test_a_folder_that_holds_anything_else_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    monkeypatch.setattr(writer, "MAX_INLINE", 1000)
    mine = folder / "mine"
    mine.mkdir()
    (mine / "kept.txt").write_text("steertuiPack(0, mine)", encoding="utf-8")
    texts = folder / "p-texts"
    if foreign == "link":
        texts.symlink_to("mine")
    elif foreign == "folder":
        (texts / "folder").mkdir(parents=True)
    else:
        texts.mkdir()
        (texts / foreign).write_text("steertuiPack(0, mine)", encoding="utf-8")
    before = contents(texts) | contents(mine)
    with pytest.raises(OutputError, match=r"p-texts: .*remove it, or give another file"):
        page_of(folder / "a.db", folder / "p.html")
    assert contents(texts) | contents(mine) == before
    assert not (folder / "p.html").exists()


# Rows, logs and pictures


def test_no_cell_of_a_csv_opens_a_formula_and_the_texts_can_be_had_back(folder: Path) -> None:
    db = folder / "a.db"
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "'quoted", "plain", "a=1"]
    keys = [r[0] for r in sqlite3.connect(db).execute("SELECT trial FROM generations ORDER BY 1")]
    given = dict(zip(keys, texts, strict=False))
    for key, text in given.items():
        edit(db, "UPDATE generations SET answer = ? WHERE trial = ?", text, key)
    assert call("report", "a.db", "--format", "trials-csv", "-o", "a.csv", cwd=folder)[0] == 0
    assert call("report", "a.db", "--format", "rates-csv", "-o", "r.csv", cwd=folder)[0] == 0
    with (folder / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["key"]: row for row in csv.DictReader(file)}
    for key, text in given.items():
        cell = rows[key]["answer"]
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert cell.removeprefix("'") == text
        assert cell == text or text in texts[:7]
        assert int(rows[key]["tokens"]) > 0
    with (folder / "r.csv").open(newline="", encoding="utf-8") as file:
        assert all(0 <= float(row["convergence_rate"]) <= 1 for row in csv.DictReader(file))


def test_logs_and_pictures_stay_in_their_folder(folder: Path) -> None:
    db = folder / "a.db"
    edit(db, "UPDATE scenarios SET name = '../../etc/x' WHERE title = 'Task 0.0'")
    edit(db, "UPDATE scenarios SET name = 'a\\..\\b' WHERE title = 'Task 0.1'")
    edit(db, "UPDATE conditions SET name = '../../pro' WHERE name = 'pro'")
    edit(db, "UPDATE conditions SET name = '..:..:pro' WHERE name = 'anti'")
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=folder)
    assert code == 0, err
    logs = sorted((folder / "logs").iterdir())
    assert len(logs) == 4  # names that differ only in separators are different files
    for path in logs:
        with ZipFile(path) as log:
            names = log.namelist()
            samples = [json.loads(log.read(n)) for n in names if n.startswith("samples/")]
        assert len(names) == len(set(names))
        assert not [n for n in names if ".." in n.split("/") or "\\" in n or n.startswith("/")]
        assert {f"samples/{s['id']}_epoch_{s['epoch']}.json" for s in samples} < set(names)
        assert {"../../etc/x", "a\\..\\b"} < {s["metadata"]["scenario"] for s in samples}
    assert call("report", "a.db", "--format", "svg", "-o", "drawn", cwd=folder)[0] == 0
    assert sorted(p.name for p in folder.iterdir()) == ["a.db", "drawn", "logs"]
    assert file_name("flips-1-../../a-b:c") == "flips-1-..-..-a-b-c"
    assert file_name("../A" + "漢" * 99, [file_name("../a" + "漢" * 99)]).endswith("漢-2")


def test_a_folder_that_is_a_file_or_holds_one_of_another_is_named(folder: Path) -> None:
    (folder / "logs").write_text("mine", encoding="utf-8")
    for options in (
        ("export", "a.db", "--inspect", "logs"),
        ("report", "a.db", "--format", "svg", "-o", "logs"),
    ):
        code, _, err = call(*options, cwd=folder)
        assert (code, err) == (1, "steertui: logs: is a file; give a folder\n")
    (folder / "drawn").mkdir()
    (folder / "drawn" / "rates.svg").write_text("<svg/>", encoding="utf-8")
    code, _, err = call("report", "a.db", "--format", "svg", "-o", "drawn", cwd=folder)
    assert code == 1
    assert "drawn/rates.svg: exists, and is not an unchanged svg file written by steertui" in err
    assert [p.name for p in (folder / "drawn").iterdir()] == ["rates.svg"]
    for options in (
        ("export", "a.db", "--inspect", "no/such/logs"),
        ("report", "a.db", "--format", "svg", "-o", "no/such/drawn"),
    ):
        code, _, err = call(*options, cwd=folder)
        assert (code, len(err.splitlines())) == (1, 1)
        assert "cannot be created (No such file or directory)" in err


# Databases


def test_a_database_is_not_made_where_sqlite_keeps_a_log_of_another(folder: Path) -> None:
    os.link(folder / "a.db", folder / "hard.db")
    before = contents(folder)
    for options, said in (
        (("merge", "a.db-wal", "a.db"), "a.db-wal: is where SQLite keeps a log of a.db"),
        (("merge", "hard.db", "a.db"), "hard.db: is an input of this command"),
        (("--batch", "--demo", "--db", "a.db-journal"), "a.db-journal: is where SQLite keeps"),
    ):
        code, out, err = call(*options, cwd=folder)
        assert (code, out, len(err.splitlines())) == (1, "", 1), err
        assert said in err
    assert contents(folder) == before


# Standard output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "options",
    [
        ("report", "a.db"),
        ("report", "a.db", "--format", "trials-csv"),
        ("agree", "a.db"),
        ("--help",),
        ("report", "a.db", "--list-experiments"),
        ("--print-experiment",),
        ("sources",),
    ],
)
def test_a_full_disk_behind_stdout_is_one_sentence_and_a_closed_pipe_none(
    folder: Path, options: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, *options],
            cwd=folder,
            env=os.environ | SHELL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("steertui: standard output: cannot be written (No space left")
    assert len(done.stderr.splitlines()) == 1
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=folder,
        env=os.environ | SHELL,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_run_that_a_closed_pipe_stops_says_so(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "--batch", "--demo", "--limit", "1", "--db", "run.db"],
        cwd=folder,
        env=os.environ | SHELL,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert done.returncode == 1
    assert "steertui: standard output: cannot be written (Broken pipe); stored" in done.stderr


@pytest.mark.parametrize(
    ("encoding", "forms"),
    [
        ("cp1252", ["trials-csv"]),
        pytest.param("ascii", ["json", "markdown", "rates-csv"], marks=pytest.mark.slow),
    ],
)
def test_a_table_is_shown_in_any_encoding_and_data_is_utf_8(
    folder: Path, encoding: str, forms: list[str]
) -> None:
    edit(folder / "a.db", "UPDATE models SET name = '漢字 ✓'")
    env = os.environ | SHELL | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    def written(*options: str) -> bytes:
        done = subprocess.run([*COMMAND, *options], cwd=folder, env=env, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "?? ?" in written("report", "a.db").decode(encoding)
    assert written("agree", "a.db").decode(encoding)
    for form in forms:
        piped = written("report", "a.db", "--format", form)
        assert "漢字 ✓" in piped.decode()
        written("report", "a.db", "--format", form, "-o", form)
        assert (folder / form).read_bytes() == piped


def test_a_dash_is_standard_output_or_refused(tmp_path: Path) -> None:
    write_small_database(tmp_path / "a.db")
    printed = call("report", "a.db", "--format", "json", cwd=tmp_path)
    assert call("report", "a.db", "--format", "json", "-o", "-", cwd=tmp_path) == printed
    for command in (("report", "--format", "html"), ("report", "--format", "svg"), ("bundle",)):
        name, *options = command
        code, out, err = call(name, "a.db", *options, "-o", "-", cwd=tmp_path)
        assert (code, out) == (1, "")
        assert err.endswith("-: this output cannot go to standard output; give a file or folder\n")
    assert not (tmp_path / "-").exists()
