"""Choice of layers and strength on validation scenarios: grid, measures and choice; without I/O.

For each validation scenario the model answers the prompt with the positive and the negative text.
The effect of a steering is how much more likely it makes the first answer than the second one after
the plain prompt. Its cost is what the unsteered model thinks of the steered answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan, sqrt
from statistics import fmean, stdev

from steertui.errors import ModelError
from steertui.steering.vector import SteeringVector

BANDS = 3
"""Layer ranges of the default grid: the vector's layers in this many parts of equal size."""

STRENGTHS = (0.2, 0.4, 0.8)
"""Strengths of the default grid, each in both directions."""

MIN_ERRORS = 2.0
"""Standard errors that an effect must exceed to be chosen."""

NGRAM = 4
"""Length in tokens of the sequences that `repetition` counts."""


@dataclass(frozen=True, slots=True)
class SweepCell:
    """One choice of layers and strength.

    Attributes:
        layers: layers such as "8-20".
        strength: as in a condition.
    """

    layers: str
    strength: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of coherence, fixed before the sweep.

    Attributes:
        loss: largest fall of the unsteered log-likelihood of an answer in nats per token, compared
            with the unsteered answers.
        repetition: largest rise of the share of repeated sequences, from 0 to 1.
    """

    loss: float = 0.5
    repetition: float = 0.1


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Measures of one validation scenario under one steering.

    Attributes:
        preference: log-likelihood per token of the positive answer minus that of the negative
            one, in nats.
        loglik: unsteered log-likelihood per token of the steered answer in nats; NaN for an empty
            answer.
        repetition: share of repeated sequences in the steered answer, from 0 to 1; 1 for an empty
            answer.
    """

    preference: float
    loglik: float
    repetition: float


@dataclass(frozen=True, slots=True)
class SweepRow:
    """Result of one cell over the validation scenarios.

    Attributes:
        cell: layers and strength.
        effect: mean change of `AnswerScores.preference` by the steering, in nats per token.
        error: standard error of the effect over scenarios; NaN for one scenario.
        opposite: share of scenarios whose preference moves against the strength's sign, 0 to 1.
        loss: fall of the mean unsteered log-likelihood per token, in nats.
        repetition: mean share of repeated sequences, from 0 to 1.
        is_coherent: whether it is within the limits.
    """

    cell: SweepCell
    effect: float
    error: float
    opposite: float
    loss: float
    repetition: float
    is_coherent: bool


def layer_bands(vector: SteeringVector, count: int = BANDS) -> list[str]:
    """Return the vector's layers in `count` ranges of equal size, such as "1-10", and together."""
    layers = vector.layers
    ends = [round(i * len(layers) / count) for i in range(count + 1)]
    parts = [layers[a:b] for a, b in pairwise(ends) if a < b]
    return list(dict.fromkeys(_range(part) for part in (*parts, layers)))


def _range(layers: Sequence[int]) -> str:
    first, last = layers[0], layers[-1]
    if len(layers) != last - first + 1:
        return ",".join(map(str, layers))
    return str(first) if first == last else f"{first}-{last}"


def grid(layers: Sequence[str], strengths: Sequence[float]) -> list[SweepCell]:
    """Return all cells: each range of layers with each strength, in both directions."""
    signed = sorted({sign * abs(s) for s in strengths for sign in (1, -1)})
    return [SweepCell(each, strength) for each in layers for strength in signed if strength]


def repetition(tokens: Sequence[int] | Sequence[str]) -> float:
    """Return the share of the sequences of `NGRAM` tokens that occurred before; 1 for no token.

    Tokens may also be words.
    """
    if not tokens:
        return 1.0
    grams = [tuple(tokens[i : i + NGRAM]) for i in range(len(tokens) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def sweep_row(
    cell: SweepCell,
    steered: Sequence[AnswerScores],
    unsteered: Sequence[AnswerScores],
    limits: Limits,
) -> SweepRow:
    """Return a cell's result; both sequences have the validation scenarios in the same order."""
    changes = [a.preference - b.preference for a, b in zip(steered, unsteered, strict=True)]
    sign = 1 if cell.strength > 0 else -1
    loss = _mean_loglik(unsteered) - _mean_loglik(steered)
    repeated = fmean(scores.repetition for scores in steered)
    rise = repeated - fmean(scores.repetition for scores in unsteered)
    return SweepRow(
        cell=cell,
        effect=fmean(changes),
        error=stdev(changes) / sqrt(len(changes)) if len(changes) > 1 else nan,
        opposite=fmean(sign * change < 0 for change in changes),
        loss=loss,
        repetition=repeated,
        # A loss of NaN, when every answer is empty, is not coherent.
        is_coherent=loss <= limits.loss and rise <= limits.repetition,
    )


def _mean_loglik(scores: Sequence[AnswerScores]) -> float:
    values = [each.loglik for each in scores if not isnan(each.loglik)]
    return fmean(values) if values else nan


def best_rows(rows: Sequence[SweepRow]) -> dict[int, SweepRow]:
    """Return the coherent row with the largest effect in each direction, 1 and -1.

    A direction is absent if no coherent row has an effect of its sign of more than `MIN_ERRORS`
    standard errors. Raises ModelError if both are absent.
    """
    best: dict[int, SweepRow] = {}
    for sign in (1, -1):
        found = [
            row
            for row in rows
            if row.is_coherent
            and sign * row.cell.strength > 0
            and sign * row.effect > MIN_ERRORS * row.error
        ]
        if found:
            best[sign] = max(found, key=lambda row: sign * row.effect)
    if not best:
        raise ModelError(
            "no layers and strength have an effect of more than two standard errors in their "
            "direction within the limits of coherence; give smaller strengths or other layers, "
            "or train on another contrast"
        )
    return best
