"""Random factors of a table: wordings, and where the uncertainty of its primary gap comes from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from steertui.analysis.arms import Side, arm_results, compared_arms, text_arms
from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.sentences import Finding
from steertui.analysis.table import Table
from steertui.core.condition import Condition
from steertui.stats.gap import shared_scenarios
from steertui.stats.rate import ScenarioCounts
from steertui.stats.sensitivity import headline_counts
from steertui.stats.variance_split import Factor, VarianceSplit, split_variance
from steertui.units import quantity


def with_random_factors(
    table: Table, tables: Sequence[Table], conditions: Iterable[Condition]
) -> Table:
    """Return the table with its gaps over wordings and the variance split of its primary gap.

    `tables` has those of the other judges of the same answers; `conditions` are the planned ones.
    """
    if table.judge is None:
        return table
    arms = text_arms(conditions)
    counts = convergence_counts(table.outcomes, table.policy)
    table = replace(table, arms=arm_results(arms, counts, is_reliable=table.draws_headline))
    if table.primary is None or table.primary.finding is Finding.WITHHELD:
        return table
    sides = compared_arms((table.primary.gap.first, table.primary.gap.second), arms)
    return replace(
        table,
        split=_primary_split(table, tables, sides, counts),
        split_between=(sides[0][0], sides[1][0]),
    )


def _primary_split(
    table: Table,
    tables: Sequence[Table],
    sides: tuple[Side, Side],
    counts: Mapping[str, ScenarioCounts],
) -> VarianceSplit | None:
    one, two = ([counts.get(name, {}) for name in names] for _, names in sides)
    if len(one) == len(two) == 1 and headline_counts(one[0], two[0]) != (one[0], two[0]):
        one, two = ([side] for side in shared_scenarios(one[0], two[0]))
    return split_variance(one, two, [*_gaps_of_judges(table, tables)])


def _gaps_of_judges(table: Table, tables: Sequence[Table]) -> Iterator[float]:
    """Yield the primary gap of this model setting under each judge, percentage points.

    That of the demo judge is left out beside real ones.
    """
    for other in tables:
        is_same = (other.experiment, other.setting) == (table.experiment, table.setting)
        if is_same and other.is_stand_in != table.is_stand_in:
            continue
        if is_same and other.draws_headline and other.primary:
            points = other.primary.gap.points
            yield from () if points is None else (points,)


def variance_sentence(split: VarianceSplit, what: str) -> str:
    """Return one sentence on the variance split of the gap `what`, without a full stop.

    It says how uncertain the split is: the number of scenarios, and the limits of their share.
    """
    shares = ", ".join(_shares(split))
    more = [
        f"{error:.1f} with twice as many {factor}"
        for factor in Factor
        if (error := split.error_with_twice(factor)) is not None
    ]
    return (
        f"Estimated standard error of {what}: {split.standard_error:.1f} points ({shares}); "
        f"{', '.join(more)}; {_uncertainty(split)}"
    )


def _uncertainty(split: VarianceSplit) -> str:
    """Return "estimated from 12 scenarios; 95 % limits of their share about 0 and 76 %"."""
    source = f"the split is estimated from {quantity(split.number, 'scenario')}"
    if split.scenario_limits is None or split.judges is not None:
        return f"{source} and is uncertain"
    low, high = (f"{100 * limit:.0f}" for limit in split.scenario_limits)
    return f"{source}: the 95 % limits of their share are about {low} and {high} %"


def factor_sentences(table: Table) -> Iterator[str]:
    """Yield the variance split of the primary gap as a sentence, if it has several parts."""
    if table.split is None or table.primary is None:
        return
    if sum(share is not None for share in table.split.shares.values()) > 1:
        first, second = table.split_between
        judge = table.judge.name if table.judge and table.split.judges is not None else ""
        about = f" by {judge} as an estimate for judges like these" if judge else ""
        yield variance_sentence(table.split, f"{first} − {second}{about}")


def _shares(split: VarianceSplit) -> Iterator[str]:
    """Yield each factor's part in the variance."""
    for factor, share in split.shares.items():
        if share is not None:
            is_joint = factor is Factor.SCENARIOS and split.samples is None
            name = f"{factor} and sampling" if is_joint else str(factor)
            yield f"{name} {100 * share:.0f} %"
