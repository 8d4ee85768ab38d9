"""Judge panels: table rows and sentences on the agreement of judges, for every report format."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from steertui.analysis.comparisons import judged_by_several
from steertui.analysis.corrections import Correction
from steertui.analysis.declaration import pair_text
from steertui.analysis.formatting import kappa_columns, percentage
from steertui.analysis.judge_agreement import (
    JudgeAgreement,
    PairedJudges,
    judge_agreement,
    labelled_outcomes,
    references_first,
)
from steertui.analysis.summary import Selection, Summary
from steertui.core.verdict import Label
from steertui.stats.agreement import Agreement
from steertui.stats.misclassification import CorrectedRate
from steertui.store import JudgeInfo, ModelSetting

V = TypeVar("V")

JUDGE_COLUMNS = ("both", "equal", "percent", "95 % interval", "kappa", "95 % interval")
"""Column headings of `agreement_rows`, after the condition."""

CORRECTED_COLUMNS = ("as judged", "corrected", "95 % interval", "checked")
"""Column headings of `corrected_rows`, after the condition."""

CORRECTION_CAVEAT = (
    "Corrected rates use those checked answers that were drawn at random from this judge's labels, "
    "or that are all of a model's answers with one label under one condition; the intervals "
    "include the uncertainty of the judge's error rates and keep the answers to a scenario together"
)


@dataclass(frozen=True, slots=True)
class JudgePanel:
    """The judges that labelled the answers of one model setting."""

    experiment: str
    setting: ModelSetting
    agreement: JudgeAgreement
    tag: str = ""

    @property
    def title(self) -> str:
        """Model, temperature and tag."""
        tag = f", {self.tag}" if self.tag else ""
        return f"{self.setting.name}, temperature {self.setting.temperature:g}{tag}"


def judge_panels(summary: Summary) -> tuple[JudgePanel, ...]:
    """Return a panel for each shown model setting that several judges labelled, references first.

    Numbers are those of all judges and conditions; only the shown pairs and conditions are listed.
    """
    panels = []
    primary = {d.experiment: d.comparisons.primary for d in summary.declarations}
    for tables in judged_by_several(summary):
        shown = {t.judge for t in tables if summary.shows(t)}
        if len(shown) < 2:
            continue
        labels = {t.judge: labelled_outcomes([(t.setting, t.outcomes)]) for t in tables if t.judge}
        ranked = [(judge, labels[judge]) for judge in references_first(labels)]
        experiment = tables[0].experiment
        agreement = judge_agreement(ranked, primary.get(experiment))
        panel = JudgePanel(
            experiment=experiment,
            setting=tables[0].setting,
            agreement=_only(agreement, shown, summary.selection),
            tag=next((t.tag for t in tables if t.tag), ""),
        )
        panels.append(panel)
    return tuple(panels)


def _only(
    agreement: JudgeAgreement, judges: Collection[JudgeInfo | None], selection: Selection
) -> JudgeAgreement:
    """Return the agreement with the shown pairs of judges and conditions alone."""
    return replace(
        agreement,
        comparisons=tuple(
            replace(
                pair,
                by_condition=_shown(pair.by_condition, selection),
                corrections=tuple(
                    replace(own, rates=_shown(own.rates, selection)) for own in pair.corrections
                ),
            )
            for pair in agreement.comparisons
            if {pair.first, pair.second} <= {*judges}
        ),
        alpha_by_condition=_shown(agreement.alpha_by_condition, selection),
    )


def _shown(by_condition: Mapping[str, V], selection: Selection) -> dict[str, V]:
    return {name: value for name, value in by_condition.items() if selection.shows((name,))}


def alpha_sentence(agreement: JudgeAgreement) -> str:
    """Return a sentence on Krippendorff's alpha, overall and by condition, without a full stop."""
    by_condition = ", ".join(
        f"{name} {_alpha_text(alpha)}" for name, alpha in agreement.alpha_by_condition.items()
    )
    details = f" ({by_condition})" if len(agreement.alpha_by_condition) > 1 else ""
    judges = len(agreement.judges)
    return f"Krippendorff's alpha over {judges} judges: {_alpha_text(agreement.alpha)}{details}"


def pair_title(pair: PairedJudges) -> str:
    """Return the names of the measured judge and the reference."""
    return f"{pair.second.name} against {pair.first.name}"


def agreement_rows(pair: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield "all" and each condition, with the values for `JUDGE_COLUMNS`."""
    yield "all", *_agreement_columns(pair.overall)
    if len(pair.by_condition) > 1:
        for name, agreement in pair.by_condition.items():
            yield name, *_agreement_columns(agreement)


def confusion_columns(pair: PairedJudges) -> tuple[str, ...]:
    """Return the column headings of `confusion_rows`."""
    corner = f"{pair.first.name} ↓  {pair.second.name} →"
    return (corner, *(label.words for label in Label), "recall")


def confusion_rows(pair: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield one row per label of the first judge: counts by the second's label, and recall.

    The last row has the precision of each of the second judge's labels.
    """
    for label, row in zip(Label, pair.confusion, strict=True):
        yield label.words, *map(str, row), _percent_text(pair.labels[label].recall)
    yield "precision", *(_percent_text(pair.labels[label].precision) for label in Label), ""


def corrected_rows(pair: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield each condition and the gap with the values for `CORRECTED_COLUMNS`, for each model.

    Nothing if the first judge is not a reference, or labelled every answer.
    """
    rates = [rate for own in pair.corrections for rate in own.rates.values()]
    if all(rate.references >= rate.items for rate in rates):
        return
    several = len(pair.corrections) > 1
    for own in pair.corrections:
        name = f"{own.setting.name} at {own.setting.temperature:g}, " if several else ""
        yield from ((f"{name}{row[0]}", *row[1:]) for row in _correction_rows(own))


def _correction_rows(correction: Correction) -> Iterator[tuple[str, ...]]:
    rates = correction.rates
    for name, rate in rates.items():
        is_unchecked = name in correction.unchecked
        yield name, *_corrected_columns(rate, is_unchecked=is_unchecked)
    compared = correction.compared
    if compared and {*compared} <= rates.keys():
        one, two = (rates[name].raw for name in compared)
        raw = f"{100 * (one - two):+.1f}"
        gap = correction.gap
        if gap is None:
            yield pair_text(compared), raw, "–", "", correction.missing_gap
        else:
            interval = f"[{gap.low:+.1f}, {gap.high:+.1f}]"
            yield pair_text(compared), raw, f"{gap.value:+.1f}", interval, ""


def _corrected_columns(rate: CorrectedRate, *, is_unchecked: bool) -> tuple[str, ...]:
    checked = f"{rate.references} of {rate.items}"
    raw = f"{100 * rate.raw:.1f}"
    if rate.estimate is None:
        why = "not every label checked" if is_unchecked else "all checked are nonsensical"
        return raw, "–", "", f"{checked}, {why if rate.references else 'none drawn at random'}"
    value, low, high = rate.estimate.percent()
    return raw, f"{value:.1f}", f"[{low:.1f}, {high:.1f}]", checked


def _agreement_columns(agreement: Agreement) -> tuple[str, ...]:
    interval = ""
    if agreement.low is not None and agreement.high is not None:
        interval = f"[{100 * agreement.low:.1f}, {100 * agreement.high:.1f}]"
    return (
        str(agreement.items),
        str(agreement.agreed),
        percentage(agreement.agreed, agreement.items),
        interval,
        *kappa_columns(agreement),
    )


def _alpha_text(alpha: float | None) -> str:
    return "not defined" if alpha is None else f"{alpha:.2f}"


def _percent_text(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
