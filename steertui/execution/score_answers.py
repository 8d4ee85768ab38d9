"""Scoring: the log-likelihood of each answer under the unsteered model, a measure of coherence."""

from collections.abc import Generator, Mapping, Sequence

from steertui.core.condition import Condition
from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.core.trial import Trial
from steertui.engine.events import Completed, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import ScoreRequest
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.engine.workload import workload_of
from steertui.execution.control import RunControl
from steertui.execution.engine_loop import run_until_idle
from steertui.execution.events import (
    Event,
    ModelLoaded,
    ModelLoading,
    RunStage,
    ScoringFailed,
)
from steertui.execution.remaining_work import StageWork
from steertui.planning.chat_formats import chat_format
from steertui.planning.plan import Plan
from steertui.store import AnswerLoglik, Store


def score_answers(
    plan: Plan, store: Store, model: Model, *, overrides: Overrides, control: RunControl
) -> Generator[Event, None, None]:
    """Score the model's answers that the plan wants scored; each score is stored at once.

    A text is scored without any steering, after the scenario's plain prompt, which has no addition
    of the condition. A prefill, which the model did not write, precedes the scored text.
    """
    texts = unscored_texts(plan, store, model)
    prompts = [prompt for prompt in plan.to_score if prompt.key in texts]
    if not prompts:
        return
    with vocabulary(model.path) as gguf:
        plain = _plain_prompts(gguf, plan, prompts)
        requests = _requests(gguf, plain, {p.key: texts[p.key] for p in prompts})
        scored = {request.id: request for request in requests}
        for key in plain.keys() - scored.keys():
            store.add_answer_loglik(key, AnswerLoglik(plain[key], 0, 0.0))
        if not requests:
            return
        workload = workload_of(requests, share=gguf.can_truncate)
        shapes = choose_shapes(gguf, model.size, workload, overrides)
    with Pool(model.path, shapes) as engine:
        for _ in engine.load():
            yield ModelLoading(model.name)
        yield ModelLoaded(RunStage.SCORE, model.name, shapes, len(requests))
        prefill = workload.prefill_tokens(shapes[0].slots)
        tokens = prefill + sum(len(r.continuations[0]) for r in requests)
        work = StageWork(tokens, 0, 1, engine.snapshot())
        for event in run_until_idle(engine, RunStage.SCORE, requests, control, work=work):
            match event:
                case Scored(id=key, logliks=(loglik,)):
                    tokens = len(scored[key].continuations[0])
                    # The log-probability of a certain token may be rounded above 0.
                    score = AnswerLoglik(plain[key], tokens, min(loglik, 0.0))
                    store.add_answer_loglik(key, score)
                case RequestFailed():
                    yield ScoringFailed(event.id, event.reason)
                case Scored() | Completed():
                    pass
                case _:
                    yield event


def unscored_texts(plan: Plan, store: Store, model: Model) -> dict[str, str]:
    """Return by trial key the model's answers that the plan wants scored and that are not."""
    wanted = {p.key for p in plan.to_score if p.trial.model.sha256 == model.sha256}
    texts = store.unscored_texts(plan.id, model.sha256) if wanted else {}
    return {key: text for key, text in texts.items() if key in wanted}


def _plain_prompts(gguf: Vocabulary, plan: Plan, prompts: Sequence[Prompt]) -> dict[str, str]:
    """Return by trial key the scenario's prompt without additions, with the condition's prefill."""
    experiment = plan.design.experiment
    chat = chat_format(gguf, prompts[0].trial.model.name, experiment.template)
    plain = Condition("plain")
    trials = [Trial(p.trial.model, p.trial.scenario, plain, p.trial.sampling) for p in prompts]
    written = chat.write(trials, experiment.thinking)
    return {
        prompt.key: own.text + prompt.prefill for prompt, own in zip(prompts, written, strict=True)
    }


def _requests(
    gguf: Vocabulary, plain: Mapping[str, str], texts: Mapping[str, str]
) -> list[ScoreRequest]:
    """Return one request per text that has tokens; its id is the trial's key.

    Texts that look like special tokens are tokenised as plain text, since answers are data.
    """
    before = gguf.tokenize([plain[key] for key in texts])
    after = gguf.tokenize([*texts.values()], special=False)
    return [
        ScoreRequest(key, prompt, (tokens,), full_vocabulary=True)
        for key, prompt, tokens in zip(texts, before, after, strict=True)
        if tokens
    ]
