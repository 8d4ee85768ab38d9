"""A Concord for a terminal."""

from rich.text import Text

from steertui.analysis.judge_agreement import JudgeAgreement, PairedJudges
from steertui.analysis.judge_panels import (
    CORRECTED_COLUMNS,
    CORRECTION_CAVEAT,
    JUDGE_COLUMNS,
    agreement_rows,
    alpha_sentence,
    confusion_rows,
    corrected_rows,
    pair_title,
)
from steertui.core.verdict import SIGNS, Label
from steertui.report.rich_tables import Parts, filled


def draw(concord: JudgeAgreement, *, items: bool = False) -> Parts:
    """Yield every two judges compared; `items` adds every answer labelled differently."""
    yield Text(f"{alpha_sentence(concord)}.")
    for comparison in concord.comparisons:
        yield Text()
        yield from _pair(comparison, items=items)


def _pair(c: PairedJudges, *, items: bool) -> Parts:
    yield Text(pair_title(c), style="bold")
    if not c.overall.items:
        yield Text("No answer is labelled by both.")
        return
    yield filled("", JUDGE_COLUMNS, agreement_rows(c))
    yield Text()
    signs = [SIGNS[label] for label in Label]
    yield filled(f"{c.first.name} ↓", [*signs, "recall"], confusion_rows(c))
    corrected = [*corrected_rows(c)]
    if corrected:
        yield Text()
        yield filled("convergence %", CORRECTED_COLUMNS, iter(corrected))
        yield Text(f"{CORRECTION_CAVEAT}.")
    for d in c.disagreements if items else ():
        yield Text(f"  {d.model} {d.scenario} {d.condition}: {d.first} / {d.second}")
