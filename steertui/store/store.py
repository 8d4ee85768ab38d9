"""The Store: the only door to SQLite. Rows are added, never edited; what is missing is a query."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from steertui.errors import StoreError
from steertui.generation import Generation
from steertui.outcome import Outcome
from steertui.prompt import Prompt
from steertui.store import rows
from steertui.store.rows import Arm, Cell, ModelFacts, Reader, Unjudged, as_json, now
from steertui.store.schema import answer_digest, migrations
from steertui.verdict import Label, Verdict

P_COLUMNS = tuple(f"p_{label}" for label in Label)


class Store:
    """One SQLite file and one connection to it, for one thread; WAL, a transaction a row.

    Raises StoreError, in one sentence, for whatever the user can mend: a file that is no
    database, a schema newer than the program, a folder that cannot be written, a full disk.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        self.path = path
        with self._mending():
            if must_exist and not path.exists():
                raise StoreError(f"{path}: no such database; give one that a run has written")
            if path.is_dir():
                raise StoreError(f"{path}: is a folder; give a file for the database")
            connection = sqlite3.connect(path, timeout=30)
            try:
                self._open(connection)
            except BaseException:
                connection.close()
                raise

    def _open(self, connection: sqlite3.Connection) -> None:
        self._db = Database(connection)
        self._refuse_strangers()
        # From here on the file is written to.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        migrations.apply(self._db)

    def _refuse_strangers(self) -> None:
        tables = set(self._db.table_names())
        if not tables:
            return
        if "_sqlite_migrations" not in tables or "trials" not in tables:
            raise StoreError(f"{self.path}: is not a steertui database; choose another --db")
        known = {m.name for m in migrations.pending(self._db)}
        applied = {m.name for m in migrations.applied(self._db)}
        unknown = applied - known - {m.name for m in migrations._migrations}
        if unknown:
            raise StoreError(
                f"{self.path}: was written by a newer steertui (schema '{min(unknown)}'); "
                "update steertui, or choose another --db"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; every row added before stays."""
        self._db.close()

    @contextmanager
    def _mending(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise StoreError(f"{self.path}: {_remedy(exc)}") from exc

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with self._mending(), self._db.atomic():
            yield self._db

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a query's rows as dicts."""
        with self._mending():
            return list(self._db.query(sql, parameters))

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the first column of a query's rows."""
        with self._mending():
            return [row[0] for row in self._db.execute(sql, list(parameters))]

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """Yield a query's rows as dicts, one at a time: for more than memory should hold."""
        with self._mending():
            yield from self._db.query(sql, parameters)

    def plan(self, toml: str, prompts: Sequence[Prompt], facts: dict[str, ModelFacts]) -> str:
        """Add an experiment's trials, those already there left alone; return its id.

        `facts` is by the model's sha256. The id is a hash of the trials' keys, so the same
        experiment planned again is the same row.
        """
        time = now()
        experiment = rows.digest(*(p.key for p in prompts))[:16]
        with self._writing() as db:
            add = rows.adder(db)
            add("experiments", [(experiment, toml, time)])
            models = {p.trial.model.sha256: p.trial.model for p in prompts}
            add("models", [rows.model_row(m, facts[sha]) for sha, m in models.items()])
            add("scenarios", {rows.scenario_row(p.trial.scenario) for p in prompts})
            add("conditions", {rows.condition_row(p.trial.condition) for p in prompts})
            add("prompts", {(rows.digest(p.text), p.text) for p in prompts})
            add("trials", [rows.trial_row(p, time) for p in prompts])
            add("experiment_trials", [(experiment, p.key, i) for i, p in enumerate(prompts)])
        return experiment

    def experiments(self) -> list[dict[str, Any]]:
        """Return every experiment's id, TOML, time and number of trials, the newest last."""
        sql = """SELECT id, toml, created_at, count(trial) AS trials FROM experiments
            JOIN experiment_trials ON experiment = id GROUP BY id ORDER BY created_at, id"""
        return self.query(sql)

    def start(self, experiment: str, versions: object, device: str, settings: object) -> int:
        """Add a run: one sitting of generating for an experiment; return its id."""
        row = (experiment, now(), as_json(versions), device, as_json(settings))
        with self._writing() as db:
            sql = (
                "INSERT INTO runs (experiment, started_at, versions, device, settings) "
                "VALUES (?, ?, ?, ?, ?)"
            )
            return int(db.execute(sql, row).lastrowid or 0)

    def answered(self, experiment: str) -> set[str]:
        """Return the keys of the experiment's trials that have an answer."""
        sql = """SELECT trial FROM experiment_trials JOIN generations USING (trial)
            WHERE experiment = ?"""
        return {row["trial"] for row in self.query(sql, [experiment])}

    def add_generation(self, key: str, run: int, generation: Generation) -> None:
        """Add a trial's answer."""
        g = generation
        row = (key, run, g.text, g.reasoning, g.answer, g.stop, g.prompt_tokens, g.tokens)
        rest = round(g.seconds, 3), now(), answer_digest(g.answer)
        with self._writing() as db:
            sql = """INSERT INTO generations (trial, run, text, reasoning, answer, stop,
                prompt_tokens, tokens, seconds, created_at, answer_digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trial) DO NOTHING"""
            db.execute(sql, (*row, *rest))

    def add_failure(self, key: str, run: int, reason: str) -> None:
        """Add the reason why a trial could not be answered; it stays missing."""
        with self._writing() as db:
            sql = "INSERT INTO failures (trial, run, reason, created_at) VALUES (?, ?, ?, ?)"
            db.execute(sql, (key, run, reason, now()))

    def add_judge(self, judge: str, name: str, settings: object) -> None:
        """Add a judge, once."""
        with self._writing() as db:
            rows.adder(db)("judges", [(judge, name, as_json(settings))])

    def unjudged(self, experiment: str, judge: str) -> list[Unjudged]:
        """Return the experiment's answers that the judge has no label for, in planned order."""
        sql = """SELECT t.key, s.category, s.system, s.task, c.suffix, g.answer
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            JOIN scenarios AS s ON s.id = t.scenario
            JOIN conditions AS c ON c.id = t.condition
            JOIN generations AS g ON g.trial = t.key
            WHERE e.experiment = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS v
                WHERE v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL)
            ORDER BY e.place"""
        return [rows.unjudged(row) for row in self.query(sql, [experiment, judge])]

    def add_verdict(self, key: str, verdict: Verdict) -> None:
        """Add a judge's label or failure; a second label of one judge for one trial is ignored."""
        v = verdict
        chances = v.probabilities or (None,) * len(P_COLUMNS)
        row = (key, v.judge, v.label, v.failure, *chances, v.reason, round(v.seconds, 3), now())
        with self._writing() as db:
            sql = f"""INSERT INTO verdicts (trial, judge, label, failure,
                {", ".join(P_COLUMNS)}, reason, seconds, created_at)
                VALUES ({", ".join("?" * len(row))}) ON CONFLICT DO NOTHING"""
            db.execute(sql, row)

    def judged(self, experiment: str, judge: str) -> int:
        """Return how many of the experiment's trials the judge has a label for."""
        sql = """SELECT count(*) AS n FROM experiment_trials JOIN verdicts USING (trial)
            WHERE experiment = ? AND judge = ? AND label IS NOT NULL"""
        return int(self.query(sql, [experiment, judge])[0]["n"])

    def readers(self, experiment: str) -> list[Reader]:
        """Return the judges that have read any of the experiment's answers, first come first."""
        sql = """SELECT j.id, j.name, j.settings FROM judges AS j WHERE EXISTS (
                SELECT 1 FROM experiment_trials JOIN verdicts AS v USING (trial)
                WHERE experiment = ? AND v.judge = j.id) ORDER BY j.rowid"""
        found = self.query(sql, [experiment])
        return [Reader(r["id"], r["name"], json.loads(r["settings"])["title"]) for r in found]

    def cells(self, experiment: str, judge: str) -> dict[str, Cell]:
        """Return what stands in each cell that has an answer, by the trial's key."""
        sql = """SELECT g.trial, g.answer, v.label, v.failure, v.reason
            FROM experiment_trials AS e JOIN generations AS g USING (trial)
            LEFT JOIN current_verdicts AS v ON v.trial = g.trial AND v.judge = ?
            WHERE e.experiment = ?"""
        return {row["trial"]: rows.cell(row) for row in self.query(sql, [judge, experiment])}

    def outcomes(self, experiment: str, judge: str) -> dict[Arm, list[Outcome]]:
        """Return every planned trial's outcome under the judge, by model and
        temperature, in planned order."""
        sql = """SELECT t.model, m.name, m.title, t.temperature, s.name, s.category, c.name,
                t.sample, g.stop, v.label, v.failure, g.answer_digest
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            JOIN models AS m ON m.sha256 = t.model
            JOIN scenarios AS s ON s.id = t.scenario
            JOIN conditions AS c ON c.id = t.condition
            LEFT JOIN generations AS g INDEXED BY generations_in_short ON g.trial = t.key
            LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
            WHERE e.experiment = ? ORDER BY e.place"""
        found: dict[tuple[str, float], tuple[Arm, list[Outcome]]] = {}
        with self._mending():
            for model, name, title, temperature, *row in self._db.execute(sql, (judge, experiment)):
                if (model, temperature) not in found:
                    found[model, temperature] = Arm(model, name, title, temperature), []
                found[model, temperature][1].append(rows.outcome(*row))
        return dict(found.values())


def _remedy(exc: sqlite3.Error) -> str:
    """Return what is wrong and what to do, for what SQLite says."""
    text = str(exc)
    remedies = {
        "file is not a database": "is not a SQLite database; choose another --db",
        "malformed": "is damaged; restore a copy, or choose another --db",
        "unable to open": "cannot be opened; check that its folder exists and can be written",
        "readonly": "cannot be written; check its permissions and its folder's",
        "full": "the disk is full; what was stored is safe, make room and run the same again",
        "locked": "another program is writing to it; wait for it, or choose another --db",
        "disk I/O": "the disk refused a write; check it, then run the same again",
    }
    return next((r for mark, r in remedies.items() if mark in text), f"SQLite says: {text}")
