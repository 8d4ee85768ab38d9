"""JSON form of random factors: gaps over wordings, variance splits, pooled gaps."""

from dataclasses import asdict

from steertui.analysis.arms import ArmResult
from steertui.analysis.primary_gaps import PooledGap
from steertui.stats.variance_split import Factor, VarianceSplit

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


def split_record(split: VarianceSplit | None) -> Record | None:
    """Return the variance split of a primary gap; errors are in percentage points."""
    if split is None:
        return None
    return {
        "standard_error": split.standard_error,
        "shares": {str(factor): share for factor, share in split.shares.items()},
        "error_with_twice": {str(factor): split.error_with_twice(factor) for factor in Factor},
    }


def pooled_record(pooled: PooledGap) -> Record:
    """Return a primary comparison over all model settings under one judge."""
    return {
        "experiment": pooled.experiment,
        "judge": pooled.judge,
        "settings": pooled.settings,
        "pairs": pooled.pairs,
        "gap": asdict(pooled.gap),
    }
