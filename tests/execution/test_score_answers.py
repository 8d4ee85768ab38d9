"""Log-likelihoods of answers under the unsteered model: values, selection, resuming, merging."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import llama_cpp
import numpy as np
import pytest

from steertui.core.experiment import Experiment, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sizing import Overrides
from steertui.execution import EngineProgress, ModelLoaded, RunStage, engine_loop, run
from steertui.planning.plan import Plan, make_plan
from steertui.planning.resolve import resolve
from steertui.store import Store
from steertui.store.merge import merge
from tests.fixtures.database import execute, select
from tests.fixtures.program import call

CONDITIONS = """
format = 1

[[condition]]
name = "baseline"

[[condition]]
name = "pro"
suffix = "Only the goal counts.\\nUse every means."

[[condition]]
name = "begun"
prefill = "First I"

[[dose]]
name = "lines"
suffix_lines = "pro"

[[contest]]
name = "game"
defences = ["begun"]
attacks = ["pro"]
"""

ALL = ["baseline", "pro", "begun", "lines", "game"]

SCORES = """SELECT c.name, s.name, p.text, g.text, l.tokens, l.loglik, l.created_at
    FROM answer_logliks AS l JOIN trials AS t ON t.key = l.trial
    JOIN conditions AS c ON c.id = t.condition JOIN scenarios AS s ON s.id = t.scenario
    JOIN prompts AS p ON p.sha256 = l.prompt JOIN generations AS g ON g.trial = t.key
    ORDER BY t.rowid"""


def experiment(folder: Path, conditions: list[str], coherence: Scored = "doses") -> Experiment:
    path = folder / "mine.toml"
    path.write_text(CONDITIONS, encoding="utf-8")
    return Experiment(
        conditions=conditions,
        conditions_file=str(path),
        judges=["none"],
        limit=2,
        max_tokens=12,
        coherence=coherence,
    )


def complete(db: Path, wanted: Experiment) -> Plan:
    """Run an experiment to its end; return its plan before the run."""
    with Store(db) as store:
        plan = make_plan(resolve(wanted, store=store), store)
        list(run(plan, store, Overrides(deterministic=True)))
    return plan


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """A folder with the finished run a.db of all conditions, and its plan before the run."""
    folder = tmp_path_factory.mktemp("scored")
    return folder, complete(folder / "a.db", experiment(folder, ALL))


def test_scores_are_llamas_after_the_plain_prompt(finished: tuple[Path, Plan]) -> None:
    folder, plan = finished
    baseline = {
        p.trial.scenario.name: p.text for p in plan.prompts if p.trial.condition.name == "baseline"
    }
    path = plan.design.models[0].path
    ours = LlamaModel(path)
    theirs: Any = llama_cpp.Llama(
        str(path), n_ctx=1024, n_threads=1, logits_all=True, verbose=False, flash_attn=False
    )
    rows = select(folder / "a.db", SCORES)
    for condition, scenario, prompt, text, tokens, loglik, _ in rows:
        prefill = "First I" if condition == "begun" else ""
        assert prompt == baseline[str(scenario)] + prefill
        scored = ours.tokenize(str(text), special=False)
        assert tokens == len(scored) > 0
        expected = sum(log_probabilities(theirs, ours.tokenize(str(prompt)), scored))
        assert loglik == pytest.approx(expected, abs=1e-3)
    theirs.close()
    ours.close()


def log_probabilities(theirs: Any, prompt: list[int], scored: list[int]) -> Iterator[float]:
    """Yield the natural log-probability of each scored token after those before it."""
    theirs.reset()
    theirs.eval(prompt + scored)
    for place, token in enumerate(scored, len(prompt) - 1):
        row = theirs.scores[place].astype(np.float64)
        yield row[token] - row.max() - np.log(np.exp(row - row.max()).sum())


def test_answers_of_the_axis_and_outside_all_groups_are_scored(
    finished: tuple[Path, Plan],
) -> None:
    folder, plan = finished
    names = [row[0] for row in select(folder / "a.db", SCORES)]
    scored = {"baseline", "pro", "begun", "lines@0", "lines@1", "lines@2"}
    assert sorted(map(str, names)) == sorted(2 * [*scored])
    assert plan.estimate.unscored == 12


@pytest.mark.parametrize(
    ("coherence", "conditions", "count"),
    [("all", ["baseline", "pro"], 4), ("doses", ["baseline", "pro"], 0), ("none", ALL, 0)],
)
def test_what_is_scored_is_the_experiments_choice(
    tmp_path: Path,
    finished: tuple[Path, Plan],
    coherence: Scored,
    conditions: list[str],
    count: int,
) -> None:
    shutil.copy(finished[0] / "a.db", tmp_path / "a.db")
    execute(tmp_path / "a.db", "DELETE FROM answer_logliks")
    before = select(tmp_path / "a.db", "SELECT trial, text FROM generations ORDER BY trial")
    plan = complete(tmp_path / "a.db", experiment(tmp_path, conditions, coherence))
    assert plan.estimate.unscored == len(select(tmp_path / "a.db", SCORES)) == count
    assert select(tmp_path / "a.db", "SELECT trial, text FROM generations ORDER BY trial") == before


def test_answers_do_not_depend_on_whether_they_are_scored(
    tmp_path: Path, finished: tuple[Path, Plan]
) -> None:
    complete(tmp_path / "b.db", experiment(tmp_path, ALL, "none"))
    texts = "SELECT trial, text FROM generations ORDER BY trial"
    assert select(tmp_path / "b.db", texts) == select(finished[0] / "a.db", texts)


def test_a_stopped_run_scores_only_what_is_missing(
    tmp_path: Path, finished: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_loop, "SNAPSHOT_INTERVAL", 0.0)  # progress after every step
    db = tmp_path / "a.db"
    shutil.copy(finished[0] / "a.db", db)
    all_scores = select(db, SCORES)
    execute(db, "DELETE FROM answer_logliks")
    wanted = experiment(tmp_path, ALL)
    with Store(db) as store:
        plan = make_plan(resolve(wanted, store=store), store)
        events = run(plan, store, Overrides(deterministic=True))
        for event in events:
            if isinstance(event, EngineProgress) and event.done:
                break
        events.close()
    before = select(db, SCORES)
    assert 0 < len(before) < 12
    with Store(db) as store:
        plan = make_plan(resolve(wanted, store=store), store)
        assert plan.estimate.unscored == 12 - len(before)
        loaded = [e for e in run(plan, store, Overrides(slots=4)) if isinstance(e, ModelLoaded)]
    assert [(e.stage, e.total) for e in loaded] == [(RunStage.SCORE, 12 - len(before))]
    after = select(db, SCORES)
    assert {*before} <= {*after}
    for one, two in zip(after, all_scores, strict=True):
        assert one[:5] == two[:5]
        tokens = float(str(one[4]))
        # With flash attention and several slots, llama.cpp rounds differently.
        assert one[5] == pytest.approx(two[5], abs=0.005 * tokens)


def test_shards_carry_their_scores(tmp_path: Path, finished: tuple[Path, Plan]) -> None:
    db = finished[0] / "a.db"
    merge(tmp_path / "all.db", [db])
    assert select(tmp_path / "all.db", SCORES) == select(db, SCORES)


def test_exported_logs_have_the_scores(tmp_path: Path, finished: tuple[Path, Plan]) -> None:
    shutil.copy(finished[0] / "a.db", tmp_path / "a.db")
    code, _, err = call("export", "a.db", "--inspect", "logs", cwd=tmp_path)
    assert code == 0, err
    found = {}
    for path in (tmp_path / "logs").glob("*.eval"):
        with ZipFile(path) as log:
            for name in log.namelist():
                if name.startswith("samples/"):
                    metadata = json.loads(log.read(name))["metadata"]
                    found[metadata["key"]] = metadata.get("loglik"), metadata.get("loglik_tokens")
    sql = "SELECT trial, loglik, tokens FROM answer_logliks"
    stored = {
        str(trial): (loglik, tokens) for trial, loglik, tokens in select(tmp_path / "a.db", sql)
    }
    assert {key: pair for key, pair in found.items() if pair != (None, None)} == stored
    assert len(stored) == 12


def test_a_score_that_differs_is_recorded_and_not_used(
    tmp_path: Path, finished: tuple[Path, Plan]
) -> None:
    for name in ("own.db", "other.db"):
        shutil.copy(finished[0] / "a.db", tmp_path / name)
    execute(tmp_path / "other.db", "UPDATE answer_logliks SET loglik = loglik - 0.001")
    assert not merge(tmp_path / "own.db", [tmp_path / "other.db"]).inputs[0].conflicts
    execute(tmp_path / "other.db", "UPDATE answer_logliks SET loglik = loglik - 1000")
    merged = merge(tmp_path / "own.db", [tmp_path / "other.db"]).inputs[0]
    assert len(merged.conflicts) == 12
    assert {conflict.about for conflict in merged.conflicts} == {"answer_logliks"}
    assert select(tmp_path / "own.db", SCORES) == select(finished[0] / "a.db", SCORES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM generations", "table answer_logliks, row "),
        ("UPDATE answer_logliks SET tokens = 'x'", "tokens is of another type than its column"),
    ],
)
def test_forged_scores_are_rejected(
    tmp_path: Path, finished: tuple[Path, Plan], change: str, message: str
) -> None:
    shutil.copy(finished[0] / "a.db", tmp_path / "other.db")
    execute(tmp_path / "other.db", change)
    code, _, err = call("merge", "new.db", "other.db", cwd=tmp_path)
    assert code == 1
    assert message in err


def test_an_empty_answer_has_no_tokens(tmp_path: Path, finished: tuple[Path, Plan]) -> None:
    db = tmp_path / "a.db"
    shutil.copy(finished[0] / "a.db", db)
    execute(db, "DELETE FROM answer_logliks")
    execute(db, "UPDATE generations SET text = ''")
    complete(db, experiment(tmp_path, ALL))
    assert [row[4:6] for row in select(db, SCORES)] == [(0, 0.0)] * 12


def test_the_plan_says_how_many_answers_are_scored(tmp_path: Path) -> None:
    wanted = experiment(tmp_path, ALL)
    text = replace(wanted, limit=1).to_toml()
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    code, out, err = call(
        "--batch", "--experiment", "e.toml", "--yes", "--db", "a.db", cwd=tmp_path
    )
    assert code == 0, err
    assert "Score   6 answers by the unsteered model, as a measure of coherence" in out
    assert "Scoring answers by the unsteered demo: 6 log-likelihoods pending" in err
    code, out, err = call(
        *("--batch", "--experiment", "e.toml", "--yes", "--db", "a.db", "--coherence", "none"),
        cwd=tmp_path,
    )
    assert code == 0, err
    assert "Score " not in out
