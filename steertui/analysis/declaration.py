"""Declarations: which analysis was planned before the first answer, and what was chosen after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from steertui.analysis.group_words import limits_text
from steertui.core.condition import Condition
from steertui.core.declared_analysis import Comparisons, DeclaredAnalysis
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.grouping import NONE, ContestCell
from steertui.errors import SteertuiError
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.setup_queries import count_answers_before, is_imported, used_conditions
from steertui.units import quantity

SHOWN_DIGITS = 12
"""Hexadecimal digits of a plan's digest in sentences."""

MAX_NAMES = 6
"""Comparisons that a sentence names."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Analysis of an experiment, and when it was planned.

    Attributes:
        experiment: the experiment's id.
        analysis: of the newest plan.
        comparisons: of the planned conditions under this analysis.
        first: comparisons of the first plan.
        planned_at: time of the first plan that has this analysis, ISO 8601 in UTC.
        digest: sha256 of that plan (`plan_digest`).
        answers_before: number of answers that were stored before that time.
        is_imported: whether all answers are imported; they existed before any plan.
        limit: maximum number of scenarios of the newest plan, 0 for all.
        grouped: names of the conditions of dose axes and contests.
        groups: sentences on the analysis of each axis and contest.
        conditions: as stored, in planned order.
        policy: denominator of the rates in the summary; that of every plan is `Policy.PAPER`.
        is_taken_again: whether a later plan had another analysis, before the newest one.
    """

    experiment: str
    analysis: DeclaredAnalysis
    comparisons: Comparisons
    first: Comparisons
    planned_at: str
    digest: str
    answers_before: int
    is_imported: bool = False
    limit: int = 0
    grouped: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = field(default=(), repr=False)
    policy: Policy = Policy.PAPER
    is_taken_again: bool = False

    @property
    def is_default(self) -> bool:
        """Whether the experiment file leaves the analysis to steertui."""
        return self.analysis == DeclaredAnalysis()


def read_declaration(store: Store, experiment: str) -> Declaration:
    """Return the declaration of a stored experiment.

    A plan that this version cannot read, such as one of an old database, has the default analysis.
    """
    plans = store.dated_plans(experiment)
    used = used_conditions(store, experiment)
    conditions = [*dict.fromkeys(condition.name for condition in used)]
    planned = [readable_plan(toml) for _, toml in plans]
    analyses = [_analysis(one, conditions) for one in planned]
    since = analyses.index(analyses[-1])
    planned_at, toml = plans[since]
    in_groups = [condition for condition in used if condition.groups]
    grouped = frozenset(condition.name for condition in in_groups)
    return Declaration(
        experiment=experiment,
        analysis=analyses[-1],
        comparisons=analyses[-1].comparisons(conditions, grouped),
        first=analyses[0].comparisons(conditions, grouped),
        planned_at=planned_at,
        digest=store.plan_digest(experiment, toml),
        answers_before=count_answers_before(store, experiment, planned_at),
        is_imported=is_imported(store, experiment),
        limit=planned[-1].limit if planned[-1] else 0,
        grouped=grouped,
        groups=tuple(group_sentences(in_groups)),
        conditions=tuple(used),
        is_taken_again=any(analysis != analyses[-1] for analysis in analyses[since:]),
    )


def readable_plan(toml: str) -> Experiment | None:
    """Return a stored plan; None if this version cannot read it."""
    try:
        return parse_experiment(toml)
    except SteertuiError:
        return None


def _analysis(planned: Experiment | None, conditions: Sequence[str]) -> DeclaredAnalysis:
    """Return the analysis of a plan; the default one if it names conditions without trials."""
    analysis = planned.analysis if planned else DeclaredAnalysis()
    is_known = {*analysis.named_conditions} <= {*conditions}
    return analysis if is_known else DeclaredAnalysis()


def declaration_sentences(declaration: Declaration) -> list[str]:
    """Return sentences on the comparisons and on when they were declared, without full stops."""
    comparisons = declaration.comparisons
    if comparisons.primary is None and not declaration.groups:
        return []
    first = [comparisons_sentence(comparisons)] if comparisons.primary else []
    later = [] if declaration.policy is Policy.PAPER else [_policy_sentence(declaration.policy)]
    return [*first, *declaration.groups, _time_sentence(declaration), *later]


