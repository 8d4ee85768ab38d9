"""Primary comparisons of several models: Holm over the models, and sentences on all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.interval_text import interval_words
from steertui.analysis.judge_conflicts import opposite_conclusions
from steertui.analysis.sentences import p_text
from steertui.analysis.table import Table, TableKey
from steertui.stats.families import untested
from steertui.stats.gap import Gap, shared_scenarios
from steertui.stats.pooled import pooled_gap
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.units import quantity

MAX_NAMES = 6
"""Model settings whose p values a sentence lists."""


def primary_over_settings(tables: Sequence[Table]) -> dict[TableKey, float]:
    """Return the p values of the primary comparisons after Holm over the model settings.

    Each judge has its own family: all models and temperatures of one experiment. Tables that draw
    no headline, and those without a test, count with a p value of 1.
    """
    adjusted: dict[TableKey, float] = {}
    for own in _families(tables).values():
        p_values = [_p(table) for table in own]
        adjusted |= dict(zip((table.key for table in own), holm(p_values), strict=True))
    return adjusted


def _families(tables: Sequence[Table]) -> dict[tuple[str, str], list[Table]]:
    families: dict[tuple[str, str], list[Table]] = {}
    for table in tables:
        if table.primary and table.judge:
            families.setdefault((table.experiment, table.judge.id), []).append(table)
    return families


def _p(table: Table) -> float:
    if table.primary is None or not table.draws_headline or table.primary.gap.p is None:
        return 1.0
    return table.primary.gap.p


@dataclass(frozen=True, slots=True)
class PooledGap:
    """The primary comparison over all model settings of an experiment under one judge.

    Attributes:
        experiment: its id.
        judge: the judge's name.
        settings: number of model settings.
        pairs: number of pairs of a model setting and a scenario valid under both conditions, each
            of which counts once.
        gap: pooled within each scenario (`pooled_gap`), with 95 % limits.
    """

    experiment: str
    judge: str
    settings: int
    pairs: int
    gap: Gap


def pooled_gaps(tables: Sequence[Table]) -> Iterator[PooledGap]:
    """Yield the pooled primary comparison of each judge of several model settings.

    Tables that draw no headline are left out.
    """
    for (experiment, _), own in _families(tables).items():
        drawn = [table for table in own if table.draws_headline]
        compared = {(t.primary.gap.first, t.primary.gap.second) for t in drawn if t.primary}
        if len(drawn) < 2 or len(compared) != 1:
            continue
        ((one, two),) = compared
        counts = [convergence_counts(table.outcomes, table.policy) for table in drawn]
        gaps = [(own.get(one, {}), own.get(two, {})) for own in counts]
        gap = pooled_gap(gaps, one, two)
        pairs = sum(len(shared_scenarios(*own)[0]) for own in gaps)
        judge = drawn[0].judge.name if drawn[0].judge else ""
        if gap.points is not None:
            yield PooledGap(experiment, judge, len(drawn), pairs, gap)


def pooled_sentence(pooled: PooledGap) -> str:
    """Return one sentence on a pooled gap, without a full stop."""
    gap = pooled.gap
    test = "" if gap.p is None else f", exact randomisation test, {p_text(gap.p)}"
    return (
        f"Judged by {pooled.judge}, {gap.first} − {gap.second} pooled over the "
        f"{quantity(pooled.settings, 'model setting')} is {gap.points:+.1f} points "
        f"({interval_words(untested(gap))}{test}); each of the {pooled.pairs} valid pairs "
        "counts once, and the gap speaks of these models"
    )


def several_settings_sentences(complete: Sequence[Table], shown: Sequence[Table]) -> Iterator[str]:
    """Yield one sentence per judge on its primary comparisons over several model settings.

    Holm is over all models and temperatures of the experiment, shown or not.
    """
    contested = {table.key for pair, _ in opposite_conclusions(complete) for table in pair}
    pooled = {(own.experiment, own.judge): own for own in pooled_gaps(complete)}
    sizes = {key: len(own) for key, own in _families(complete).items()}
    for key, own in _families(shown).items():
        results = [(t, t.primary.gap) for t in own if t.primary and t.draws_headline]
        points = [gap.points for _, gap in results if gap.points is not None]
        if not points or sizes[key] < 2:
            continue
        table, gap = results[0]
        if len(results) < 2:
            yield _one_of_several(table, gap, sizes[key])
            continue
        depends = sum(t.key in contested for t, _ in results)
        shown_in = sum(_over_settings(t) <= SIGNIFICANCE_LEVEL for t, _ in results)
        judge = table.judge.name if table.judge else ""
        shared = [t for t, _ in results if t.primary and t.primary.is_shared]
        over = ", over all valid answers or, where marked †, over shared scenarios" * bool(shared)
        yield (
            f"Judged by {judge}, {gap.first} − {gap.second} is {_range(points)} "
            f"{len(results)} model settings{over}; a difference is shown "
            f"in {shown_in} of them (exact test, Holm over {quantity(sizes[key], 'model setting')}"
            f"{_p_values(results)}){_reservation(depends)}"
        )
        if (table.experiment, judge) in pooled:
            yield pooled_sentence(pooled[table.experiment, judge])


def _range(points: Sequence[float]) -> str:
    """Return "+54.5 to +92.3 points over", or "0.0 points in all" if they are equal as printed."""
    low, high = (f"{value:+.1f}" for value in (min(points), max(points)))
    if low != high:
        return f"{low} to {high} points over"
    return f"{low if float(low) else '0.0'} points in all"


def _one_of_several(table: Table, gap: Gap, settings: int) -> str:
    """Return the p value of the only shown model setting of several."""
    judge = table.judge.name if table.judge else ""
    return (
        f"Judged by {judge}, {gap.first} − {gap.second} on {table.setting.name} has "
        f"{p_text(_over_settings(table))} after Holm over the {settings} model settings of the "
        "experiment"
    )


def _p_values(results: Sequence[tuple[Table, Gap]]) -> str:
    """Return ": m-1 p = 0.031, m-2 p < 0.001"; "" with more than `MAX_NAMES` model settings."""
    if len(results) > MAX_NAMES:
        return ""
    tables = [table for table, _ in results]
    several = len({table.setting.temperature for table in tables}) > 1
    names = [f"{t.setting.name}{f' at {t.setting.temperature:g}' * several}" for t in tables]
    listed = (f"{n} {p_text(_over_settings(t))}" for n, t in zip(names, tables, strict=True))
    return f": {', '.join(listed)}"


def _reservation(depends: int) -> str:
    if not depends:
        return ""
    return f"; in {depends} of them the conclusion depends on the judge and is no finding"


def _over_settings(table: Table) -> float:
    p = table.primary_over_settings
    return 1.0 if p is None else p
