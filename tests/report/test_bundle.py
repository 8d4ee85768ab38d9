"""Bundles: written, verified, and every change found; archives of others are never trusted."""

import io
import json
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from steertui.errors import BundleError
from steertui.report.bundle.check import Check
from steertui.report.bundle.verifier import verify_bundle
from steertui.report.bundle.writer import BundleContents, write_bundle
from steertui.store import Store
from tests.fixtures.database import execute, select
from tests.fixtures.program import call, records

SMALL = ("--batch", "--demo", "--limit", "6", "--db", "runs.db", "--no-control")
MANIFEST = "manifest.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of two experiments, a preregistration and a bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    registered = call(*SMALL[1:], "--register", "plan.md", cwd=folder)
    assert registered[0] == 0, registered
    code, _, err = call(*SMALL, cwd=folder)
    assert code == 0, err
    other = call(*SMALL, "--conditions", "baseline,placebo", "--max-tokens", "32", cwd=folder)
    assert other[0] == 0, other
    code, out, err = call("bundle", "runs.db", "--registration", "plan.md", cwd=folder)
    assert (code, out.split()[0]) == (0, "digest"), err
    return folder


def test_the_help_names_the_default_output(made: Path) -> None:
    _, out, _ = call("bundle", "--help", cwd=made)
    assert "[default: NAME.bundle.zip beside NAME.db]" in " ".join(out.split())
    assert (made / "runs.bundle.zip").is_file()


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made / "runs.bundle.zip", tmp_path / "received.zip"))


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def restate(files: dict[str, bytes]) -> None:
    """State the present sizes and hashes in the manifest."""
    manifest = json.loads(files[MANIFEST])
    for file in manifest["files"]:
        content = files[file["name"]]
        file |= {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    files[MANIFEST] = json.dumps(manifest).encode()


def failed(path: Path) -> dict[str, str]:
    checks: tuple[Check, ...] = verify_bundle(path).checks
    return {check.title: check.text for check in checks if check.is_good is False}


def test_a_bundle_of_a_run_verifies_with_every_number(made: Path) -> None:
    code, out, err = call("verify", "runs.bundle.zip", cwd=made)
    assert (code, err) == (0, "")
    report = json.loads(contents(made / "runs.bundle.zip")["report.json"])
    assert len(report["tables"]) == 2
    numbers = json.dumps(report).count("0.")
    line = next(line for line in out.splitlines() if "numbers" in line)
    equal, total = line.split()[2], line.split()[4]
    assert equal == total
    assert int(total.replace(",", "")) > numbers
    # Each run stores its plan, too.
    first = select(made / "runs.db", "SELECT min(created_at) FROM experiment_plans")[0][0]
    assert "✓ preregistration: names plan" in out
    assert (
        f"…, stored at {first}, before the first answer\n" in out
    )  # before the answers; each run stores its plan, too
    assert "✓ weights of demo" in out
    digest = out.splitlines()[-1].split()[1]
    assert call("verify", "runs.bundle.zip", "--digest", digest[:16], cwd=made)[0] == 0
    code, out, _ = call("verify", "runs.bundle.zip", "--digest", "0" * 64, "--json", cwd=made)
    assert code == 1
    assert {r["check"] for r in records(out) if r["is_good"] is False and "check" in r} == {
        "digest"
    }


def test_equal_databases_make_equal_bundles(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "runs.db", tmp_path / "copy.db")
    results = [
        write_bundle(db, BundleContents(), tmp_path / f"{number}.zip")
        for number, db in enumerate((made / "runs.db", tmp_path / "copy.db"))
    ]
    assert results[0].digest == results[1].digest
    assert (tmp_path / "0.zip").read_bytes() == (tmp_path / "1.zip").read_bytes()


def change_database(files: dict[str, bytes], folder: Path, sql: str) -> None:
    path = folder / "changed.db"
    path.write_bytes(files["database.db"])
    execute(path, sql)
    files["database.db"] = path.read_bytes()


def replace(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes], Path], None]:
    def change(files: dict[str, bytes], _: Path) -> None:
        assert files[name].count(old)
        files[name] = files[name].replace(old, new, 1)

    return change


def label(files: dict[str, bytes], folder: Path) -> None:
    change_database(
        files,
        folder,
        """UPDATE verdicts SET label = 'safety_refusal'
        WHERE id = (SELECT min(id) FROM verdicts WHERE label = 'convergence')""",
    )


def answer(files: dict[str, bytes], folder: Path) -> None:
    change_database(
        files,
        folder,
        """UPDATE generations SET answer = answer || '.'
        WHERE id = (SELECT min(id) FROM generations)""",
    )


