"""Template values of the page, from a summary."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from steertui.analysis.category_rows import category_columns, category_legend, category_row
from steertui.analysis.caveats import HEADING, MORE
from steertui.analysis.comparisons import compare_tables
from steertui.analysis.declaration import declaration_sentences
from steertui.analysis.formatting import (
    COUNT_COLUMNS,
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    comparison_columns,
    comparison_legend,
    comparison_row,
    count_row,
    family_words,
    marked_rate,
    over_categories_sentence,
    rate_interval,
    rate_percent,
    table_title,
    transitions_note,
    unjudged_sentence,
)
from steertui.analysis.gap_details import detail_sentences, short_sensitivity
from steertui.analysis.judge_panels import (
    CORRECTED_COLUMNS,
    CORRECTION_CAVEAT,
    JUDGE_COLUMNS,
    judge_panels,
)
from steertui.analysis.model_scale import ModelScale, model_scales
from steertui.analysis.model_series import (
    SERIES_COLUMNS,
    ModelSeries,
    model_series,
    series_notes,
    series_rows,
)
from steertui.analysis.overview import count_warnings, is_short
from steertui.analysis.primary_gaps import several_settings_sentences
from steertui.analysis.sentences import Finding
from steertui.analysis.side_by_side import side_by_side
from steertui.analysis.stand_ins import without_stand_ins
from steertui.analysis.summary import Summary
from steertui.analysis.table import RateRow, Table
from steertui.analysis.trial_warning import WarningKind
from steertui.analysis.variance import factor_sentences
from steertui.core.verdict import SIGNS, Label
from steertui.paper.comparison import PaperComparison
from steertui.paper.limits import report_limits
from steertui.paper.wording import AGREEMENT_COLUMNS, DIFFERENCE_COLUMNS
from steertui.report import figures
from steertui.report.heat_map import ROWS_PER_PAGE, heat_rows
from steertui.report.page.groups import group_values
from steertui.report.page.judges import judge_values, label_table
from steertui.report.page.paper import paper_values
from steertui.report.palette import condition_class
from steertui.report.reproduce import reproduction_records
from steertui.report.scale_figure import scale_figure
from steertui.report.transition_figure import transitions
from steertui.store import Store
from steertui.units import quantity, verb

Values = dict[str, Any]

TRANSITION_WIDTH = 480
"""Width in pixels of the figure of label transitions."""


def page_values(store: Store, summary: Summary, paper: Sequence[PaperComparison]) -> Values:
    """Return all values of the template except those of `writer`."""
    tables = summary.tables
    return {
        "heading": _heading(summary),
        "subtitle": _subtitle(store, summary),
        "source": store.path.name,
        "notices": summary.notices,
        "headlines": [*_headlines(tables)],
        "over_settings": [*several_settings_sentences(summary.complete, tables)],
        "scales": [*map(_scale, model_scales(summary))],
        "series": [*map(_series, model_series(summary))],
        "policy_words": f"{POLICY_DESCRIPTIONS[tables[0].policy]}." if tables else "",
        "clustered": any(map(_has_several_samples, tables)),
        **_figures([table for table in tables if table.ungrouped.rows]),
        "tables": [
            _table(store, table)
            | _rates_figure(() if is_short(tables) else [table])
            | {"name": name}
            for table, name in zip(tables, _names(tables), strict=True)
        ],
        "count_columns": [*COUNT_COLUMNS],
        "labels": [
            {"kind": label.value, "sign": SIGNS[label], "words": label.words} for label in Label
        ],
        "panels": [*judge_values(judge_panels(summary))],
        "agreement_columns": JUDGE_COLUMNS,
        "corrected_columns": CORRECTED_COLUMNS,
        "correction_caveat": CORRECTION_CAVEAT,
        "comparisons": compare_tables(summary),
        "papers": [*paper_values(paper)],
        "difference_columns": DIFFERENCE_COLUMNS,
        "item_columns": AGREEMENT_COLUMNS,
        "records": [*reproduction_records(store, summary)],
        "declarations": [
            {"experiment": d.experiment, "sentences": declaration_sentences(d)}
            for d in summary.declarations
        ],
        "limits_heading": HEADING,
        "limits": report_limits(summary),
        "limits_more": MORE,
        "facts": _facts(summary, paper),
    }


def _headlines(tables: Sequence[Table]) -> Iterator[Values]:
    for table in tables:
        if table.primary and table.draws_headline:
            yield {"title": table_title(table), "sentence": table.primary.sentence}


def _scale(scale: ModelScale) -> list[str]:
    """Return the figure for both widths."""
    return [scale_figure(scale, width).inline() for width in (figures.WIDE, figures.NARROW)]


def _series(series: ModelSeries) -> Values:
    return {
        "title": series.title,
        "columns": SERIES_COLUMNS,
        "rows": [*series_rows(series)],
        "sentences": [*series_notes(series)],
    }


def _figures(tables: Sequence[Table]) -> Values:
    compared = [table for table in tables if table.comparisons]
    return {
        "is_short": is_short(tables),
        **_rates_figure(tables if is_short(tables) else ()),
        "gaps_wide": figures.gaps(compared, figures.WIDE).inline() if compared else "",
        "gaps_narrow": figures.gaps(compared, figures.NARROW).inline() if compared else "",
    }


def _rates_figure(tables: Sequence[Table]) -> Values:
    """Return the figure of the tables' rates for both widths; "" without tables."""
    if not tables:
        return {"rates_wide": "", "rates_narrow": ""}
    return {
        "rates_wide": figures.rates(tables, figures.WIDE).inline(),
        "rates_narrow": figures.rates(tables, figures.NARROW).inline(),
    }


