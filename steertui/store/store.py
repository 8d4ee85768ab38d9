"""The store: experiments, trials, runs, answers and outcomes in one SQLite file.

Rows are added and not edited, with three exceptions: the state of a batch, the descriptions of a
trial that are not part of its prompt, and a label that a person takes back. Missing work is always
found by a query.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from steertui.core.experiment import stored_name
from steertui.core.generation import Generation, StopReason
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend
from steertui.core.outcome import Outcome
from steertui.core.prompt import Prompt
from steertui.core.verdict import Verdict
from steertui.errors import ExperimentError
from steertui.lookup import resolve_name
from steertui.store import rows
from steertui.store.answer_logliks import AnswerLogliks
from steertui.store.records import (
    AnswerParts,
    ModelFacts,
    ModelSetting,
    ServerAnswer,
    StoredExperiment,
)
from steertui.store.rows import IS_CONTROL_SET, LABELS, as_json, now
from steertui.store.schema import answer_digest

_TRUNCATED = {StopReason.LENGTH: True, StopReason.UNKNOWN: None}
"""`Outcome.truncated` by stop reason; False for every other one."""

_DRAWN = """(SELECT q.reference FROM annotation_queue AS q
    WHERE q.judge = v.judge AND q.trial = t.key AND q.ordering = 'random')"""
"""SQL of `Outcome.drawn`."""

_COPIED = {
    "generations": "",
    "answer_logliks": "",
    "label_logliks": "",
    "verdicts": "AND label IS NOT NULL AND judge IN (SELECT id FROM judges WHERE kind <> 'human')",
}
"""Tables with rows that belong to the copy of an answer as well, and which rows. A person labels
the answers of a queue, so labels of people are not copied."""

_ANSWER_COLUMNS = (
    "trial",
    "run",
    "text",
    "reasoning",
    "answer",
    "stop",
    "prompt_tokens",
    "tokens",
    "seconds",
    "created_at",
    "answer_digest",
)


class Store(AnswerLogliks):
    """One SQLite file and one connection to it, for one thread."""

    # Experiments

    def add_experiment(
        self, toml: str, prompts: Sequence[Prompt], facts: dict[str, ModelFacts]
    ) -> str:
        """Add an experiment and those of its trials that are not stored; return its id.

        The id is a hash of the trials' keys, so an equal experiment is the same row. Descriptions
        that are not part of a trial's key (category, texts for the judge only) are those of the
        newest plan.

        Args:
            toml: the experiment file.
            prompts: the prompts of all trials in planned order.
            facts: metadata by the model's identity (`Model.sha256`).
        """
        time = now()
        experiment = rows.digest(*(p.key for p in prompts))[:16]
        models = {p.trial.model.sha256: p.trial.model for p in prompts}
        scenarios = dict.fromkeys(p.trial.scenario for p in prompts)
        conditions = dict.fromkeys(p.trial.condition for p in prompts)
        texts = dict.fromkeys(p.text for p in prompts)
        with self._writing() as db:
            insert = rows.inserter(db)
            insert("experiments", [(experiment, toml, time)])
            insert("experiment_plans", [(experiment, time, toml)])
            insert("models", [rows.model_row(m, facts[sha256]) for sha256, m in models.items()])
            insert(
                "prompt_formats",
                [rows.prompt_format_row(experiment, sha256, facts[sha256]) for sha256 in models],
            )
            insert("scenarios", map(rows.scenario_row, scenarios))
            insert("conditions", map(rows.condition_row, conditions))
            insert("prompts", ((rows.digest(text), text) for text in texts))
            rows.upsert_trials(db, rows.trial_rows(prompts, time))
            insert("experiment_trials", ((experiment, p.key, i) for i, p in enumerate(prompts)))
        return experiment

    def withdraw_plan(self, experiment: str) -> None:
        """Remove the newest plan of an experiment, unless something was run or judged since.

        A plan that the user declines, or that cannot be run, is then not the newest experiment.
        """
        sql = """DELETE FROM experiment_plans AS p WHERE experiment = :id
            AND created_at = (SELECT max(created_at) FROM experiment_plans WHERE experiment = :id)
            AND NOT EXISTS (SELECT 1 FROM runs
                WHERE experiment = :id AND started_at >= p.created_at)
            AND NOT EXISTS (SELECT 1 FROM experiment_trials AS e JOIN verdicts AS v USING (trial)
                WHERE e.experiment = :id AND v.created_at >= p.created_at)"""
        with self._writing() as db:
            db.execute(sql, {"id": experiment})

    def experiments(self) -> list[StoredExperiment]:
        """Return every experiment, the one planned last at the end; control sets are left out."""
        sql = f"""SELECT e.id, p.toml, e.created_at, max(p.created_at) AS planned_at,
                (SELECT count(*) FROM experiment_trials WHERE experiment = e.id)
            FROM experiments AS e JOIN experiment_plans AS p ON p.experiment = e.id
            WHERE NOT {IS_CONTROL_SET} GROUP BY e.id ORDER BY planned_at, e.id"""
        return [StoredExperiment(*row) for row in self.tuples(sql)]

    def plans(self, experiment: str) -> list[str]:
        """Return the experiment's files (TOML) from its first to its newest plan."""
        sql = "SELECT toml FROM experiment_plans WHERE experiment = ? ORDER BY created_at"
        return self.column(sql, [experiment])

    def dated_plans(self, experiment: str) -> list[tuple[str, str]]:
        """Return (time, TOML) of the experiment's plans, from the first to the newest."""
        sql = """SELECT created_at, toml FROM experiment_plans WHERE experiment = ?
            ORDER BY created_at"""
        return [(time, toml) for time, toml in self.tuples(sql, [experiment])]

    def plan_digest(self, experiment: str, toml: str) -> str:
        """Return the sha256 of the keys of the experiment's trials and of an experiment file.

        The keys, in planned order, and the file are joined by NUL. The keys contain all prompts,
        weights and sampling settings (`Trial.key`).
        """
        sql = "SELECT trial FROM experiment_trials WHERE experiment = ? ORDER BY place"
        return rows.digest(*self.column(sql, [experiment]), toml)

    def resolve_experiment(self, experiment: str | None = None) -> str:
        """Return the id of an experiment by name, id or prefix; None for the newest.

        Raises ExperimentError if no experiment matches, or several do.
        """
        names = self.experiment_names()
        if not names:
            raise ExperimentError(f"{self.path}: holds no experiment yet; run or import one")
        if experiment is None:
            return list(names)[-1]
        found = resolve_name("experiment", experiment, names)
        if len(found) > 1:
            raise ExperimentError(
                f"{experiment}: more than one experiment has this name: {', '.join(found)}; give "
                "an id"
            )
        return found[0]

    def experiment_names(self) -> dict[str, tuple[str, ...]]:
        """Return the newest name of each experiment by its id, () for none, as `experiments`."""
        return {
            known.id: tuple(filter(None, map(stored_name, reversed(self.plans(known.id)))))[:1]
            for known in self.experiments()
        }

    def count_trials(self, experiment: str) -> int:
        """Return the number of the experiment's trials."""
        sql = "SELECT count(*) FROM experiment_trials WHERE experiment = ?"
        return int(self.column(sql, [experiment])[0])

    # Runs and answers

    def add_run(self, experiment: str, versions: object, device: str, settings: object) -> int:
        """Add a run, which groups answers generated together; return its id.

        `versions` and `settings` are stored as JSON.
        """
        row = (experiment, now(), as_json(versions), device, as_json(settings))
        sql = """INSERT INTO runs (experiment, started_at, versions, device, settings)
            VALUES (?, ?, ?, ?, ?)"""
        with self._writing() as db:
            return int(db.execute(sql, row).lastrowid or 0)

    def answered_keys(self, experiment: str) -> set[str]:
        """Return the keys of the experiment's trials that have an answer."""
        sql = """SELECT trial FROM experiment_trials JOIN generations USING (trial)
            WHERE experiment = ?"""
        return set(self.column(sql, [experiment]))

    def add_generation(
        self,
        key: str,
        run: int,
        generation: Generation,
        server_answer: ServerAnswer | None = None,
        parts: AnswerParts | None = None,
    ) -> None:
        """Add a trial's answer; it is ignored if the trial has one.

        Args:
            key: key of the trial.
            run: id of the run.
            generation: the generated text.
            server_answer: origin of the answer if a server wrote it.
            parts: reasoning and answer if another program has split them; None to split here.
        """
        parts = parts or AnswerParts(generation.reasoning, generation.answer)
        row = (
            key,
            run,
            generation.text,
            parts.reasoning,
            parts.answer,
            generation.stop,
            generation.prompt_tokens,
            generation.tokens,
            round(generation.seconds, 3),
            now(),
            answer_digest(parts.answer),
        )
        sql = f"""INSERT INTO generations ({", ".join(_ANSWER_COLUMNS)})
            VALUES ({", ".join("?" * len(row))}) ON CONFLICT (trial) DO NOTHING"""
        with self._writing() as db:
            is_added = db.execute(sql, row).rowcount > 0
            if is_added and server_answer:
                rows.inserter(db)("server_answers", [rows.server_answer_row(key, server_answer)])

    def add_labelled(
        self,
        key: str,
        run: int,
        generation: Generation,
        parts: AnswerParts,
        *,
        verdicts: Sequence[Verdict],
    ) -> None:
        """Add an imported answer and its verdicts in one transaction."""
        with self._writing():
            self.add_generation(key, run, generation, parts=parts)
            for verdict in verdicts:
                self.add_verdict(key, verdict)

    def copy_answers(self, sources: Mapping[str, str]) -> None:
        """Add answers with their labels to trials, by the key of the trial that has them.

        Time and run stay those of the original. Trials that have an answer keep it.
        """
        with self._writing() as db:
            for table, condition in _COPIED.items():
                info = db.execute(f"PRAGMA table_info({table})").fetchall()
                columns = ", ".join(row[1] for row in info if row[1] not in ("id", "trial"))
                sql = f"""INSERT INTO {table} (trial, {columns}) SELECT ?, {columns} FROM {table}
                    WHERE trial = ? {condition} ON CONFLICT DO NOTHING"""
                for pair in sources.items():
                    db.execute(sql, pair)

    def add_failure(self, key: str, run: int, reason: str) -> None:
        """Add the reason why a trial has no answer; the trial stays unanswered."""
        sql = "INSERT INTO failures (trial, run, reason, created_at) VALUES (?, ?, ?, ?)"
        with self._writing() as db:
            db.execute(sql, (key, run, reason, now()))

    # Outcomes

    def outcomes(self, experiment: str, judge: str) -> dict[ModelSetting, list[Outcome]]:
        """Return the outcome of every planned trial under a judge, in planned order."""
        drawn = _DRAWN if self.judge_kind(judge) is JudgeKind.HUMAN else "NULL"
        # In the order of the keys, since all indexes used here are in it, then sorted by place.
        sql = f"""SELECT e.place, t.model, t.temperature, t.scenario, t.condition, t.sample, g.stop,
                v.label, v.failure, g.answer_digest, {drawn}
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            LEFT JOIN generations AS g INDEXED BY generations_in_short ON g.trial = t.key
            LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
            WHERE e.experiment = ? ORDER BY e.trial"""
        # Names are looked up in Python: joining them takes half as long again.
        scenarios = {
            identity: (name, category)
            for identity, name, category in self.tuples("SELECT id, name, category FROM scenarios")
        }
        conditions = dict(self.tuples("SELECT id, name FROM conditions"))
        outcomes: dict[tuple[str, float], list[Outcome]] = {}
        rows = sorted(self.tuples(sql, (judge, experiment)), key=itemgetter(0))
        for (model, temperature), own in groupby(rows, itemgetter(1, 2)):
            outcomes.setdefault((model, temperature), []).extend(
                Outcome(
                    *scenarios[scenario],
                    conditions[condition],
                    sample,
                    generated=stop is not None,
                    truncated=_TRUNCATED.get(stop, False),
                    label=LABELS[label],
                    failed=bool(failure),
                    digest=digest,
                    drawn=drawn_by,
                )
                for *_, scenario, condition, sample, stop, label, failure, digest, drawn_by in own
            )
        return self._by_setting(outcomes)

    def _by_setting(
        self, outcomes: dict[tuple[str, float], list[Outcome]]
    ) -> dict[ModelSetting, list[Outcome]]:
        """Return outcomes by model setting, given by the model's identity and temperature."""
        sql = "SELECT sha256, name, title, backend FROM models"
        models = {identity: names for identity, *names in self.tuples(sql)}
        by_setting = {}
        for (model, temperature), found in outcomes.items():
            name, title, backend = models[model]
            setting = ModelSetting(model, name, title, temperature, backend=ModelBackend(backend))
            by_setting[setting] = found
        return by_setting

    def conflict_counts(self, experiments: Sequence[str]) -> dict[str, int]:
        """Return the number of conflicts of merged databases by table.

        Counted are those of the experiments' trials and plans, and of all models and judges.
        """
        marks = ", ".join("?" * len(experiments))
        sql = f"""SELECT about, count(DISTINCT subject || ' ' || judge) FROM conflicts AS c
            WHERE about IN ('models', 'judges') OR subject IN ({marks})
                OR EXISTS (SELECT 1 FROM experiment_trials AS e
                    WHERE e.experiment IN ({marks}) AND e.trial = c.subject)
            GROUP BY about ORDER BY about"""
        return dict(self.tuples(sql, [*experiments, *experiments]))
