"""Directions, compared with the formulas of repeng, llama.cpp's cvector-generator and others."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import approx_fprime

from steertui.steering.directions import (
    METHODS,
    PENALTY,
    draw_flips,
    mean_direction,
    principal_direction,
    probe_direction,
    random_direction,
    separation,
    shuffled_direction,
)

Floats = NDArray[np.float64]


def sides(pairs: int = 24, width: int = 40, gap: float = 3.0) -> tuple[Floats, Floats]:
    """Return states whose differences have a common part, and much variance of their own."""
    random = np.random.default_rng(0)
    common = random.normal(0, 1, width)
    shared = random.normal(0, 4, (pairs, width))
    strength = gap * random.uniform(0.5, 1.5, (pairs, 1))
    positive = shared + strength * common + random.normal(0, 0.5, (pairs, width))
    return positive, shared + random.normal(0, 0.5, (pairs, width))


def cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def repeng_direction(positive: Floats, negative: Floats) -> Floats:
    """Return repeng's `pca_center`: first component of the states around each pair's centre."""
    states = np.empty((2 * len(positive), positive.shape[1]))
    centre = (positive + negative) / 2
    states[::2], states[1::2] = positive - centre, negative - centre
    _, _, axes = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
    direction: Floats = axes[0]
    projected = np.concatenate([positive, negative]) @ direction
    ahead = np.mean(projected[: len(positive)] > projected[len(positive) :])
    return direction if ahead >= 0.5 else -direction


def generator_direction(positive: Floats, negative: Floats) -> Floats:
    """Return cvector-generator's PCA: power iteration on the square of the differences."""
    differences = positive - negative
    square = differences.T @ differences
    vector: Floats = np.random.default_rng(1).normal(0, 1, len(square))
    for _ in range(2000):
        vector = square @ vector
        vector /= np.linalg.norm(vector)
    return vector


def test_the_principal_direction_is_that_of_repeng_and_llama() -> None:
    both = sides()
    ours = principal_direction(*both)
    assert cosine(ours, repeng_direction(*both)) > 0.999
    assert abs(cosine(ours, generator_direction(*both))) > 0.999


@pytest.mark.parametrize("method", METHODS)
def test_every_direction_points_to_the_positive_side(method: str) -> None:
    positive, negative = sides()
    forward = METHODS[method](positive, negative)
    assert cosine(forward, mean_direction(positive, negative)) > 0.5
    assert np.allclose(METHODS[method](negative, positive), -forward, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_every_direction_has_the_norm_of_the_mean_difference(method: str) -> None:
    both = sides()
    length = np.linalg.norm(mean_direction(*both))
    random = np.random.default_rng(1)
    flips = draw_flips(24, random)
    found = [
        METHODS[method](*both),
        random_direction(*both, random),
        shuffled_direction(*both, flips),
    ]
    assert np.allclose([np.linalg.norm(direction) for direction in found], length)


def test_the_probe_is_at_the_optimum_of_its_loss() -> None:
    positive, negative = sides(pairs=12, width=6, gap=0.4)
    states = np.concatenate([positive, negative])
    labels = np.repeat([1.0, -1.0], len(positive))
    centred = states - states.mean(axis=0)
    centred /= np.sqrt((centred**2).mean())

    def loss(weights: Floats) -> float:
        margins = labels * (centred @ weights[:-1] + weights[-1])
        return float(np.log1p(np.exp(-margins)).sum() + PENALTY / 2 * (weights[:-1] ** 2).sum())

    weights = np.zeros(7)
    for _ in range(20000):  # plain gradient descent in the space of the states
        weights -= 0.02 * approx_fprime(weights, loss)
    assert cosine(probe_direction(positive, negative), weights[:-1]) > 0.999


def test_the_controls_are_unrelated_to_the_direction() -> None:
    both = sides(pairs=40, width=400)
    random = np.random.default_rng(2)
    own = mean_direction(*both)
    assert abs(cosine(own, random_direction(*both, random))) < 0.2
    assert abs(cosine(own, shuffled_direction(*both, draw_flips(40, random)))) < 0.6
    assert draw_flips(40, random).sum() == 20


@pytest.mark.parametrize("method", METHODS)
def test_separation_is_one_for_distinct_and_one_half_for_equal_sides(method: str) -> None:
    groups = [f"scenario {i}" for i in range(24)]
    assert separation(*sides(gap=6.0), groups, METHODS[method]) > 0.95
    random = np.random.default_rng(3)
    areas = [
        separation(
            random.normal(0, 1, (24, 40)), random.normal(0, 1, (24, 40)), groups, METHODS[method]
        )
        for _ in range(60)
    ]
    assert abs(np.mean(areas) - 0.5) < 0.04


def test_pairs_of_one_group_are_held_out_together() -> None:
    random = np.random.default_rng(4)
    signs = random.choice([-1.0, 1.0], 12)
    positive = np.zeros((24, 30))
    noise = random.normal(0, 1, (12, 30)) * 5
    positive[::2] = positive[1::2] = noise * signs[:, None]
    negative = -positive
    alone = separation(positive, negative, [str(i) for i in range(24)], mean_direction)
    together = separation(positive, negative, [str(i // 2) for i in range(24)], mean_direction)
    assert alone > 0.8 > together


def test_separation_of_one_group_is_unknown() -> None:
    assert np.isnan(separation(*sides(), ["one"] * 24, mean_direction))