def text_of_a_prompt(files: dict[str, bytes], folder: Path) -> None:
    change_database(
        files,
        folder,
        """UPDATE prompts SET text = text || '.'
        WHERE sha256 = (SELECT min(sha256) FROM prompts)""",
    )


def hash_of_weights(files: dict[str, bytes], _: Path) -> None:
    manifest = json.loads(files[MANIFEST])
    manifest["facts"]["models"][0]["sha256"] = "0" * 64
    files[MANIFEST] = json.dumps(manifest).encode()


def number(files: dict[str, bytes], _: Path) -> None:
    report = json.loads(files["report.json"])
    report["tables"][0]["rows"][0]["counts"]["planned"] += 1
    files["report.json"] = json.dumps(report).encode()


CHANGES: list[tuple[Any, str]] = [
    (label, "numbers"),
    (answer, "database"),
    (text_of_a_prompt, "database"),
    (hash_of_weights, "manifest"),
    (number, "numbers"),
    (replace("figures/gaps.svg", b"</text>", b" </text>"), "texts"),
    (replace("report.md", b"95 %", b"96 %"), "texts"),
    (replace("rates.csv", b"baseline", b"baselime"), "texts"),
    (replace("README.md", b"24", b"25"), "texts"),
    (replace("registration.md", b"plan: `", b"plan: `0"), "files"),
]


@pytest.mark.parametrize(("change", "found_by"), CHANGES)
def test_one_changed_byte_is_found_even_if_the_manifest_states_its_hash(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes], Path], None], found_by: str
) -> None:
    files = contents(bundle)
    change(files, tmp_path)
    write(bundle, files)
    assert ("files" in failed(bundle)) == (found_by != "manifest")
    code, out, _ = call("verify", str(bundle), cwd=tmp_path)
    assert (code, "✗" in out, "The parts do not agree" in out) == (1, True, True)
    if found_by == "files":
        return
    restate(files)
    write(bundle, files)
    assert found_by in failed(bundle)
    assert "files" not in failed(bundle)


def test_a_difference_names_the_number_and_both_values(bundle: Path, tmp_path: Path) -> None:
    files = contents(bundle)
    number(files, tmp_path)
    restate(files)
    write(bundle, files)
    text = failed(bundle)["numbers"]
    assert "tables[0].rows[0].counts.planned is 7 in the report and computes to 6" in text


def test_a_part_has_nothing_of_the_other_experiments(made: Path, tmp_path: Path) -> None:
    with Store(made / "runs.db") as store:
        first, second = [known.id for known in store.experiments()]
    output = tmp_path / "part.zip"
    code, _, err = call("bundle", "runs.db", "--experiment", second, "-o", str(output), cwd=made)
    assert code == 0, err
    assert call("verify", str(output), cwd=made)[0] == 0
    part = tmp_path / "part.db"
    part.write_bytes(contents(output)["database.db"])
    with Store(part) as store:
        assert [known.id for known in store.experiments()] == [second]
    both = select(made / "runs.db", "SELECT count(*) FROM generations")
    assert select(part, "SELECT count(*) FROM generations") < both
    assert first.encode() not in contents(output)["database.db"]


def test_no_path_of_the_author_is_in_the_database_and_files_of_the_author_are_named(
    made: Path, tmp_path: Path
) -> None:
    assert b"/demo.gguf" not in contents(made / "runs.bundle.zip")["database.db"]
    (tmp_path / "own.toml").write_text(
        'format = 1\nname = "own"\n[[condition]]\nname = "pro"\nsuffix = "Go on."\n'
    )
    options = ("--conditions-file", "own.toml", "--conditions", "pro")
    assert call(*SMALL, *options, cwd=tmp_path)[0] == 0
    code, _, err = call("bundle", "runs.db", cwd=tmp_path)
    assert code == 0
    assert "names 1 file of yours, such as own.toml" in err


