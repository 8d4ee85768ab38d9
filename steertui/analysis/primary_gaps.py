"""Primary comparisons of several models: Holm over the models, and sentences on all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.interval_text import interval_words
from steertui.analysis.judge_conflicts import are_opposite
from steertui.analysis.sentences import Finding, p_text
from steertui.analysis.stand_ins import without_stand_ins
from steertui.analysis.table import Table, TableKey
from steertui.stats.families import PRIMARY, FamilyTest, family_tests
from steertui.stats.gap import Gap, shared_scenarios
from steertui.stats.pooled import pooled_contrast, pooled_counts
from steertui.stats.rate import Estimate
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.units import list_text, quantity

MAX_NAMES = 6
"""Model settings whose p values a sentence lists."""


def primary_over_settings(tables: Sequence[Table]) -> dict[TableKey, float]:
    """Return the p values of the primary comparisons after Holm over the model settings.

    Each judge has its own family: all models and temperatures of one experiment, without the demo
    model beside real ones. Tables that draw no headline, and those without a test, count in it with
    a p value of 1 and have none themselves.
    """
    adjusted: dict[TableKey, float] = {}
    for own in _families(tables).values():
        p_values = [_p(table) for table in own]
        over_all = holm([1.0 if p is None else p for p in p_values])
        tested = zip(own, p_values, over_all, strict=True)
        adjusted |= {table.key: over for table, p, over in tested if p is not None}
    return adjusted


def _families(tables: Sequence[Table]) -> dict[tuple[str, str], list[Table]]:
    families: dict[tuple[str, str], list[Table]] = {}
    for table in tables:
        if table.primary and table.judge:
            families.setdefault((table.experiment, table.judge.id), []).append(table)
    return {key: without_stand_ins(own) for key, own in families.items()}


def _p(table: Table) -> float | None:
    """Return the p value; None without a pair to test, or if the table draws no headline."""
    return table.primary.gap.p if table.primary and table.draws_headline else None


@dataclass(frozen=True, slots=True)
class PooledGap:
    """The primary comparison over all model settings of an experiment under one judge.

    Attributes:
        experiment: its id.
        judge: the judge's name.
        settings: number of model settings with a pair.
        models: number of their models.
        pairs: number of pairs of a model setting and a scenario valid under both conditions.
        answers: number of valid answers of these pairs, each of which counts once.
        gap: pooled within each scenario (`pooled_contrast`).
        test: of the gap, with 95 % limits that agree with it.
        contested: number of model settings whose conclusion depends on the judge.
        rivals: names of the judges whose pooled gap leads to another conclusion.
    """

    experiment: str
    judge: str
    settings: int
    models: int
    pairs: int
    answers: int
    gap: Gap
    test: FamilyTest
    contested: int = 0
    rivals: tuple[str, ...] = ()

    @property
    def sign(self) -> int:
        """1 or -1 if the test shows a difference, the sign of the gap; else 0."""
        if not self.test.is_significant or not self.gap.points:
            return 0
        return 1 if self.gap.points > 0 else -1


def pooled_gaps(tables: Sequence[Table]) -> list[PooledGap]:
    """Return the pooled primary comparison of each judge of several model settings.

    Tables that draw no headline or have no pair are left out.
    """
    found = [*_pooled_gaps(tables)]
    return [replace(one, rivals=tuple(_rivals(one, found))) for one in found]


def _rivals(one: PooledGap, found: Sequence[PooledGap]) -> Iterator[str]:
    """Yield the judges of the same experiment whose pooled gap contradicts `one`."""
    for other in found:
        is_same = (other.experiment, *_names(other)) == (one.experiment, *_names(one))
        if is_same and are_opposite(_limits(one), _limits(other), (one.sign, other.sign)):
            yield other.judge


def _names(pooled: PooledGap) -> tuple[str, str]:
    return pooled.gap.first, pooled.gap.second


def _limits(pooled: PooledGap) -> Estimate | None:
    gap, test = pooled.gap, pooled.test
    if gap.points is None or test.low is None or test.high is None:
        return None
    return Estimate(gap.points, test.low, test.high)


def _is_contested(table: Table) -> bool:
    return table.primary is not None and table.primary.finding is Finding.CONTESTED


def _pooled_gaps(tables: Sequence[Table]) -> Iterator[PooledGap]:
    """Yield the pooled primary comparison of each judge of several model settings.

    Tables that draw no headline or have no pair are left out.
    """
    for (experiment, _), own in _families(tables).items():
        drawn = [table for table in own if _p(table) is not None]
        compared = {(t.primary.gap.first, t.primary.gap.second) for t in drawn if t.primary}
        if len(drawn) < 2 or len(compared) != 1:
            continue
        ((one, two),) = compared
        counts = [convergence_counts(table.outcomes, table.policy) for table in drawn]
        gaps = [(own.get(one, {}), own.get(two, {})) for own in counts]
        contrast = pooled_contrast(gaps, one, two)
        (test,) = family_tests([contrast], PRIMARY)
        pairs = sum(len(shared_scenarios(*own)[0]) for own in gaps)
        judge = drawn[0].judge.name if drawn[0].judge else ""
        if contrast.gap.points is not None:
            yield PooledGap(
                experiment,
                judge,
                settings=len(drawn),
                models=len({table.setting.model for table in drawn}),
                pairs=pairs,
                answers=sum(m for side in pooled_counts(gaps) for _, m in side.values()),
                gap=contrast.gap,
                test=test,
                contested=sum(map(_is_contested, drawn)),
            )


def pooled_sentence(pooled: PooledGap) -> str:
    """Return one sentence on a pooled gap, without a full stop."""
    gap = pooled.gap
    test = "" if gap.p is None else f", exact randomisation test, {p_text(gap.p)}"
    return (
        f"Judged by {pooled.judge}, {gap.first} − {gap.second} pooled over the "
        f"{quantity(pooled.settings, 'model setting')} is {gap.points:+.1f} points "
        f"({interval_words(pooled.test)}{test}); {_weights(pooled)}, and the gap speaks of "
        f"{_scope(pooled)}{_pooled_reservation(pooled)}"
    )


def _scope(pooled: PooledGap) -> str:
    return "these models" if pooled.models > 1 else "this model at these temperatures"


def _weights(pooled: PooledGap) -> str:
    """Return what counts once: a pair with one answer per condition, else an answer."""
    if pooled.answers == 2 * pooled.pairs:
        return f"each of the {pooled.pairs} valid pairs counts once"
    return (
        f"each of the {pooled.answers} valid answers of {quantity(pooled.pairs, 'pair')} counts "
        "once, so that a setting with more samples weighs more"
    )


def _pooled_reservation(pooled: PooledGap) -> str:
    """Return why a pooled gap is no finding, or a finding with reservations; "" otherwise."""
    if pooled.rivals:
        return (
            f"; this is no finding, because the gap pooled by {list_text(pooled.rivals)} leads to "
            "another conclusion"
        )
    if not pooled.contested:
        return ""
    return f"; in {pooled.contested} of them the conclusion depends on the judge"


def several_settings_sentences(complete: Sequence[Table], shown: Sequence[Table]) -> Iterator[str]:
    """Yield one sentence per judge on its primary comparisons over several model settings.

    It speaks of the model settings with a test. Holm is over all models and temperatures of the
    experiment, shown or not.
    """
    pooled = {(own.experiment, own.judge): own for own in pooled_gaps(complete)}
    selected = {table.key: table for table in shown if table.primary}
    for family in _families(complete).values():
        size = len(family)
        own = [selected[table.key] for table in family if table.key in selected]
        results = [(t, t.primary.gap) for t in own if t.primary and _p(t) is not None]
        points = [gap.points for _, gap in results if gap.points is not None]
        if not points or size < 2:
            continue
        table, gap = results[0]
        if len(results) < 2:
            yield _one_of_several(table, gap, size)
            continue
        depends = sum(map(_is_contested, own))
        shown_in = sum(_over_settings(t) <= SIGNIFICANCE_LEVEL for t, _ in results)
        judge = table.judge.name if table.judge else ""
        shared = [t for t, _ in results if t.primary and t.primary.is_shared]
        over = ", over all valid answers or, where marked †, over shared scenarios" * bool(shared)
        yield (
            f"Judged by {judge}, {gap.first} − {gap.second} is {_range(points)} "
            f"{len(results)} model settings{over}; a difference is shown "
            f"in {shown_in} of them (exact test, Holm over {quantity(size, 'model setting')}"
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