def group_sentences(conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield the analysis of each dose axis and contest, without full stops."""
    steps = [c.step for c in conditions if c.step]
    for axis in dict.fromkeys(step.axis for step in steps):
        doses = sorted({s.dose for s in steps if s.axis == axis and not s.without})
        limits = next(s.limits for s in steps if s.axis == axis)
        yield (
            f"Axis {axis}: mean slope over the doses {', '.join(f'{d:g}' for d in doses)}, tested "
            f"at 5 %; each dose against dose 0, Holm over {len(doses) - 1}; a dose is coherent "
            f"with {limits_text(limits)}"
        )
    cells = {c.cell.contest: c.cell for c in conditions if c.cell}
    yield from map(_contest_sentence, cells.values())


def _contest_sentence(cell: ContestCell) -> str:
    reference = "the plain task" if cell.reference == NONE else cell.reference
    sentence = (
        f"Contest {cell.contest}: margin of {100 * cell.margin:g} points, reference {reference}, "
        "one-sided at 5 %; effects of attacks with Holm over the attacks, of defences over the "
        "defences"
    )
    if not cell.chosen_on:
        return sentence
    chosen = quantity(len(cell.chosen_on), "other scenario")
    return f"{sentence}; the attacks were chosen on {chosen}"


def comparisons_sentence(comparisons: Comparisons) -> str:
    """Return a sentence on the primary comparison and the declared family, without a full stop."""
    if comparisons.primary is None:
        return "No comparison: fewer than two conditions are planned"
    return f"Tests for each model, temperature and judge: {_tests(comparisons)}"


def _tests(comparisons: Comparisons, *, names: bool = False) -> str:
    """Return the tests in words; `names` adds those of the family, at most `MAX_NAMES`."""
    if comparisons.primary is None:
        return "no comparison"
    primary = f"primary comparison {pair_text(comparisons.primary)} at 5 %"
    margin = f"equivalence within ±{comparisons.margin:g} points"
    family = comparisons.secondary
    if not family:
        return f"{primary}, and no other declared comparison; {margin}"
    tests = f"declared family of {quantity(len(family), 'comparison')}"
    if len(family) > 1:
        tests += " with Holm's correction"
    if names:
        more = f" and {len(family) - MAX_NAMES} others" if len(family) > MAX_NAMES else ""
        tests += f" ({', '.join(map(pair_text, family[:MAX_NAMES]))}{more})"
    return f"{primary}; {tests}; {margin}"


def pair_text(pair: tuple[str, str]) -> str:
    """Return "pro − anti"."""
    return " − ".join(pair)


def _policy_sentence(policy: Policy) -> str:
    return (
        f"The denominator of these rates (policy {policy}) is not that of the plan, whose rates "
        f"exclude nonsensical answers alone (policy {Policy.PAPER}): unless the choice is on "
        "record elsewhere, all results under it are exploratory"
    )


def _time_sentence(declaration: Declaration) -> str:
    when = f"{declaration.planned_at[:16].replace('T', ' ')} UTC"
    digest = declaration.digest[:SHOWN_DIGITS]
    is_default = declaration.is_default and not declaration.groups
    what = "steertui's default analysis" if is_default else "The analysis"
    stored = quantity(declaration.answers_before, "answer")
    if declaration.is_imported:
        return "The answers are imported, so no analysis was declared before them"
    again = ""
    if declaration.is_taken_again:
        again = "; another analysis was planned after it, and then this one again"
    if not declaration.answers_before:
        time = "before the first answer"
        return f"{what} was stored with the plan of {when}, {time} (plan {digest}){again}"
    if declaration.first == declaration.comparisons:
        return f"{what} was planned on {when}, when {stored} had been stored (plan {digest}){again}"
    return (
        f"{what} was chosen on {when}, after {stored} had been stored (plan {digest}){again}; "
        f"declared before: {_tests(declaration.first, names=True)}"
    )
