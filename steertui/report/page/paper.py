"""Template values of the page's comparison with the paper."""

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
from steertui.report.page.judges import label_table

Values = dict[str, Any]


def paper_values(comparisons: Sequence[PaperComparison]) -> Iterator[Values]:
    """Yield the values of each table that is compared with the paper."""
    for comparison in comparisons:
        by_name = {difference.what: difference for difference in comparison.differences}
        yield {
            "title": f"{comparison.title}, compared with the paper's {comparison.model}",
            "table": comparison.table,
            "paired": comparison.is_paired,
            "verdicts": standing_legend(paired=comparison.is_paired, margin=comparison.margin),
            "rows": [difference_row(difference) for difference in comparison.differences],
            "compared": [agreement_row(i, by_name.get(i.condition)) for i in comparison.items],
            "sentences": comparison.sentences,
            "setup": comparison.setup,
            "conditions": [_condition(items) for items in comparison.items],
        }


def _condition(items: ItemByItem) -> Values:
    return {
        "name": items.condition,
        "square": label_table(items.confusion),
        "alone": unpaired_scenarios(items),
        "changes": [
            {
                "paper": {"kind": paper.value, "sign": SIGNS[paper], "words": paper.words},
                "run": {"kind": run.value, "sign": SIGNS[run], "words": run.words},
                "items": [
                    {"scenario": item.scenario, "sample": item.sample, "name": item_name(item)}
                    for item in changed
                ],
            }
            for paper, run, changed in changed_labels(items)
        ],
    }
