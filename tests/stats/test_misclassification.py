"""Misclassification correction: Rogan-Gladen, double sampling, clusters, coverage."""

import numpy as np
import pytest

from steertui.core.verdict import Label
from steertui.stats.agreement import LabelPair
from steertui.stats.misclassification import (
    JudgedAnswer,
    corrected_gap,
    corrected_rate,
    rogan_gladen,
)

C, N, S, X = Label
VALID = frozenset(Label) - {X}


def checked(pairs: list[LabelPair], samples: int = 1) -> list[JudgedAnswer]:
    """Return checked answers, each repeated `samples` times in its scenario."""
    return [
        JudgedAnswer(str(i), given, known)
        for i, (known, given) in enumerate(pairs)
        for _ in range(samples)
    ]


def test_rogan_gladen_recovers_the_true_share() -> None:
    apparent = 0.3 * 0.9 + 0.7 * 0.2
    assert rogan_gladen(apparent, 0.9, 0.8) == pytest.approx(0.3)
    assert rogan_gladen(0.05, 0.9, 0.8) == 0.0
    assert rogan_gladen(0.5, 0.5, 0.5) is None


def test_correction_with_two_labels_equals_rogan_gladen() -> None:
    pairs: list[LabelPair] = [(C, C)] * 27 + [(C, N)] * 3 + [(N, N)] * 56 + [(N, C)] * 14
    result = corrected_rate(checked(pairs), C, VALID)
    assert result
    assert result.raw == pytest.approx(0.41)
    assert result.value == pytest.approx(rogan_gladen(0.41, 0.9, 0.8), abs=1e-9)
    assert result.low is not None
    assert result.high is not None
    assert result.low < 0.3 < result.high


def test_one_answer_per_scenario_has_the_limits_of_dirichlet_posteriors() -> None:
    pairs: list[LabelPair] = [(C, C)] * 20 + [(N, C)] * 5 + [(N, N)] * 30 + [(C, N)] * 4
    rest = [JudgedAnswer(f"r{i}", label) for i, label in enumerate([C] * 40 + [N] * 60)]
    result = corrected_rate([*checked(pairs), *rest], C, VALID)
    assert result
    rng = np.random.default_rng(2)
    prior = 0.5
    tables = [
        rng.dirichlet(np.array(column) + prior, 40_000)
        for column in ([20, 5, 0, 0], [4, 30, 0, 0], [0] * 4, [0] * 4)
    ]
    judged = rng.dirichlet(np.array([65, 94, 0, 0]) + prior / 2, 40_000)
    true = np.einsum("jdt,dj->dt", np.stack(tables), judged)
    reference = np.quantile(true[:, 0] / true[:, :3].sum(axis=1), [0.025, 0.975])
    assert (result.low, result.high) == pytest.approx(tuple(reference), abs=0.01)


def test_copies_of_an_answer_add_no_information() -> None:
    pairs: list[LabelPair] = [(C, C)] * 12 + [(N, C)] * 6 + [(N, N)] * 15 + [(C, N)] * 3
    once, copied = (corrected_rate(checked(pairs, size), C, VALID) for size in (1, 5))
    assert once
    assert copied
    assert copied.value == pytest.approx(once.value)
    assert once.low is not None
    assert once.high is not None
    assert copied.low is not None
    assert copied.high is not None
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.1)


def test_a_gap_has_the_same_scenario_weights_on_both_sides() -> None:
    pairs: list[LabelPair] = [(C, C)] * 300 + [(N, N)] * 300
    answers = checked(pairs)
    gap = corrected_gap(answers, answers, C, VALID)
    assert gap
    assert gap.value == 0
    assert gap.high - gap.low < 2
    opposite = [JudgedAnswer(a.scenario, C if a.label is N else N) for a in answers]
    assert corrected_gap(answers, opposite, C, VALID) is None
    few, enough = ([JudgedAnswer(str(i), C, C) for i in range(number)] for number in (3, 4))
    assert corrected_gap(few * 2, enough, C, VALID) is None  # two samples of three scenarios
    assert corrected_gap(enough, enough, C, VALID)


def test_an_unchecked_label_leaves_the_rate_uncorrected() -> None:
    answers = [JudgedAnswer("a", C, C), JudgedAnswer("b", N, N), JudgedAnswer("c", S)]
    result = corrected_rate(answers, C, VALID)
    assert result
    assert result.raw == pytest.approx(1 / 3)
    assert (result.value, result.low) == (None, None)
    assert (result.references, result.items) == (2, 3)
    assert corrected_rate([JudgedAnswer("a", X, X)], C, VALID) is None


@pytest.mark.slow
def test_corrected_intervals_cover_the_true_rate() -> None:
    rng = np.random.default_rng(1)
    names, errors = list(Label), np.full((4, 4), 0.06)
    np.fill_diagonal(errors, 0.82)
    true = np.array([0.35, 0.45, 0.15, 0.05])
    target = true[0] / true[:3].sum()
    hits = 0
    for _ in range(300):
        truth = rng.choice(4, 400, p=true)
        judged = np.array([rng.choice(4, p=errors[t]) for t in truth])
        sample = {*rng.permutation(400)[:120].tolist()}
        answers = [
            JudgedAnswer(str(i), names[given], names[known] if i in sample else None)
            for i, (known, given) in enumerate(zip(truth, judged, strict=True))
        ]
        result = corrected_rate(answers, C, VALID)
        assert result
        assert result.low is not None
        assert result.high is not None
        hits += result.low <= target <= result.high
    assert hits >= 0.92 * 300
