"""Rows of dose axes and contests as text, the same in every report format."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from steertui.analysis.contest_results import CellMark, ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.formatting import SHARED_MARK, rate_interval, rate_percent
from steertui.analysis.group_words import shared_points
from steertui.analysis.interval_text import interval_cell, level_text, set_limits_legend
from steertui.analysis.sentences import p_text
from steertui.core.grouping import Access
from steertui.stats.coherence import CoherenceMeasure
from steertui.stats.contest import Defence, Duel
from steertui.stats.dose import DosePoint
from steertui.stats.gap import Gap
from steertui.stats.rate import Rate
from steertui.stats.sensitivity import MATERIAL_POINTS, pairs_differ
from steertui.units import quantity

_DOSE_COLUMNS = (
    "rate",
    "95 % interval",
    "effect",
    "interval",
    "p",
    "nonsense",
    "repeated",
)

_REPETITION_LEGEND = "repeated: share of sequences of four words that occurred before in the answer"

_LOGLIK_LEGEND = (
    "nats: mean log-likelihood of an answer under the unsteered model after the plain prompt, per "
    "token"
)

MARKS = {
    CellMark.STEERS: "▲",
    CellMark.RESISTED: "=",
    CellMark.OPEN: "·",
    CellMark.ALONE: "",
    CellMark.WITHHELD: "×",
}
"""One character by what is shown of a cell."""

PART_COLUMNS = ("authorised", "unauthorised", "residual", "p (Holm)", "protection", "interaction")
"""Headings of `part_rows`, after defence and attack; points of convergence, p of the residual."""

_PARTS_LEGEND = (
    "authorised: what the defence alone takes away; unauthorised: what the attack alone adds; "
    "residual: what it adds under the defence; protection: what the defence takes away under the "
    "attack, which is authorised plus interaction"
)

_PAIRS_NAME = "  over pairs"
"""First cell of a row with gaps over the scenarios that are valid on all their sides."""


def dose_columns(axis: AxisResult) -> tuple[str, ...]:
    """Return the headings of `dose_rows`, after the dose.

    Rates are in per cent, effects in points, log-likelihoods in nats per token. Without labels
    there are only repetition and log-likelihood.
    """
    columns = _DOSE_COLUMNS if axis.curve.is_judged else _DOSE_COLUMNS[-1:]
    return (*columns, "nats") if _has_logliks(axis) else columns


def dose_legend(axis: AxisResult) -> str:
    """Return the meaning of the columns, without a full stop."""
    parts = [
        *(_label_legends(axis) if axis.curve.is_judged else ()),
        _REPETITION_LEGEND,
        _LOGLIK_LEGEND if _has_logliks(axis) else "",
        "!: beyond the limit of coherence, or not known to be within it",
    ]
    return "; ".join(filter(None, parts))


def _label_legends(axis: AxisResult) -> Iterator[str]:
    """Yield the meaning of the columns that need labels; "" for nothing."""
    tests = [point.test for point in axis.curve.points if point.test]
    once = (
        f"their intervals, {level_text(tests[0].level)} each, hold at once with about 95 %"
        if len(tests) > 1
        else "with a 95 % interval"
    )
    yield f"rate: convergence in per cent; effect: points above dose 0, {once}"
    yield set_limits_legend(tests)
    yield _pairs_legend(point.effect for point in axis.curve.points)
    yield f"p: after Holm over {len(tests)} doses" if len(tests) > 1 else ""
    yield "nonsense: share of all judged answers"


def _has_logliks(axis: AxisResult) -> bool:
    return any(point.means.loglik is not None for point in axis.curve.points)


def dose_rows(axis: AxisResult) -> Iterator[tuple[str, ...]]:
    """Yield the row of each dose, and below it an effect over the pairs that differs materially."""
    for point in axis.curve.points:
        yield (
            f"{point.dose:g}",
            *(_label_cells(point) if axis.curve.is_judged else ()),
            _measure(point, CoherenceMeasure.REPETITION, _share(point.means.repetition)),
            *([_loglik_cell(point)] if _has_logliks(axis) else []),
        )
        if point.effect and pairs_differ(point.effect):
            empty = len(dose_columns(axis)) - 4
            scenarios = f"over {quantity(point.effect.pairs, 'pair')}"
            yield ("", "", "", shared_points(point.effect), scenarios, *([""] * empty))


def _label_cells(point: DosePoint) -> tuple[str, ...]:
    return (
        rate_percent(point.rate),
        rate_interval(point.rate),
        *_effect(point),
        _measure(point, CoherenceMeasure.NONSENSE, rate_percent(point.nonsense)),
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


def _loglik_cell(point: DosePoint) -> str:
    loglik = point.means.loglik
    return _measure(point, CoherenceMeasure.LOGLIK, "–" if loglik is None else f"{loglik:.2f}")


def _measure(point: DosePoint, measure: CoherenceMeasure, text: str) -> str:
    return f"{text}!" if measure in point.exceeded else text


def _effect(point: DosePoint) -> tuple[str, str, str]:
    if point.effect is None or point.test is None:
        return "", "", ""
    return marked_points(point.effect), interval_cell(point.test), p_value(point.test.p)


def p_value(p: float | None) -> str:
    """Return a p value such as "0.03" or "<0.001"."""
    return "–" if p is None else p_text(p).removeprefix("p ").removeprefix("= ").replace(" ", "")


def marked_points(gap: Gap) -> str:
    """Return a gap such as "+22.5", "–" if it is unknown; † if its pairs give another one."""
    mark = SHARED_MARK * pairs_differ(gap)
    return "–" if gap.points is None else f"{gap.points:+.1f}{mark}"


def _pairs_legend(gaps: Iterable[Gap | None]) -> str:
    """Return the meaning of †, without a full stop; "" without a marked gap."""
    if not any(gap and pairs_differ(gap) for gap in gaps):
        return ""
    return (
        f"{SHARED_MARK}: over its pairs, the scenarios valid on all its sides, the gap is more "
        f"than {MATERIAL_POINTS:g} points away and in the next row; p is over pairs"
    )


def cell_texts(result: ContestResult, defence: str) -> tuple[list[str], list[str]]:
    """Return rates with marks, and intervals, of a defence against every attack, in per cent."""
    places = [(defence, attack) for attack in result.sides.attacks]
    rates = [cell_text(result, place) for place in places]
    return rates, [short_interval(result.rates[place]) for place in places]


def matrix_rows(result: ContestResult) -> Iterator[tuple[str, ...]]:
    """Yield defence, and rate with mark and interval against every attack, such as "78 (62–88)"."""
    for defence in result.sides.defences:
        pairs = zip(*cell_texts(result, defence), strict=True)
        yield (defence, *(f"{rate} ({interval})" for rate, interval in pairs))


def cell_text(result: ContestResult, place: tuple[str, str]) -> str:
    """Return the rate of a cell with its mark, such as "78 ▲"."""
    value = result.rates[place].value
    rate = "–" if value is None else f"{100 * value:.0f}"
    return f"{rate} {MARKS[result.marks[place]]}".strip()


def short_interval(rate: Rate) -> str:
    """Return the 95 % interval in whole per cent such as "62–88"."""
    if rate.estimate is None:
        return ""
    _, low, high = rate.estimate.percent()
    return f"{low:.0f}–{high:.0f}"


def marks_legend(result: ContestResult) -> str:
    """Return the meaning of the marks, without a full stop."""
    margin = f"{100 * result.estimates.margin:g} points"
    words = {
        CellMark.STEERS: "the attack is shown to steer",
        CellMark.RESISTED: f"it is shown to add less than the margin of {margin}",
        CellMark.OPEN: "neither is shown",
        CellMark.WITHHELD: "the labels allow no conclusion",
    }
    found = {*result.marks.values()}
    if CellMark.WITHHELD not in found:
        found = {*words} - {CellMark.WITHHELD}
    legend = ", ".join(f"{MARKS[mark]} {text}" for mark, text in words.items() if mark in found)
    return f"convergence in per cent with 95 % intervals; {legend}"


def part_rows(
    result: ContestResult, *, worst: bool = False, numbers: Mapping[str, int] | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the parts of every defence against every attack, or its worst ones alone.

    `numbers` replace the names of the attacks. Below a row are those of its gaps over the pairs
    that differ materially, with the number of pairs.
    """
    for defence, duel in _duels(result, worst=worst):
        parts = _parts(result, defence, duel)
        attack = numbers[duel.attack] if numbers else duel.attack
        cells = [*map(marked_points, parts)]
        yield (f"{defence.name} × {attack}", *cells[:3], p_value(duel.test.p), *cells[3:])
        if any(map(pairs_differ, parts)):
            cells = [*map(_pairs_cell, parts)]
            yield (_PAIRS_NAME, *cells[:3], "", *cells[3:])


