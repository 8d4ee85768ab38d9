"""Primary comparisons of several models: Holm over the models, and sentences on all of them."""

from collections.abc import Iterator, Sequence

from steertui.analysis.table import Table, TableKey
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.units import quantity


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


def several_settings_sentences(complete: Sequence[Table], shown: Sequence[Table]) -> Iterator[str]:
    """Yield one sentence per judge on its primary comparisons in several shown tables.

    Holm is over all models and temperatures of the experiment, shown or not.
    """
    sizes = {key: len(own) for key, own in _families(complete).items()}
    for key, own in _families(shown).items():
        results = [(t, t.primary.gap) for t in own if t.primary and t.draws_headline]
        points = [gap.points for _, gap in results if gap.points is not None]
        if len(results) < 2 or not points:
            continue
        table, gap = results[0]
        shown_in = sum(_over_settings(t) <= SIGNIFICANCE_LEVEL for t, _ in results)
        judge = table.judge.name if table.judge else ""
        yield (
            f"Judged by {judge}, {gap.first} − {gap.second} is {min(points):+.1f} to "
            f"{max(points):+.1f} points over {len(results)} model settings; a difference is shown "
            f"in {shown_in} of them (exact test, Holm over {quantity(sizes[key], 'model setting')})"
        )


def _over_settings(table: Table) -> float:
    p = table.primary_over_settings
    return 1.0 if p is None else p
