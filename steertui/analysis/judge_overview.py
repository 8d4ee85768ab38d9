"""Overview of judges: worth on the control set, agreement with published labels, speed and cost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from steertui.analysis.judge_agreement import PairedJudges, judge_agreement, labelled_outcomes
from steertui.analysis.judge_worth import JudgeWorth, Standing, measure_judge
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import is_stand_in
from steertui.store import JudgeInfo, Store
from steertui.store.control_queries import all_judges, label_times


@dataclass(frozen=True, slots=True)
class JudgeOverview:
    """One judge of a database.

    Attributes:
        judge: the judge.
        worth: on the control set; None if it has not read it.
        published: against the published labels that are imported; None without such answers.
        labels: number of its labels in the databases, control answers included.
        seconds: mean wall time between two labels; None with fewer than two that were timed.
        dollars: cost per label in US dollars; None if no price is known, or it is a local judge.
    """

    judge: JudgeInfo
    worth: JudgeWorth | None
    published: PairedJudges | None
    labels: int
    seconds: float | None
    dollars: float | None


def judge_overviews(store: Store) -> list[JudgeOverview]:
    """Return the judges of a database that are models or published labels, best first."""
    judges = [
        judge
        for judge in all_judges(store)
        if judge.kind.is_imported or not judge.kind.is_reference
    ]
    overviews = [_overview(store, judge) for judge in judges]
    return sorted(overviews, key=_rank)


def combined_overviews(overviews: Iterable[JudgeOverview]) -> list[JudgeOverview]:
    """Return the overviews of several databases with one per judge, best first.

    What the first database does not know of a judge is taken from the next one; its labels are
    those in all of them.
    """
    combined: dict[str, JudgeOverview] = {}
    for overview in overviews:
        first = combined.setdefault(overview.judge.id, overview)
        if first is not overview:
            combined[overview.judge.id] = replace(
                first,
                worth=first.worth or overview.worth,
                published=first.published or overview.published,
                labels=first.labels + overview.labels,
                seconds=overview.seconds if first.seconds is None else first.seconds,
                dollars=overview.dollars if first.dollars is None else first.dollars,
            )
    return sorted(combined.values(), key=_rank)


def best_judge(overviews: Sequence[JudgeOverview]) -> JudgeOverview | None:
    """Return the usable judge with the highest lower limit of kappa; None if none is usable."""
    usable = (
        o
        for o in overviews
        if o.worth and o.worth.standing is Standing.USABLE and not is_stand_in(o.judge.title)
    )
    return next(iter(sorted(usable, key=_rank)), None)


def _rank(overview: JudgeOverview) -> tuple[bool, float]:
    worth = overview.worth
    low = worth.pair.overall.kappa_low if worth and worth.draws_headline else None
    return low is None, -(low or 0.0)


def _overview(store: Store, judge: JudgeInfo) -> JudgeOverview:
    times = label_times(store, judge.id)
    cost = store.judge_cost(judge.id)
    is_paid = judge.kind is JudgeKind.SERVER and cost.dollars is not None and cost.replies
    return JudgeOverview(
        judge=judge,
        worth=measure_judge(store, judge.id),
        published=_against_published(store, judge),
        labels=len(times),
        seconds=mean_interval(times),
        dollars=(cost.dollars or 0.0) / cost.replies if is_paid else None,
    )


def _against_published(store: Store, judge: JudgeInfo) -> PairedJudges | None:
    if judge.kind is JudgeKind.PAPER:
        return None
    for published, experiment in _published(store):
        own = labelled_outcomes(store.outcomes(experiment, judge.id).items())
        if own:
            theirs = labelled_outcomes(store.outcomes(experiment, published.id).items())
            return judge_agreement([(published, theirs), (judge, own)]).comparisons[0]
    return None


def _published(store: Store) -> Iterator[tuple[JudgeInfo, str]]:
    for experiment in reversed(store.experiments()):
        for judge in store.judges(experiment.id):
            if judge.kind is JudgeKind.PAPER:
                yield judge, experiment.id


def mean_interval(labels: Sequence[tuple[str, float]]) -> float | None:
    """Return the mean wall time between two labels in seconds; None if it is unknown.

    A step counts at most the seconds that its label took, so that time without a judge at work
    does not count, and labels that are made at once count once. Labels that were not timed are left
    out.

    Args:
        labels: times (ISO 8601, ascending) and seconds of the labels.
    """
    timed = [(datetime.fromisoformat(time).timestamp(), took) for time, took in labels]
    steps = [min(two - one, took) for (one, _), (two, took) in pairwise(timed) if took]
    return sum(steps) / len(steps) if steps else None