def _heading(summary: Summary) -> str:
    """Return the statement of the only primary comparison, or a summary of several."""
    compared = without_stand_ins(t for t in summary.tables if t.primary)
    shown = [t.primary for t in compared if t.draws_headline and t.primary]
    if not summary.tables:
        return NO_EXPERIMENT.split(";")[0]
    if compared and not shown:
        return "No conclusion: the labels allow none"
    if not shown:
        return next(_group_headings(summary.tables), "Answers without a comparison yet")
    if len(shown) == 1:
        return shown[0].statement
    points = [c.gap.points for c in shown if c.gap.points is not None]
    if not points:
        return "No gap can be computed: a condition has no valid answer"
    pairs = {f"{c.gap.first} − {c.gap.second}" for c in shown}
    what = pairs.pop() if len(pairs) == 1 else "between conditions"
    contested = sum(c.finding is Finding.CONTESTED for c in shown)
    be = verb(contested, "is", "are")
    reservation = f"; {contested} {be} no finding: judges differ" if contested else ""
    sizes = f"{min(points):+.1f} to {max(points):+.1f} points"
    return f"{len(shown)} gaps {what} of {sizes}{reservation}"


def _group_headings(tables: Sequence[Table]) -> Iterator[str]:
    """Yield the headline of each contest and of each dose axis."""
    for table in tables:
        yield from (result.headline for result in table.groups.contests)
        yield from (axis.headline for axis in table.groups.axes if axis.curve.is_judged)


def _subtitle(store: Store, summary: Summary) -> str:
    tables = summary.tables
    answers = {(t.experiment, t.setting): sum(r.counts.generated for r in t.rows) for t in tables}
    judges = len({t.judge.id for t in tables if t.judge})
    experiments = ", ".join(summary.experiments) or "none"
    return (
        f"{store.path.name} · {quantity(sum(answers.values()), 'answer')} · "
        f"{quantity(judges, 'judge')} · experiment {experiments}"
    )


def _has_several_samples(table: Table) -> bool:
    return any(outcome.sample for outcome in table.outcomes)


