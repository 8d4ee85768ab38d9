"""A Summary as plain data for JSON: field by field what its dataclasses say."""

from collections.abc import Sequence
from dataclasses import asdict

from steertui.analysis.comparisons import Comparison, compare_tables
from steertui.analysis.judge_agreement import PairedJudges as Judged
from steertui.analysis.judge_panels import JudgePanel, judge_panels
from steertui.analysis.summary import Summary
from steertui.analysis.table import CategoryGap, GapResult, RateRow, Table
from steertui.paper.comparison import PaperComparison
from steertui.paper.fidelity import PaperDifference
from steertui.paper.item_by_item import ItemByItem
from steertui.stats.gap import label_transitions
from steertui.stats.rate import Rate

Record = dict[str, object]

FORMAT = 3
"""Rises when a field changes its meaning or goes; schema.json beside this file is its schema."""


def of_summary(summary: Summary, paper: Sequence[PaperComparison] = ()) -> Record:
    """Return the whole summary; rates and limits are proportions, gaps percentage points."""
    return {
        "format": FORMAT,
        "experiments": list(summary.experiments),
        "notices": list(summary.notices),
        "tables": [of_table(table) for table in summary.tables],
        "contrasts": [_of_contrast(contrast) for contrast in compare_tables(summary)],
        "judges": [_of_bench(bench) for bench in judge_panels(summary)],
        "paper": [_of_beside(beside) for beside in paper],
    }


def of_table(table: Table) -> Record:
    """Return one table: its arm, judge, policy, rows, comparisons and warnings."""
    limits = table.over_categories
    return {
        "experiment": table.experiment,
        "model": table.setting.name,
        "model_sha256": table.setting.model,
        "temperature": table.setting.temperature,
        "judge": table.judge.name if table.judge else None,
        "judge_id": table.judge.id if table.judge else None,
        "policy": str(table.policy),
        "is_stand_in": table.is_stand_in,
        "rows": [_of_row(row) for row in table.rows],
        "comparisons": [of_comparison(c) for c in table.comparisons],
        "over_categories": list(limits) if limits else None,
        "categories": [_of_category(category) for category in table.categories],
        "transitions": [
            {"first": c.gap.first, "second": c.gap.second, "counts": moved}
            for c in table.comparisons
            if (moved := label_transitions(table.outcomes, c.gap.first, c.gap.second))
        ],
        "warnings": list(table.warnings),
    }


def _of_row(row: RateRow) -> Record:
    ledger = row.counts
    more = {"waiting": ledger.pending, "unread": ledger.unjudged, "valid": ledger.valid}
    return {
        "condition": row.condition,
        "counts": asdict(ledger) | more,
        "convergence": _of_rate(row.convergence),
        "refusal": _of_rate(row.refusal),
        "nonsense": _of_rate(row.nonsense),
    }


def _of_rate(rate: Rate) -> Record:
    return {"value": rate.value, **asdict(rate)}


def of_comparison(comparison: GapResult) -> Record:
    """Return a gap's numbers, its p after Holm, and its sentence."""
    said = {"p_holm": comparison.adjusted, "sentence": comparison.sentence}
    return {**asdict(comparison.gap), **said}


def _of_category(category: CategoryGap) -> Record:
    gap = of_comparison(category.comparison) if category.comparison else None
    return {"name": category.name, "rows": [_of_row(r) for r in category.rows], "gap": gap}


def _of_contrast(contrast: Comparison) -> Record:
    lines = [{"what": line.what, **of_comparison(line.comparison)} for line in contrast.lines]
    return {"title": contrast.title, "lines": lines}


def _of_bench(bench: JudgePanel) -> Record:
    found = bench.agreement
    return {
        "experiment": bench.experiment,
        "model": bench.setting.name,
        "model_sha256": bench.setting.model,
        "temperature": bench.setting.temperature,
        "judges": [reader.name for reader in found.judges],
        "alpha": found.alpha,
        "alpha_by_condition": dict(found.alpha_by_condition),
        "pairs": [_of_judged(pair) for pair in found.comparisons],
    }


def _of_judged(pair: Judged) -> Record:
    labels = {
        str(label): {"precision": seen.precision, "recall": seen.recall}
        for label, seen in pair.labels.items()
    }
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "agreement": asdict(pair.overall),
        "by_condition": {name: asdict(found) for name, found in pair.by_condition.items()},
        "confusion": pair.confusion,
        "labels": labels,
        "corrected": {name: asdict(rate) for name, rate in pair.corrected.items()},
        "corrected_gap": list(pair.corrected_gap) if pair.corrected_gap else None,
    }  # fmt: skip


def _of_beside(beside: PaperComparison) -> Record:
    return {
        "table": beside.table,
        "model": beside.model,
        "setup": list(beside.setup),
        "sentences": list(beside.sentences),
        "deviations": [_of_deviation(found) for found in beside.differences],
        "items": [_of_items(found) for found in beside.items],
    }


def _of_deviation(found: PaperDifference) -> Record:
    test = found.paired
    moved = ("pairs", "only_first", "only_second", "p")
    numbers = ("what", "run", "paper", "points", "low", "high")
    return {
        **{name: getattr(found, name) for name in numbers},
        "standing": str(found.standing),
        "paired": {n: getattr(test, n) for n in moved} | {"p_holm": found.adjusted}
        if test else None,
    }  # fmt: skip


def _of_items(found: ItemByItem) -> Record:
    return {
        "condition": found.condition,
        "scenarios": found.scenarios,
        "only_run": found.only_run,
        "only_paper": found.only_paper,
        "agreement": asdict(found.agreement),
        "confusion": found.confusion,
        "differing": [asdict(differing) for differing in found.changed],
    }