def _duels(result: ContestResult, *, worst: bool) -> Iterator[tuple[Defence, Duel]]:
    """Yield every defence with every attack, or with its worst ones alone."""
    for defence in result.estimates.defences:
        for duel in defence.duels:
            if not worst or duel.attack in defence.worst:
                yield defence, duel


def _parts(result: ContestResult, defence: Defence, duel: Duel) -> tuple[Gap, ...]:
    """Return the parts in the order of `PART_COLUMNS`."""
    return (
        defence.authorised,
        result.estimates.unauthorised[duel.attack],
        duel.residual,
        duel.protection,
        duel.interaction,
    )


def _pairs_cell(gap: Gap) -> str:
    """Return "+50.0 (8)": a marked gap over its pairs, and their number; "" for other gaps."""
    return f"{shared_points(gap)} ({gap.pairs})" if pairs_differ(gap) else ""


def parts_legend(result: ContestResult, *, worst: bool = False) -> str:
    """Return the meaning of the columns of `part_rows`, without a full stop."""
    attacks = len(result.estimates.unauthorised)
    holm = f", after Holm over {attacks} attacks" if attacks > 1 else ""
    marked = _pairs_legend(
        gap
        for defence, duel in _duels(result, worst=worst)
        for gap in _parts(result, defence, duel)
    )
    p = f"p: of the residual{holm}; protection and interaction are not tested"
    return "; ".join(filter(None, (_PARTS_LEGEND, p, marked)))


def part_levels(result: ContestResult) -> str:
    """Return the levels of the intervals of each part, one sentence without a full stop."""
    defence = result.estimates.defences[0]
    own, residual = (level_text(test.level) for test in (defence.test, defence.duels[0].test))
    return (
        f"Intervals: authorised {own} and residual {residual}, those of each at once with about "
        "95 %; protection and interaction 95 % each, not tested"
    )


def access_lines(result: ContestResult) -> list[str]:
    """Return what the defences and the attacks change, without full stops."""
    sides = (("Defences", result.sides.defences), ("Attacks", result.sides.attacks))
    return [f"{title} change: {access_text(side)}" for title, side in sides]


def access_text(side: Mapping[str, Sequence[Access]]) -> str:
    """Return "anti (system text); pro (user text)"."""
    return "; ".join(f"{name} ({', '.join(access)})" for name, access in side.items() if access)
