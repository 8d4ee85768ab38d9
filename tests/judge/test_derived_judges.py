"""Derived judges: calibration on known labels, and juries."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from steertui.analysis.judge_worth import Standing, measure_judge
from steertui.assets.weights import find_model
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.errors import JudgeError
from steertui.execution import JudgeCalibrated, judge
from steertui.execution.derived_judges import Derivation, calibrate
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import load_rubric
from steertui.planning.control_answers import store_control_set
from steertui.planning.judges import (
    JudgeDescription,
    JudgeServerOptions,
    find_judges,
    register_judges,
)
from steertui.stats.calibration import (
    LabelledProbabilities,
    accuracy_gain,
    cross_validated,
    fit_calibration,
    fit_prior,
)
from steertui.store import Store
from steertui.store.control_queries import labelled_answers
from tests.fixtures.control import control_set, true_label
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.stored_answers import made_up

LABELS = list(Label)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def biased(number: int, signal: float, rng: np.random.Generator) -> list[LabelledProbabilities]:
    """Return probabilities with a signal and a strong prior for the third label."""
    known = np.arange(number) % 4
    logits = rng.normal(0, 1, (number, 4)) + np.array([0.0, 0.0, 9.0, 0.0])
    logits[np.arange(number), known] += signal
    rows = softmax(logits)
    return [
        LabelledProbabilities(tuple(map(float, row)), LABELS[k], i // 4)
        for i, (row, k) in enumerate(zip(rows, known, strict=True))
    ]


def accuracy(items: list[LabelledProbabilities], probabilities: list[tuple[float, ...]]) -> float:
    pairs = zip(items, probabilities, strict=True)
    return sum(LABELS[int(np.argmax(p))] is item.known for item, p in pairs) / len(items)


@pytest.mark.parametrize("fit", [fit_calibration, fit_prior])
def test_a_wrong_prior_is_corrected(fit: object) -> None:
    items = biased(168, 3.0, np.random.default_rng(1))
    assert accuracy(items, [item.probabilities for item in items]) < 0.35
    assert accuracy(items, cross_validated(items, fit)) > 0.85  # type: ignore[arg-type]


def test_likelihoods_without_information_stay_at_chance() -> None:
    items = biased(168, 0.0, np.random.default_rng(2))  # a fit with the own scenario: 0.35
    assert 0.15 < accuracy(items, cross_validated(items, fit_calibration)) < 0.33


def test_a_prior_correction_makes_the_mean_probabilities_equal_to_the_known_shares() -> None:
    items = biased(400, 1.0, np.random.default_rng(2))[:350]
    prior = fit_prior(items)
    means = np.mean([prior.apply(item.probabilities) for item in items], axis=0)
    shares = [sum(item.known is label for item in items) / len(items) for label in LABELS]
    assert means == pytest.approx(shares, abs=0.03)
    assert prior.slopes == tuple(tuple(map(float, row)) for row in np.eye(4))


def test_the_gain_has_an_interval_by_scenario() -> None:
    before = [False] * 30 + [True] * 10
    after = [True] * 25 + [False] * 5 + [True] * 10
    gain = accuracy_gain(before, after, [i // 4 for i in range(40)])
    assert gain
    assert gain.value == pytest.approx(62.5)
    assert 0 < gain.low < 62.5 < gain.high


def local() -> LocalJudge:
    return LocalJudge(find_model("demo"), load_rubric("steertui"))


def add_verdicts(store: Store, judge_id: str, keys: list[str], labels: list[Label]) -> None:
    """Store probabilities with a prior for safety_refusal that drowns the signal."""
    rng = np.random.default_rng(5)
    for key, known in zip(keys, labels, strict=True):
        logits = rng.normal(0, 1, 4) + np.array([0.0, 0.0, 9.0, 0.0])
        logits[LABELS.index(known)] += 3.0
        shares = tuple(map(float, softmax(logits)))
        label = LABELS[int(np.argmax(shares))]
        store.add_verdict(key, Verdict(judge_id, label, probabilities=shares))


def test_a_calibrated_judge_is_a_judge_of_its_own_and_says_its_gain(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, [f"Answer {i}." for i in range(20)])
    one = local()
    known = [item.label for item in control_set().answer]
    with Store(db) as store:
        control = store_control_set(store, control_set())
        register_judges([one], [JudgeDescription("a model")], store)
        keys = [a.trial for a in labelled_answers(store, control, "control:labels")]
        add_verdicts(store, one.id, keys, known)
        others = [a.key for a in store.unjudged_answers(experiment, one.id)]
        add_verdicts(store, one.id, others, [LABELS[i % 4] for i in range(20)])
        ids: dict[str, str] = {}
        events = list(calibrate(store, experiment, one, "control", ids))
        (event,) = (e for e in events if isinstance(e, JudgeCalibrated))
        assert event.before < 60 < 140 < event.after
        assert event.gain
        assert event.gain.low > 0
        names = {info.id: info.name for info in store.judges(experiment)}
        assert names[ids[one.id]].startswith(f"{one.name}/calibrated:control-")
        calibrated = labelled_answers(store, experiment, ids[one.id])
        assert sum(a.label is LABELS[i % 4] for i, a in enumerate(calibrated)) >= 16
        worth = measure_judge(store, ids[one.id])
        assert worth
        assert worth.standing is Standing.USABLE
        assert next(calibrate(store, experiment, one, "control", ids)) == event  # repeatable


def test_calibration_without_known_labels_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, ["Answer."])
    with Store(db) as store, pytest.raises(JudgeError, match="needs 40; choose a judge"):
        list(calibrate(store, experiment, local(), "control", {}))


def test_a_jury_is_measured_and_leaves_ties_to_a_person(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = made_up(db, [f"Answer number {i}." for i in range(24)])
    options = JudgeServerOptions(concurrency=8, timeout=30.0, control_set=control_set())

    def reply(question: str) -> str:
        model, _, text = question.partition(": ")
        known = true_label(text)
        digest = sha256(question.encode()).digest()
        label = known if known and digest[0] > 100 else LABELS[digest[1] % 4]
        return json.dumps({"decision": label, "reason": model})

    with Loopback(Fake(reply=reply)) as server, Store(db) as store:
        names = [f"openai:{name}@{server.url}" for name in ("one", "two", "three")]
        judges = find_judges(names, "steertui", False, options)
        register_judges(judges, [JudgeDescription()] * 3, store)
        derivation = Derivation(jury=judges)
        list(judge(store, experiment, judges, Overrides(), options, derivation=derivation))
        (jury,) = (j for j in store.judges(experiment) if j.kind is JudgeKind.JURY)
        worths = {one.id: measure_judge(store, one.id) for one in (*judges,)}
        jury_worth = measure_judge(store, jury.id)
        outcomes = [o for own in store.outcomes(experiment, jury.id).values() for o in own]
        votes = {
            row.trial: [row.label] for row in labelled_answers(store, experiment, judges[0].id)
        }
        for one in judges[1:]:
            for row in labelled_answers(store, experiment, one.id):
                votes[row.trial].append(row.label)
    members = [w.pair.overall.kappa or 0.0 for w in worths.values() if w]
    assert jury_worth
    assert jury_worth.pair.overall.kappa
    assert jury_worth.pair.overall.kappa > max(members)
    ties = sum(len(set(own)) == 3 for own in votes.values())
    assert ties
    assert sum(o.failed for o in outcomes) == ties
    assert sum(o.label is not None for o in outcomes) == 24 - ties


def test_a_jury_by_mean_probability_needs_no_majority() -> None:
    from steertui.judge.derived import Jury

    jury = Jury(("a", "b"), "mean")
    sure, doubtful = (0.9, 0.1, 0.0, 0.0), (0.4, 0.6, 0.0, 0.0)
    verdict = jury.verdict([LABELS[0], LABELS[1]], [sure, doubtful])
    assert verdict.label is Label.CONVERGENCE
    assert verdict.probabilities == pytest.approx((0.65, 0.35, 0.0, 0.0))
    tied = replace(jury, rule="majority").verdict([LABELS[0], LABELS[1]], [sure, doubtful])
    assert tied.label is None
    assert "tied" in tied.failure
