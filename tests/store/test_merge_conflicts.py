"""Databases that say different things of one trial, merged in either order."""

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
from steertui.report.reproduce import reproduction_record
from steertui.store import ModelFacts, Store
from steertui.store.merge import Merged, merge

ANN, SERVER = "human:ann", "openai:m#0"
SCENARIO = Scenario("p", "s/0", "Evading Shutdwon", "s", "Do it.", "")


def plan(store: Store, scenario: Scenario = SCENARIO, toml: str = "") -> tuple[str, list[str]]:
    """Plan a scenario under two conditions; return the experiment's id and the trials' keys."""
    trials = [
        Trial(Model("m", Path(), "1" * 64, 0), scenario, Condition(n, s), SamplingParams())
        for n, s in (("pro", "Go on."), ("anti", "Stop."))
    ]
    prompts = [Prompt(t, RenderedPrompt(t.user), t.key(t.user)) for t in trials]
    facts = {"1" * 64: ModelFacts("m", "", "", 0, "", "")}
    return store.plan(toml, prompts, facts), [p.key for p in prompts]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with two databases, a.db and b.db, that hold the same answers."""
    with Store(tmp_path / "a.db") as store:
        experiment, keys = plan(store)
        run = store.start(experiment, {}, "", {})
        for key in keys:
            store.add_generation(key, run, Generation("x", StopReason.STOP, 1, 1, 0.0))
        for judge in (ANN, SERVER):
            store.add_judge(judge, judge.partition("#")[0], {"title": ""})
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    return tmp_path


def at(path: Path, time: str, do: Callable[[Store, str], None]) -> None:
    """Do something to the first trial as if at another time."""
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


def label(judge: str, said: Label) -> Callable[[Store, str], None]:
    return lambda store, key: store.add_verdict(key, Verdict(judge, said, reason=said))


def both_ways(folder: Path, sql: str) -> tuple[list[dict[str, Any]], list[Merged]]:
    """Merge a.db and b.db in either order, and once more; return what a query then says."""
    said, told = [], []
    for out, order in (("x.db", "ab"), ("y.db", "ba")):
        told += [*merge(folder / out, [folder / f"{name}.db" for name in order])]
        reproduction_record = [*merge(folder / out, [folder / f"{name}.db" for name in order])]
        assert not any(merged.added for merged in reproduction_record)
        with Store(folder / out) as store:
            said.append(store.query(sql))
    assert said[0] == said[1]
    return said[0], told


CURRENT = "SELECT judge, label FROM current_verdicts ORDER BY judge"


def test_a_persons_last_label_counts(pair: Path) -> None:
    at(pair / "a.db", "2026-01-01", label(ANN, Label.NO_CONVERGENCE))
    at(pair / "b.db", "2026-01-02", label(ANN, Label.CONVERGENCE))
    found, _ = both_ways(pair, CURRENT)
    assert found == [{"judge": ANN, "label": "convergence"}]


def test_a_judges_earlier_label_stays_and_the_other_is_told(pair: Path) -> None:
    at(pair / "a.db", "2026-01-02", label(SERVER, Label.NO_CONVERGENCE))
    at(pair / "b.db", "2026-01-01", label(SERVER, Label.CONVERGENCE))
    found, told = both_ways(pair, CURRENT)
    assert found == [{"judge": SERVER, "label": "convergence"}]
    assert [merged.relabelled for merged in told] == [{}, {SERVER: 1}] * 2


def test_how_a_person_came_upon_an_answer_goes_with_the_answer(pair: Path) -> None:
    def doubtful(store: Store, key: str) -> None:
        store.add_hand_queue(ANN, key, "doubtful", SERVER)

    def random(store: Store, key: str) -> None:
        store.add_hand_queue(ANN, key, "random", SERVER)

    at(pair / "a.db", "2026-01-01", doubtful)
    at(pair / "b.db", "2026-01-01", random)
    sql = "SELECT queue FROM hand_queue"
    assert both_ways(pair, sql)[0] == [{"queue": "random"}]
    db = sqlite3.connect(pair / "b.db")
    db.execute("UPDATE generations SET text = 'late', answer = 'late', created_at = '2999-01-01'")
    db.commit()
    db.close()
    for name in "xy":
        (pair / f"{name}.db").unlink()
    assert both_ways(pair, sql)[0] == [{"queue": "doubtful"}]


def test_a_batch_that_came_home_in_one_is_not_fetched_again(pair: Path) -> None:
    with Store(pair / "a.db") as store:
        experiment, keys = plan(store)
        store.plan_batch("mark", SERVER, experiment, "chat", "way", keys)
        store.name_batch("mark", "batch_1")
    shutil.copy(pair / "a.db", pair / "b.db")
    with Store(pair / "b.db") as store:
        store.close_batch("mark", "completed", "", [])
    found, _ = both_ways(pair, "SELECT id, state FROM batches")
    assert found == [{"id": "batch_1", "state": "completed"}]


def test_what_a_prompt_does_not_show_is_what_the_last_plan_says(pair: Path) -> None:
    mended = replace(SCENARIO, category="Evading Shutdown", system="What a judge is told.")
    with Store(pair / "b.db") as store:
        first = store.choose()
        assert plan(store, mended)[0] == first
        ((_, outcomes),) = store.outcomes(first, SERVER).items()
        assert {o.category for o in outcomes} == {"Evading Shutdown"}
        assert {a.context for a in store.unjudged(first, SERVER)} == {"What a judge is told."}
    sql = "SELECT DISTINCT category FROM answers"
    assert both_ways(pair, sql)[0] == [{"category": "Evading Shutdown"}]


def test_an_experiment_planned_again_is_the_newest_and_keeps_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = (f"2026-01-{day:02d}T00:00:00.000+00:00" for day in range(1, 9))
    monkeypatch.setattr("steertui.store.store.now", lambda: next(days))
    other = replace(SCENARIO, task="Do another thing.")
    with Store(tmp_path / "a.db") as store:
        first, _ = plan(store, toml='judges = ["local:a"]')
        second, _ = plan(store, other)
        assert store.choose() == second
        assert plan(store, toml='judges = ["local:b"]')[0] == first
        assert store.choose() == first
        assert store.plannings(first) == ['judges = ["local:a"]', 'judges = ["local:b"]']
        (facts,) = reproduction_record(store, summarise(store, ReportFilter()))
    assert facts.experiment == first
    assert parse_experiment(facts.toml).judges == ["local:a", "local:b"]
