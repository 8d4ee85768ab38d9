"""Gap over the size of the model: the marks, lines and sentences of the scale figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.formatting import MARKS, interval_heading, pair_title
from steertui.analysis.model_series import (
    SeriesModel,
    SizeSlope,
    group_name,
    has_several_sizes,
    models_by_setting,
    parameters_text,
    size_groups,
    size_series,
    where_text,
)
from steertui.analysis.sentences import Finding
from steertui.analysis.summary import Summary
from steertui.stats.significance import SIGNIFICANCE_LEVEL


@dataclass(frozen=True, slots=True)
class ScaleGroup:
    """Models that a line joins, or one model.

    Attributes:
        name: family and stage; "" for one model.
        models: with a known size and a gap, by size.
        slope: percentage points per doubling of the parameters; None unless the test shows it.
    """

    name: str
    models: tuple[SeriesModel, ...]
    slope: float | None = None


@dataclass(frozen=True, slots=True)
class ModelScale:
    """Primary gaps of models of several sizes under one judge at one temperature.

    Attributes:
        title: comparison, temperature and judge.
        groups: families, then single models, each by size.
        notes: what is drawn and what is not, without full stops.
    """

    title: str
    groups: tuple[ScaleGroup, ...]
    notes: tuple[str, ...]

    @property
    def models(self) -> tuple[SeriesModel, ...]:
        """All models that are drawn, in the order of their groups."""
        return tuple(model for group in self.groups for model in group.models)


def model_scales(summary: Summary) -> Iterator[ModelScale]:
    """Yield the scale of each experiment, judge, temperature and primary comparison.

    From all its models that draw a headline, shown or not; left out if fewer than two different
    sizes are known, or if none of its models is shown. All of it is exploratory.
    """
    for models in models_by_setting(summary):
        slopes = [slope for series in size_series(models) for slope in series.slopes]
        for pair in dict.fromkeys(pair_title(model.primary) for model in models):
            own = [model for model in models if pair_title(model.primary) == pair]
            scale = _scale(pair, own, [slope for slope in slopes if slope.what == pair])
            if has_several_sizes(scale.models) and any(summary.shows(m.table) for m in own):
                yield scale


def _scale(pair: str, models: Sequence[SeriesModel], slopes: Sequence[SizeSlope]) -> ModelScale:
    drawn = [m for m in models if m.known.parameters and m.primary.gap.points is not None]
    shown = {s.name: s.slope.points for s in slopes if s.slope and _is_shown(s)}
    groups = [
        ScaleGroup(name, tuple(own), shown.get(name))
        for key, own in size_groups(drawn).items()
        for name in [group_name(*key)]
    ]
    joined = {id(model) for group in groups for model in group.models}
    single = sorted(
        (model for model in drawn if id(model) not in joined), key=lambda m: m.known.parameters
    )
    groups += [ScaleGroup("", (model,)) for model in single]
    return ModelScale(
        title=f"Gap {pair} by size of the model{where_text(models)}",
        groups=tuple(groups),
        notes=(*_drawn_notes(groups, slopes), *_model_notes(models)),
    )


def _is_shown(slope: SizeSlope) -> bool:
    return slope.p is not None and slope.p <= SIGNIFICANCE_LEVEL


def _drawn_notes(groups: Sequence[ScaleGroup], slopes: Sequence[SizeSlope]) -> Iterator[str]:
    """Yield the meaning of whiskers and lines."""
    results = [model.primary for group in groups for model in group.models]
    yield f"Whiskers: the {interval_heading(results)} of each gap"
    names = [group.name for group in groups if group.name]
    if names:
        yield f"Solid lines join models of one family and training stage ({', '.join(names)})"
    for group in groups:
        if group.slope is not None:
            yield (
                f"Dashed line: slope of {group.name}, {group.slope:+.1f} points per doubling of "
                "the parameters (exploratory), through the mean of its marks"
            )
    if slopes and all(group.slope is None for group in groups):
        yield "No slope is drawn, since no slope of one family is shown"
    if any(result.finding is Finding.CONTESTED for result in results):
        yield f"{MARKS[Finding.CONTESTED]} no finding, because judges differ"


def _model_notes(models: Sequence[SeriesModel]) -> Iterator[str]:
    """Yield what holds for single models: mixtures, missing intervals, models not drawn."""
    for model in models:
        name, known = model.table.setting.name, model.known
        if not known.parameters:
            yield f"{name} is not drawn: its number of parameters is unknown"
        elif model.primary.gap.points is None:
            yield f"{name} is not drawn: its gap cannot be computed"
        elif known.active:
            yield (
                f"{name} is a mixture of experts: {parameters_text(known.active)} of its "
                f"{parameters_text(known.parameters)} parameters are active per token; the axis "
                "shows all of them"
            )
