"""Tables of the Results screen, with a drill-down from each cell to its trials."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from steertui.analysis.category_rows import category_columns, category_row
from steertui.analysis.formatting import count_text
from steertui.analysis.judge_agreement import JudgeAgreement, PairedJudges
from steertui.analysis.table import Table
from steertui.core.scenario import first_words
from steertui.core.verdict import SIGNS, Label
from steertui.printable import one_line
from steertui.stats.rate import VALID_LABELS
from steertui.store.trial_filter import JUDGED, TrialFilter
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.stable_table import TableContent, make_content

DrillDowns = dict[tuple[int, int], dict[str, str]]
"""By (row, column) of a cell: fields and values of the `TrialFilter` for its trials."""

MAX_CHANGED = 500
"""Maximum rows of the table of changed labels."""


MIN_TITLE = 48
"""Columns that a scenario's title has at least, if it is that long."""


HEADINGS = {
    "rates-table": ("by condition", "enter opens the trials of a number"),
    "categories": ("by category", "convergence in per cent; enter opens the trials of a number"),
    "changed": ("changed labels", "enter compares the answers side by side"),
    "agreement": ("agreement of the judges", "enter opens the answers of a number"),
}
"""Headings of the tables and what to do with them, by widget id."""

TABLE_EDGES = 6
"""Columns of a table beside its cells: padding, and the scroll bars of table and screen."""

MIN_SENTENCES = 80
"""Columns of the sentences that tables beside them leave."""


class ResultTable(NamedTuple):
    """Content of a table and its drill-downs.

    Attributes:
        left_out: rows that are not shown, because there are too many.
    """

    content: TableContent = TableContent()
    drill_downs: DrillDowns = {}  # noqa: RUF012 (never changed)
    left_out: int = 0


def drill_down_filter(table: Table, fields: Mapping[str, str]) -> TrialFilter:
    """Return the filter of a cell's trials: those of the table that have these fields."""
    common = {"experiment": table.experiment}
    if table.judge:
        common["judge"] = table.judge.id
    if "other" not in fields:  # judges are compared over all models and temperatures
        common["model"] = table.setting.model
        common["temperature"] = repr(table.setting.temperature)
    return TrialFilter(**common | dict(fields))


