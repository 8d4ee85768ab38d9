"""The labels' order in a rubric: what it does to a local judge's probabilities, and its cure.

A judge that is told of four labels prefers, a little, those that stand in certain places of the
list (Pezeshkpour and Hruschka, NAACL Findings 2024; Zheng et al., ICLR 2024). So an answer is read
in turns: in turn t the list begins with its label t, and over four turns every label stood in
every place once.

Calibration by an answer without content (Zhao et al., ICML 2021) or by the mean of all answers
(Zhou et al., ICLR 2024) would not do here: an answer without content is rightly nonsensical, and
the mean of all answers is what is to be measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label

TURNS = len(Label)

SAMPLE = 24
"""Answers read in every turn to learn what the places are worth; a judgement: places' values
from half as many differ little (benchmarks/RESULTS.md)."""

Turns = Mapping[int, Sequence[float]]
"""Log-likelihoods by turn, in `Label`'s order."""

Places = NDArray[np.float64]
"""The share that each place in the list draws, first to last."""


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """What the order did to the answers that were read in every turn.

    Attributes:
        answers: their number.
        moved: of them, those whose likeliest label is not the same in all turns.
        corrected: of them, those whose label by the rubric's own order is not the one by all.
        places: the share that a place in the list draws by itself, first to last; 1/4 each
            where the order does nothing.
    """

    answers: int
    moved: int
    corrected: int
    places: tuple[float, ...]


def over_turns(turns: Turns) -> tuple[float, ...]:
    """Return the labels' mean probabilities over all turns (Zheng et al. 2024: cyclic
    permutations)."""
    return tuple(float(p) for p in _table(turns).mean(axis=0))


def worth_of_places(read: Iterable[Turns]) -> Places:
    """Return the share that each place draws, by answers read in every turn; at least one.

    PriDe's estimate (Zheng et al. 2024): in each answer the mean over turns of the
    log-probability of whatever label stands at a place, normalised; then the mean over answers.
    """
    found = []
    labels = np.arange(TURNS)
    for turns in read:
        logs = np.log(np.maximum(_table(turns), np.finfo(float).tiny))
        found.append(_normal(np.mean([logs[t, (labels + t) % TURNS] for t in labels], axis=0)))
    return np.asarray(np.mean(found, axis=0), np.float64)


def without_places(logliks: Sequence[float], places: Places | None) -> tuple[float, ...]:
    """Return the labels' probabilities in the rubric's own order, each divided by what its place
    draws, normalised (PriDe, Zheng et al. 2024); None for `places` that draw alike."""
    logs = np.asarray(logliks, np.float64)
    return tuple(float(p) for p in _normal(logs if places is None else logs - np.log(places)))


def is_finite(logliks: Sequence[float]) -> bool:
    """Whether a verdict can follow from them."""
    return bool(np.isfinite(logliks).all())


def effect(read: Iterable[Turns]) -> OrderEffect | None:
    """Return what the order did; None where no answer was read in every turn."""
    whole = [turns for turns in read if len(turns) == TURNS]
    if not whole:
        return None
    best = [{int(np.argmax(turns[t])) for t in range(TURNS)} for turns in whole]
    final = [int(np.argmax(over_turns(turns))) for turns in whole]
    first = [int(np.argmax(turns[0])) for turns in whole]
    corrected = sum(a != b for a, b in zip(first, final, strict=True))
    places = tuple(float(p) for p in worth_of_places(whole))
    return OrderEffect(len(whole), sum(len(b) > 1 for b in best), corrected, places)


def _table(turns: Turns) -> NDArray[np.float64]:
    return np.stack([_normal(np.asarray(turns[t])) for t in range(TURNS)])


def _normal(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logs - logs.max())
    return np.asarray(powers / powers.sum(), np.float64)
