"""Experiments that a model behind servers answers."""

from collections import Counter
from pathlib import Path

from steertui.engine.sizing import Overrides
from steertui.experiment import Experiment, design
from steertui.panel import Terms
from steertui.plan import make_plan
from steertui.run import Event, run
from steertui.server.patience import Patience
from steertui.store import Store
from tests.judge.server import Fake

PATIENCE = Patience(concurrency=64, timeout=30.0, wait=60.0)
"""A busy machine must make no failures of its own."""


def experiment(names: list[str], **changes: object) -> Experiment:
    """Return one of 108 trials, not judged."""
    given: dict[str, object] = {"models": names, "judges": ["none"], "max_tokens": 64}
    return Experiment(**(given | changes))  # type: ignore[arg-type]


def answer(
    db: Path, names: list[str], patience: Patience = PATIENCE, **changes: object
) -> list[Event]:
    """Let the servers answer; return what the run told."""
    with Store(db) as store:
        plan = make_plan(design(experiment(names, **changes)), store)
        return list(run(plan, store, Overrides(), Terms(answers=patience)))


def rows(db: Path, sql: str) -> list[dict[str, object]]:
    """Return a query's rows."""
    with Store(db, must_exist=True) as store:
        return store.query(sql)


def tally(db: Path) -> tuple[int, int, int]:
    """Return how many trials have one answer, how many only a failure, and how many neither."""
    (row,) = rows(
        db,
        """SELECT count(g.id) AS answered, count(*) AS n,
            sum(g.id IS NULL AND EXISTS (SELECT 1 FROM failures AS f WHERE f.trial = t.key))
                AS failed
        FROM trials AS t LEFT JOIN generations AS g ON g.trial = t.key""",
    )
    answered, failed, n = (int(str(row[name] or 0)) for name in ("answered", "failed", "n"))
    return answered, failed, n - answered - failed


def prompts_asked(fake: Fake) -> Counter[str]:
    """Return how often each prompt came, whatever else was asked."""
    return Counter(fake.asked)
