"""An Estimate: what an experiment would do and take, before anything is stored or fetched."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from steertui.analysis.sentences import minimum_gap_sentence
from steertui.analysis.table import compared_pairs
from steertui.assets.weights import locate
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import distinct_samples
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import is_server
from steertui.core.scenario import Scenario
from steertui.errors import SteertuiError
from steertui.judge.price import parse_price
from steertui.judge.rubric import load_rubric
from steertui.judge.server import ServerJudge
from steertui.planning.consent import open_question
from steertui.planning.judge_cost import estimate_cost, expected_answer
from steertui.planning.judges import JudgeServerOptions, find_judge, judge_names
from steertui.planning.origin import TYPED, Origin
from steertui.planning.plan import trial_keys
from steertui.planning.reach import missing_sizes
from steertui.planning.resolve import resolve, resolve_texts
from steertui.planning.supply import requirements_of
from steertui.store import Store, UnjudgedAnswer
from steertui.units import clock

MANY = 500

FEWEST = 10
"""Answers of a run that tell its pace."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A judge of the experiment.

    Attributes:
        name: as it is written in tables.
        left: how many labels it has to give.
        dollars: about what that costs; None where nothing is paid or the price is not known.
        is_local: whether it reads on this machine.
        lacks: the environment variable that should hold its key and does not, or "".
    """

    name: str
    left: int
    dollars: float | None = None
    is_local: bool = True
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of an experiment.

    Attributes:
        trials: in all; 0 where a name leads nowhere, or its texts have to be fetched first.
        done: of them, answered before; None where the models are not here yet.
        grid: models, scenarios, conditions, and answers for each of them.
        categories: their names.
        conditions: with their texts.
        judges: who labels.
        fetch: names and bytes of what has to be fetched; 0 bytes where nobody knows.
        gap: the smallest gap it can show, in a sentence.
        time: how long it may take, from what this database saw before; "" where it saw nothing.
        trouble: what does not fit together, in a sentence.
    """

    trials: int = 0
    done: int | None = None
    grid: tuple[int, int, int, int] = (0, 0, 0, 0)
    categories: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    judges: tuple[Reader, ...] = ()
    fetch: tuple[tuple[str, int], ...] = ()
    gap: str = ""
    time: str = ""
    trouble: str = ""


def estimate(
    experiment: Experiment, db: Path, terms: JudgeServerOptions, origin: Origin = TYPED
) -> Estimate:
    """Return what an experiment would do; every trouble is told, none is raised.

    The weights of a received experiment are opened only after the user agreed to it.
    """
    try:
        is_agreed = open_question(experiment, origin) is None
        texts, weights = missing_sizes(requirements_of(experiment))
        if texts:
            return Estimate(fetch=texts + weights)
        scenarios, conditions = resolve_texts(experiment)
        samples = sum(distinct_samples(experiment.samples, t) for t in experiment.temperatures)
        grid = len(experiment.models), len(scenarios), len(conditions), samples
        trials = grid[0] * grid[1] * grid[2] * grid[3]
        keys: list[str] | None = None
        is_here = all(not is_server(name) and locate(name) for name in experiment.models)
        if is_agreed and is_here:
            keys = trial_keys(resolve(experiment))
        done = None if keys is None else _count(_ANSWERED, keys, db)
        asked = _asked(experiment, scenarios, conditions)
        judges = _judges(experiment, terms, asked, keys, trials, db, is_agreed=is_agreed)
        copies = distinct_samples(experiment.samples, min(experiment.temperatures))
        names = [condition.name for condition in conditions]
        return Estimate(
            trials=trials,
            done=done,
            grid=grid,
            categories=tuple(dict.fromkeys(s.category for s in scenarios)),
            conditions=conditions,
            judges=judges,
            fetch=weights,
            gap=minimum_gap_sentence(len(scenarios), copies, len(compared_pairs(names))),
            time=_time(db, trials - (done or 0)),
        )
    except SteertuiError as exc:
        return Estimate(trouble=str(exc))


# Who labels, and at what cost


def _asked(
    experiment: Experiment, scenarios: Sequence[Scenario], conditions: Sequence[Condition]
) -> list[UnjudgedAnswer]:
    """Return what a judge would read of one answer to every prompt."""
    return [
        expected_answer("", scenario, condition.steer(scenario.task), experiment.max_tokens)
        for scenario in scenarios
        for condition in conditions
    ]


def _judges(
    experiment: Experiment,
    terms: JudgeServerOptions,
    asked: Sequence[UnjudgedAnswer],
    keys: Sequence[str] | None,
    trials: int,
    db: Path,
    *,
    is_agreed: bool,
) -> tuple[Reader, ...]:
    rubric = load_rubric(experiment.rubric)
    price = parse_price(terms.price) if terms.price else None
    readers = []
    for spec in judge_names(experiment):
        is_local = parse_judge_kind(spec) is JudgeKind.LOCAL
        name = spec.removeprefix(JudgeKind.LOCAL.prefix)
        if is_local and not (is_agreed and locate(name)):
            readers.append(Reader(spec, trials))  # its weights are not here, or not to be opened
            continue
        judge = find_judge(spec, rubric, experiment.hide_suffix, price=price)
        left = trials - _count(_LABELLED, keys or [], db, judge.id)
        if not isinstance(judge, ServerJudge):
            readers.append(Reader(judge.name, left))
            continue
        full = estimate_cost(judge, asked)
        dollars = None if full is None else full * left / len(asked)
        lacks = judge.is_openai and not os.environ.get(judge.key_variable, "").strip()
        lacking_key = judge.key_variable if lacks else ""
        readers.append(Reader(judge.name, left, dollars, False, lacking_key))
    return tuple(readers)


# What the database knows

_ANSWERED = "SELECT count(*) FROM generations WHERE trial IN ({})"
_LABELLED = """SELECT count(DISTINCT trial) FROM verdicts
    WHERE judge = ? AND label IS NOT NULL AND trial IN ({})"""


def _count(sql: str, keys: Sequence[str], db: Path, *first: str) -> int:
    if not db.exists() or not keys:
        return 0
    parts = [keys[i : i + MANY] for i in range(0, len(keys), MANY)]
    with Store(db, must_exist=True) as store:
        return sum(
            store.column(sql.format(",".join("?" * len(part))), [*first, *part])[0]
            for part in parts
        )


def _time(db: Path, left: int) -> str:
    """Say how long so many answers take at the pace of the newest run."""
    if left <= 0:
        return ""
    if db.exists():
        sql = """SELECT count(*) AS n,
                86400 * (julianday(max(created_at)) - julianday(min(created_at))) AS seconds
            FROM generations WHERE run = (SELECT max(run) FROM generations)"""
        with Store(db, must_exist=True) as store:
            (row,) = store.query(sql)
        if row["n"] >= FEWEST and row["seconds"]:
            return f"about {clock(left * row['seconds'] / row['n'])} at the newest run's pace"
    return "not known before a first run here; `steertui bench` measures it"
