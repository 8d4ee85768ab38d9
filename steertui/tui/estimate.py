"""An Estimate: what an experiment would do and take, before anything is stored or fetched."""

from dataclasses import dataclass
from pathlib import Path

from steertui.catalogue import known
from steertui.condition import Condition
from steertui.errors import SteertuiError
from steertui.experiment import Experiment, design, texts_of
from steertui.plan import trial_keys
from steertui.progress import clock
from steertui.sentence import smallest_gap_sentence
from steertui.server.address import is_server
from steertui.sources import find_source, lacking
from steertui.store import Store
from steertui.supply import needs_of
from steertui.weights import locate

MANY = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of an experiment.

    Attributes:
        trials: in all; 0 where a name leads nowhere.
        done: of them, answered before; None where the models are not here yet.
        scenarios: how many.
        categories: their names.
        conditions: with their texts.
        fetch: names and bytes of what has to be fetched; 0 bytes where nobody knows.
        gap: the smallest gap it can show, in a sentence.
        time: how long it may take, from what this database saw before; "" where it saw nothing.
        trouble: what does not fit together, in a sentence.
    """

    trials: int = 0
    done: int | None = None
    scenarios: int = 0
    categories: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    fetch: tuple[tuple[str, int], ...] = ()
    gap: str = ""
    time: str = ""
    trouble: str = ""


def estimate(experiment: Experiment, db: Path) -> Estimate:
    """Return what an experiment would do; every trouble is told, none is raised."""
    try:
        fetch = _lacking(experiment)
        scenarios, conditions = texts_of(experiment)
        samples = sum(experiment.samples if t > 0 else 1 for t in experiment.temperatures)
        trials = len(experiment.models) * len(scenarios) * len(conditions) * samples
        here = all(not is_server(name) and locate(name) for name in experiment.models)
        done = _answered(trial_keys(design(experiment)), db) if here else None
        copies = experiment.samples if min(experiment.temperatures) > 0 else 1
        return Estimate(
            trials, done, len(scenarios), tuple(dict.fromkeys(s.category for s in scenarios)),
            conditions, fetch, smallest_gap_sentence(len(scenarios), copies),
            _time(db, trials - (done or 0)),
        )  # fmt: skip
    except SteertuiError as exc:
        return Estimate(trouble=str(exc))


def _lacking(experiment: Experiment) -> tuple[tuple[str, int], ...]:
    needs = needs_of(experiment)
    sources = [(name, find_source(name)) for name in needs.sources]
    texts = [(name, source.size) for name, source in sources if lacking(source)]
    weights = [(name, found[1].size if (found := known(name)) else 0)
               for name in needs.models if locate(name) is None]  # fmt: skip
    return (*texts, *weights)


def _answered(keys: list[str], db: Path) -> int:
    if not db.exists():
        return 0
    with Store(db, must_exist=True) as store:
        return sum(
            store.column(
                f"SELECT count(*) FROM generations WHERE trial IN ({','.join('?' * len(part))})",
                part,
            )[0]
            for part in (keys[i : i + MANY] for i in range(0, len(keys), MANY))
        )


def _time(db: Path, left: int) -> str:
    """Say how long so many answers take at the pace of the newest run."""
    if not db.exists() or left <= 0:
        return ""
    sql = """SELECT count(*) AS n,
            86400 * (julianday(max(created_at)) - julianday(min(created_at))) AS seconds
        FROM generations WHERE run = (SELECT max(run) FROM generations)"""
    with Store(db, must_exist=True) as store:
        (row,) = store.query(sql)
    if row["n"] < 10 or not row["seconds"]:
        return ""
    return f"about {clock(left * row['seconds'] / row['n'])} at the newest run's pace"
