"""Databases from before the formats of prompts were stored."""

import sqlite3
from contextlib import closing
from pathlib import Path

import tomli_w
from sqlite_utils import Database

from steertui.core.experiment import Experiment, parse_experiment
from steertui.store import Store
from steertui.store.rows import as_json, digest
from steertui.store.schema import migrations
from tests.fixtures.database import execute, select

TOML = tomli_w.dumps({"server_template": "chat.jinja", "limit": 3})
TIME = "2026-01-01T00:00:00+00:00"
EXPERIMENT = digest()[:16]
"""Id of an experiment without trials."""

LEFT_OUT = {"experiment_plans": [{"experiment": EXPERIMENT, "created_at": TIME, "toml": TOML}]}


def write_earlier(path: Path) -> None:
    """Write a database with a planned experiment and a conflict about its plan."""
    with closing(sqlite3.connect(path)) as db:
        migrations.apply(Database(db), stop_before="prompt_formats")
    execute(path, "INSERT INTO experiments VALUES (?, ?, ?)", [EXPERIMENT, TOML, TIME])
    execute(path, "INSERT INTO experiment_plans VALUES (?, ?, ?)", [EXPERIMENT, TIME, TOML])
    content = ("experiment_plans", EXPERIMENT, "", as_json(LEFT_OUT))
    sql = "INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, ?, ?)"
    execute(path, sql, [digest(*content), *content, "other.db", TIME])


def test_the_renamed_key_is_read_and_conflicts_keep_their_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write_earlier(path)
    with Store(path) as store:
        (stored,) = store.experiments()
        (plan,) = store.plans(EXPERIMENT)
    assert parse_experiment(stored.toml) == parse_experiment(plan)
    assert parse_experiment(plan) == Experiment(template="chat.jinja", limit=3)
    ((identity, *content),) = select(
        path, "SELECT id, about, subject, judge, left_out FROM conflicts"
    )
    assert identity == digest(*map(str, content))
    assert "server_template" not in str(content)
    assert select(path, "SELECT count(*) FROM prompt_formats") == [(0,)]
