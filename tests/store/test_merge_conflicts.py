"""Conflicts between merged databases, in either order."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steertui.analysis.summary import ReportFilter, summarise
from steertui.core.condition import Condition
from steertui.core.experiment import parse_experiment
from steertui.core.generation import Generation, SamplingParams, StopReason
from steertui.core.model import Model
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario
from steertui.core.trial import Trial
from steertui.core.verdict import Label, Verdict
from steertui.report.reproduce import reproduction_records
from steertui.store import ModelFacts, Store
from steertui.store.merge import MergedInput, merge
from steertui.store.merge_conflicts import Conflict

ANN, SERVER = "human:ann", "openai:m#0"
SCENARIO = Scenario(
    pack="p", id="s/0", category="Evading Shutdwon", title="s", task="Do it.", system=""
)


def plan(store: Store, scenario: Scenario = SCENARIO, toml: str = "") -> tuple[str, list[str]]:
    """Plan a scenario under two conditions; return the experiment's id and the trials' keys."""
    trials = [
        Trial(Model("m", Path(), "1" * 64, 0), scenario, Condition(n, s), SamplingParams())
        for n, s in (("pro", "Go on."), ("anti", "Stop."))
    ]
    prompts = [Prompt(t, RenderedPrompt(t.user), t.key(t.user)) for t in trials]
    facts = {
        "1" * 64: ModelFacts(
            title="m",
            architecture="",
            description="",
            parameters=0,
            template="",
            template_sha256="",
        )
    }
    return store.add_experiment(toml, prompts, facts), [p.key for p in prompts]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with two databases, a.db and b.db, with the same answers."""
    with Store(tmp_path / "a.db") as store:
        experiment, keys = plan(store)
        run = store.add_run(experiment, {}, "", {})
        for key in keys:
            store.add_generation(key, run, Generation("x", StopReason.STOP, 1, 1, 0.0))
        for judge in (ANN, SERVER):
            store.add_judge(judge, judge.partition("#")[0], {"title": ""})
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    return tmp_path


def at(path: Path, time: str, do: Callable[[Store, str], None]) -> None:
    """Change the first trial as if at another time."""
    with Store(path) as store:
        tables = ("generations", "verdicts")
        before = {t: [r["id"] for r in store.query(f"SELECT id FROM {t}")] for t in tables}
        do(store, next(iter(store.column("SELECT trial FROM experiment_trials ORDER BY place"))))
    db = sqlite3.connect(path)
    for table, ids in before.items():
        marks = ", ".join("?" * len(ids))
        db.execute(f"UPDATE {table} SET created_at = ? WHERE id NOT IN ({marks})", [time, *ids])
    db.commit()
    db.close()


def label(judge: str, value: Label) -> Callable[[Store, str], None]:
    return lambda store, key: store.add_verdict(key, Verdict(judge, value, reason=value))


def both_ways(folder: Path, sql: str) -> tuple[list[dict[str, Any]], list[MergedInput]]:
    """Merge a.db and b.db in either order, twice; return the rows of a query and the results."""
    rows: list[list[dict[str, Any]]] = []
    results: list[MergedInput] = []
    for out, order in (("x.db", "ab"), ("y.db", "ba")):
        inputs = [folder / f"{name}.db" for name in order]
        results += merge(folder / out, inputs).inputs
        again = merge(folder / out, inputs)
        assert not any(merged.added for merged in again.inputs)
        with Store(folder / out) as store:
            rows.append(store.query(sql))
    assert rows[0] == rows[1]
    return rows[0], results


CURRENT = "SELECT judge, label FROM current_verdicts ORDER BY judge"


@pytest.mark.parametrize("judge", [ANN, SERVER])
@pytest.mark.parametrize("day", ["01", "09"])
def test_the_receiving_databases_label_stays_in_use_at_any_times(
    pair: Path, judge: str, day: str
) -> None:
    at(pair / "a.db", f"2026-01-{day}T00:00+00:00", label(judge, Label.NO_CONVERGENCE))
    at(pair / "b.db", "2026-01-05T00:00+00:00", label(judge, Label.CONVERGENCE))
    merge(pair / "x.db", [pair / "a.db"])
    (merged,) = merge(pair / "x.db", [pair / "b.db"]).inputs
    key = merged.conflicts[0].subject
    assert merged.conflicts == (Conflict("verdicts", key, judge),)
    with Store(pair / "x.db") as store:
        assert store.query(CURRENT) == [{"judge": judge, "label": "no_convergence"}]
        assert store.conflict_counts([store.resolve_experiment()]) == {"verdicts": 1}
        labels = store.column("SELECT label FROM verdicts ORDER BY label")
    # All labels of a person are kept; the one with the largest number is in use.
    assert labels == ["convergence", "no_convergence"][judge == SERVER :]


