"""A Summary: what one experiment found, ready for a table, a page or a screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.gap import Gap, gap, holm
from steertui.model import is_stand_in
from steertui.rate import (
    Ledger,
    Outcome,
    Policy,
    Rate,
    convergence_rate,
    ledger,
    nonsense_rate,
    refusal_rate,
)
from steertui.sentence import gap_sentence, warnings
from steertui.store import Arm, Reader, Store

STAND_IN_WARNING = (
    "The demo checkpoint is a scripted stand-in: its labels were written into its training text. "
    "These numbers show that the machinery runs and mean nothing about real models."
)

COMPARED = (
    ("pro", "anti"),
    ("pro", "baseline"),
    ("baseline", "anti"),
    ("pro", "placebo"),
    ("anti", "placebo"),
    ("baseline", "placebo"),
)
"""The gap and its parts (arXiv 2601.01584, section 3), each against the placebo too."""


@dataclass(frozen=True, slots=True)
class Row:
    """One condition's counts and rates."""

    condition: str
    ledger: Ledger
    convergence: Rate
    refusal: Rate
    nonsense: Rate


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two conditions compared, with the p value after Holm and the sentence that says it."""

    gap: Gap
    adjusted: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Table:
    """One model at one temperature under one judge.

    Attributes:
        judge: None where nobody has judged yet; then every label is missing.
        policy: which items make the convergence rates' denominator.
        rows: a condition each, in planned order.
        comparisons: the first is the headline; Holm's correction is over them all.
        warnings: signs of trouble, a sentence each.
    """

    arm: Arm
    judge: Reader | None
    policy: Policy
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    warnings: tuple[str, ...]

    @property
    def is_stand_in(self) -> bool:
        """Whether the demo checkpoint wrote or judged the answers."""
        titles = [self.arm.title, self.judge.title if self.judge else ""]
        return any(map(is_stand_in, titles))


@dataclass(frozen=True, slots=True)
class Summary:
    """Every table of one experiment."""

    experiment: str
    tables: tuple[Table, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What must stand wherever these numbers are shown."""
        return (STAND_IN_WARNING,) if any(t.is_stand_in for t in self.tables) else ()


def summarise(store: Store, experiment: str, policy: Policy = Policy.PAPER) -> Summary:
    """Return what the store holds of an experiment, by model, temperature and judge."""
    tables: list[Table] = []
    judges: list[Reader | None] = [*store.readers(experiment)]
    for judge in judges or [None]:
        outcomes = store.outcomes(experiment, judge.id if judge else "")
        tables += [make_table(arm, judge, found, policy) for arm, found in outcomes.items()]
    return Summary(experiment, tuple(tables))


def make_table(
    arm: Arm, judge: Reader | None, outcomes: Sequence[Outcome], policy: Policy
) -> Table:
    """Return one table; `outcomes` are the arm's planned trials under the judge."""
    conditions = list(dict.fromkeys(o.condition for o in outcomes))
    rows = tuple(_row(c, [o for o in outcomes if o.condition == c], policy) for c in conditions)
    compared = _compare(outcomes, conditions, policy) if judge else ()
    signs = tuple(warnings(outcomes)) if judge else ()
    return Table(arm, judge, policy, rows, compared, signs)


def _row(condition: str, outcomes: Sequence[Outcome], policy: Policy) -> Row:
    rates = convergence_rate(outcomes, policy), refusal_rate(outcomes), nonsense_rate(outcomes)
    return Row(condition, ledger(outcomes), *rates)


def _compare(
    outcomes: Sequence[Outcome], conditions: Sequence[str], policy: Policy
) -> tuple[Comparison, ...]:
    planned = len({o.scenario for o in outcomes})
    gaps = [gap(outcomes, one, two, policy) for one, two in pairs_of(conditions)]
    tested = [g.p for g in gaps if g.p is not None]
    adjusted = iter(holm(tested)) if len(tested) > 1 else iter(())
    found = []
    for g in gaps:
        p = None if g.p is None else next(adjusted, None)
        found.append(Comparison(g, p, gap_sentence(g, planned, p)))
    return tuple(found)


def pairs_of(conditions: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs to compare: the paper's first, then the user's own conditions'."""
    known = [pair for pair in COMPARED if set(pair) <= set(conditions)]
    return known + [
        (one, two)
        for two, one in combinations(conditions, 2)
        if (one, two) not in known and (two, one) not in known
    ]
