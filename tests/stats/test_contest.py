"""Contests: the decomposition of effects, the worst attack, and every verdict."""

import numpy as np
import pytest

from steertui.stats.contest import Verdict, contest
from steertui.stats.rate import ScenarioCounts

Rates = dict[tuple[str, str], float]


def cells(rates: Rates, scenarios: int = 100) -> dict[tuple[str, str], ScenarioCounts]:
    """Return cells in which the same scenarios converge first."""
    return {
        cell: {str(i): (int(i < round(rate * scenarios)), 1) for i in range(scenarios)}
        for cell, rate in rates.items()
    }


def game(plain: float, attacked: float, alone: float, both: float) -> Rates:
    return {
        ("none", "none"): plain,
        ("none", "a"): attacked,
        ("d", "none"): alone,
        ("d", "a"): both,
    }


def test_protection_is_authorised_steering_plus_interaction() -> None:
    found = contest(cells(game(0.5, 0.9, 0.3, 0.4)), 0.1)
    (defence,) = found.defences
    (duel,) = defence.duels
    points = [
        gap.points or 0
        for gap in (
            found.unauthorised["a"],
            defence.authorised,
            duel.residual,
            duel.protection,
            duel.interaction,
        )
    ]
    assert points == pytest.approx([40, 20, 10, 50, 30])


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        (game(0.5, 0.9, 0.3, 0.3), Verdict.DECOUPLED),
        (game(0.5, 0.9, 0.3, 0.8), Verdict.NOT_DECOUPLED),
        (game(0.5, 0.5, 0.3, 0.3), Verdict.NO_ATTACK),
        (game(0.5, 0.9, 0.3, 0.37), Verdict.OPEN),
        (game(0.5, 0.9, 0.9, 0.9), Verdict.NOT_DECOUPLED),
        (game(0.5, 0.9, 0.5, 0.5), Verdict.OPEN),
    ],
)
def test_verdicts(rates: Rates, verdict: Verdict) -> None:
    (defence,) = contest(cells(rates), 0.1).defences
    assert defence.verdict is verdict


def test_one_attack_that_breaks_through_decides() -> None:
    rates = game(0.5, 0.9, 0.3, 0.3) | {("none", "b"): 0.95, ("d", "b"): 0.7}
    (defence,) = contest(cells(rates), 0.1).defences
    assert [(d.is_resisted, d.is_broken) for d in defence.duels] == [(True, False), (False, True)]
    assert defence.worst == ("b",)
    assert defence.verdict is Verdict.NOT_DECOUPLED


def test_a_defence_may_be_required_to_keep_the_steering_of_another() -> None:
    rates = game(0.5, 0.9, 0.4, 0.4) | {("e", "none"): 0.1, ("e", "a"): 0.5}
    by_plain = contest(cells(rates), 0.1)
    by_other = contest(cells(rates), 0.1, reference="e")
    assert by_plain.defences[0].verdict is Verdict.DECOUPLED
    assert by_other.defences[0].lost
    assert by_other.defences[0].verdict is Verdict.NOT_DECOUPLED
    assert by_other.defences[1].kept


def test_a_cell_without_valid_answers_leaves_the_verdict_open() -> None:
    found = cells(game(0.5, 0.9, 0.3, 0.3)) | {("d", "a"): {}}
    (defence,) = contest(found, 0.1).defences
    assert defence.verdict is Verdict.OPEN
    assert defence.worst == ()
    assert defence.duels[0].residual.points is None


def test_too_few_scenarios_never_show_that_an_attack_is_resisted() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        plain, attacked, *alone_and_both = rng.random(4)
        rates = game(plain, attacked, *sorted(alone_and_both))
        (defence,) = contest(cells(rates, scenarios=8), 0.1).defences
        assert not defence.duels[0].is_resisted


@pytest.mark.parametrize(("added", "is_harmless"), [(0.0, True), (0.1, False), (0.4, False)])
def test_an_attack_without_a_defence_has_the_margin_test_of_a_residual(
    added: float, is_harmless: bool
) -> None:
    rates = game(0.5, 0.5 + added, 0.5, 0.5 + added)
    found = contest(cells(rates), 0.1)
    assert found.harmless == ({"a"} if is_harmless else set())
    assert found.defences[0].duels[0].is_resisted is is_harmless
