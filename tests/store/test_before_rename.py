"""A database of the version before tables, columns and experiment keys were renamed.

tests/data/before-rename.db.xz was written by that version: the demo under four conditions, 16
trials, a local judge with rotated label orders, five labels by a person. before-rename.json has
the numbers that its report printed for it.
"""

import json
import lzma
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from steertui.core.experiment import parse_experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.store import Store
from steertui.store.merge import merge
from steertui.store.schema import migrations
from steertui.store.setup_queries import used_models
from tests.fixtures.program import call

DATA = Path(__file__).resolve().parents[1] / "data"
LOCAL = "local:demo/order:sampled"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the old database, old.db."""
    packed = (DATA / "before-rename.db.xz").read_bytes()
    (tmp_path / "old.db").write_bytes(lzma.decompress(packed))
    return tmp_path


def test_the_report_has_the_numbers_that_the_earlier_version_printed(folder: Path) -> None:
    code, out, err = call("report", "old.db", "--format", "json", cwd=folder)
    assert code == 0, err
    report = json.loads(out)
    expected = json.loads((DATA / "before-rename.json").read_text(encoding="utf-8"))
    tables = {table["judge"]: table for table in report["tables"]}
    assert set(tables) == set(expected["tables"])
    for judge, table in expected["tables"].items():
        rows = {row["condition"]: row for row in tables[judge]["rows"]}
        assert_numbers(rows, table["rows"])
        gaps = {f"{c['first']} - {c['second']}": c for c in tables[judge]["comparisons"]}
        for comparison in table["comparisons"].values():
            del comparison["p_holm"]  # over all pairs then, over the declared family now
        for gap in [*table["comparisons"].values(), *table["categories"].values()]:
            if gap["pairs"] < MIN_PAIRS:
                del gap["low"], gap["high"]  # printed then, and left out today
        assert_numbers(gaps, table["comparisons"])
        assert gaps["pro - anti"]["role"] == "primary"
        categories = {c["name"]: c["gap"] for c in tables[judge]["categories"]}
        assert_numbers(categories, table["categories"])
    (judges,) = report["judges"]
    (pair,) = judges["pairs"]
    for name, agreement in expected["judges"]["by_condition"].items():
        if agreement["items"] < MIN_PAIRS:  # kappa and alpha were printed then, and not today
            del agreement["kappa"], agreement["kappa_low"], agreement["kappa_high"]
            del expected["judges"]["alpha_by_condition"][name]
    assert_numbers(judges | pair, expected["judges"])


def assert_numbers(actual: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Assert that every expected value is there, to the last digit."""
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_numbers(actual[name], value)
        else:
            assert actual[name] == value, (name, actual)


def test_keys_and_ids_stay_and_kinds_become_columns(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "old.db")) as db:
        keys = db.execute("SELECT key, sampling FROM trials ORDER BY rowid").fetchall()
        judges = db.execute("SELECT id, name, settings FROM judges ORDER BY rowid").fetchall()
        logliks = db.execute("SELECT trial, turn, l_convergence FROM readings").fetchall()
        ((old_toml,),) = db.execute("SELECT toml FROM experiments").fetchall()
    with Store(folder / "old.db") as store:
        assert [*store.tuples("SELECT key, sampling FROM trials ORDER BY rowid")] == keys
        assert [*store.tuples("SELECT id, name, settings FROM judges ORDER BY rowid")] == judges
        (experiment,) = store.experiments()
        local, human = store.judges(experiment.id)
        assert (local.name, local.kind, human.kind) == (LOCAL, JudgeKind.LOCAL, JudgeKind.HUMAN)
        assert len(local.rubric_sha256) == 64
        assert human.rubric_sha256 == ""
        assert [m.backend for m in used_models(store, experiment.id)] == [ModelBackend.GGUF]
        assert store.queue_counts(experiment.id, human.id) == {"random": 5}
        stored = store.label_logliks(local.id)
        assert len(logliks) == 64
        assert all(stored[trial][turn][0] == value for trial, turn, value in logliks)
        plan = parse_experiment(experiment.toml)
    assert 'label_order = "sampled"' in old_toml
    assert (plan.debias, plan.hide_suffix, plan.stop_tokens) == ("estimate", False, "any")


