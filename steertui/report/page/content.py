"""What the page says: a Summary as the plain values that its template lays out."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from steertui.analysis.comparisons import compare_tables
from steertui.analysis.formatting import (
    COUNT_COLUMNS,
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    count_text,
    gap_columns,
    marked_rate,
    over_categories_sentence,
    rate_interval,
    rate_percent,
    table_title,
    unjudged_sentence,
)
from steertui.analysis.judge_panels import (
    CORRECTED_COLUMNS,
    CORRECTION_CAVEAT,
    JUDGE_COLUMNS,
    judge_panels,
)
from steertui.analysis.sentences import quantity
from steertui.analysis.summary import Summary
from steertui.analysis.table import GapResult, Table
from steertui.core.verdict import SIGNS, Label
from steertui.paper.comparison import PaperComparison
from steertui.paper.wording import AGREEMENT_COLUMNS, DIFFERENCE_COLUMNS
from steertui.report import figures
from steertui.report import heat_map as heat
from steertui.report.page.judges import judged, square
from steertui.report.page.paper import papers
from steertui.report.palette import condition_class
from steertui.report.reproduce import reproduction_records
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.store import Store

Values = dict[str, Any]


def content(store: Store, summary: Summary, paper: Sequence[PaperComparison]) -> Values:
    """Return every value that the template names, but for those of the writer."""
    tables = summary.tables
    return {
        "heading": _heading(summary),
        "subtitle": _subtitle(store, summary),
        "source": store.path.name,
        "notices": summary.notices,
        "headlines": [
            {"title": table_title(t), "sentence": t.comparisons[0].sentence}
            for t in tables if t.comparisons
        ],
        "policy_words": f"{POLICY_DESCRIPTIONS[tables[0].policy]}." if tables else "",
        "clustered": any(_is_several(t) for t in tables),
        "rates_wide": figures.rates(tables, figures.WIDE).inline(),
        "rates_narrow": figures.rates(tables, figures.NARROW).inline(),
        "gaps_wide": figures.gaps(tables, figures.WIDE).inline(),
        "gaps_narrow": figures.gaps(tables, figures.NARROW).inline(),
        "tables": [_table(t) | {"name": n} for t, n in zip(tables, _names(tables), strict=True)],
        "ledger": [*COUNT_COLUMNS],
        "labels": [{"sign": SIGNS[n], "words": n.words} for n in Label],
        "signs": [(SIGNS[n], {"kind": n.value, "words": n.words}) for n in Label],
        "benches": [*judged(judge_panels(summary))],
        "agreement": JUDGE_COLUMNS,
        "corrected": CORRECTED_COLUMNS,
        "caveat": CORRECTION_CAVEAT,
        "contrasts": compare_tables(summary),
        "fidelity": [*papers(paper)],
        "deviation": DIFFERENCE_COLUMNS,
        "items": AGREEMENT_COLUMNS,
        "again": [*reproduction_records(store, summary)],
        "facts": _facts(summary, paper),
    }  # fmt: skip


def _heading(summary: Summary) -> str:
    """Return the headline: what is shown if one thing is, a count where there are several."""
    shown = [t.comparisons[0] for t in summary.tables if t.comparisons]
    if not summary.tables:
        return NO_EXPERIMENT.split(";")[0]
    if not shown:
        return "Answers without a comparison yet"
    if len(shown) == 1:
        sentence = shown[0].sentence.split(";")[0]
        return sentence[:1].upper() + sentence[1:]
    pairs = dict.fromkeys((c.gap.first, c.gap.second) for c in shown)
    what = " − ".join(next(iter(pairs))) if len(pairs) == 1 else "between conditions"
    found = [c.gap.points for c in shown if c.gap.points is not None]
    if not found:
        return "No gap can be told: some condition has no valid answer"
    tested = [c.gap.p if c.adjusted is None else c.adjusted for c in shown]
    sure = sum(p is not None and p <= SIGNIFICANCE_LEVEL for p in tested)
    those = "all" if sure == len(shown) else f"{sure} of the {len(shown)}"
    differ = "differ" if sure != 1 or those == "all" else "differs"
    return (
        f"{len(shown)} gaps {what} of {min(found):+.1f} to {max(found):+.1f} "
        f"points; {those} {differ} from zero"
    )


def _subtitle(store: Store, summary: Summary) -> str:
    tables = summary.tables
    answers = {(t.experiment, t.setting): sum(r.counts.generated for r in t.rows) for t in tables}
    judges = len({t.judge.id for t in tables if t.judge})
    experiments = ", ".join(summary.experiments) or "none"
    return (
        f"{store.path.name} · {quantity(sum(answers.values()), 'answer')} · "
        f"{quantity(judges, 'judge')} · experiment {experiments}"
    )


def _is_several(table: Table) -> bool:
    return any(o.sample for o in table.outcomes)


def _table(table: Table) -> Values:
    found = table.categories if table.judge else ()
    found = found if len(found) > 1 else ()
    head = table.comparisons[0].gap if table.comparisons else None
    model = f"{table.setting.title} · {table.setting.model[:12]}"
    return {
        "kicker": f"experiment {table.experiment} · {model}",
        "title": table_title(table),
        "unread": "" if table.judge else unjudged_sentence(table),
        "warnings": table.warnings,
        "sentences": [_sentence(c) for c in table.comparisons],
        "rates": [
            (r.condition, r.counts.judged, r.convergence.total, marked_rate(r),
             rate_interval(r.convergence), rate_percent(r.refusal), rate_percent(r.nonsense))
            for r in table.rows
        ],
        "ledger": [
            (r.condition, *(count_text(getattr(r.counts, name)) for name in COUNT_COLUMNS.values()))
            for r in table.rows
        ],
        "conditions": table.conditions,
        "categories": [
            (c.name, *(rate_percent(r.convergence) for r in c.rows), *gap_columns(c.comparison))
            for c in found
        ],
        "categories_wide": figures.categories(table, found, figures.WIDE).inline(),
        "categories_narrow": figures.categories(table, found, figures.NARROW).inline(),
        "over": over_categories_sentence(table) if found else "",
        "flips": [*_flips(table)],
        "pages": [*_pages(table)],
        "several": _is_several(table),
        "first": head.first if head else "two conditions",
        "second": head.second if head else "them",
    }  # fmt: skip


def _names(tables: Sequence[Table]) -> list[str]:
    """Return short names of the tables: the model's, and the judge's where that is not enough."""
    names = [table.setting.name for table in tables]
    if len({*names}) == len(names):
        return names
    parts = ((t.setting.name, t.judge.name if t.judge else "", t.tag) for t in tables)
    return [" · ".join(filter(None, part)) for part in parts]


def _sentence(comparison: GapResult) -> Values:
    g = comparison.gap
    return {"pair": f"{g.first} − {g.second}", "text": comparison.sentence}


def _flips(table: Table) -> Iterator[Values]:
    for (first, second), moved in table.transitions.items():
        yield {
            "first": first,
            "second": second,
            "wide": figures.flips(moved, first, second, 480).inline(),
            "square": square(moved),
        }


def _pages(table: Table) -> Iterator[list[Values]]:
    lines = [*heat.lines(table)]
    for start in range(0, len(lines), heat.PAGE):
        part = lines[start : start + heat.PAGE]
        yield [
            {"category": name, "lines": [*group]}
            for name, group in groupby(part, lambda line: line.category)
        ]


def _facts(summary: Summary, paper: Sequence[PaperComparison]) -> Values:
    """Return what the page's script needs to know."""
    originals = {b.table: b.original.model for b in paper if b.original}
    conditions = dict.fromkeys(c for t in summary.tables for c in t.conditions)
    return {
        "tables": [
            {
                "experiment": t.experiment,
                "model": t.setting.model,
                "temperature": t.setting.temperature,
                "conditions": t.conditions,
                "paper": originals.get(place),
            }
            for place, t in enumerate(summary.tables)
        ],
        "judges": {t.judge.id: t.judge.name for t in summary.tables if t.judge},
        "colours": {c: condition_class(c) for c in conditions},
        "signs": {label.value: SIGNS[label] for label in Label},
    }
