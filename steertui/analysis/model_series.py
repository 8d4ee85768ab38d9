"""Models of several sizes, and stages of one training: rates, gaps, slopes over size."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.formatting import (
    comparison_legend,
    gap_columns,
    interval_heading,
    marked,
    rate_interval,
    rate_percent,
)
from steertui.analysis.interval_text import interval_words
from steertui.analysis.known_models import KnownModel, Stage, known_model
from steertui.analysis.sentences import GapResult, p_text
from steertui.analysis.stand_ins import without_stand_ins
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.declared_analysis import BASELINE
from steertui.stats.families import UNTESTED, FamilyTest
from steertui.stats.rate import Rate
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm, normal_quantile
from steertui.stats.simultaneous import simultaneous_level
from steertui.stats.slope import Slope, gap_slope, rate_slope
from steertui.units import quantity


@dataclass(frozen=True, slots=True)
class SeriesModel:
    """One model of a series.

    Attributes:
        table: its results under one judge.
        known: size, family and stage.
        primary: its primary comparison.
        baseline: convergence rate of the baseline; None without one.
    """

    table: Table
    known: KnownModel
    primary: GapResult
    baseline: Rate | None


@dataclass(frozen=True, slots=True)
class SizeSlope:
    """Change with the binary logarithm of the number of parameters.

    Attributes:
        name: of the models: family and stage, or that several of them are pooled.
        models: names, by size.
        what: the comparison such as "pro − anti", or the baseline.
        slope: percentage points per doubling, with limits at `level`; None with too few shared
            scenarios.
        p: p value after Holm over the slopes of `what`; None without a slope.
        level: confidence level of the limits; those of all slopes of `what` hold at once with 95 %.
    """

    name: str
    models: tuple[str, ...]
    what: str
    slope: Slope | None
    p: float | None
    level: float


@dataclass(frozen=True, slots=True)
class ModelSeries:
    """Models under one judge at one temperature, in order.

    Attributes:
        title: what they are.
        models: by family, stage and size, or by stage.
        slopes: over sizes; empty for stages.
    """

    title: str
    models: tuple[SeriesModel, ...]
    slopes: tuple[SizeSlope, ...] = ()


def model_series(summary: Summary) -> Iterator[ModelSeries]:
    """Yield the sizes, then the stages, of each experiment, judge and temperature.

    From all its models that draw a headline, shown or not; a series is left out if none of its
    models is shown. All of it is exploratory.
    """
    for models in models_by_setting(summary):
        for series in (*size_series(models), *_stages(models)):
            if any(summary.shows(model.table) for model in series.models):
                yield series


def models_by_setting(summary: Summary) -> Iterator[list[SeriesModel]]:
    """Yield the models that draw a headline, by experiment, judge and temperature.

    The demo model is left out beside real ones.
    """
    groups: dict[Hashable, list[SeriesModel]] = {}
    for table in summary.complete:
        if table.judge and table.primary and table.draws_headline:
            key = table.experiment, table.judge.id, table.setting.temperature
            groups.setdefault(key, []).append(_series_model(table, table.primary, summary))
    for models in groups.values():
        real = {table.key for table in without_stand_ins(model.table for model in models)}
        yield [model for model in models if model.table.key in real]


def _series_model(table: Table, primary: GapResult, summary: Summary) -> SeriesModel:
    known = known_model(table.setting, summary.weights.get(table.setting.model))
    rates = {row.condition: row.convergence for row in table.rows}
    return SeriesModel(table, known, primary, rates.get(BASELINE))


def size_series(models: Sequence[SeriesModel]) -> Iterator[ModelSeries]:
    """Yield the series of sizes, if a family has a stage with several sizes."""
    several = size_groups(models)
    if not several:
        return
    pairs = {(m.primary.gap.first, m.primary.gap.second) for own in several.values() for m in own}
    shown = [model for own in several.values() for model in own]
    slopes = tuple(_slopes(several, pairs.pop())) if len(pairs) == 1 else ()
    yield ModelSeries(f"Models by size{where_text(shown)}", tuple(shown), slopes)


def size_groups(models: Sequence[SeriesModel]) -> dict[tuple[str, Stage], list[SeriesModel]]:
    """Return the models of each family and stage with several sizes, by size."""
    groups: dict[tuple[str, Stage], list[SeriesModel]] = {}
    for model in sorted(models, key=_parameters):
        if model.known.parameters and model.known.family:
            key = model.known.family, model.known.stage
            groups.setdefault(key, []).append(model)
    return {key: own for key, own in sorted(groups.items()) if has_several_sizes(own)}


def has_several_sizes(models: Sequence[SeriesModel]) -> bool:
    """Whether the models have different numbers of parameters."""
    return len({model.known.parameters for model in models}) > 1


def _parameters(model: SeriesModel) -> int:
    return model.known.parameters


def _slopes(
    groups: Mapping[tuple[str, Stage], Sequence[SeriesModel]], pair: tuple[str, str]
) -> Iterator[SizeSlope]:
    """Yield the slopes of the gap, then those of the baseline: of each group, and pooled."""
    sets = {group_name(*key): [*own] for key, own in sorted(groups.items())}
    if len(sets) > 1:
        pooled = [model for own in sets.values() for model in own]
        sets[f"All {len(sets)} groups together, each with a level of its own"] = pooled
    z = normal_quantile(simultaneous_level(len(sets)))
    gaps = {name: _gap_slope(own, pair, z) for name, own in sets.items()}
    yield from _size_slopes(sets, gaps, " − ".join(pair))
    if all(model.baseline for own in sets.values() for model in own):
        rates = {name: _baseline_slope(own, z) for name, own in sets.items()}
        yield from _size_slopes(sets, rates, f"the rate of {BASELINE}")


def group_name(family: str, stage: Stage) -> str:
    """Return family and stage in words."""
    return family if stage is Stage.UNKNOWN else f"{family} {stage}"


def _gap_slope(models: Sequence[SeriesModel], pair: tuple[str, str], z: float) -> Slope | None:
    counts = [convergence_counts(model.table.outcomes, model.table.policy) for model in models]
    gaps = [(own.get(pair[0], {}), own.get(pair[1], {})) for own in counts]
    return gap_slope(_positions(models), gaps, _groups(models), z)


def _baseline_slope(models: Sequence[SeriesModel], z: float) -> Slope | None:
    counts = [convergence_counts(model.table.outcomes, model.table.policy) for model in models]
    rates = [own.get(BASELINE, {}) for own in counts]
    return rate_slope(_positions(models), rates, _groups(models), z)


def _positions(models: Sequence[SeriesModel]) -> list[float]:
    """Return binary logarithms of the numbers of parameters, to 0.01."""
    return [round(log2(model.known.parameters), 2) for model in models]


def _groups(models: Sequence[SeriesModel]) -> list[Hashable]:
    return [(model.known.family, model.known.stage) for model in models]


def _size_slopes(
    sets: Mapping[str, Sequence[SeriesModel]], slopes: Mapping[str, Slope | None], what: str
) -> Iterator[SizeSlope]:
    adjusted = holm([slope.p if slope else 1.0 for slope in slopes.values()])
    level = 1 - simultaneous_level(len(slopes))
    for (name, slope), p in zip(slopes.items(), adjusted, strict=True):
        models = tuple(model.table.setting.name for model in sets[name])
        agreeing = slope.agreeing(p) if slope else None
        yield SizeSlope(name, models, what, agreeing, p=p if slope else None, level=level)


def _stages(models: Sequence[SeriesModel]) -> Iterator[ModelSeries]:
    """Yield the stages of each training that has several."""
    by_stem: dict[str, list[SeriesModel]] = {}
    for model in models:
        by_stem.setdefault(model.known.stem, []).append(model)
    for stem, own in by_stem.items():
        if len({model.known.stage for model in own}) > 1:
            ordered = sorted(own, key=lambda model: model.known.stage.rank)
            yield ModelSeries(
                f"Base and post-trained versions of {stem}{where_text(ordered)}", tuple(ordered)
            )


def where_text(models: Sequence[SeriesModel]) -> str:
    """Return ", temperature 0, judged by NAME"."""
    table = models[0].table
    judge = table.judge.name if table.judge else ""
    return f", temperature {table.setting.temperature:g}, judged by {judge}"


# Text, the same in every report format

SERIES_COLUMNS = (
    "training",
    "parameters",
    "baseline",
    "95 % interval",
    "points",
    "interval",
    "pairs",
)
"""Headings of `series_rows`, after the model; rates in per cent."""


def series_rows(series: ModelSeries) -> Iterator[tuple[str, ...]]:
    """Yield the row of each model."""
    for model in series.models:
        points, interval, _ = gap_columns(model.primary)
        baseline = model.baseline
        yield (
            marked(model.primary, model.table.setting.name),
            str(model.known.stage),
            parameters_text(model.known.parameters),
            rate_percent(baseline) if baseline else "–",
            rate_interval(baseline) if baseline else "",
            points,
            interval,
            str(model.primary.gap.pairs),
        )


def parameters_text(parameters: int) -> str:
    """Return a number of parameters such as "4.02 B" or "135 M", "–" if it is unknown."""
    if not parameters:
        return "–"
    billions = parameters / 1e9
    return f"{billions:.3g} B" if billions >= 1 else f"{1000 * billions:.3g} M"


def series_notes(series: ModelSeries) -> Iterator[str]:
    """Yield the legend of `series_rows`, then `series_sentences`, without full stops."""
    yield from series_legend(series)
    yield from series_sentences(series)


def series_legend(series: ModelSeries) -> Iterator[str]:
    """Yield what the marks and columns of `series_rows` mean, without full stops."""
    results = [model.primary for model in series.models]
    yield comparison_legend(results)
    yield f"Points: the primary comparison of each model, with its {interval_heading(results)}"


def series_sentences(series: ModelSeries) -> Iterator[str]:
    """Yield what the slopes show, or where stages are compared, without full stops."""
    if not series.slopes:
        yield "The differences between models are tested in the detailed report, Models compared"
    yield from slope_sentences(series)


def slope_sentences(series: ModelSeries) -> Iterator[str]:
    """Yield what the slopes over size show, without full stops."""
    yield from map(_slope_sentence, series.slopes)


def _slope_sentence(found: SizeSlope) -> str:
    slope = found.slope
    names = f"{found.name} ({quantity(len(found.models), 'model')})"
    if slope is None or found.p is None:
        return f"{names}: no slope of {found.what}, since too few scenarios are valid for all"
    test = FamilyTest(UNTESTED, found.p, found.level, slope.low, slope.high)
    size = (
        f"{slope.points:+.1f} points per doubling of the parameters ({interval_words(test)}; "
        "exact randomisation test over "
        f"{quantity(slope.scenarios, 'scenario')}, {p_text(found.p)}{_holm(found)}; exploratory)"
    )
    if found.p > SIGNIFICANCE_LEVEL:
        return f"{names}: no slope of {found.what} over size is shown: {size}"
    verb = "rises" if slope.points > 0 else "falls"
    return f"{names}: {found.what} {verb} with size: {size}"


def _holm(found: SizeSlope) -> str:
    tests = round(SIGNIFICANCE_LEVEL / (1 - found.level))
    return f" after Holm over {tests} slopes" if tests > 1 else ""
