"""What the page says of its judges."""

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


def judged(benches: Sequence[JudgePanel]) -> Iterator[Values]:
    """Yield the judges of each arm that several have read."""
    for bench in benches:
        yield {
            "title": bench.title,
            "alpha": judges.alpha_sentence(bench.agreement),
            "wide": kappas(bench, WIDE).inline(),
            "narrow": kappas(bench, NARROW).inline(),
            "pairs": [_pair(c) for c in bench.agreement.comparisons],
        }


def square(counts: Sequence[Sequence[int]]) -> list[Values]:
    """Return a 4 x 4 table's rows, each number with its share of the largest, for its shade."""
    most = max((n for row in counts for n in row), default=0) or 1
    return [
        {
            "label": label.words,
            "cells": [
                {"count": n, "shade": round(100 * n / most), "same": x == y}
                for x, n in enumerate(row)
            ],
        }
        for y, (label, row) in enumerate(zip(Label, counts, strict=True))
    ]


def _pair(c: PairedJudges) -> Values:
    *rows, last = judges.confusion_rows(c)
    return {
        "title": judges.pair_title(c),
        "first": c.first.name,
        "second": c.second.name,
        "sentence": agreement_sentence(c.overall),
        "shared": c.overall.items > 0,
        "rows": [*judges.agreement_rows(c)],
        "square": square(c.confusion),
        "recall": [row[-1] for row in rows],
        "precision": last[1:-1],
        "corrected": [*judges.corrected_rows(c)],
    }
