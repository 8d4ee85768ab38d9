"""Sentences of a methods paragraph on dose axes and contests, with citations as [@key]."""

from collections.abc import Iterable, Iterator, Sequence

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.table import Table
from steertui.stats.matched_dose import RESAMPLES

MCNEMAR = "McNemar's exact test, paired by scenario [@mcnemar1947]"

FISHER = "Fisher's exact randomisation test, paired by scenario [@fisher1935]"
"""Test of two conditions with several samples per scenario."""

TANGO = "score tests [@tango1998]"

OWEN = (
    "empirical-likelihood score tests, with the largest possible difference as an added support "
    "point [@owen2001]"
)
"""Score tests on differences of several samples per scenario."""

INTERVALS = "intervals by square-and-add [@newcombe1998] at Bonferroni's level"
"""Intervals of the differences of a family."""


def group_methods(tables: Sequence[Table]) -> Iterator[str]:
    """Yield how the groups of these tables were analysed, without full stops."""
    axes = [axis for table in tables for axis in table.groups.axes]
    contests = [result for table in tables for result in table.groups.contests]
    if axes:
        yield from _axes(axes)
    if contests:
        yield from _contests(contests)


def _axes(axes: Sequence[AxisResult]) -> Iterator[str]:
    points = [point for axis in axes for point in axis.curve.points]
    samples = [point.effect.samples for point in points if point.effect]
    yield (
        "On dose axes the mean over scenarios of the least-squares slope of convergence over the "
        "dose was tested by sign flips of the scenarios' slopes, two-sided at 5 % [@fisher1935], "
        "with the interval of an empirical-likelihood score statistic [@owen2001]"
    )
    yield (
        f"Each dose was compared with dose 0 by {_test(samples)}, with Holm's correction over the "
        f"doses [@holm1979] and {INTERVALS}"
    )
    yield "Repetition was the share of sequences of four words that occurred before [@welleck2020]"
    if any(point.means.loglik is not None for point in points):
        yield (
            "The log-likelihood of an answer was the mean per token under the unsteered model "
            "after the scenario's plain prompt"
        )
    matches = [match for axis in axes for match in axis.matches]
    if any(match.matched or (match.cost and match.cost.matched) for match in matches):
        yield (
            "The doses that match another condition were found on monotone curves (pool adjacent "
            "violators) joined by straight lines, with percentile intervals over "
            f"{RESAMPLES:,} bootstrap resamples of scenarios"
        )


def _contests(contests: Sequence[ContestResult]) -> Iterator[str]:
    gaps = [gap for result in contests for gap in result.estimates.unauthorised.values()]
    samples = [gap.samples for gap in gaps]
    yield (
        "In contests the effects of attacks and of defences were tested by "
        f"{_test(samples)}, with Holm's correction over the attacks and "
        f"over the defences [@holm1979] and {INTERVALS}"
    )
    yield (
        "That an attack adds less than the margin, and that a defence exceeds the reference by "
        f"less than the margin, was tested one-sided at 5 % by {score_tests(samples)}; every "
        "attack had to pass (intersection-union test [@berger1982])"
    )


def score_tests(samples: Iterable[int]) -> str:
    """Return the names of the score tests of gaps with these numbers of samples per scenario."""
    numbers = {*samples}
    several = f"{OWEN} (several samples per scenario)"
    if max(numbers, default=1) == 1:
        return TANGO
    return f"{TANGO} (one sample) and {several}" if 1 in numbers else several


def _test(samples: Sequence[int]) -> str:
    return FISHER if any(number > 1 for number in samples) else MCNEMAR
