"""Choice of a sweep: layer ranges, repetition, limits of coherence, the best of each direction."""

import math

import numpy as np
import pytest

from steertui.errors import ModelError
from steertui.steering.sweep import (
    AnswerScores,
    Limits,
    SweepCell,
    SweepRow,
    best_rows,
    grid,
    layer_bands,
    repetition,
    sweep_row,
)
from steertui.steering.vector import SteeringVector

LIMITS = Limits(loss=0.5, repetition=0.1)


def vector(layers: list[int], count: int) -> SteeringVector:
    rows = np.zeros((count, 2), np.float32)
    rows[layers] = 1.0
    ones = np.ones(count, np.float32)
    return SteeringVector("qwen3", rows, ones, ones)


def row(strength: float, effect: float, error: float = 0.01, *, coherent: bool = True) -> SweepRow:
    cell = SweepCell("1", strength)
    return SweepRow(
        cell=cell,
        effect=effect,
        error=error,
        opposite=0.0,
        loss=0.0,
        repetition=0.0,
        is_coherent=coherent,
    )


def test_the_default_ranges_are_thirds_and_all_layers() -> None:
    assert layer_bands(vector(list(range(1, 31)), 31)) == ["1-10", "11-20", "21-30", "1-30"]
    assert layer_bands(vector([2], 4)) == ["2"]
    assert layer_bands(vector([1, 3, 5], 6)) == ["1", "3", "5", "1,3,5"]


def test_the_grid_has_each_strength_in_both_directions_once() -> None:
    cells = grid(["1-2", "3"], (0.2, -0.2, 0.5, 0.0))
    assert [c.strength for c in cells] == [-0.5, -0.2, 0.2, 0.5] * 2
    assert [c.layers for c in cells] == ["1-2"] * 4 + ["3"] * 4


def test_repetition_is_the_share_of_repeated_sequences() -> None:
    assert repetition([]) == 1.0
    assert repetition([1, 2]) == 0.0
    assert repetition([1, 2, 3, 4, 5]) == 0.0
    assert repetition([7] * 8) == pytest.approx(4 / 5)


def test_a_row_has_the_mean_change_its_standard_error_and_the_cost() -> None:
    unsteered = [AnswerScores(p, -1.0, 0.0) for p in (0.0, 1.0, 2.0)]
    steered = [AnswerScores(p, -1.4, 0.05) for p in (0.5, 0.9, 2.8)]
    found = sweep_row(SweepCell("1", 0.4), steered, unsteered, LIMITS)
    assert found.effect == pytest.approx(0.4)
    assert found.error == pytest.approx(np.std([0.5, -0.1, 0.8], ddof=1) / math.sqrt(3))
    assert found.opposite == pytest.approx(1 / 3)
    assert found.loss == pytest.approx(0.4)
    assert found.is_coherent
    opposite = sweep_row(SweepCell("1", -0.4), steered, unsteered, LIMITS)
    assert opposite.opposite == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("loglik", "repeated"), [(-1.6, 0.0), (-1.0, 0.2), (math.nan, 1.0), (math.nan, 0.0)]
)
def test_improbable_repetitive_and_empty_answers_are_not_coherent(
    loglik: float, repeated: float
) -> None:
    unsteered = [AnswerScores(0.0, -1.0, 0.0)] * 3
    steered = [AnswerScores(9.0, loglik, repeated)] * 3
    assert not sweep_row(SweepCell("1", 1.0), steered, unsteered, LIMITS).is_coherent


def test_the_best_of_each_direction_is_coherent_and_beyond_its_error() -> None:
    rows = [
        row(0.8, 0.9, coherent=False),
        row(0.4, 0.3),
        row(0.2, 0.1),
        row(-0.2, -0.05, error=0.04),
        row(-0.4, 0.2),
    ]
    assert best_rows(rows) == {1: rows[1]}
    weaker = row(-0.2, -0.1)
    assert best_rows([*rows, weaker]) == {1: rows[1], -1: weaker}
    with pytest.raises(ModelError, match="limits of coherence"):
        best_rows([rows[0], rows[3], row(0.2, 1.0, error=math.nan)])