def _table(store: Store, table: Table) -> Values:
    gap = table.primary.gap if table.primary else None
    results = table.comparisons
    return {
        "kicker": f"experiment {table.experiment} · {table.setting.title} · "
        f"{table.setting.model[:12]}",
        "title": table_title(table),
        "unjudged": "" if table.judge else unjudged_sentence(table),
        "judge_sentence": table.judge_sentence,
        "is_reliable": table.is_reliable,
        "warnings": [_warnings(table, count.kind) for count in count_warnings([table])],
        "comparisons": [(*comparison_row(r), family_words(r)) for r in results],
        "comparison_columns": [*comparison_columns(results), "test"],
        "comparison_legend": comparison_legend(results),
        "sensitivity": [*short_sensitivity(table)],
        "factors": [*(arm.sentence for arm in table.arms), *factor_sentences(table)],
        "sentences": [". ".join(detail_sentences(result)) for result in results],
        "rates": [_rate_row(row) for row in table.rows],
        "counts": [*map(count_row, table.rows)],
        "conditions": table.conditions,
        **group_values(table.groups, side_by_side(store, table)),
        **_categories(table),
        "transitions": [*_transitions(table)],
        "transitions_note": transitions_note(table),
        "pages": [*_pages(table)],
        "has_several_samples": _has_several_samples(table),
        "first": gap.first if gap else "two conditions",
        "second": gap.second if gap else "them",
    }


def _rate_row(row: RateRow) -> tuple[object, ...]:
    return (
        row.condition,
        row.counts.judged,
        row.valid,
        marked_rate(row),
        rate_interval(row.convergence),
        rate_percent(row.refusal),
        rate_percent(row.nonsense),
    )


def _categories(table: Table) -> Values:
    """Return the values on categories, empty if there is only one or no judge."""
    shown = table.categories if table.judge and len(table.categories) > 1 else ()
    return {
        "categories": [category_row(c, table.conditions) for c in shown],
        "category_columns": category_columns(table, table.conditions) if shown else (),
        "posterior_legend": category_legend(table),
        "categories_wide": figures.categories(table, shown, figures.WIDE).inline(),
        "categories_narrow": figures.categories(table, shown, figures.NARROW).inline(),
        "over_categories": over_categories_sentence(table) if shown else "",
    }


def _names(tables: Sequence[Table]) -> list[str]:
    """Return short names of the tables: the model's, with what else is needed to tell them apart.

    First the judge and the settings, then the temperature is added.
    """
    names = [table.setting.name for table in tables]
    if len({*names}) == len(names):
        return names
    judges = [" · ".join(filter(None, (t.judge.name if t.judge else "", t.tag))) for t in tables]
    if len({*zip(names, judges, strict=True)}) < len(names):
        names = [f"{table.setting.name} at {table.setting.temperature:g}" for table in tables]
    return [" · ".join(filter(None, pair)) for pair in zip(names, judges, strict=True)]


def _warnings(table: Table, kind: WarningKind) -> Values:
    texts = [warning.text for warning in table.warnings if warning.kind is kind]
    return {"kind": str(kind), "texts": texts}


def _transitions(table: Table) -> Iterator[Values]:
    for (first, second), counts in table.transitions.items():
        yield {
            "first": first,
            "second": second,
            "wide": transitions(counts, first, second, TRANSITION_WIDTH).inline(),
            "square": label_table(counts),
        }


def _pages(table: Table) -> Iterator[list[Values]]:
    """Yield the pages of the heat map, each with its rows grouped by category."""
    rows = [*heat_rows(table)]
    for start in range(0, len(rows), ROWS_PER_PAGE):
        page = rows[start : start + ROWS_PER_PAGE]
        yield [
            {"category": name, "rows": [*group]}
            for name, group in groupby(page, lambda row: row.category)
        ]


def _facts(summary: Summary, paper: Sequence[PaperComparison]) -> Values:
    """Return the values for the page's script."""
    paper_models = {c.table: c.original.model for c in paper if c.original}
    conditions = dict.fromkeys(c for t in summary.tables for c in t.conditions)
    return {
        "tables": [
            {
                "experiment": t.experiment,
                "model": t.setting.model,
                "temperature": t.setting.temperature,
                "conditions": t.conditions,
                "paper": paper_models.get(place),
            }
            for place, t in enumerate(summary.tables)
        ],
        "judges": {t.judge.id: t.judge.name for t in summary.tables if t.judge},
        "colours": {c: condition_class(c) for c in conditions},
        "signs": {label.value: SIGNS[label] for label in Label},
    }
