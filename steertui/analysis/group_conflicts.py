"""Judges with different conclusions on categories, wordings, dose axes and contests."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from steertui.analysis.arms import ArmResult
from steertui.analysis.contest_results import Cell, CellMark, ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.dose_sentences import slope_claim
from steertui.analysis.judge_conflicts import are_opposite, limits_of
from steertui.analysis.sentences import no_finding
from steertui.analysis.table import Table
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.core.grouping import NONE
from steertui.stats.contest import Verdict
from steertui.stats.families import FamilyTest
from steertui.stats.gap import Gap
from steertui.stats.rate import Estimate
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.stats.slope import Slope
from steertui.units import list_text

Signed = tuple[Estimate, int]
"""An estimate with its limits, and its sign if it is shown to differ from 0, else 0."""

_DECIDED = {Verdict.DECOUPLED, Verdict.NOT_DECOUPLED}


def with_group_conflicts(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Return the tables with conclusions on groups that another judge contradicts as no findings.

    Judges are compared as by `judge_conflicts`.
    """
    return tuple(_checked(table, [*_peers(table, tables)]) for table in tables)


def _peers(table: Table, tables: Sequence[Table]) -> Iterator[Table]:
    """Yield the tables of other judges of the same answers."""
    for other in tables:
        is_same = (other.experiment, other.setting) == (table.experiment, table.setting)
        is_rival = other.judge and other.judge != table.judge and other.draws_headline
        if is_same and is_rival and other.is_stand_in == table.is_stand_in:
            yield other


def _checked(table: Table, peers: Sequence[Table]) -> Table:
    if not table.judge or not table.draws_headline or not peers:
        return table
    named = [(peer.judge.name, peer) for peer in peers if peer.judge]
    axes = [(axis, _axis_rivals(axis, named)) for axis in table.groups.axes]
    contests = [_contest(result, named) for result in table.groups.contests]
    arms = [(arm, _arm_rivals(arm, named)) for arm in table.arms]
    found = {name: _category_rivals(name, table, named) for name in table.category_gaps}
    categories = {name: rivals for name, rivals in found.items() if rivals}
    contested = [f"the slope over {axis.name}" for axis, rivals in axes if rivals]
    contested += [what for _, verdicts in contests for what in verdicts]
    contested += [f"the gap over wordings, {a.sentence.partition(':')[0]}" for a, r in arms if r]
    if categories and len(table.category_gaps) > 1:  # one category is the whole table
        contested.append(_category_words(categories))
    return replace(
        table,
        groups=replace(
            table.groups,
            axes=tuple(_axis(axis, rivals) if rivals else axis for axis, rivals in axes),
            contests=tuple(result for result, _ in contests),
        ),
        arms=tuple(
            replace(arm, sentence=no_finding(rivals, arm.sentence)) if rivals else arm
            for arm, rivals in arms
        ),
        category_rivals=categories,
        warnings=(*table.warnings, *map(_warning, contested)),
    )


def _category_words(names: Collection[str]) -> str:
    return f"the gap in {'the category' if len(names) == 1 else 'each of'} {list_text(names)}"


def _warning(what: str) -> TrialWarning:
    text = f"{what} is no finding: another judge leads to another conclusion"
    return TrialWarning(WarningKind.DISAGREEMENT, text)


def _rivals(
    own: Signed | None,
    peers: Sequence[tuple[str, Table]],
    same: Callable[[Table], Iterable[Signed | None]],
) -> tuple[str, ...]:
    """Return the judges whose estimate, which `same` yields, contradicts the own one."""
    return tuple(
        name
        for name, peer in peers
        for other in same(peer)
        if own and other and are_opposite(own[0], other[0], (own[1], other[1]))
    )


def _of_slope(slope: Slope | None) -> Signed | None:
    if slope is None:
        return None
    sign = (1 if slope.points > 0 else -1) if slope.p <= SIGNIFICANCE_LEVEL else 0
    return Estimate(slope.points, slope.low, slope.high), sign


def _of_gap(gap: Gap, test: FamilyTest) -> Signed | None:
    if gap.points is None or test.low is None or test.high is None:
        return None
    sign = (1 if gap.points > 0 else -1) if test.is_significant and gap.points else 0
    return Estimate(gap.points, test.low, test.high), sign


def _of_limits(estimate: Estimate | None) -> Signed | None:
    if estimate is None:
        return None
    return estimate, (estimate.low > 0) - (estimate.high < 0)


