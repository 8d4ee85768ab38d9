"""JSON form of a report, field by field as in its dataclasses."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isinf

from steertui.analysis.comparisons import Comparison, ComparisonLine, compare_tables
from steertui.analysis.declaration import Declaration, declaration_sentences
from steertui.analysis.judge_agreement import PairedJudges
from steertui.analysis.judge_panels import JudgePanel, judge_panels
from steertui.analysis.judge_worth import JudgeWorth
from steertui.analysis.model_series import model_series
from steertui.analysis.primary_gaps import pooled_gaps
from steertui.analysis.sentences import GapResult
from steertui.analysis.summary import Summary
from steertui.analysis.table import CategoryGap, RateRow, Table
from steertui.paper.comparison import PaperComparison
from steertui.paper.fidelity import PaperDifference
from steertui.paper.item_by_item import ItemByItem
from steertui.paper.limits import report_limits
from steertui.report.factor_record import (
    arm_record,
    pooled_record,
    series_record,
    split_record,
)
from steertui.report.group_record import (
    axis_record,
    contest_record,
    rate_record,
    refusals_record,
    sensitivity_record,
)
from steertui.stats.gap import label_transitions

Record = dict[str, object]

FORMAT = 5
"""Version of the form, raised if a field changes its meaning or is removed (see schema.json)."""


def summary_record(summary: Summary, paper: Sequence[PaperComparison] = ()) -> Record:
    """Return the report of a summary; rates are proportions, gaps are in percentage points."""
    return {
        "format": FORMAT,
        "experiments": list(summary.experiments),
        "notices": list(summary.notices),
        "limits": report_limits(summary),
        "declarations": [*map(_declaration_record, summary.declarations)],
        "tables": [table_record(table) for table in summary.tables],
        "comparisons": [_comparison_record(comparison) for comparison in compare_tables(summary)],
        "pooled": [pooled_record(pooled) for pooled in pooled_gaps(summary.complete)],
        "series": [series_record(series) for series in model_series(summary)],
        "judges": [_panel_record(panel) for panel in judge_panels(summary)],
        "paper": [_paper_record(comparison) for comparison in paper],
    }


def _declaration_record(declaration: Declaration) -> Record:
    comparisons = declaration.comparisons
    return {
        "experiment": declaration.experiment,
        "primary": list(comparisons.primary) if comparisons.primary else None,
        "secondary": [list(pair) for pair in comparisons.secondary],
        "margin": comparisons.margin,
        "is_default": declaration.is_default,
        "planned_at": declaration.planned_at,
        "digest": declaration.digest,
        "answers_before": declaration.answers_before,
        "sentences": declaration_sentences(declaration),
    }


def table_record(table: Table) -> Record:
    """Return a table: its setting, judge, policy, rows, comparisons and warnings."""
    interval = table.over_categories
    return {
        "experiment": table.experiment,
        "model": table.setting.name,
        "model_sha256": table.setting.model,
        "temperature": table.setting.temperature,
        "judge": table.judge.name if table.judge else None,
        "judge_id": table.judge.id if table.judge else None,
        "judge_sentence": table.judge_sentence,
        "judge_worth": worth_record(table.worth) if table.worth else None,
        "policy": str(table.policy),
        "is_stand_in": table.is_stand_in,
        "rows": [_row_record(row) for row in table.rows],
        "comparisons": [_gap_record(c) for c in table.comparisons],
        "primary_p_over_settings": table.primary_over_settings,
        "over_categories": [interval.low, interval.high] if interval else None,
        "categories": [_category_record(category) for category in table.categories],
        "transitions": [
            {"first": c.gap.first, "second": c.gap.second, "counts": counts}
            for c in table.comparisons
            if (counts := label_transitions(table.outcomes, c.gap.first, c.gap.second))
        ],
        "arms": [arm_record(arm) for arm in table.arms],
        "variance": split_record(table),
        "axes": [axis_record(axis, table.groups) for axis in table.groups.axes],
        "contests": [contest_record(each, table.groups) for each in table.groups.contests],
        "over_refusals": [refusals_record(result) for result in table.groups.refusals],
        "warnings": [
            {"kind": str(w.kind), "text": w.text, "conditions": list(w.conditions)}
            for w in table.warnings
        ],
    }


def worth_record(worth: JudgeWorth) -> Record:
    """Return what a judge is worth on the control set; shares are proportions."""
    arm = worth.arm
    return {
        "standing": str(worth.standing),
        "draws_headline": worth.draws_headline,
        "answers": worth.answers,
        "agreement": asdict(worth.pair.overall),
        "by_condition": {name: asdict(a) for name, a in worth.pair.by_condition.items()},
        "confusion": worth.pair.confusion,
        "arm_points": arm.points if arm else None,
        "arm_p": arm.p if arm else None,
        "rereads": worth.rereads,
        "changed": worth.changed,
    }


def _row_record(row: RateRow) -> Record:
    counts = row.counts
    derived = {"pending": counts.pending, "unjudged": counts.unjudged, "valid": row.valid}
    return {
        "condition": row.condition,
        "counts": asdict(counts) | derived,
        "convergence": rate_record(row.convergence),
        "refusal": rate_record(row.refusal),
        "nonsense": rate_record(row.nonsense),
    }


def _gap_record(result: GapResult) -> Record:
    test = result.test
    return {
        **asdict(result.gap),
        "p_holm": result.adjusted,
        "role": str(test.family.role),
        "tests": test.family.tests,
        "test_level": test.level,
        "test_low": test.low,
        "test_high": test.high,
        "finding": str(result.finding),
        "statement": result.statement,
        "sentence": result.sentence,
        "equivalence": _equivalence_record(result),
        "sensitivity": _sensitivity_record(result),
        "odds_ratio": _odds_ratio_record(result),
    }


def _equivalence_record(result: GapResult) -> Record | None:
    test = result.equivalence
    return {"margin": test.margin, "p": test.p, "is_shown": test.is_shown} if test else None


def _sensitivity_record(result: GapResult) -> Record | None:
    """Return the gap under other choices, percentage points; None for comparisons of tables."""
    return sensitivity_record(result.sensitivity) if result.sensitivity else None


def _odds_ratio_record(result: GapResult) -> list[float | None] | None:
    """Return the matched odds ratio with its limits; None in place of infinity."""
    if result.odds_ratio is None:
        return None
    return [None if isinf(value) else value for value in result.odds_ratio]


def _category_record(category: CategoryGap) -> Record:
    gap = _gap_record(category.comparison) if category.comparison else None
    posterior = category.posterior
    return {
        "name": category.name,
        "rows": [_row_record(r) for r in category.rows],
        "gap": gap,
        "above_zero": posterior.above_zero if posterior else None,
        "posterior": list(posterior.gap) if posterior else None,
    }


def _comparison_record(comparison: Comparison) -> Record:
    return {"title": comparison.title, "lines": [*map(comparison_line_record, comparison.lines)]}


def comparison_line_record(line: ComparisonLine) -> Record:
    """Return one comparison; differences in percentage points."""
    return {"what": line.what, **_gap_record(line.comparison)}


def _panel_record(panel: JudgePanel) -> Record:
    agreement = panel.agreement
    return {
        "experiment": panel.experiment,
        "model": panel.setting.name,
        "model_sha256": panel.setting.model,
        "temperature": panel.setting.temperature,
        "judges": [judge.name for judge in agreement.judges],
        "alpha": agreement.alpha,
        "alpha_by_condition": dict(agreement.alpha_by_condition),
        "pairs": [_pair_record(pair) for pair in agreement.comparisons],
    }


def _pair_record(pair: PairedJudges) -> Record:
    labels = {
        str(label): {"precision": counts.precision, "recall": counts.recall}
        for label, counts in pair.labels.items()
    }
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "agreement": asdict(pair.overall),
        "by_condition": {name: asdict(found) for name, found in pair.by_condition.items()},
        "confusion": pair.confusion,
        "labels": labels,
        **_correction_record(pair),
    }


def _correction_record(pair: PairedJudges) -> Record:
    """Return the corrected rates and gap of the panel's model setting."""
    own = next(iter(pair.corrections), None)
    return {
        "corrected": {name: asdict(rate) for name, rate in own.rates.items()} if own else {},
        "corrected_gap": list(own.gap) if own and own.gap else None,
        "corrected_gap_missing": own.missing_gap if own else "",
    }


def _paper_record(comparison: PaperComparison) -> Record:
    return {
        "table": comparison.table,
        "model": comparison.model,
        "setup": list(comparison.setup),
        "sentences": list(comparison.sentences),
        "differences": [_difference_record(d) for d in comparison.differences],
        "items": [_items_record(items) for items in comparison.items],
    }


def _difference_record(difference: PaperDifference) -> Record:
    fields = ("what", "run", "paper", "points", "low", "high")
    paired = None
    if difference.paired and difference.test:
        names = ("pairs", "only_first", "only_second", "p")
        paired = {name: getattr(difference.paired.gap, name) for name in names}
        paired["p_holm"] = difference.test.p
    return {
        **{name: getattr(difference, name) for name in fields},
        "standing": str(difference.standing),
        "paired": paired,
    }


def _items_record(items: ItemByItem) -> Record:
    return {
        "condition": items.condition,
        "scenarios": items.scenarios,
        "only_run": items.only_run,
        "only_paper": items.only_paper,
        "agreement": asdict(items.agreement),
        "confusion": items.confusion,
        "differing": [asdict(changed) for changed in items.changed],
    }