def test_a_run_of_the_old_database_has_nothing_to_do(folder: Path) -> None:
    demo = ("--batch", "--demo", "--limit", "4", "--debias", "estimate", "--db", "old.db")
    code, out, err = call(*demo, cwd=folder)
    assert code == 0, err
    assert "16: 16 answered before, 0 to do" in out


def test_old_and_migrated_databases_merge_as_equals(folder: Path) -> None:
    merge(folder / "new.db", [folder / "old.db"])
    with Store(folder / "old.db"):
        pass
    (merged,) = merge(folder / "new.db", [folder / "old.db"]).inputs
    assert (merged.added, merged.conflicts) == ({}, ())


OLD_NAMES = {
    "label_logliks": ("readings", {"rotation": "turn"}),
    "annotation_queue": ("hand_queue", {"ordering": "queue"}),
    "experiment_plans": ("plannings", {}),
    "judges": ("judges", {}),
}


def test_conflicts_of_an_earlier_merge_are_recognised(folder: Path) -> None:
    received = folder / "received.db"
    received.write_bytes((folder / "old.db").read_bytes())
    with closing(sqlite3.connect(received)) as db, db:
        db.execute("UPDATE readings SET l_convergence = -9.0 WHERE turn = 1")
        db.execute("UPDATE hand_queue SET queue = 'doubtful'")
        db.execute(
            'UPDATE judges SET settings = \'{"kind": "a person", "title": "Ann"}\' '
            "WHERE id = 'human:ann'"
        )
        db.execute(
            "UPDATE plannings SET created_at = '2027-01-01T00:00:00.000+00:00', "
            "toml = replace(toml, 'limit = 4', 'limit = 3')"
        )
    (folder / "today.db").write_bytes((folder / "old.db").read_bytes())
    (merged,) = merge(folder / "today.db", [received]).inputs
    assert {conflict.about for conflict in merged.conflicts} == set(OLD_NAMES)
    with Store(folder / "today.db") as store:
        today = [*store.tuples("SELECT * FROM conflicts ORDER BY id")]
    with closing(sqlite3.connect(folder / "old.db")) as db:
        migrations.apply(Database(db), stop_before="plain_names")
        with db:
            marks = ", ".join("?" * 7)
            for number, row in enumerate(today):
                earlier = (str(number), *old_conflict(*row[1:5]), *row[5:])
                db.execute(f"INSERT INTO conflicts VALUES ({marks})", earlier)
    with Store(folder / "old.db") as store:
        assert [*store.tuples("SELECT * FROM conflicts ORDER BY id")] == today
    merge(folder / "old.db", [received])
    with Store(folder / "old.db") as store:
        assert [*store.tuples("SELECT * FROM conflicts ORDER BY id")] == today


def old_conflict(about: str, subject: str, judge: str, left_out: str) -> Iterator[str]:
    """Yield about, subject, judge and left_out as the earlier version stored them."""
    yield OLD_NAMES[about][0]
    yield subject
    yield judge
    yield json.dumps(
        {
            OLD_NAMES[table][0]: [old_row(table, row) for row in rows]
            for table, rows in json.loads(left_out).items()
        }
    )


def old_row(table: str, row: dict[str, Any]) -> dict[str, Any]:
    names = OLD_NAMES[table][1]
    old = {names.get(name, name): value for name, value in row.items()}
    if table == "annotation_queue" and old["queue"] == "uncertain":
        old["queue"] = "doubtful"
    if table == "experiment_plans":
        new_keys = {"stop_tokens": "end", "hide_suffix": "blind", "debias": "label_order"}
        for new, earlier in new_keys.items():
            old["toml"] = old["toml"].replace(f"{new} =", f"{earlier} =")
        old["toml"] = old["toml"].replace('label_order = "estimate"', 'label_order = "sampled"')
    if table == "judges":
        del old["kind"], old["rubric_sha256"]
    return old
