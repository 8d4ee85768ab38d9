"""A run: a generator of events that fills in whatever the store lacks."""

from collections.abc import Generator

from steertui.engine.sizing import Overrides
from steertui.plan import Plan
from steertui.run.events import Event
from steertui.run.generate import generate
from steertui.run.score import score
from steertui.store import Store


def run(plan: Plan, store: Store, wish: Overrides) -> Generator[Event, None, None]:
    """Generate, then judge, what is missing; close the generator to stop.

    Every answer and verdict is stored before its event is given out.
    """
    for model in plan.design.models:
        missing = plan.missing(model)
        if missing:
            yield from generate(plan, store, model, missing, wish)
    for judge in plan.judges:
        waiting = store.unjudged(plan.id, judge.id)
        if waiting:
            yield from score(store, judge, waiting, wish, reasons=plan.design.experiment.reasons)
