"""Local models of a run: answers and log-likelihoods, with weights fetched one model ahead."""

from collections.abc import Iterator

from steertui.core.model import Model
from steertui.errors import EngineError, FetchError, ModelError
from steertui.execution.events import Event, ModelStopped
from steertui.execution.generate import generate, memory_problem
from steertui.execution.score_answers import score_answers, unscored_texts
from steertui.execution.settings import RunSettings
from steertui.execution.weights import Weights
from steertui.judge.local import LocalJudge
from steertui.planning.plan import Plan
from steertui.planning.rates import note_rate
from steertui.server.model import ServerModel
from steertui.store import Store


def run_local_models(plan: Plan, store: Store, settings: RunSettings) -> Iterator[Event]:
    """Run the models on this machine that have work, one after the other.

    Of several models, those too large for the memory are stopped first, before anything is fetched
    for them, and one that fails does not stop the others.
    """
    local = [m for m in plan.design.models if not isinstance(m, ServerModel)]
    if len(local) > 1:
        reasons = {m: memory_problem(plan, m, settings.overrides) for m in local}
        for model, reason in reasons.items():
            if reason:
                yield _stopped(plan, store, model, reason)
        local = [model for model in local if not reasons[model]]
    is_alone = len(plan.design.models) == 1
    with_work = [m for m in local if plan.missing(m) or unscored_texts(plan, store, m)]
    with Weights(
        with_work, store.path, settings.control, removes=settings.removes_weights
    ) as weights:
        for model in local:
            try:
                if model in with_work:
                    yield from _generate_locally(plan, store, model, settings, weights)
            except (EngineError, FetchError, ModelError) as exc:
                if is_alone:
                    raise
                yield _stopped(plan, store, model, str(exc))
            if _is_complete(plan, store, model) and not _is_judge(plan, model):
                yield from weights.release(model)


def _generate_locally(
    plan: Plan, store: Store, model: Model, settings: RunSettings, weights: Weights
) -> Iterator[Event]:
    """Generate a model's missing answers, then score those that the plan wants scored."""
    overrides, control = settings.overrides, settings.control
    local = yield from weights.ready(model)
    if local is None:
        return
    missing = plan.missing(model)
    if missing:
        try:
            answers = generate(plan, store, local, missing, overrides=overrides, control=control)
            yield from weights.watch(model, answers)
        finally:
            note_rate(store, model.sha256)
    scores = score_answers(plan, store, local, overrides=overrides, control=control)
    yield from weights.watch(model, scores)


def _is_complete(plan: Plan, store: Store, model: Model) -> bool:
    """Whether nothing that needs the model's weights is left."""
    return not _unanswered(plan, store, model) and not unscored_texts(plan, store, model)


def _unanswered(plan: Plan, store: Store, model: Model) -> int:
    """Return the number of the model's prompts in this shard that have no answer by now."""
    answered = store.answered_keys(plan.id)
    return sum(prompt.key not in answered for prompt in plan.missing(model))


def _is_judge(plan: Plan, model: Model) -> bool:
    judges = [judge for judge in plan.judges if isinstance(judge, LocalJudge)]
    return any(judge.model.sha256 == model.sha256 for judge in judges)


def _stopped(plan: Plan, store: Store, model: Model, reason: str) -> ModelStopped:
    return ModelStopped(model.name, reason, _unanswered(plan, store, model))
