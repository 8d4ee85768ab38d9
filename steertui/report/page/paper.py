"""What the page says of a run beside the paper."""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.core.verdict import SIGNS
from steertui.paper.comparison import PaperComparison
from steertui.paper.item_by_item import ItemByItem
from steertui.paper.wording import (
    agreement_row,
    changed_labels,
    difference_row,
    item_name,
    standing_legend,
    unpaired_scenarios,
)
from steertui.report.page.judges import square

Values = dict[str, Any]


def papers(found: Sequence[PaperComparison]) -> Iterator[Values]:
    """Yield each table beside the paper."""
    for beside in found:
        by_name = {deviation.what: deviation for deviation in beside.differences}
        yield {
            "title": f"{beside.title}, beside the paper's {beside.model}",
            "table": beside.table,
            "paired": beside.is_paired,
            "verdicts": standing_legend(paired=beside.is_paired),
            "rows": [difference_row(d) for d in beside.differences],
            "compared": [agreement_row(i, by_name.get(i.condition)) for i in beside.items],
            "sentences": beside.sentences,
            "setup": beside.setup,
            "conditions": [_condition(i) for i in beside.items],
        }


def _condition(found: ItemByItem) -> Values:
    return {
        "name": found.condition,
        "square": square(found.confusion),
        "alone": unpaired_scenarios(found),
        "moves": [
            {
                "paper": {"kind": paper.value, "sign": SIGNS[paper], "words": paper.words},
                "run": {"kind": run.value, "sign": SIGNS[run], "words": run.words},
                "which": [
                    {"scenario": d.scenario, "sample": d.sample, "name": item_name(d)} for d in own
                ],
            }
            for paper, run, own in changed_labels(found)
        ],
    }
