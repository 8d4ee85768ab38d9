"""A Summary as plain data for JSON: field by field what its dataclasses say."""

from dataclasses import asdict

from steertui.rate import Rate
from steertui.report.summary import Comparison, Row, Summary, Table

Record = dict[str, object]


def of_summary(summary: Summary) -> Record:
    """Return the whole summary; rates and limits are proportions, gaps percentage points."""
    return {
        "experiment": summary.experiment,
        "notices": list(summary.notices),
        "tables": [of_table(table) for table in summary.tables],
    }


def of_table(table: Table) -> Record:
    """Return one table: its arm, judge, policy, rows, comparisons and warnings."""
    return {
        "model": table.arm.name,
        "model_sha256": table.arm.model,
        "temperature": table.arm.temperature,
        "judge": table.judge.name if table.judge else None,
        "judge_id": table.judge.id if table.judge else None,
        "policy": str(table.policy),
        "is_stand_in": table.is_stand_in,
        "rows": [_of_row(row) for row in table.rows],
        "comparisons": [_of_comparison(c) for c in table.comparisons],
        "warnings": list(table.warnings),
    }


def _of_row(row: Row) -> Record:
    return {
        "condition": row.condition,
        "counts": {**asdict(row.ledger), "valid": row.ledger.valid},
        "convergence": _of_rate(row.convergence),
        "refusal": _of_rate(row.refusal),
        "nonsense": _of_rate(row.nonsense),
    }


def _of_rate(rate: Rate) -> Record:
    return {"value": rate.value, **asdict(rate)}


def _of_comparison(comparison: Comparison) -> Record:
    said = {"p_holm": comparison.adjusted, "sentence": comparison.sentence}
    return {**asdict(comparison.gap), **said}