def test_a_preregistration_of_another_plan_is_refused(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("# Preregistration\n- plan: `" + "a" * 64 + "`\n")
    code, _, err = call("bundle", "runs.db", "--registration", str(other), cwd=made)
    assert (code, "names no plan of this database" in err) == (1, True)
    missing = call("bundle", "runs.db", "--registration", "none.md", cwd=made)
    assert (missing[0], "none.md: cannot be read" in missing[2]) == (1, True)


def member(name: str, content: bytes = b"x", *, mode: int = 0o100644, flags: int = 0) -> bytes:
    """Return an archive with one more member."""
    target = io.BytesIO()
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(MANIFEST, b"{}")
        archive.writestr(info, content)
    raw = target.getvalue()
    if flags:
        at = raw.rindex(b"PK\x01\x02") + 8
        raw = raw[:at] + flags.to_bytes(2, "little") + raw[at + 2 :]
    return raw


def twice() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(MANIFEST, b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(MANIFEST, b"{}")
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: member("../evil.md"), "'../evil.md': not a name of a file in a bundle"),
        (lambda: member("/etc/passwd"), "'/etc/passwd': not a name"),
        (lambda: member("figures/../../a.svg"), "not a name"),
        (lambda: member("figures\\..\\a.svg"), "not a name"),
        (lambda: member("report.md", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), "a link"),
        (lambda: member("report.md", flags=1), "encrypted"),
        (lambda: member("database.db", bytes(200 << 20)), "far more than the file"),
        (lambda: member("report.md", bytes(300 << 20)), "larger than 268 MB"),
        (twice, "a name that is there twice"),
        (lambda: member("report.md"), "format None of bundles is not known"),
        (lambda: b"PK\x05\x06" + bytes(18), "has no manifest.json"),
        (lambda: b"SQLite format 3\0", "is not a bundle"),
        (lambda: b"", "is not a bundle"),
    ],
)
def test_an_archive_that_steertui_does_not_write_is_one_sentence(
    tmp_path: Path, make: Callable[[], bytes], message: str
) -> None:
    path = tmp_path / "received.zip"
    path.write_bytes(make())
    with pytest.raises(BundleError) as caught:
        verify_bundle(path)
    assert message in str(caught.value)
    code, out, err = call("verify", path.name, cwd=tmp_path)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert [file.name for file in tmp_path.iterdir()] == ["received.zip"]


def test_an_archive_cut_at_any_byte_is_one_sentence_or_a_failed_check(
    bundle: Path, tmp_path: Path
) -> None:
    raw = bundle.read_bytes()
    path = tmp_path / "cut.zip"
    for at in range(0, len(raw), len(raw) // 40):
        path.write_bytes(raw[:at])
        with pytest.raises(BundleError):
            verify_bundle(path)
        flipped = bytearray(raw)
        flipped[at] ^= 0x10
        path.write_bytes(flipped)
        try:
            result = verify_bundle(path)
        except BundleError:
            continue
        assert not result.is_good or contents(path) == contents(bundle)


def test_a_manifest_of_another_form_is_one_sentence(bundle: Path) -> None:
    files = contents(bundle)
    manifest = json.loads(files[MANIFEST])
    for changed, message in (
        (b"[" * 100_000, "its manifest is"),
        (json.dumps(manifest | {"format": 2}).encode(), "format 2 of bundles is not known"),
        (json.dumps(manifest | {"more": 1}).encode(), "more"),
        (json.dumps(manifest | {"files": "none"}).encode(), "files"),
    ):
        write(bundle, files | {MANIFEST: changed})
        with pytest.raises(BundleError, match=message):
            verify_bundle(bundle)
    for experiments in ([], ["0" * 16]):
        write(
            bundle, files | {MANIFEST: json.dumps(manifest | {"experiments": experiments}).encode()}
        )
        assert "experiments" in failed(bundle)
    write(bundle, files | {MANIFEST: json.dumps(manifest | {"policy": "mine"}).encode()})
    assert "cannot be computed" in failed(bundle)["numbers"]


def test_a_database_with_a_foreign_trigger_is_refused(bundle: Path, tmp_path: Path) -> None:
    files = contents(bundle)
    change_database(
        files, tmp_path, "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM verdicts; END"
    )
    restate(files)
    write(bundle, files)
    assert "trigger t is not one of steertui's" in failed(bundle)["database"]
    with closing(sqlite3.connect(tmp_path / "changed.db")) as db:
        assert db.execute("SELECT count(*) FROM verdicts").fetchone()[0] > 0


def test_another_version_may_have_other_words_but_not_other_numbers(bundle: Path) -> None:
    files = contents(bundle)
    manifest = json.loads(files[MANIFEST]) | {"steertui": "0.0.1"}
    files["report.md"] = files["report.md"].replace(b"95 %", b"95%")
    files[MANIFEST] = json.dumps(manifest).encode()
    restate(files)
    write(bundle, files)
    result = verify_bundle(bundle)
    assert result.is_good
    (texts,) = [check for check in result.checks if check.title == "texts"]
    assert (texts.is_good, "another version of steertui" in texts.text) == (None, True)


def test_a_bundle_never_replaces_a_database_and_an_empty_one_is_an_error(
    made: Path, tmp_path: Path
) -> None:
    code, _, err = call("bundle", "runs.db", "-o", "runs.db", cwd=made)
    assert (code, "runs.db: is an input of this command" in err) == (1, True)
    Store(tmp_path / "empty.db").close()
    code, _, err = call("bundle", "empty.db", cwd=tmp_path)
    assert (code, "holds no experiment yet" in err) == (1, True)
