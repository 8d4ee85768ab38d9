"""What the page says of a run beside the paper."""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.replication import ItemByItem
from steertui.report.beside import Beside
from steertui.report.page.judged import square
from steertui.report.palette import LABEL_WORDS
from steertui.report.words import alone, deviation, item, items, moves, verdicts
from steertui.verdict import SIGNS

Values = dict[str, Any]


def papers(found: Sequence[Beside]) -> Iterator[Values]:
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
