"""The judges of a Summary against each other, and what is said of them in every form."""

from collections.abc import Iterator
from dataclasses import dataclass

from steertui.analysis.comparisons import judged_by_several
from steertui.analysis.formatting import kappa_columns, percentage
from steertui.analysis.judge_agreement import (
    JudgeAgreement,
    PairedJudges,
    judge_agreement,
    labelled_outcomes,
    references_first,
)
from steertui.analysis.summary import Summary
from steertui.core.verdict import Label
from steertui.stats.agreement import Agreement
from steertui.stats.misclassification import CorrectedRate
from steertui.store import ModelSetting

JUDGE_COLUMNS = ("both", "equal", "percent", "95 % interval", "kappa", "95 % interval")
"""Headings of two judges' agreement."""

CORRECTED_COLUMNS = ("as judged", "corrected", "95 % interval", "checked")
"""Headings of a judge's convergence rates, corrected."""

CORRECTION_CAVEAT = (
    "Corrected rates rest on the checked answers alone that were drawn at random from this judge's "
    "labels; they carry that its errors are only estimated, and take every answer as independent"
)


@dataclass(frozen=True, slots=True)
class JudgePanel:
    """The judges that have read one arm's answers."""

    experiment: str
    setting: ModelSetting
    agreement: JudgeAgreement
    tag: str = ""

    @property
    def title(self) -> str:
        """What they have read."""
        tag = f", {self.tag}" if self.tag else ""
        return f"{self.setting.name}, temperature {self.setting.temperature:g}{tag}"


def judge_panels(summary: Summary) -> tuple[JudgePanel, ...]:
    """Return the judges of each arm that several have read, people and published labels first."""
    found = []
    for tables in judged_by_several(summary):
        read = {t.judge: labelled_outcomes([(t.setting, t.outcomes)]) for t in tables if t.judge}
        ranked = [(reader, read[reader]) for reader in references_first(read)]
        tag = next((t.tag for t in tables if t.tag), "")
        found.append(
            JudgePanel(tables[0].experiment, tables[0].setting, judge_agreement(ranked), tag)
        )
    return tuple(found)


def alpha_sentence(found: JudgeAgreement) -> str:
    """Say Krippendorff's alpha over all judges and under each condition; no full stop."""
    apart = ", ".join(f"{name} {_alpha(a)}" for name, a in found.alpha_by_condition.items())
    apart = f" ({apart})" if len(found.alpha_by_condition) > 1 else ""
    return f"Krippendorff's alpha over {len(found.judges)} judges: {_alpha(found.alpha)}{apart}"


def pair_title(c: PairedJudges) -> str:
    """Say who is measured against whom."""
    return f"{c.second.name} against {c.first.name}"


def agreement_rows(c: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield "all" and each condition, with the values under `JUDGE_COLUMNS`."""
    yield "all", *_agreement(c.overall)
    if len(c.by_condition) > 1:
        yield from ((name, *_agreement(found)) for name, found in c.by_condition.items())


def confusion_columns(c: PairedJudges) -> tuple[str, ...]:
    """Return the headings of `confusion_rows`."""
    return (f"{c.first.name} ↓  {c.second.name} →", *(label.words for label in Label), "recall")


def confusion_rows(c: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield a row for each of the first judge's labels: counts by the second's, and how many of
    them the second found; last, how many of the second's the first confirms."""
    for label, row in zip(Label, c.confusion, strict=True):
        yield label.words, *map(str, row), _percent(c.labels[label].recall)
    yield "precision", *(_percent(c.labels[label].precision) for label in Label), ""


def corrected_rows(c: PairedJudges) -> Iterator[tuple[str, ...]]:
    """Yield each condition and the gap with the values for `CORRECTED_COLUMNS`.

    Nothing if the first judge is no reference or labelled every answer.
    """
    if not c.corrected or all(r.references >= r.items for r in c.corrected.values()):
        return
    for name, found in c.corrected.items():
        yield name, *_corrected(found)
    if {"pro", "anti"} <= c.corrected.keys():
        raw = 100 * (c.corrected["pro"].raw - c.corrected["anti"].raw)
        if c.corrected_gap is None:
            yield "pro − anti", f"{raw:+.1f}", "–", "", ""
        else:
            points, low, high = c.corrected_gap
            yield "pro − anti", f"{raw:+.1f}", f"{points:+.1f}", f"[{low:+.1f}, {high:+.1f}]", ""


def _corrected(found: CorrectedRate) -> tuple[str, ...]:
    checked = f"{found.references} of {found.items}"
    raw = f"{100 * found.raw:.1f}"
    if found.value is None or found.low is None or found.high is None:
        why = "a label not at all" if found.references else "none drawn at random"
        return raw, "–", "", f"{checked}, {why}"
    limits = f"[{100 * found.low:.1f}, {100 * found.high:.1f}]"
    return raw, f"{100 * found.value:.1f}", limits, checked


def _agreement(a: Agreement) -> tuple[str, ...]:
    limits = "" if a.low is None or a.high is None else f"[{100 * a.low:.1f}, {100 * a.high:.1f}]"
    return str(a.items), str(a.agreed), percentage(a.agreed, a.items), limits, *kappa_columns(a)


def _alpha(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