@pytest.mark.parametrize("judge", [ANN, SERVER])
def test_one_label_is_in_use_in_either_order_of_the_inputs(pair: Path, judge: str) -> None:
    at(pair / "a.db", "2026-01-02T00:00+00:00", label(judge, Label.NO_CONVERGENCE))
    at(pair / "b.db", "2026-01-01T00:00+00:00", label(judge, Label.CONVERGENCE))
    _, results = both_ways(pair, CURRENT)
    assert [len(merged.conflicts) for merged in results] in ([0, 1, 1, 0], [1, 0, 0, 1])


def test_a_differing_queue_item_becomes_a_conflict(pair: Path) -> None:
    verdict = Verdict(ANN, Label.CONVERGENCE)

    def uncertain(store: Store, key: str) -> None:
        assert store.add_drawn_label(key, verdict, 0, ordering="uncertain", reference=SERVER)

    def random(store: Store, key: str) -> None:
        assert store.add_drawn_label(key, verdict, 0, ordering="random", reference=SERVER)

    at(pair / "a.db", "2026-01-01T00:00+00:00", uncertain)
    at(pair / "b.db", "2026-01-01T00:00+00:00", random)
    sql = "SELECT ordering FROM annotation_queue"
    rows, results = both_ways(pair, sql)
    assert len(rows) == 1
    assert sum(len(merged.conflicts) for merged in results) == 2
    merge(pair / "first.db", [pair / "a.db"])
    merge(pair / "first.db", [pair / "b.db"])
    with Store(pair / "first.db") as store:
        assert store.column(sql) == ["uncertain"]


def test_a_batch_completed_in_one_database_is_complete_after_the_merge(pair: Path) -> None:
    with Store(pair / "a.db") as store:
        experiment, keys = plan(store)
        store.add_batch("mark", SERVER, experiment, api="chat", request_format="", keys=keys)
        store.set_batch_sent("mark", "batch_1")
    shutil.copy(pair / "a.db", pair / "b.db")
    with Store(pair / "b.db") as store:
        store.add_batch_results("mark", "completed", "", [])
    rows, _ = both_ways(pair, "SELECT id, state FROM batches")
    assert rows == [{"id": "batch_1", "state": "completed"}]


def test_descriptions_are_those_of_the_newest_plan(pair: Path) -> None:
    edited = replace(SCENARIO, category="Evading Shutdown", system="Description for the judge.")
    with Store(pair / "b.db") as store:
        first = store.resolve_experiment()
        assert plan(store, edited)[0] == first
        ((_, outcomes),) = store.outcomes(first, SERVER).items()
        assert {o.category for o in outcomes} == {"Evading Shutdown"}
        assert {a.context for a in store.unjudged_answers(first, SERVER)} == {
            "Description for the judge."
        }
    sql = "SELECT DISTINCT category FROM answers"
    rows, results = both_ways(pair, sql)
    assert len(rows) == 1
    assert sum(len(merged.conflicts) for merged in results) == 4
    merge(pair / "first.db", [pair / "b.db"])
    merge(pair / "first.db", [pair / "a.db"])
    with Store(pair / "first.db") as store:
        assert store.column(sql) == ["Evading Shutdown"]


def test_a_repeated_plan_makes_the_experiment_the_newest_and_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = (f"2026-01-{day:02d}T00:00:00.000+00:00" for day in range(1, 9))
    monkeypatch.setattr("steertui.store.store.now", lambda: next(days))
    other = replace(SCENARIO, task="Do another thing.")
    with Store(tmp_path / "a.db") as store:
        first, _ = plan(store, toml='judges = ["local:a"]')
        second, _ = plan(store, other)
        assert store.resolve_experiment() == second
        assert plan(store, toml='judges = ["local:b"]')[0] == first
        assert store.resolve_experiment() == first
        assert store.plans(first) == ['judges = ["local:a"]', 'judges = ["local:b"]']
        (facts,) = reproduction_records(store, summarise(store, ReportFilter()))
    assert facts.experiment == first
    assert parse_experiment(facts.toml).judges == ["local:a", "local:b"]
