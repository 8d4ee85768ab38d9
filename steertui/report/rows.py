"""Trials and rates as rows: CSV for spreadsheets and R, Parquet for data frames.

A text cell of a CSV that starts with one of `FORMULA` gets an apostrophe in front, since a
spreadsheet would compute it as a formula (OWASP, CSV injection). A reader that removes one
leading apostrophe from every text cell has the text as it is stored.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from steertui.analysis.summary import Summary
from steertui.analysis.table import RateRow, Table
from steertui.errors import ExperimentError
from steertui.output_files import output
from steertui.paper.comparison import PaperComparison
from steertui.store import Store

BATCH = 5_000

FORMULA = tuple("=+-@\t\r\n'＝＋－＠")
"""Characters that open a formula in some spreadsheet, and the apostrophe that marks them."""

TYPES = {
    "experiment": "string", "key": "string", "model_sha256": "string", "model": "string",
    "scenario": "string", "category": "string", "condition": "string", "temperature": "double",
    "sample": "int64", "judge": "string", "label": "string", "failure": "string",
    "p_convergence": "double", "paper_label": "string", "reason": "string", "answer": "string",
    "reasoning": "string", "stop": "string", "tokens": "int64", "prompt": "string",
}  # fmt: skip
"""Columns of a trial's row, and their types in Parquet. `paper_label` is what the paper's judge
said of its own model's answer to the same task under the same condition, where that is imported."""

Paper = Sequence[PaperComparison]


def write_trials(store: Store, summary: Summary, paper: Paper, file: TextIO) -> None:
    """Write a CSV with a row a trial and judge, unread and unanswered ones included."""
    writer = csv.DictWriter(file, list(TYPES))
    writer.writeheader()
    writer.writerows(map(without_formulas, trials(store, summary, paper)))


def write_parquet(store: Store, summary: Summary, paper: Paper, path: Path) -> list[Path]:
    """Write the same rows as Parquet; raises ExperimentError where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ExperimentError(
            "--format parquet needs pyarrow; install it with: pip install 'steertui[parquet]'"
        ) from None
    schema = pyarrow.schema([(name, getattr(pyarrow, kind.replace("double", "float64"))())
                             for name, kind in TYPES.items()])  # fmt: skip
    rows = trials(store, summary, paper)
    with (
        output(path, "parquet", [store.path]) as file,
        parquet.ParquetWriter(file, schema) as writer,
    ):
        while batch := list(islice(rows, BATCH)):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))
    return [path]


def trials(store: Store, summary: Summary, paper: Paper) -> Iterator[dict[str, Any]]:
    """Yield a row a trial and judge of every table, in planned order."""
    sql = """SELECT e.experiment, t.key, t.model AS model_sha256, m.name AS model,
            s.name AS scenario, s.category, c.name AS condition, t.temperature, t.sample,
            ? AS judge, v.label, v.failure, v.p_convergence, NULL AS paper_label, v.reason,
            g.answer, g.reasoning, g.stop, g.tokens, p.text AS prompt
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN prompts AS p ON p.sha256 = t.prompt
        LEFT JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?
            AND c.name IN (SELECT value FROM json_each(?))
        ORDER BY e.place"""
    known = {beside.table: beside.original.items for beside in paper if beside.original}
    for place, table in enumerate(summary.tables):
        judge, arm = table.judge.id if table.judge else None, table.setting
        conditions = json_list(table.conditions)
        given = [judge, judge, table.experiment, arm.model, arm.temperature, conditions]
        items = known.get(place, {})
        for row in store.stream(sql, given):
            row["paper_label"] = items.get((row["condition"], row["scenario"]))
            yield row


def without_formulas(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose text cells no spreadsheet takes for formulas; numbers stay numbers."""
    return {
        name: f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
        for name, value in row.items()
    }


def write_rates(summary: Summary, file: TextIO) -> None:
    """Write a CSV with a row for every condition, over all and by category."""
    writer = None
    for row in rates(summary):
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow(without_formulas(row))


def rates(summary: Summary) -> Iterator[dict[str, Any]]:
    """Yield counts and rates of each table's conditions; `category` is "" over all of them."""
    for table in summary.tables:
        for row in table.rows:
            yield _rates(table, "", row)
        for category in table.categories:
            for row in category.rows:
                yield _rates(table, category.name, row)


def _rates(table: Table, category: str, row: RateRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "experiment": table.experiment,
        "model": table.setting.name,
        "model_sha256": table.setting.model,
        "temperature": table.setting.temperature,
        "judge": table.judge.name if table.judge else "",
        "policy": str(table.policy),
        "category": category,
        "condition": row.condition,
        **asdict(row.counts),
        "valid": row.counts.valid,
    }
    kinds = ("convergence", row.convergence), ("refusal", row.refusal), ("nonsense", row.nonsense)
    for name, rate in kinds:
        limits = {"low": rate.low, "high": rate.high}
        found[f"{name}_rate"] = rate.value
        found |= {f"{name}_{end}": limit for end, limit in limits.items()}
    return found


def json_list(values: Sequence[str]) -> str:
    """Return the values as SQLite's json_each reads them."""
    import json

    return json.dumps(list(values))
