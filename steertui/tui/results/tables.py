"""The tables of the Results screen, and where each of their cells leads."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.widgets import DataTable

from steertui.analysis.formatting import count_text, gap_columns, rate_percent
from steertui.analysis.judge_agreement import JudgeAgreement
from steertui.analysis.table import Table
from steertui.core.verdict import SIGNS, Label
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.sanitize import one_line

DrillDowns = dict[tuple[int, int], dict[str, str]]
"""By row and column of a cell: the filter's fields that its trials fit."""


def _head(grid: DataTable[Text], names: Sequence[str]) -> None:
    grid.clear(columns=True)
    for place, name in enumerate(names):
        grid.add_column(Text(one_line(name), justify="right" if place else "left"))


def _row(grid: DataTable[Text], cells: Sequence[str | Text]) -> None:
    texts = [c if isinstance(c, Text) else Text(c) for c in cells]
    for text in texts[1:]:
        text.justify = "right"
    grid.add_row(*texts)


def fill_rates(grid: DataTable[Text], table: Table) -> DrillDowns:
    """Show each condition's counts; a count leads to its trials."""
    labels = [f"{SIGNS[label]} {label.value.replace('_', ' ')}" for label in Label]
    _head(grid, ["condition", "judged", *labels, "valid", "cut"])
    leads: DrillDowns = {}
    for y, row in enumerate(table.rows):
        counts = [str(getattr(row.counts, label.value)) for label in Label]
        _row(grid, [one_line(row.condition), str(row.counts.judged), *counts,
                    str(row.convergence.total), count_text(row.counts.truncated)])  # fmt: skip
        here = {"condition": row.condition}
        leads |= {(y, x): here for x in (0, 1, 6)}
        for x, label in enumerate(Label, 2):
            leads[y, x] = here | {"label": label.value}
        leads[y, 7] = here | {"stop": "length"}
    grid.fixed_columns = 1
    return leads


def fill_categories(grid: DataTable[Text], table: Table) -> DrillDowns:
    """Show each category's rates and gap; a rate leads to its convergent answers."""
    found = table.categories if table.judge else ()
    if len(found) < 2:
        return {}
    conditions = table.conditions
    head = table.comparisons[0].gap if table.comparisons else None
    gap = [f"{head.first} − {head.second}", "95 %", "p"] if head else []
    _head(grid, ["category", *conditions, *gap])
    leads: DrillDowns = {}
    for y, category in enumerate(found):
        rates = {row.condition: rate_percent(row.convergence) for row in category.rows}
        numbers = [rates.get(name, "–") for name in conditions]
        last = gap_columns(category.comparison) if gap else ()
        _row(grid, [one_line(category.name), *numbers, *last])
        here = {"category": category.name}
        leads |= {(y, x): here for x in range(len(grid.columns))}
        for x, name in enumerate(conditions, 1):
            leads[y, x] = here | {"condition": name, "label": Label.CONVERGENCE.value}
    return leads


def fill_flips(
    grid: DataTable[Text], table: Table, titles: Mapping[str, str], colours: Palette
) -> DrillDowns:
    """Show the scenarios whose label is not the same under all conditions."""
    labels: dict[tuple[str, int], dict[str, Label]] = {}
    for o in table.outcomes:
        if o.label:
            labels.setdefault((o.scenario, o.sample), {})[o.condition] = o.label
    moved = {item: found for item, found in labels.items() if len(set(found.values())) > 1}
    if not moved:
        return {}
    _head(grid, ["scenario", *table.conditions])
    leads: DrillDowns = {}
    for y, ((scenario, sample), found) in enumerate(list(moved.items())[:500]):
        name = one_line(titles.get(scenario, scenario)) + (f" #{sample + 1}" if sample else "")
        signs = [
            colours.sign(found[c]) if c in found else Text("–", colours.faint)
            for c in table.conditions
        ]
        _row(grid, [name, *signs])
        leads |= {(y, x): {"scenario": scenario} for x in range(len(table.conditions) + 1)}
    return leads


def fill_agreement(
    grid: DataTable[Text], concord: JudgeAgreement | None, colours: Palette
) -> DrillDowns:
    """Show the confusion matrix of every two judges; a cell leads to its answers."""
    found = [c for c in concord.comparisons if c.overall.items] if concord else []
    if not found:
        return {}
    signs = [SIGNS[label] for label in Label]
    _head(grid, ["first judge ↓   second judge →", *signs, "agree", "kappa", "95 %"])
    leads: DrillDowns = {}
    for number, c in enumerate(found):
        top, whole = 5 * number, c.overall
        names = Text(f"{one_line(c.first.name)} ↓  {one_line(c.second.name)} →", "bold")
        kappa, limits_ = "–", ""
        if whole.kappa is not None:
            kappa = f"{whole.kappa:.2f}"
            limits_ = f"[{whole.kappa_low or 0:.2f}, {whole.kappa_high or 0:.2f}]"
        _row(grid, [names, "", "", "", "", f"{whole.agreed}/{whole.items}", kappa, limits_])
        for y, (label, counts) in enumerate(zip(Label, c.confusion, strict=True), 1):
            name = Text("  ").append_text(colours.label_text(label))
            numbers = [
                Text(str(n), "bold" if x == y else colours.quiet) for x, n in enumerate(counts, 1)
            ]
            _row(grid, [name, *numbers, "", "", ""])
            for x, other in enumerate(Label, 1):
                leads[top + y, x] = {
                    "judge": c.first.id, "label": label.value,
                    "other": c.second.id, "other_label": other.value,
                }  # fmt: skip
    return leads
