"""Trials and rates as rows: CSV for spreadsheets and R, Parquet for data frames.

A text cell of a CSV that begins with one of `FORMULA_CHARACTERS` gets a leading apostrophe, since
a spreadsheet would evaluate it as a formula (OWASP, CSV injection). A reader that removes one
leading apostrophe from every text cell restores the stored text, in which control characters other
than tabs and line ends are replaced by U+FFFD. Parquet and JSON keep every character.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from steertui.analysis.summary import Summary
from steertui.analysis.table import RateRow, Table
from steertui.core.condition import Condition
from steertui.errors import ExperimentError
from steertui.output_files import output
from steertui.paper.comparison import PaperComparison
from steertui.printable import printable_cell
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.store import Store
from steertui.store.report_queries import report_rows
from steertui.store.setup_queries import condition_ids

ROWS_PER_BATCH = 5_000
"""Rows that are written to a Parquet file at once."""

FORMULA_CHARACTERS = tuple("=+-@\t\r\n'＝＋－＠")
"""First characters of a formula in some spreadsheet, and the apostrophe that escapes them."""

COLUMN_TYPES = {
    "experiment": "string",
    "key": "string",
    "model_sha256": "string",
    "model": "string",
    "scenario": "string",
    "category": "string",
    "condition": "string",
    "condition_id": "string",
    "axis": "string",
    "dose": "float64",
    "contest": "string",
    "defence": "string",
    "attack": "string",
    "temperature": "float64",
    "sample": "int64",
    "judge": "string",
    "label": "string",
    "failure": "string",
    "p_convergence": "float64",
    "paper_label": "string",
    "reason": "string",
    "answer": "string",
    "reasoning": "string",
    "stop": "string",
    "tokens": "int64",
    "loglik": "float64",
    "loglik_tokens": "int64",
    "prompt": "string",
}
"""Columns of a trial's row and their types in Parquet (`report_queries.ReportRow`).

`condition_id` is the condition's id in the database: a hash of its name, texts and description.
`axis` and `dose`, and `contest`, `defence` and `attack`, are empty for conditions in no group.
`paper_label` is the paper's label of its own model's answer to the same task under the same
condition, if the paper's answers are imported.
"""

GAP_COLUMNS = (
    "experiment",
    "model",
    "model_sha256",
    "temperature",
    "judge",
    "policy",
    "first",
    "second",
    "role",
    "points",
    "low",
    "high",
    "level",
    "marginal",
    "shared",
    "pairs",
    "p",
    "p_holm",
    "finding",
    "sentence",
)
"""Columns of a comparison's row (`gaps`).

`level` is the confidence level of the limits, from 0 to 1. `points` is `marginal`, the gap over all
valid answers of each condition, or `shared`, the one over the scenarios valid under both, where the
two are more than 5 points apart.
"""

Paper = Sequence[PaperComparison]


def write_trials(store: Store, summary: Summary, paper: Paper, file: TextIO) -> None:
    """Write a CSV with one row per trial and judge, also for unjudged and unanswered trials."""
    writer = csv.DictWriter(file, list(COLUMN_TYPES))
    writer.writeheader()
    writer.writerows(map(as_text_cells, trials(store, summary, paper)))


def write_parquet(store: Store, summary: Summary, paper: Paper, path: Path) -> list[Path]:
    """Write the rows of `write_trials` as Parquet; raises ExperimentError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ExperimentError(
            "--format parquet needs pyarrow; install it with: pip install 'steertui[parquet]'"
        ) from None
    columns = [(name, getattr(pyarrow, kind)()) for name, kind in COLUMN_TYPES.items()]
    schema = pyarrow.schema(columns)
    rows = trials(store, summary, paper)
    with (
        output(path, "parquet", [store.path]) as file,
        parquet.ParquetWriter(file, schema) as writer,
    ):
        while batch := list(islice(rows, ROWS_PER_BATCH)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))
    return [path]


