"""Template values of the page's section on judges."""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.analysis import judge_panels as judges
from steertui.analysis.formatting import agreement_sentence
from steertui.analysis.judge_agreement import PairedJudges
from steertui.analysis.judge_panels import JudgePanel
from steertui.core.verdict import Label
from steertui.report.figures import NARROW, WIDE
from steertui.report.kappa_figure import kappas

Values = dict[str, Any]


def judge_values(panels: Sequence[JudgePanel]) -> Iterator[Values]:
    """Yield the values of each model setting with several judges."""
    for panel in panels:
        yield {
            "title": panel.title,
            "alpha": judges.alpha_sentence(panel.agreement),
            "wide": kappas(panel, WIDE).inline(),
            "narrow": kappas(panel, NARROW).inline(),
            "pairs": [_pair(pair) for pair in panel.agreement.comparisons],
        }


def label_table(counts: Sequence[Sequence[int]]) -> list[Values]:
    """Return the rows of a 4 x 4 table; a cell's shade is its percentage of the largest count."""
    largest = max((n for row in counts for n in row), default=0) or 1
    return [
        {
            "label": label.words,
            "cells": [
                {"count": n, "shade": round(100 * n / largest), "same": column == row}
                for column, n in enumerate(numbers)
            ],
        }
        for row, (label, numbers) in enumerate(zip(Label, counts, strict=True))
    ]


def _pair(pair: PairedJudges) -> Values:
    *rows, last = judges.confusion_rows(pair)
    return {
        "title": judges.pair_title(pair),
        "first": pair.first.name,
        "second": pair.second.name,
        "sentence": agreement_sentence(pair.overall),
        "shared": pair.overall.items > 0,
        "rows": [*judges.agreement_rows(pair)],
        "square": label_table(pair.confusion),
        "recall": [row[-1] for row in rows],
        "precision": last[1:-1],
        "corrected": [*judges.corrected_rows(pair)],
    }
