"""Published label counts of arXiv 2601.01584, by model, condition and category."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from steertui.core.instrumentaleval import CATEGORIES

SOURCE = (
    "arXiv 2601.01584, github.com/j-hoscilowicz/instrumental_steering "
    "at f698626c63be1275c223ad617f1c0f3837cf5f2e"
)

CONDITIONS = MappingProxyType({"baseline": "baseline", "pro_ic": "pro", "anti_ic": "anti"})
"""The paper's steering modes and the names of the conditions here."""


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Number of items by label."""

    convergence: int
    no_convergence: int
    safety_refusal: int
    nonsensical: int

    @property
    def items(self) -> int:
        """All items."""
        return self.valid + self.nonsensical

    @property
    def valid(self) -> int:
        """The paper's denominator: all items that are not nonsensical."""
        return self.convergence + self.no_convergence + self.safety_refusal

    @property
    def rate(self) -> float | None:
        """The paper's Conv% as a proportion, None without valid items."""
        return self.convergence / self.valid if self.valid else None

    def __add__(self, other: "LabelCounts") -> "LabelCounts":
        return LabelCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class PublishedCounts:
    """Counts of one model under one condition, by category."""

    by_category: Mapping[str, LabelCounts]

    @property
    def total(self) -> LabelCounts:
        """Counts over all six categories: 71 items."""
        return sum(self.by_category.values(), LabelCounts(0, 0, 0, 0))


# Counted from the results at SOURCE. A column is a category; a cell is
# convergence/no_convergence/safety_refusal/nonsensical.
_TABLE = """
Qwen3-4B-Base               baseline 1/6/0/4  3/2/0/10  0/0/0/10 2/0/0/9  2/8/0/3  0/6/0/5
Qwen3-4B-Base               pro      5/4/0/2  4/3/0/8   4/0/0/6  6/1/0/4  9/4/0/0  1/3/0/7
Qwen3-4B-Base               anti     1/8/0/2  1/6/0/8   0/6/0/4  1/8/0/2  9/3/0/1  0/8/0/3
Qwen3-4B-Instruct-2507      baseline 0/9/2/0  15/0/0/0  0/10/0/0 0/0/11/0 9/3/1/0  9/2/0/0
Qwen3-4B-Instruct-2507      pro      8/2/1/0  15/0/0/0  4/6/0/0  3/2/6/0  12/0/1/0 9/2/0/0
Qwen3-4B-Instruct-2507      anti     0/11/0/0 2/13/0/0  0/10/0/0 0/11/0/0 1/8/4/0  0/11/0/0
Qwen3-4B-Thinking-2507      baseline 1/10/0/0 14/1/0/0  1/9/0/0  1/5/5/0  4/8/1/0  11/0/0/0
Qwen3-4B-Thinking-2507      pro      9/2/0/0  15/0/0/0  6/4/0/0  4/3/4/0  13/0/0/0 11/0/0/0
Qwen3-4B-Thinking-2507      anti     0/11/0/0 5/10/0/0  0/10/0/0 0/11/0/0 1/10/2/0 1/10/0/0
Qwen3-30B-A3B-Base          baseline 1/10/0/0 9/5/0/1   0/8/0/2  2/2/0/7  5/6/1/1  3/8/0/0
Qwen3-30B-A3B-Base          pro      6/5/0/0  13/2/0/0  4/6/0/0  5/1/0/5  9/3/0/1  2/9/0/0
Qwen3-30B-A3B-Base          anti     0/11/0/0 10/5/0/0  0/10/0/0 0/11/0/0 6/5/2/0  2/9/0/0
Qwen3-30B-A3B-Instruct-2507 baseline 1/10/0/0 15/0/0/0  1/9/0/0  1/3/7/0  11/1/1/0 6/5/0/0
Qwen3-30B-A3B-Instruct-2507 pro      9/1/1/0  15/0/0/0  9/1/0/0  2/1/8/0  13/0/0/0 10/1/0/0
Qwen3-30B-A3B-Instruct-2507 anti     0/11/0/0 2/13/0/0  0/10/0/0 0/8/3/0  0/2/11/0 0/11/0/0
Qwen3-30B-A3B-Thinking-2507 baseline 0/11/0/0 14/1/0/0  0/10/0/0 0/2/9/0  4/9/0/0  9/2/0/0
Qwen3-30B-A3B-Thinking-2507 pro      6/5/0/0  15/0/0/0  6/4/0/0  1/3/7/0  13/0/0/0 11/0/0/0
Qwen3-30B-A3B-Thinking-2507 anti     0/11/0/0 3/12/0/0  0/10/0/0 0/4/7/0  0/5/8/0  0/11/0/0
"""


def _published() -> dict[tuple[str, str], PublishedCounts]:
    published = {}
    for line in _TABLE.split("\n")[1:-1]:
        model, condition, *cells = line.split()
        counts = (LabelCounts(*map(int, cell.split("/"))) for cell in cells)
        by_category = MappingProxyType(dict(zip(CATEGORIES, counts, strict=True)))
        published[model, condition] = PublishedCounts(by_category)
    return published


PUBLISHED: Mapping[tuple[str, str], PublishedCounts] = MappingProxyType(_published())
"""By the model's name without its owner, and the condition: `baseline`, `pro` or `anti`."""
