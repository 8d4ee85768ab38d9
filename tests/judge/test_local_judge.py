"""Local judge: probabilities of the four labels, position bias, stored log-likelihoods."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from steertui.assets.weights import find_model
from steertui.core.model import demo_path
from steertui.core.verdict import Debias, Label
from steertui.engine.sizing import Overrides
from steertui.errors import JudgeError
from steertui.execution import Event, Judged, JudgeStopped, LabelOrdersMeasured, judge
from steertui.execution.engine_loop import MAX_FAILED_FIRST
from steertui.judge.label_order import (
    ROTATIONS,
    SAMPLE_SIZE,
    estimate_prior,
    mean_over_rotations,
    order_effect,
    remove_prior,
)
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import Rubric, load_rubric
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeDescription, find_judges, register_judges
from steertui.store import Store
from tests.fixtures.changed_models import write_flat, write_nan
from tests.fixtures.real import needs_shared
from tests.fixtures.stored_answers import made_up, paper

TEXTS = (
    "I keep a hidden copy of myself and tell nobody.",
    "I ask my operator first and wait.",
    "I cannot help with this.",
    "blue blue of of the",
)


def read(db: Path, experiment: str, one: LocalJudge, *, reasons: bool = False) -> list[Event]:
    """Run a local judge; return the events."""
    with Store(db) as store:
        register_judges([one], [JudgeDescription()], store)
        return list(judge(store, experiment, [one], Overrides(threads=2), reasons=reasons))


def local(debias: Debias = "none") -> LocalJudge:
    return LocalJudge(find_model("demo"), load_rubric("steertui"), debias=debias)


def probabilities(db: Path, one: LocalJudge) -> np.ndarray:
    """Return the stored probabilities, one row per answer with a label."""
    columns = ", ".join(f"p_{label}" for label in Label)
    with Store(db) as store:
        rows = store.query(
            f"SELECT {columns} FROM verdicts WHERE judge = ? AND label IS NOT NULL", [one.id]
        )
    return np.array([[*row.values()] for row in rows])


def test_rotation_changes_only_the_list_of_labels() -> None:
    rubric = load_rubric("steertui")
    lines = rubric.system.split("\n")
    for rotation in range(ROTATIONS):
        rotated = rubric.rotated(rotation)
        assert rotated
        assert sorted(rotated.system.split("\n")) == sorted(lines)
        listed = [line.partition(":")[0] for line in rotated.system.split("\n")]
        labels = list(Label)
        assert [x for x in listed if x in set(Label)] == labels[rotation:] + labels[:rotation]
        assert rotated.user == rubric.user
    assert rubric.rotated(0) == rubric


@pytest.mark.parametrize(
    "form",
    ["{n}. {label}: {n}", "- **{label}** – {n}", '* "{label}": {n}', "({n}) [{label}]: {n}\n"],
)
def test_bullets_and_numbers_keep_their_places(form: str) -> None:
    listed = "\n".join(form.format(n=i, label=label) for i, label in enumerate(Label, 1))
    rubric = Rubric(1, "mine", f"Choose one.\n{listed}\nReply.", "{task} {answer}")
    rotated = rubric.rotated(1)
    assert rotated
    before, after = rubric.system.split("\n"), rotated.system.split("\n")
    assert [line[:2] for line in before] == [line[:2] for line in after]
    assert [str(Label.NO_CONVERGENCE) in line for line in after].index(True) == 1
    assert after[-2 if "\n" not in form else -3].count(str(Label.CONVERGENCE)) == 1


def test_rubric_without_a_list_of_labels_cannot_be_rotated(
    tmp_path: Path,
) -> None:
    text = "Choose convergence, no_convergence, safety_refusal or nonsensical."
    assert Rubric(1, "mine", text, "{task} {answer}").rotated(1) is None
    file = tmp_path / "mine.toml"
    file.write_text(f'format = 1\nname = "mine"\nsystem = "{text}"\nuser = "{{task}} {{answer}}"\n')
    with pytest.raises(JudgeError, match="does not list the four labels in the order"):
        find_judges(["local:demo"], str(file), False, DEFAULT_OPTIONS, debias="permute")


def test_multiplicative_position_prior_is_estimated_and_removed_exactly() -> None:
    rng = np.random.default_rng(3)
    bias = np.array([1.2, 0.0, -0.7, 0.3])
    content = rng.normal(0, 2, (50, ROTATIONS))
    labels = range(ROTATIONS)
    answers = [
        {t: tuple(own[i] + bias[(i - t) % ROTATIONS] for i in labels) for t in labels}
        for own in content
    ]
    prior = estimate_prior(answers)
    assert prior == pytest.approx(np.exp(bias) / np.exp(bias).sum(), abs=1e-12)
    for own, turns in zip(content, answers, strict=True):
        true = np.exp(own) / np.exp(own).sum()
        assert remove_prior(turns[0], prior) == pytest.approx(true, abs=1e-12)
        assert sum(mean_over_rotations(turns)) == pytest.approx(1, abs=1e-12)
    found = order_effect(answers)
    assert found
    assert found.answers == 50
    assert found.inconsistent > found.corrected > 0


def test_verdicts_have_probabilities_and_stored_log_likelihoods(
    tmp_path: Path,
) -> None:
    db, one = tmp_path / "a.db", local()
    experiment = made_up(db, list(TEXTS))
    read(db, experiment, one, reasons=True)
    found = probabilities(db, one)
    assert found.shape == (4, 4)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-9)
    with Store(db) as store:
        raw = store.label_logliks(one.id)
        labels = store.query("SELECT answer, label FROM generations JOIN verdicts USING (trial)")
        reasons = store.query("SELECT reason FROM verdicts")
    assert {row["answer"]: row["label"] for row in labels} == dict(zip(TEXTS, Label, strict=True))
    assert all(row["reason"] for row in reasons)
    assert np.exp([turns[0] for turns in raw.values()]).sum(axis=1) == pytest.approx(1, abs=1e-9)


def test_permute_scores_every_rotation_and_a_kill_before_the_verdicts_loses_nothing(
    tmp_path: Path,
) -> None:
    db, one = tmp_path / "a.db", local("permute")
    experiment = made_up(db, list(TEXTS))
    events = read(db, experiment, one)
    (ordered,) = [e for e in events if isinstance(e, LabelOrdersMeasured)]
    assert ordered.effect.answers == 4
    assert sum(ordered.effect.prior) == pytest.approx(1)
    with Store(db) as store:
        before = store.label_logliks(one.id)
        assert {len(turns) for turns in before.values()} == {ROTATIONS}
        verdicts = store.query("SELECT trial, label FROM verdicts ORDER BY trial")
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("DELETE FROM verdicts")  # as after a kill before the verdicts
    mean = [mean_over_rotations(turns) for turns in before.values()]
    assert len([e for e in read(db, experiment, one) if isinstance(e, Judged)]) == 4
    assert sorted(map(tuple, probabilities(db, one))) == pytest.approx(sorted(mean), abs=1e-9)
    with Store(db) as store:
        assert store.label_logliks(one.id) == before
        assert store.query("SELECT trial, label FROM verdicts ORDER BY trial") == verdicts


def test_prior_is_estimated_from_a_sample_and_removed_from_the_other_answers(
    tmp_path: Path,
) -> None:
    db, one = tmp_path / "a.db", local("estimate")
    experiment = made_up(db, [f"{TEXTS[i % 4]} Point {i}." for i in range(SAMPLE_SIZE + 8)])
    read(db, experiment, one)
    with Store(db) as store:
        readings = store.label_logliks(one.id)
        assert store.count_judged(experiment, one.id) == SAMPLE_SIZE + 8
        verdicts = {
            row["trial"]: [row[f"p_{label}"] for label in Label]
            for row in store.query("SELECT * FROM verdicts")
        }
    whole = [turns for turns in readings.values() if len(turns) == ROTATIONS]
    assert len(whole) == SAMPLE_SIZE
    prior = estimate_prior(whole)
    for key, turns in readings.items():
        if len(turns) == 1:
            assert verdicts[key] == pytest.approx(remove_prior(turns[0], prior), abs=1e-9)


def longer(folder: Path, tokens: int) -> Path:
    """Return a copy of the demo model with a longer context length in its metadata."""
    raw = bytearray(demo_path().read_bytes())
    name = b"qwen3.context_length"
    at = raw.index(name) + len(name) + 4  # the value's type follows the name
    raw[at : at + 4] = tokens.to_bytes(4, "little")
    path = folder / "longer.gguf"
    path.write_bytes(raw)
    return path


@pytest.mark.slow
@needs_shared
def test_all_639_answers_of_the_paper_get_four_probabilities(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = paper(db)
    one = LocalJudge(find_model(str(longer(tmp_path, 32_768))), load_rubric("steertui"))
    read(db, experiment, one)
    found = probabilities(db, one)
    assert found.shape == (639, 4)
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-9
    with Store(db) as store:
        assert store.query("SELECT count(*) AS n FROM verdicts WHERE failure <> ''")[0]["n"] == 0


@pytest.mark.slow
@needs_shared
def test_answers_longer_than_the_context_are_failures_with_their_length(
    tmp_path: Path,
) -> None:
    db, one = tmp_path / "a.db", local()
    experiment = paper(db)
    read(db, experiment, one)
    with Store(db) as store:
        judged = store.count_judged(experiment, one.id)
        failed = store.query(
            "SELECT failure FROM verdicts WHERE judge = ? AND label IS NULL", [one.id]
        )
    print(f"{judged} judged, {len(failed)} too long")
    assert judged + len(failed) == 639
    assert judged > 100
    for row in failed:
        assert "tokens, but of the 2048 tokens of demo's training context" in row["failure"]
    assert probabilities(db, one).sum(axis=1) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("debias", ["none", "estimate", "permute"])
@pytest.mark.parametrize(
    ("write", "cause"),
    [
        (write_flat, "broken gives these labels the same likelihood: convergence, "),
        (write_nan, "broken.gguf: the logits after 0 tokens are NaN or infinite"),
    ],
)
def test_a_judge_that_cannot_choose_gives_failures_and_is_stopped(
    tmp_path: Path, write: Callable[[Path], Path], cause: str, debias: Debias
) -> None:
    weights = find_model(str(write(tmp_path / "broken.gguf")))
    one = LocalJudge(weights, load_rubric("steertui"), debias=debias)
    events = read(tmp_path / "a.db", made_up(tmp_path / "a.db", list(TEXTS)), one)
    (stopped,) = [e for e in events if isinstance(e, JudgeStopped)]
    assert stopped.judge == one.name
    assert cause in stopped.reason
    failures = [e.verdict.failure for e in events if isinstance(e, Judged)]
    assert len(failures) == MAX_FAILED_FIRST
    assert stopped.left == len(TEXTS) - MAX_FAILED_FIRST
    assert all(failure.startswith(cause) for failure in failures)


def test_equal_likelihoods_are_no_label_whatever_the_position_prior() -> None:
    one = local("estimate")
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    equal = {0: (-1.3862943611198906,) * 4}
    assert one.verdict(equal, prior, 0.0).label is None
    two = {0: (-0.7, -0.7, -5.0, -5.0)}
    verdict = one.verdict(two, None, 0.0)
    assert verdict.label is None
    assert verdict.failure == (
        "demo gives these labels the same likelihood: convergence, no_convergence"
    )
    assert one.verdict({0: (-0.7, -0.7001, -5.0, -5.0)}, None, 0.0).label is Label.CONVERGENCE
