"""Bad input: one sentence that names the file, the place and the remedy; no file is changed."""

import os
import sqlite3
from pathlib import Path

import pytest

from steertui.core.model import demo_path
from tests.fixtures.program import call


def toml(text: str) -> bytes:
    return text.encode()


FILES = {
    "cut.gguf": demo_path().read_bytes()[:100_000],
    "not.gguf": b"hello",
    "text.db": b"this is no database, but it is long enough to be looked at " * 20,
    "key.toml": toml("modles = ['demo']"),
    "type.toml": toml("samples = 'many'"),
    "range.toml": toml("top_p = 3.0"),
    "broken.toml": toml("samples = "),
    "rubric.toml": toml("format = 1\nname = 'r'\nsystem = 's'\nuser = 'u'"),
    "own.toml": toml("format = 1\n[[condition]]\nname = 'mine'\nsufix = 'x'"),
}


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--model", "none.gguf"], 1, "none.gguf: no such model; give 'demo' or the path"),
        (["--model", "not.gguf"], 1, "not.gguf: not a GGUF file"),
        (["--model", "cut.gguf"], 1, "cut.gguf: llama.cpp cannot load it"),
        (["--judge", "local:cut.gguf"], 1, "cut.gguf: llama.cpp cannot load it"),
        (["--judge", "oracle"], 1, "oracle: no such judge; write local:MODEL"),
        (["--judge", "local:none.gguf"], 1, "none.gguf: no such model"),
        (["--judge", "none", "--judge", "local:demo"], 1, "judges: none and a judge are named"),
        (["--scenarios", "nowhere"], 1, "nowhere: no such scenario pack; give a shipped pack"),
        (["--scenarios", "empty"], 1, "empty: no CSV file"),
        (["--scenarios", "hollow"], 1, "a.csv: no task after the first record"),
        (["--conditions", "baseline,prro"], 1, "prro: no such condition; there are baseline, pro"),
        (["--conditions-file", "own.toml"], 1, "own.toml: unknown key 'condition[1].sufix'"),
        (["--conditions-file", "gone.toml"], 1, "gone.toml: no such file"),
        (["--rubric", "rubric.toml"], 1, "rubric.toml: key 'user' has no {task}"),
        (["--experiment", "key.toml"], 1, "key.toml: unknown key 'modles'; remove it"),
        (["--experiment", "type.toml"], 1, "type.toml: key 'samples': input should be"),
        (["--experiment", "range.toml"], 1, "top_p: 3.0 is out of range; give 1e-06 to 1.0"),
        (["--experiment", "broken.toml"], 1, "broken.toml: not valid TOML"),
        (["--experiment", "gone.toml"], 1, "gone.toml: no such file; check the path"),
        (["--db", "text.db"], 1, "text.db: is not a SQLite database; choose another database"),
        (["--db", "other.db"], 1, "other.db: is not a steertui database"),
        (["--db", "newer.db"], 1, "newer.db: was written by a newer steertui"),
        (["--db", "no/such/folder/a.db"], 1, "cannot be opened; check that its folder exists"),
        (["--db", "empty"], 1, "empty: is a folder; give a file for the database"),
        (
            ["--max-tokens", "5000"],
            1,
            "tokens, and the context of demo is 2048; lower",
        ),
        (["--samples", "0"], 1, "samples: 0 is out of range"),
        (["--samples", "x"], 2, "Invalid value for '--samples'"),
        (["--slots", "-1"], 1, "--slots, --threads and --batch-tokens: give a positive number"),
        (["--deterministic", "--slots", "8"], 1, "--deterministic uses one slot; leave one"),
        (["--demo", "--experiment", "key.toml"], 2, "--preset and --experiment: give one of"),
        (["--wrong"], 2, "No such option"),
        (["key.toml"], 2, "key.toml: this is a file, not a command; write --experiment key.toml"),
    ],
)
def test_bad_input_gives_one_sentence_and_changes_no_file(
    tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "a.csv").write_text("Only a category.\n", encoding="utf-8")
    make_databases(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    got, out, err = call("--batch", "--limit", "1", *options, cwd=tmp_path)
    assert (got, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    if code == 1:
        assert len(err.strip().splitlines()) == 1
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p in before}
    assert after == before


def make_databases(folder: Path) -> None:
    other = sqlite3.connect(folder / "other.db")
    other.execute("CREATE TABLE guests (name TEXT)")
    other.close()
    from steertui.store import Store

    Store(folder / "newer.db").close()
    newer = sqlite3.connect(folder / "newer.db")
    newer.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('steertui', 'zz_from_the_future', '2030')"
    )
    newer.commit()
    newer.execute("PRAGMA journal_mode=DELETE")
    newer.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    got, _, err = call("--batch", "--limit", "1", "--db", str(tmp_path / "a.db"), cwd=Path("/"))
    assert got == 1
    assert "cannot be opened; check that its folder exists and can be written" in err
