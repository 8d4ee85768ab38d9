"""A run: a generator of events that fills in whatever the store lacks."""

from collections.abc import Generator, Iterator, Sequence

from steertui.engine.sizing import Overrides
from steertui.judge.local import LocalJudge
from steertui.judge.server import ServerJudge
from steertui.panel import DEFAULT, Judge, Terms
from steertui.plan import Plan
from steertui.run.asking import Asking
from steertui.run.events import Event, Generated
from steertui.run.generate import generate
from steertui.run.score import score
from steertui.store import Store, Unjudged


def run(
    plan: Plan, store: Store, wish: Overrides, terms: Terms = DEFAULT
) -> Generator[Event, None, None]:
    """Generate and judge what is missing; close the generator to stop.

    Every answer and verdict is stored before its event is given out. Judges behind servers are
    asked a known answer before any model is loaded, and read while models still answer; local
    judges read after that.
    """
    behind = [j for j, left in zip(plan.judges, plan.unjudged, strict=True) if left]
    with _asking(behind, store, terms) as asking:
        yield from _open(asking, store, plan.id, behind)
        for model in plan.design.models:
            missing = plan.missing(model)
            for event in generate(plan, store, model, missing, wish) if missing else ():
                if isinstance(event, Generated):
                    answer = _unjudged(event)
                    asking.ask((j.id, answer) for j in behind if isinstance(j, ServerJudge))
                yield event
                yield from asking.news()
        yield from _read(asking, store, plan.id, plan.judges, wish, plan.design.experiment.reasons)


def judge(
    store: Store,
    experiment: str,
    judges: Sequence[Judge],
    wish: Overrides,
    terms: Terms = DEFAULT,
    *,
    reasons: bool = False,
) -> Generator[Event, None, None]:
    """Let judges read what they have not read of an experiment's answers; as `run` does it."""
    behind = [j for j in judges if store.unjudged(experiment, j.id)]
    with _asking(behind, store, terms) as asking:
        yield from _open(asking, store, experiment, behind)
        yield from _read(asking, store, experiment, behind, wish, reasons)


def _asking(judges: Sequence[Judge], store: Store, terms: Terms) -> Asking:
    return Asking([j for j in judges if isinstance(j, ServerJudge)], store.path, terms)


def _open(
    asking: Asking, store: Store, experiment: str, judges: Sequence[Judge]
) -> Iterator[Event]:
    yield from asking.open()
    for behind in judges:
        if isinstance(behind, ServerJudge):
            asking.ask((behind.id, answer) for answer in store.unjudged(experiment, behind.id))


def _read(
    asking: Asking,
    store: Store,
    experiment: str,
    judges: Sequence[Judge],
    wish: Overrides,
    reasons: bool,
) -> Iterator[Event]:
    for local in judges:
        if not isinstance(local, LocalJudge):
            continue
        waiting = store.unjudged(experiment, local.id)
        for event in score(store, local, waiting, wish, reasons=reasons) if waiting else ():
            yield event
            yield from asking.news()
    yield from asking.finish()


def _unjudged(event: Generated) -> Unjudged:
    trial, answer = event.prompt.trial, event.generation.answer
    s = trial.scenario
    return Unjudged(event.prompt.key, s.category, s.system, s.task, trial.user, answer)
