"""Runs: generators of events that compute the answers and labels missing in the store."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import assert_never

from steertui.engine.sizing import Overrides
from steertui.errors import ServerError
from steertui.execution.control import RunControl, until_stopped
from steertui.execution.derived_judges import NO_DERIVATION, Derivation, derive
from steertui.execution.events import Event, Generated
from steertui.execution.local_judge import run_local_judge
from steertui.execution.local_models import run_local_models
from steertui.execution.server_judges import ServerJudges
from steertui.execution.server_models import ServerModels
from steertui.execution.settings import RunSettings
from steertui.judge.local import LocalJudge
from steertui.judge.server import ServerJudge
from steertui.planning.control_answers import (
    is_demo_judge,
    pending_control,
    store_control_set,
)
from steertui.planning.judges import DEFAULT_OPTIONS, Judge, JudgeServerOptions
from steertui.planning.plan import Plan
from steertui.server.model import ServerModel
from steertui.store import Store, UnjudgedAnswer


def run(
    plan: Plan,
    store: Store,
    overrides: Overrides,
    servers: JudgeServerOptions = DEFAULT_OPTIONS,
    *,
    control: RunControl | None = None,
    removes_weights: bool = False,
) -> Generator[Event, None, None]:
    """Generate the missing answers, score and judge them; close the generator to stop.

    Every answer, log-likelihood and verdict is stored before its event is yielded. Judges on
    servers are probed with a known answer before any model is loaded, and judge while models still
    generate. Models on servers generate at the same time as local ones. Local judges come last.

    Weights that are not on this machine are fetched one model ahead. `removes_weights` removes them
    once the model's answers and log-likelihoods are stored; those of judges stay. Of several
    models, one that fails is stopped, and the others run.

    Raises ServerError if `overrides.deterministic` is set and a model runs on a server.
    """
    settings = RunSettings(
        overrides,
        servers,
        plan.design.experiment.reasons,
        control or RunControl(),
        removes_weights=removes_weights,
    )
    _check_deterministic(plan, overrides)
    return until_stopped(_run(plan, store, settings), settings.control)


def _run(plan: Plan, store: Store, settings: RunSettings) -> Generator[Event, None, None]:
    _store_control_set(store, plan.judges, settings)
    with_work = [
        j for j, work in zip(plan.judges, plan.estimate.judges, strict=True) if work.labels
    ]
    on_servers, _ = split_judges(with_work)
    _, local = split_judges(plan.judges)
    prompts = {m: plan.missing(m) for m in plan.design.models if isinstance(m, ServerModel)}
    with ServerJudges(on_servers, store, plan.id, settings.servers, settings.control) as judges:
        yield from judges.wait_until_ready()
        for server_judge in on_servers:
            unjudged = store.unjudged_answers(plan.id, server_judge.id)
            judges.ask((server_judge.id, answer) for answer in unjudged)
        with ServerModels(
            prompts,
            store,
            plan.id,
            policy=settings.servers.answers,
            control=settings.control,
        ) as models:
            for event in _generate(plan, store, settings, models):
                if isinstance(event, Generated):
                    answer = _unjudged(event)
                    judges.ask((server_judge.id, answer) for server_judge in on_servers)
                yield event
                yield from judges.new_events()
        for judge in local:
            answers = store.unjudged_answers(plan.id, judge.id)
            yield from _judge_locally(store, judge, answers, settings, judges)
        yield from judges.finish()


def split_judges(judges: Sequence[Judge]) -> tuple[list[ServerJudge], list[LocalJudge]]:
    """Return judges on servers and judges on this machine, which run differently."""
    on_servers: list[ServerJudge] = []
    local: list[LocalJudge] = []
    for judge in judges:
        match judge:
            case ServerJudge():
                on_servers.append(judge)
            case LocalJudge():
                local.append(judge)
            case _:
                assert_never(judge)
    return on_servers, local


def _check_deterministic(plan: Plan, overrides: Overrides) -> None:
    on_servers = [m.name for m in plan.design.models if isinstance(m, ServerModel)]
    if overrides.deterministic and on_servers:
        raise ServerError(
            "--deterministic: cannot control how a server batches requests; leave out "
            f"{on_servers[0]} or --deterministic"
        )


def _generate(
    plan: Plan, store: Store, settings: RunSettings, models: ServerModels
) -> Iterator[Event]:
    for event in run_local_models(plan, store, settings):
        yield event
        yield from models.new_events()
    yield from models.finish()


def judge(
    store: Store,
    experiment: str,
    judges: Sequence[Judge],
    overrides: Overrides,
    servers: JudgeServerOptions = DEFAULT_OPTIONS,
    *,
    reasons: bool = False,
    control: RunControl | None = None,
    unjudged: Mapping[str, Sequence[UnjudgedAnswer]] | None = None,
    derivation: Derivation = NO_DERIVATION,
) -> Generator[Event, None, None]:
    """Judge the stored answers of an experiment that each judge has not judged yet.

    `unjudged` are these answers by judge id; they are read from the store if left out. Derived
    judges come last.
    """
    settings = RunSettings(overrides, servers, reasons, control or RunControl())
    if unjudged is None:
        unjudged = {judge.id: store.unjudged_answers(experiment, judge.id) for judge in judges}
    events = _judge(store, experiment, judges, settings, unjudged, derivation=derivation)
    return until_stopped(events, settings.control)


def _judge(
    store: Store,
    experiment: str,
    judges: Sequence[Judge],
    settings: RunSettings,
    unjudged: Mapping[str, Sequence[UnjudgedAnswer]],
    *,
    derivation: Derivation,
) -> Generator[Event, None, None]:
    _store_control_set(store, judges, settings)
    with_work = [
        judge
        for judge in judges
        if unjudged[judge.id] or pending_control(store, settings.servers.control_set, judge)
    ]
    on_servers, local = split_judges(with_work)
    with ServerJudges(
        on_servers, store, experiment, settings.servers, settings.control
    ) as server_judges:
        yield from server_judges.wait_until_ready()
        for on_server in on_servers:
            server_judges.ask((on_server.id, answer) for answer in unjudged[on_server.id])
        for judge in local:
            yield from _judge_locally(store, judge, unjudged[judge.id], settings, server_judges)
        yield from server_judges.finish()
    yield from derive(store, experiment, judges, derivation)


def _store_control_set(store: Store, judges: Sequence[Judge], settings: RunSettings) -> None:
    """Add the control set to the store if a judge reads it."""
    control_set = settings.servers.control_set
    if control_set and not all(map(is_demo_judge, judges)):
        store_control_set(store, control_set)


def _judge_locally(
    store: Store,
    judge: LocalJudge,
    answers: Sequence[UnjudgedAnswer],
    settings: RunSettings,
    server_judges: ServerJudges,
) -> Iterator[Event]:
    own = pending_control(store, settings.servers.control_set, judge)
    if not answers and not own:
        return
    for event in run_local_judge(
        store,
        judge,
        answers,
        overrides=settings.overrides,
        reasons=settings.reasons,
        control=settings.control,
        control_answers=own,
    ):
        yield event
        yield from server_judges.new_events()


def _unjudged(event: Generated) -> UnjudgedAnswer:
    trial = event.prompt.trial
    return UnjudgedAnswer(
        event.prompt.key,
        trial.scenario.category,
        trial.scenario.system,
        trial.scenario.task,
        user=trial.user,
        answer=event.generation.answer,
    )