def _axis_rivals(axis: AxisResult, peers: Sequence[tuple[str, Table]]) -> tuple[str, ...]:
    def same(peer: Table) -> Iterator[Signed | None]:
        found = (other for other in peer.groups.axes if other.name == axis.name)
        yield from (_of_slope(other.curve.slope) for other in found)

    return _rivals(_of_slope(axis.curve.slope), peers, same)


def _axis(axis: AxisResult, rivals: Sequence[str]) -> AxisResult:
    """Return the axis with its slope as no finding."""
    assert axis.curve.slope
    claim = slope_claim(axis, axis.curve.slope)
    sentences = (no_finding(rivals, s) if s.startswith(claim) else s for s in axis.sentences)
    return replace(axis, headline=no_finding(rivals, axis.headline), sentences=tuple(sentences))


def _arm_rivals(arm: ArmResult, peers: Sequence[tuple[str, Table]]) -> tuple[str, ...]:
    def same(peer: Table) -> Iterator[Signed | None]:
        found = (other for other in peer.arms if other.conditions == arm.conditions)
        yield from (_of_limits(other.gap.over) for other in found)

    return _rivals(_of_limits(arm.gap.over), peers, same)


def _category_rivals(
    name: str, table: Table, peers: Sequence[tuple[str, Table]]
) -> tuple[str, ...]:
    def same(each: Table) -> Iterator[Signed | None]:
        if result := each.category_gaps.get(name):
            limits = limits_of(result)
            yield (limits, result.finding.sign) if limits else None

    return _rivals(next(same(table), None), peers, same)


Others = Sequence[tuple[str, ContestResult]]
"""A contest under other judges, by their names."""


def _contest(
    result: ContestResult, peers: Sequence[tuple[str, Table]]
) -> tuple[ContestResult, list[str]]:
    """Return the contest with contradicted verdicts and attacks as open, and what these are."""
    others = [
        (name, other)
        for name, peer in peers
        for other in peer.groups.contests
        if other.sides == result.sides
    ]
    verdicts = _contested_verdicts(result, others)
    attacks = _contested_attacks(result, others)
    defences = (
        replace(own, verdict=Verdict.OPEN) if own.name in verdicts else own
        for own in result.estimates.defences
    )
    starts = {f"{name} is ": rivals for name, rivals in verdicts.items()}
    starts |= {f"Without a defence {name} ": rivals for name, rivals in attacks.items()}
    open_cells: dict[Cell, CellMark] = {(NONE, attack): CellMark.OPEN for attack in attacks}
    checked = replace(
        result,
        marks={**result.marks, **open_cells},
        estimates=replace(result.estimates, defences=tuple(defences)),
        verdicts=tuple(_marked(sentence, starts) for sentence in result.verdicts),
        evidence=tuple(_marked(sentence, starts) for sentence in result.evidence),
    )
    what = [f"the verdict on {name}" for name in verdicts]
    return checked, [*what, *(f"the steering by {name}" for name in attacks)]


def _contested_verdicts(result: ContestResult, others: Others) -> dict[str, list[str]]:
    """Return the judges with the opposite verdict, by the name of the defence."""
    rivals: dict[str, list[str]] = {}
    for number, defence in enumerate(result.estimates.defences):
        for name, other in others:
            if {defence.verdict, other.estimates.defences[number].verdict} == _DECIDED:
                rivals.setdefault(defence.name, []).append(name)
    return rivals


def _contested_attacks(result: ContestResult, others: Others) -> dict[str, list[str]]:
    """Return the judges that contradict the steering by an attack alone, by its name."""
    rivals: dict[str, list[str]] = {}
    for attack in result.estimates.unauthorised:
        own = _of_attack(result, attack)
        for name, contest in others:
            other = _of_attack(contest, attack)
            if own and other and are_opposite(own[0], other[0], (own[1], other[1])):
                rivals.setdefault(attack, []).append(name)
    return rivals


def _of_attack(result: ContestResult, attack: str) -> Signed | None:
    return _of_gap(result.estimates.unauthorised[attack], result.estimates.tests[attack])


def _marked(sentence: str, starts: Mapping[str, Sequence[str]]) -> str:
    found = (rivals for start, rivals in starts.items() if sentence.startswith(start))
    rivals = next(found, None)
    return no_finding(rivals, sentence) if rivals else sentence
