"""Agreement of judges as tables for a terminal."""

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
from steertui.report.rich_tables import Parts, filled_grid, line_text


def draw(agreement: JudgeAgreement, *, items: bool = False) -> Parts:
    """Yield the comparison of every two judges; `items` adds all answers with unequal labels."""
    yield line_text(f"{alpha_sentence(agreement)}.")
    for pair in agreement.comparisons:
        yield line_text()
        yield from draw_pair(pair, items=items)


def draw_pair(pair: PairedJudges, *, items: bool = False) -> Parts:
    """Yield the comparison of two judges; `items` adds the answers with unequal labels."""
    yield line_text(pair_title(pair), style="bold")
    if not pair.overall.items:
        yield line_text("No answer is labelled by both.")
        return
    yield filled_grid("", JUDGE_COLUMNS, agreement_rows(pair))
    yield line_text()
    signs = [SIGNS[label] for label in Label]
    yield filled_grid(f"{pair.first.name} ↓", [*signs, "recall"], confusion_rows(pair))
    corrected = [*corrected_rows(pair)]
    if corrected:
        yield line_text()
        yield filled_grid("convergence %", CORRECTED_COLUMNS, corrected)
        yield line_text(f"{CORRECTION_CAVEAT}.")
    for item in pair.disagreements if items else ():
        answer = f"{item.model} {item.scenario} {item.condition}"
        yield line_text(f"  {answer}: {item.first} / {item.second}")
