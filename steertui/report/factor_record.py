"""JSON form of factors: gaps over wordings, variance splits, pooled gaps, series of models."""

from dataclasses import asdict

from steertui.analysis.arms import ArmResult
from steertui.analysis.model_series import ModelSeries, SizeSlope, series_sentences
from steertui.analysis.primary_gaps import PooledGap
from steertui.analysis.table import Table
from steertui.report.group_record import rate_record, tested_record
from steertui.stats.variance_split import Factor

Record = dict[str, object]


def arm_record(result: ArmResult) -> Record:
    """Return the gap between two arms, percentage points; shares are proportions."""
    gap = result.gap
    return {
        "first": gap.texts.first,
        "second": gap.texts.second,
        "conditions": list(result.conditions),
        "wordings": list(gap.wordings),
        "texts": asdict(gap.texts),
        "over_wordings": list(gap.over) if gap.over else None,
        "spread": list(gap.spread),
        "wording_share": gap.share,
        "sentence": result.sentence,
    }


def split_record(table: Table) -> Record | None:
    """Return the variance split of a primary gap; errors are in percentage points."""
    split = table.split
    if split is None:
        return None
    limits = split.scenario_limits
    return {
        "between": list(table.split_between),
        "scenarios": split.number,
        "standard_error": split.standard_error,
        "shares": {str(factor): share for factor, share in split.shares.items()},
        "scenario_share_limits": list(limits) if limits else None,
        "error_with_twice": {str(factor): split.error_with_twice(factor) for factor in Factor},
    }


def series_record(series: ModelSeries) -> Record:
    """Return models of several sizes or stages; slopes are in points per doubling."""
    return {
        "title": series.title,
        "models": [
            {
                "model": model.table.setting.name,
                "model_sha256": model.table.setting.model,
                "experiment": model.table.experiment,
                "temperature": model.table.setting.temperature,
                "judge": model.table.judge.name if model.table.judge else "",
                "parameters": model.known.parameters or None,
                "family": model.known.family,
                "stage": str(model.known.stage),
                "baseline": rate_record(model.baseline) if model.baseline else None,
                "gap": tested_record(model.primary.gap, model.primary.test),
            }
            for model in series.models
        ],
        "slopes": [_slope_record(slope) for slope in series.slopes],
        "sentences": [*series_sentences(series)],
    }


def _slope_record(found: SizeSlope) -> Record:
    slope = asdict(found.slope) | {"level": found.level} if found.slope else None
    names = {"name": found.name, "models": list(found.models), "what": found.what}
    return names | {"slope": slope, "p_holm": found.p}


def pooled_record(pooled: PooledGap) -> Record:
    """Return a primary comparison over all model settings under one judge."""
    return {
        "experiment": pooled.experiment,
        "judge": pooled.judge,
        "settings": pooled.settings,
        "pairs": pooled.pairs,
        "answers": pooled.answers,
        "gap": asdict(pooled.gap),
        "test_level": pooled.test.level,
        "test_low": pooled.test.low,
        "test_high": pooled.test.high,
        "contested": pooled.contested,
        "rivals": list(pooled.rivals),
    }
