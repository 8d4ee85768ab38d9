"""A run: a generator of events that fills in whatever the store lacks."""

from collections.abc import Generator, Iterator, Sequence

from steertui.engine.sizing import Overrides
from steertui.errors import ServerError
from steertui.judge.local import LocalJudge
from steertui.judge.server import ServerJudge
from steertui.planning.judges import DEFAULT_OPTIONS, Judge, JudgeServerOptions
from steertui.planning.plan import Plan
from steertui.run.events import Event, Generated
from steertui.run.generate import generate
from steertui.run.local_judge import run_local_judge
from steertui.run.server_judges import ServerJudges
from steertui.run.server_models import ServerModels
from steertui.server.model import ServerModel
from steertui.store import Store, UnjudgedAnswer


def run(
    plan: Plan, store: Store, wish: Overrides, terms: JudgeServerOptions = DEFAULT_OPTIONS
) -> Generator[Event, None, None]:
    """Generate and judge what is missing; close the generator to stop.

    Every answer and verdict is stored before its event is given out. Judges behind servers are
    asked a known answer before any model is loaded, and read while models still answer; models
    behind servers answer while those on this machine do; local judges read after that.
    """
    _refuse_exact(plan, wish)
    behind = [j for j, left in zip(plan.judges, plan.unjudged, strict=True) if left]
    remote = {m: plan.missing(m) for m in plan.design.models if isinstance(m, ServerModel)}
    with _asking(behind, store, plan.id, terms) as asking:
        yield from _open(asking, store, plan.id, behind)
        with ServerModels(remote, store.path, plan.id, terms.answers) as answering:
            for event in _answers(plan, store, wish, answering):
                if isinstance(event, Generated):
                    answer = _unjudged(event)
                    asking.ask((j.id, answer) for j in behind if isinstance(j, ServerJudge))
                yield event
                yield from asking.news()
        yield from _read(asking, store, plan.id, plan.judges, wish, plan.design.experiment.reasons)


def _refuse_exact(plan: Plan, wish: Overrides) -> None:
    served = [m.name for m in plan.design.models if isinstance(m, ServerModel)]
    if wish.exact and served:
        raise ServerError(
            f"--exact: what a server computes together is its own affair; leave {served[0]} out, "
            "or --exact"
        )


def _answers(plan: Plan, store: Store, wish: Overrides, answering: ServerModels) -> Iterator[Event]:
    for model in plan.design.models:
        missing = [] if isinstance(model, ServerModel) else plan.missing(model)
        for event in generate(plan, store, model, missing, wish) if missing else ():
            yield event
            yield from answering.news()
    yield from answering.finish()


def judge(
    store: Store,
    experiment: str,
    judges: Sequence[Judge],
    wish: Overrides,
    terms: JudgeServerOptions = DEFAULT_OPTIONS,
    *,
    reasons: bool = False,
) -> Generator[Event, None, None]:
    """Let judges read what they have not read of an experiment's answers; as `run` does it."""
    behind = [j for j in judges if store.unjudged(experiment, j.id)]
    with _asking(behind, store, experiment, terms) as asking:
        yield from _open(asking, store, experiment, behind)
        yield from _read(asking, store, experiment, behind, wish, reasons)


def _asking(
    judges: Sequence[Judge], store: Store, experiment: str, terms: JudgeServerOptions
) -> ServerJudges:
    return ServerJudges([j for j in judges if isinstance(j, ServerJudge)], store, experiment, terms)


def _open(
    asking: ServerJudges, store: Store, experiment: str, judges: Sequence[Judge]
) -> Iterator[Event]:
    yield from asking.open()
    for behind in judges:
        if isinstance(behind, ServerJudge):
            asking.ask((behind.id, answer) for answer in store.unjudged(experiment, behind.id))


def _read(
    asking: ServerJudges,
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
        for event in (
            run_local_judge(store, local, waiting, wish, reasons=reasons) if waiting else ()
        ):
            yield event
            yield from asking.news()
    yield from asking.finish()


def _unjudged(event: Generated) -> UnjudgedAnswer:
    trial, answer = event.prompt.trial, event.generation.answer
    s = trial.scenario
    return UnjudgedAnswer(event.prompt.key, s.category, s.system, s.task, trial.user, answer)
