"""Known worth of judges before a run: from the database, or from tests on this machine."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from steertui.analysis.judge_overview import (
    JudgeOverview,
    best_judge,
    judge_overviews,
    mean_interval,
)
from steertui.analysis.judge_worth import JudgeWorth, kappa_interval, measure_judge
from steertui.errors import StoreError
from steertui.paths import exists, judges_db
from steertui.planning.judge_estimate import JudgeEstimate
from steertui.store import Store
from steertui.store.control_queries import label_times

DEMO_WORTH = "scripted; no judge of other answers (kappa {kappa:.2f})"
"""Worth of the demo checkpoint, which reads no control set; `DEMO_KAPPA` is measured."""

DEMO_KAPPA = 0.10
"""Cohen's kappa of the demo checkpoint on the shipped control set."""

UNMEASURED = "worth not measured yet"

UNOPENED = "worth unknown before its weights are opened"
"""Worth of a judge that the database may have measured, but whose id is unknown."""


def with_worths(judges: Sequence[JudgeEstimate], db: Path) -> tuple[JudgeEstimate, ...]:
    """Return the judges' estimates with what is known of their worth and time per label.

    They are unchanged if a database cannot be read; the run then reports why.
    """
    try:
        return tuple(_with_worth(judge, db) for judge in judges)
    except StoreError:
        return tuple(judges)


def _with_worth(judge: JudgeEstimate, db: Path) -> JudgeEstimate:
    if judge.worth:
        return judge
    judge = replace(judge, seconds_per_label=_seconds_per_label(judge.id, db) if judge.id else None)
    if judge.is_demo:
        return replace(judge, worth=DEMO_WORTH.format(kappa=DEMO_KAPPA))
    if judge.is_upper_bound and not judge.id:
        return replace(judge, worth=UNOPENED)
    worth = known_worth(judge.id, db) if judge.id else None
    if worth is None:
        return replace(judge, worth=UNMEASURED)
    return replace(judge, worth=f"{worth.words}, kappa {kappa_interval(worth.pair.overall)}")


def _seconds_per_label(judge: str, db: Path) -> float | None:
    """Return a judge's mean time per label in a database or in tests on this machine."""
    for path in (db, judges_db()):
        if exists(path):
            with Store(path, must_exist=True) as store:
                seconds = mean_interval(label_times(store, judge))
            if seconds:
                return seconds
    return None


def known_worth(judge: str, db: Path) -> JudgeWorth | None:
    """Return what a judge is worth by a database or by tests on this machine; None if unknown."""
    for path in (db, judges_db()):
        if exists(path):
            with Store(path, must_exist=True) as store:
                worth = measure_judge(store, judge)
            if worth:
                return worth
    return None


def best_tested_judge() -> JudgeOverview | None:
    """Return the best usable judge that was tested on this machine; None if there is none."""
    path = judges_db()
    if not exists(path):
        return None
    try:
        with Store(path, must_exist=True) as store:
            return best_judge(judge_overviews(store))
    except StoreError:
        return None  # the advice is optional


def next_command(db: Path) -> str:
    """Return how to judge a database's answers, with the judge to take, without a full stop."""
    best = best_tested_judge()
    if best:
        return (
            f"To label the answers: steertui judge {db} --judge {best.judge.name} "
            f"(usable: kappa {kappa_interval(best.worth.pair.overall) if best.worth else ''})"
        )
    return (
        f"To label the answers: steertui judge {db} --judge JUDGE; no judge was tested on this "
        "machine yet: `steertui judges test MODEL` measures what a judge is worth"
    )