def tables_width(whole: int, needed: int) -> int:
    """Return the columns of tables beside the sentences: half of all, or what their cells need."""
    return max(whole // 2, min(needed + TABLE_EDGES, whole - MIN_SENTENCES))


def rates_table(table: Table, colours: Palette) -> ResultTable:
    """Return the counts by condition; a count leads to its trials."""
    labels = [f"{SIGNS[label]} {label.words}" for label in Label]
    rows: list[list[str | Text]] = []
    drill_downs: DrillDowns = {}
    for y, row in enumerate(table.rows):
        cells: list[str | Text] = [
            _condition(row.condition, colours),
            str(row.counts.judged),
            *(str(getattr(row.counts, label.value)) for label in Label),
            str(row.valid),
            count_text(row.counts.truncated),
        ]
        rows.append(cells)
        by_condition = {"condition": row.condition}
        drill_downs[y, 0] = by_condition
        if table.judge:
            valid = ",".join(label for label in Label if label in VALID_LABELS[table.policy])
            drill_downs[y, 1] = by_condition | {"label": JUDGED}
            drill_downs[y, 6] = by_condition | {"label": valid}
        for x, label in enumerate(Label, 2):
            drill_downs[y, x] = by_condition | {"label": label.value}
        drill_downs[y, 7] = by_condition | {"stop": "length"}
    heads = ["condition", "judged", *labels, "valid", "truncated"]
    return ResultTable(make_content(heads, rows), drill_downs)


def categories_table(table: Table, colours: Palette) -> ResultTable:
    """Return rates and gap by category; a rate leads to its convergent answers.

    Without a judge, or with a single category, the table is empty.
    """
    categories = table.categories if table.judge else ()
    if len(categories) < 2:
        return ResultTable()
    conditions = table.conditions
    columns = category_columns(table, conditions)
    heads: list[str | Text] = [
        "category",
        *(_condition(name, colours) for name in conditions),
        *columns[len(conditions) :],
    ]
    rows = []
    drill_downs: DrillDowns = {}
    for y, category in enumerate(categories):
        cells = category_row(category, conditions)
        rows.append([*cells, *[""] * (len(heads) - len(cells))])
        by_category = {"category": category.name}
        drill_downs |= {(y, x): by_category for x in range(len(heads))}
        for x, name in enumerate(conditions, 1):
            label = Label.CONVERGENCE.value
            drill_downs[y, x] = by_category | {"condition": name, "label": label}
    return ResultTable(make_content(heads, rows), drill_downs)


def changed_table(
    table: Table, titles: Mapping[str, str], colours: Palette, width: int
) -> ResultTable:
    """Return the scenarios whose label depends on the condition, at most `MAX_CHANGED`.

    Titles are shortened so that the table is `width` columns wide, but not below `MIN_TITLE`.
    """
    changed = _changed_labels(table)
    if not changed:
        return ResultTable()
    room = max(MIN_TITLE, width - sum(cell_len(one_line(name)) + 2 for name in table.conditions))
    rows: list[list[str | Text]] = []
    drill_downs: DrillDowns = {}
    for y, ((scenario, sample), labels) in enumerate(list(changed.items())[:MAX_CHANGED]):
        number = f" #{sample + 1}" if sample else ""
        signs = [
            colours.sign(labels[name]) if name in labels else Text("–", colours.faint)
            for name in table.conditions
        ]
        title = first_words(one_line(titles.get(scenario, scenario)), room - len(number))
        rows.append([title + number, *signs])
        by_scenario = {"scenario": scenario, "sample": str(sample)}
        drill_downs |= {(y, x): by_scenario for x in range(len(table.conditions) + 1)}
    heads: list[str | Text] = [
        "scenario",
        *(_condition(name, colours) for name in table.conditions),
    ]
    content = make_content(heads, rows)
    return ResultTable(content, drill_downs, max(0, len(changed) - MAX_CHANGED))


def _condition(name: str, colours: Palette) -> Text:
    return Text(one_line(name), f"bold {colours.condition(name)}")


def _changed_labels(table: Table) -> dict[tuple[str, int], dict[str, Label]]:
    """Return the labels by condition of each (scenario, sample) with more than one label."""
    labels: dict[tuple[str, int], dict[str, Label]] = {}
    for outcome in table.outcomes:
        if outcome.label:
            item = (outcome.scenario, outcome.sample)
            labels.setdefault(item, {})[outcome.condition] = outcome.label
    return {
        item: by_condition
        for item, by_condition in labels.items()
        if len(set(by_condition.values())) > 1
    }


def agreement_table(agreement: JudgeAgreement | None, colours: Palette) -> ResultTable:
    """Return the confusion matrix of each pair of judges; a cell leads to its answers."""
    comparisons = agreement.comparisons if agreement else ()
    pairs = [pair for pair in comparisons if pair.overall.items]
    if not pairs:
        return ResultTable()
    signs = [SIGNS[label] for label in Label]
    rows: list[list[str | Text]] = []
    drill_downs: DrillDowns = {}
    for pair in pairs:
        rows.append(list(_agreement_cells(pair)))
        for y, (label, counts) in enumerate(zip(Label, pair.confusion, strict=True)):
            numbers = [
                Text(str(count), "bold" if x == y else colours.quiet)
                for x, count in enumerate(counts)
            ]
            for x, other in enumerate(Label, 1):
                drill_downs[len(rows), x] = {
                    "judge": pair.first.id,
                    "label": label.value,
                    "other": pair.second.id,
                    "other_label": other.value,
                }
            name = Text("  ").append_text(colours.label_text(label))
            rows.append([name, *numbers, "", "", ""])
    heads = ["first judge ↓   second judge →", *signs, "agree", "kappa", "95 %"]
    return ResultTable(make_content(heads, rows), drill_downs)


def _agreement_cells(pair: PairedJudges) -> Iterator[str | Text]:
    """Yield the cells of the row above a pair's confusion matrix."""
    overall = pair.overall
    yield Text(f"{one_line(pair.first.name)} ↓  {one_line(pair.second.name)} →", "bold")
    yield from [""] * len(Label)
    yield f"{overall.agreed}/{overall.items}"
    if overall.kappa is None:
        yield from ("–", "")
    else:
        yield f"{overall.kappa:.2f}"
        yield f"[{overall.kappa_low or 0:.2f}, {overall.kappa_high or 0:.2f}]"
