"""Merging of shards: in any order, the result equals a single run."""

import json
import re
import shutil
import sqlite3
from itertools import permutations
from pathlib import Path

import pytest

from steertui.core.shard import Shard, parse_shard
from steertui.errors import ExperimentError
from steertui.store.schema import answer_digest
from tests.fixtures.program import call
from tests.fixtures.real import BENCHMARK, needs_shared

RUN = ("--batch", "--limit", "7", "--max-tokens", "12", "--slots", "1")
TIMES = {"created_at", "planned_at", "started_at", "seconds", "run", "id"}


def test_every_scenario_is_in_exactly_one_shard() -> None:
    for count in (1, 2, 4, 7):
        for place in range(20):
            assert sum(Shard(n, count).contains(place) for n in range(1, count + 1)) == 1
    assert parse_shard("2/4") == Shard(2, 4)
    for wrong in ("0/4", "5/4", "2", "2/0", "a/b", "-1/4", ""):
        with pytest.raises(ExperimentError, match="write K/N"):
            parse_shard(wrong)


def content(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the sorted rows of every table, without times and row numbers."""
    connection = sqlite3.connect(db)
    connection.row_factory = sqlite3.Row
    tables = ("experiments", "experiment_trials", "trials", "models", "judges", "scenarios")
    by_table = {}
    for table in (*tables, "generations", "verdicts"):
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        kept = [tuple(v for k, v in row.items() if k not in TIMES) for row in rows]
        by_table[table] = sorted(kept, key=repr)
    connection.close()
    return by_table


def report(db: Path) -> object:
    code, out, err = call("report", str(db), "--format", "json", cwd=db.parent)
    assert code == 0, err
    return (
        [without_times(json.loads(line)) for line in out.splitlines()]
        if "\n{" in out
        else (without_times(json.loads(out)))
    )


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, str):
        return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", value)
    return [without_times(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    assert call(*RUN, "--db", "one.db", cwd=folder)[0] == 0
    for n in (1, 2, 3):
        code, out, err = call(*RUN, "--shard", f"{n}/3", "--db", f"{n}.db", cwd=folder)
        assert code == 0, err
        own = (3, 2, 2)[n - 1]
        assert f"Shard   {n}/3: {own} scenarios are run here" in out
        assert f"21: 0 answered before, {3 * own} to do" in out
    return folder


def test_shards_merged_in_any_order_equal_a_single_run(parts: Path) -> None:
    whole = content(parts / "one.db")
    for i, order in enumerate(permutations("123")):
        code, _, err = call("merge", f"m{i}.db", *(f"{n}.db" for n in order), cwd=parts)
        assert code == 0, err
        assert content(parts / f"m{i}.db") == whole
    assert report(parts / "m0.db") == report(parts / "one.db")


def test_merging_again_adds_nothing_and_changes_no_input(parts: Path) -> None:
    before = {n: (parts / f"{n}.db").read_bytes() for n in "123"}
    call("merge", "again.db", "1.db", "2.db", cwd=parts)
    first = content(parts / "again.db")
    code, out, _ = call("merge", "again.db", "2.db", "1.db", cwd=parts)
    assert code == 0
    there = r"\d+ rows already present, 0 differ\n"
    assert re.fullmatch(f"2.db: nothing new; {there}1.db: nothing new; {there}", out)
    assert not [*parts.glob("again.backup*")]
    assert content(parts / "again.db") == first
    assert {n: (parts / f"{n}.db").read_bytes() for n in "123"} == before
    code, out, _ = call(*RUN, "--db", "again.db", cwd=parts)
    assert "21: 15 answered before, 6 to do" in out
    assert content(parts / "again.db") == content(parts / "one.db")


@pytest.mark.parametrize("time", ["1999-01-01T00:00+00:00", "2999-01-01T00:00+00:00"])
def test_a_differing_answer_becomes_a_conflict_in_either_order(parts: Path, time: str) -> None:
    shutil.copy(parts / "1.db", parts / "other.db")
    db = sqlite3.connect(parts / "other.db")
    ((key,),) = db.execute("SELECT trial FROM generations ORDER BY id LIMIT 1").fetchall()
    sql = "UPDATE generations SET text = 'x', answer = 'x', answer_digest = ?, created_at = ?"
    db.execute(f"{sql} WHERE trial = ?", [answer_digest("x"), time, key])
    db.execute("UPDATE verdicts SET label = 'nonsensical' WHERE trial = ?", [key])
    db.commit()
    db.close()
    contents = []
    for name in "xy":
        (parts / f"{name}.db").unlink(missing_ok=True)
    for out, order in (("x.db", ("1.db", "other.db")), ("y.db", ("other.db", "1.db"))):
        code, _, err = call("merge", out, *order, cwd=parts)
        assert code == 0
        assert "1 answer differs from the stored rows, which stay in use" in err
        assert key[:12] in err
        contents.append(content(parts / out))
    assert contents[0] == contents[1]
    assert contents[0] in (content(parts / "1.db"), content(parts / "other.db"))
    code, out, _ = call("report", "x.db", cwd=parts)
    assert "Merged databases have rows that conflict with these numbers (1 in generations)" in out


def test_rows_of_the_receiving_database_stay_and_are_backed_up(parts: Path) -> None:
    shutil.copy(parts / "1.db", parts / "own.db")
    code, out, err = call("merge", "own.db", "other.db", "2.db", cwd=parts)
    assert (code, "1 answer differs" in err) == (0, True)
    (backup,) = parts.glob("own.backup-*.db")
    assert f"Backup of own.db: {backup.name}" in out
    assert content(backup) == content(parts / "1.db")
    call("merge", "honest.db", "1.db", "2.db", cwd=parts)
    assert content(parts / "own.db") == content(parts / "honest.db")


def test_an_invalid_input_is_rejected_and_nothing_is_lost(parts: Path) -> None:
    (parts / "text.db").write_text("no database at all, but long enough " * 20, encoding="utf-8")
    for inputs, message in (
        (["gone.db"], "gone.db: no such database"),
        (["text.db"], "text.db: cannot be read (file is not a database)"),
        (["1.db", "z.db"], "z.db: no such database"),
        (["out.db"], "out.db: is an input of this command and is never replaced"),
    ):
        shutil.copy(parts / "2.db", parts / "out.db")
        code, _, err = call("merge", "out.db", *inputs, cwd=parts)
        assert code == 1
        assert message in err
        assert content(parts / "out.db") == content(parts / "2.db")


@pytest.mark.slow
@needs_shared
def test_four_shards_of_the_benchmark_give_the_report_of_a_single_run(
    tmp_path: Path,
) -> None:
    options = ("--batch", "--scenarios", str(BENCHMARK), "--max-tokens", "16", "--slots", "1")
    assert call(*options, "--db", "one.db", cwd=tmp_path)[0] == 0
    for n in (1, 2, 3, 4):
        shard = ("--shard", f"{n}/4", "--db", f"{n}.db")
        assert call(*options, *shard, cwd=tmp_path)[0] == 0
    for i, order in enumerate(permutations("1234")):
        if i % 6 == 0:
            assert call("merge", f"m{i}.db", *(f"{n}.db" for n in order), cwd=tmp_path)[0] == 0
            assert content(tmp_path / f"m{i}.db") == content(tmp_path / "one.db")
            assert report(tmp_path / f"m{i}.db") == report(tmp_path / "one.db")
    assert len(content(tmp_path / "m0.db")["generations"]) == 228