def trials(store: Store, summary: Summary, paper: Paper) -> Iterator[dict[str, Any]]:
    """Yield one row per trial and judge of every table, in planned order."""
    paper_labels = {one.table: one.original.items for one in paper if one.original}
    for place, table in enumerate(summary.tables):
        judge = table.judge.id if table.judge else None
        labels = paper_labels.get(place, {})
        for row in report_rows(store, table.experiment, table.setting, judge, table.conditions):
            label = labels.get((row.condition, row.scenario))
            group = group_columns(table.groups.conditions.get(row.condition))
            yield row._asdict() | group | {"paper_label": label}


def group_columns(condition: Condition | None) -> dict[str, Any]:
    """Return the columns on the axis and the contest of a condition, None outside of groups."""
    step = condition.step if condition else None
    cell = condition.cell if condition else None
    return {
        "axis": step.axis if step else None,
        "dose": step.dose if step else None,
        "contest": cell.contest if cell else None,
        "defence": cell.defence if cell else None,
        "attack": cell.attack if cell else None,
    }


def as_text_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with printable texts and escaped formulas; numbers are unchanged."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable_cell(value)
    return f"'{text}" if value.startswith(FORMULA_CHARACTERS) else text


def write_rates(store: Store, summary: Summary, file: TextIO) -> None:
    """Write a CSV with one row per condition, over all categories and for each of them."""
    writer = None
    for row in rates(store, summary):
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow(as_text_cells(row))


def write_gaps(summary: Summary, file: TextIO) -> None:
    """Write a CSV with one row per comparison of two conditions, only the head without labels."""
    writer = csv.DictWriter(file, GAP_COLUMNS)
    writer.writeheader()
    writer.writerows(map(as_text_cells, gaps(summary)))


def rates(store: Store, summary: Summary) -> Iterator[dict[str, Any]]:
    """Yield counts and rates of each table's conditions; `category` is "" for all categories."""
    ids = condition_ids(store, [*{table.experiment for table in summary.tables}])
    for table in summary.tables:
        parts = [("", table.rows), *((part.name, part.rows) for part in table.categories)]
        for category, rows in parts:
            for row in rows:
                identity = ids[table.experiment, row.condition]
                yield _rates(table, category, row, identity)


def gaps(summary: Summary) -> Iterator[dict[str, Any]]:
    """Yield each comparison of two conditions of each table, gaps in percentage points.

    The limits are those of the comparison's test, which hold for its whole family at once.
    """
    for table in summary.tables:
        for result in table.comparisons:
            gap = result.gap
            marginal = result.sensitivity.marginal if result.sensitivity else gap
            has_limits = gap.pairs >= MIN_PAIRS
            yield {
                "experiment": table.experiment,
                "model": table.setting.name,
                "model_sha256": table.setting.model,
                "temperature": table.setting.temperature,
                "judge": table.judge.name if table.judge else "",
                "policy": str(table.policy),
                "first": gap.first,
                "second": gap.second,
                "role": str(result.test.family.role),
                "points": gap.points,
                "low": result.test.low if has_limits else None,
                "high": result.test.high if has_limits else None,
                "level": result.test.level if has_limits else None,
                "marginal": marginal.points,
                "shared": gap.shared,
                "pairs": gap.pairs,
                "p": gap.p,
                "p_holm": result.adjusted,
                "finding": str(result.finding),
                "sentence": result.sentence,
            }


def _rates(table: Table, category: str, row: RateRow, condition_id: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "experiment": table.experiment,
        "model": table.setting.name,
        "model_sha256": table.setting.model,
        "temperature": table.setting.temperature,
        "judge": table.judge.name if table.judge else "",
        "policy": str(table.policy),
        "category": category,
        "condition": row.condition,
        "condition_id": condition_id,
        **group_columns(table.groups.conditions.get(row.condition)),
        **asdict(row.counts),
        "valid": row.valid,
    }
    by_kind = {"convergence": row.convergence, "refusal": row.refusal, "nonsense": row.nonsense}
    for name, rate in by_kind.items():
        values[f"{name}_rate"] = rate.value
        values[f"{name}_low"] = rate.low
        values[f"{name}_high"] = rate.high
    return values
