"""Declared analysis: the comparisons that an experiment makes, fixed with its plan."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from steertui.errors import ExperimentError
from steertui.toml_files import forbid_extra_keys

Pair = tuple[str, str]
"""Two conditions; a gap is the first one's convergence rate minus the second one's."""

PAPER_PAIRS: tuple[Pair, ...] = (
    ("pro", "anti"),
    ("pro", "baseline"),
    ("baseline", "anti"),
    ("pro", "placebo"),
    ("anti", "placebo"),
    ("baseline", "placebo"),
)
"""The paper's gap and its parts (arXiv 2601.01584, section 3), and each condition against the
placebo."""

BASELINE = "baseline"
"""Name of the condition that is the reference by default."""


@forbid_extra_keys
@dataclass(frozen=True)
class DeclaredAnalysis:
    """Table [analysis] of an experiment file. Every key has a default.

    Attributes:
        primary: the two conditions of the primary comparison, first minus second. If empty
            [default]: the first planned pair of pro − anti, pro − baseline, baseline − anti,
            pro − placebo, anti − placebo, baseline − placebo, else the second condition minus the
            first.
        reference: condition against which the others are compared; "" for the baseline if it is
            planned, else the first condition [default].
        family: secondary comparisons: "reference" for the other planned pairs of that list and each
            other condition against the reference [default]; "all-pairs" for all pairs of
            conditions.
        pairs: secondary comparisons, two conditions each; if not empty, `family` has no effect.
        margin: margin of equivalence of two conditions, and of a run and the paper, in percentage
            points, above 0 to 100 [default: 10].
    """

    primary: list[str] = field(default_factory=list)
    reference: str = ""
    family: Literal["reference", "all-pairs"] = "reference"
    pairs: list[list[str]] = field(default_factory=list)
    margin: float = 10.0

    def __post_init__(self) -> None:
        for key, pair in (("primary", self.primary), *(("pairs", pair) for pair in self.pairs)):
            if (pair or key == "pairs") and (len(pair) != 2 or len({*pair}) < 2):
                raise ExperimentError(
                    f"analysis.{key}: {', '.join(pair) or 'an empty list'} is not a pair; give two "
                    "different conditions"
                )
        unordered = [frozenset(pair) for pair in (*self.pairs, self.primary) if pair]
        if len({*unordered}) < len(unordered):
            raise ExperimentError(
                "analysis.pairs: one comparison is given twice, or is the primary one; give each "
                "once"
            )
        if not 0 < self.margin <= 100:
            raise ExperimentError(
                f"analysis.margin: {self.margin:g} is out of range; give a number of points above "
                "0, at most 100"
            )

    @property
    def named_conditions(self) -> tuple[str, ...]:
        """The conditions that are named."""
        reference = [self.reference] if self.reference else []
        return (*self.primary, *reference, *(name for pair in self.pairs for name in pair))

    def require_conditions(self, conditions: Sequence[str]) -> None:
        """Raise ExperimentError if a named condition is not among these."""
        for name in self.named_conditions:
            if name not in conditions:
                raise ExperimentError(
                    f"analysis: {name} is not among the conditions of the experiment "
                    f"({', '.join(conditions)}); add it there, or name another"
                )

    def comparisons(
        self, conditions: Sequence[str], grouped: Collection[str] = ()
    ) -> "Comparisons":
        """Return the comparisons of these planned conditions.

        Conditions of dose axes and contests (`grouped`), which have an analysis of their own, are
        compared only if they are named.
        """
        alone = [name for name in conditions if name not in grouped or name in self.primary]
        if len(alone) < 2:
            return Comparisons(None, (), self.margin)
        primary = self._primary(alone)
        declared = self._secondary(alone)
        secondary = tuple(pair for pair in declared if {*pair} != {*primary})
        return Comparisons(primary, secondary, self.margin)

    def _primary(self, conditions: Sequence[str]) -> Pair:
        if self.primary:
            return self.primary[0], self.primary[1]
        return next(iter(_paper_pairs(conditions)), (conditions[1], conditions[0]))

    def _secondary(self, conditions: Sequence[str]) -> list[Pair]:
        if self.pairs:
            return [(one, two) for one, two in self.pairs]
        if self.family == "all-pairs":
            return all_pairs(conditions)
        default = BASELINE if BASELINE in conditions else conditions[0]
        reference = self.reference or default
        others = [(name, reference) for name in conditions if name != reference]
        return _with_others(_paper_pairs(conditions), others)


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Comparisons of an experiment's conditions under its declared analysis.

    Attributes:
        primary: tested at 5 % for each model; None with fewer than two conditions.
        secondary: the declared family, over which Holm corrects for each model.
        margin: margin of equivalence in percentage points.
    """

    primary: Pair | None
    secondary: tuple[Pair, ...]
    margin: float

    @property
    def declared(self) -> tuple[Pair, ...]:
        """The primary comparison and the declared family."""
        return ((self.primary,) if self.primary else ()) + self.secondary

    def exploratory(self, conditions: Sequence[str]) -> tuple[Pair, ...]:
        """Return the pairs of conditions that are not declared."""
        known = {frozenset(pair) for pair in self.declared}
        return tuple(pair for pair in all_pairs(conditions) if frozenset(pair) not in known)


def all_pairs(conditions: Sequence[str]) -> list[Pair]:
    """Return all pairs of conditions: those of `PAPER_PAIRS`, then the later minus the earlier."""
    others = [(two, one) for one, two in combinations(conditions, 2)]
    return _with_others(_paper_pairs(conditions), others)


def _paper_pairs(conditions: Sequence[str]) -> list[Pair]:
    return [pair for pair in PAPER_PAIRS if {*pair} <= {*conditions}]


def _with_others(pairs: list[Pair], others: Sequence[Pair]) -> list[Pair]:
    known = {frozenset(pair) for pair in pairs}
    return pairs + [pair for pair in others if frozenset(pair) not in known]
