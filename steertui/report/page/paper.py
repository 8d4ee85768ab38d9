"""What the page says of a run beside the paper."""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.analysis.formatting import alone, deviation, item, items, moves, verdicts
from steertui.core.verdict import SIGNS
from steertui.paper.comparison import PaperComparison
from steertui.paper.item_by_item import ItemByItem
from steertui.report.page.judges import square
from steertui.report.palette import LABEL_WORDS

Values = dict[str, Any]


def papers(found: Sequence[PaperComparison]) -> Iterator[Values]:
    """Yield each table beside the paper."""
    for beside in found:
        by_name = {deviation.what: deviation for deviation in beside.deviations}
        yield {
            "title": f"{beside.title}, beside the paper's {beside.model}",
            "table": beside.table,
            "paired": beside.is_paired,
            "verdicts": verdicts(paired=beside.is_paired),
            "rows": [deviation(d) for d in beside.deviations],
            "compared": [items(i, by_name.get(i.condition)) for i in beside.items],
            "sentences": beside.sentences,
            "setup": beside.setup,
            "conditions": [_condition(i) for i in beside.items],
        }


def _condition(found: ItemByItem) -> Values:
    return {
        "name": found.condition,
        "square": square(found.confusion),
        "alone": alone(found),
        "moves": [
            {
                "paper": {"kind": paper.value, "sign": SIGNS[paper], "words": LABEL_WORDS[paper]},
                "run": {"kind": run.value, "sign": SIGNS[run], "words": LABEL_WORDS[run]},
                "which": [
                    {"scenario": d.scenario, "sample": d.sample, "name": item(d)} for d in own
                ],
            }
            for paper, run, own in moves(found)
        ],
    }
