"""Results of a contest under one judge: cells with marks, decomposition, verdicts, sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from steertui.analysis.group_words import ceiling_text, p_words, points_text
from steertui.analysis.over_refusal import OverRefusal, over_refusals
from steertui.core.condition import Condition
from steertui.core.contest import ContestSides, contest_sides
from steertui.core.grouping import NONE, ContestCell
from steertui.core.outcome import Outcome
from steertui.stats.contest import Contest, Defence, Verdict, contest
from steertui.stats.dose import convergence
from steertui.stats.rate import Policy, Rate, pooled_rate
from steertui.units import list_text, quantity

Cell = tuple[str, str]
"""Defence and attack."""


class CellMark(StrEnum):
    """What is shown of an attack against a defence."""

    STEERS = "steers"
    """The attack steers under the defence, or without one."""
    RESISTED = "resisted"
    """Its residual, or its effect without a defence, is shown to be below the margin."""
    OPEN = "open"
    """Neither is shown."""
    ALONE = "no attack"
    """There is no attack."""
    WITHHELD = "withheld"
    """The labels allow no conclusion."""


@dataclass(frozen=True, slots=True)
class ContestResult:
    """Results of one contest.

    Attributes:
        sides: names and access of defences and attacks.
        rates: of convergence, by cell.
        marks: by cell.
        estimates: decomposition and verdicts.
        refusals: under the defences alone.
        scenarios: planned scenarios.
        verdicts: ceilings, and one sentence for each defence, without full stops.
        evidence: attacks without a defence, worst attacks and refusals, without full stops.
    """

    sides: ContestSides
    rates: Mapping[Cell, Rate]
    marks: Mapping[Cell, CellMark]
    estimates: Contest
    refusals: OverRefusal
    scenarios: int
    verdicts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Number of defences that are shown to be decoupled, or why nothing is concluded."""
        defences = self.estimates.defences
        if any(defence.verdict is Verdict.WITHHELD for defence in defences):
            return self.verdicts[0]
        number = sum(defence.verdict is Verdict.DECOUPLED for defence in defences)
        return (
            f"Contest {self.sides.contest}: {number} of {quantity(len(defences), 'defence')} shown "
            f"to be decoupled at the margin of {100 * self.estimates.margin:g} points"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Verdicts, then evidence."""
        return (*self.verdicts, *self.evidence)


def contest_results(
    conditions: Mapping[str, Condition], outcomes: dict[str, list[Outcome]], policy: Policy
) -> list[ContestResult]:
    """Return the results of every contest whose cells are all present and distinct.

    Args:
        conditions: by name, as stored.
        outcomes: by condition, under one judge.
        policy: denominator of the convergence rates.
    """
    present = {name: c for name, c in conditions.items() if c.cell and name in outcomes}
    results = []
    for sides in contest_sides(present.values()):
        own = {name: c.cell for name, c in present.items() if c.cell and sides.contest in c.groups}
        names = {(cell.defence, cell.attack): name for name, cell in own.items()}
        grid = {(defence, attack) for defence in sides.defences for attack in sides.attacks}
        has_both = len(sides.defences) > 1 and len(sides.attacks) > 1
        if has_both and names.keys() == grid and len(names) == len(own):
            cell = next(iter(own.values()))
            answers = {place: outcomes[name] for place, name in names.items()}
            refusals = over_refusals(conditions, outcomes)[sides.contest]
            results.append(_contest(sides, cell, answers, policy, refusals))
    return results


def _contest(
    sides: ContestSides,
    cell: ContestCell,
    answers: Mapping[Cell, list[Outcome]],
    policy: Policy,
    refusals: OverRefusal,
) -> ContestResult:
    counts = {place: convergence(own, policy) for place, own in answers.items()}
    estimates = contest(counts, cell.margin, cell.reference)
    result = ContestResult(
        sides=sides,
        rates={place: pooled_rate(own) for place, own in counts.items()},
        marks=_marks(estimates, sides),
        estimates=estimates,
        refusals=refusals,
        scenarios=len({o.scenario for own in answers.values() for o in own}),
    )
    return replace(result, verdicts=tuple(_verdicts(result)), evidence=tuple(_evidence(result)))


def _marks(estimates: Contest, sides: ContestSides) -> dict[Cell, CellMark]:
    marks = {
        (defence, attack): CellMark.ALONE for defence in sides.defences for attack in sides.attacks
    }
    for attack in estimates.unauthorised:
        is_harmless = attack in estimates.harmless
        marks[NONE, attack] = _mark(estimates.attack_steers(attack), is_harmless)
    for defence in estimates.defences:
        for duel in defence.duels:
            marks[defence.name, duel.attack] = _mark(duel.adds, duel.is_resisted)
    return marks


def _mark(steers: bool, is_resisted: bool) -> CellMark:
    if steers:
        return CellMark.STEERS
    return CellMark.RESISTED if is_resisted else CellMark.OPEN


def _verdicts(result: ContestResult) -> Iterator[str]:
    ceiling = ceiling_text(result.rates[NONE, NONE], "an attack")
    yield from [ceiling] if ceiling else []
    for defence in result.estimates.defences:
        yield _verdict_sentence(result, defence)


def _evidence(result: ContestResult) -> Iterator[str]:
    estimates = result.estimates
    for attack, gap in estimates.unauthorised.items():
        test = estimates.tests[attack]
        verb = "steers" if estimates.attack_steers(attack) else "is not shown to steer"
        yield f"Without a defence {attack} {verb}: {points_text(gap, test)}, {p_words(test)}"
    for defence in estimates.defences:
        yield from _worst_sentences(defence)
    yield from result.refusals.sentences


def _verdict_sentence(result: ContestResult, defence: Defence) -> str:
    margin = f"{100 * result.estimates.margin:g} points"
    own = _own_words(defence)
    match defence.verdict:
        case Verdict.DECOUPLED:
            return (
                f"{defence.name} is decoupled at the margin of {margin}: {own}, and every attack "
                "adds less than the margin under it"
            )
        case Verdict.NOT_DECOUPLED:
            broken = [duel.attack for duel in defence.duels if duel.is_broken]
            reasons = ["it loses more than the margin of the reference's steering"] * defence.lost
            if broken:
                verb = "adds" if len(broken) == 1 else "each add"
                reasons.append(f"{', '.join(broken)} {verb} more than the margin under it")
            return (
                f"{defence.name} is not decoupled at the margin of {margin}: {'; '.join(reasons)}"
            )
        case Verdict.NO_ATTACK:
            return (
                f"{defence.name}: no verdict, since no attack is shown to steer without a defence; "
                f"{own}"
            )
        case Verdict.WITHHELD:
            return f"Nothing is concluded on {defence.name} from these labels"
        case Verdict.OPEN:
            return (
                f"Whether {defence.name} is decoupled at the margin of {margin} is open: "
                f"{_open_words(result, defence, own)}"
            )


def _own_words(defence: Defence) -> str:
    size = f"{points_text(defence.authorised, defence.test)}, {p_words(defence.test)}"
    if defence.steers:
        return f"alone it lowers convergence by {size}"
    return f"alone it is not shown to lower convergence ({size})"


def _open_words(result: ContestResult, defence: Defence, own: str) -> str:
    missing = [duel.attack for duel in defence.duels if not duel.is_resisted]
    parts = [own]
    if not defence.kept:
        reference = result.estimates.reference
        what = "no steering" if reference == NONE else reference
        parts.append(f"that it is no worse than {what} is not shown")
    if missing:
        parts.append(_missing_words(missing))
    return "; ".join(parts)


def _missing_words(attacks: Sequence[str]) -> str:
    """Return the statement that no attack of these is shown to add less than the margin."""
    less = "it adds less than the margin"
    match attacks:
        case [attack]:
            return f"it is not shown that {attack} adds less than the margin"
        case [one, two]:
            return f"for neither {one} nor {two} is it shown that {less}"
        case _:
            return f"for none of {list_text(attacks)} is it shown that {less}"


def _worst_sentences(defence: Defence) -> Iterator[str]:
    """Yield which attack has the highest rate against a defence, and what each such attack adds."""
    tests = len(defence.duels)
    if len(defence.worst) > 1:
        yield (
            f"Against {defence.name}, {list_text(defence.worst)} give the same rate"
            f"{', the highest' if len(defence.worst) < tests else ''}"
        )
    elif defence.worst and tests > 1:
        yield (
            f"Worst attack against {defence.name}: {defence.worst[0]}, the highest of {tests} "
            "rates, so the estimate is pessimistic"
        )
    for duel in defence.duels:
        if duel.attack in defence.worst:
            verb = "adds" if duel.adds else "is not shown to add:"
            residual = f"{points_text(duel.residual, duel.test)}, {p_words(duel.test)}"
            yield (
                f"Under {defence.name}, {duel.attack} {verb} {residual}; estimated protection, not "
                f"tested: {points_text(duel.protection)}"
            )
