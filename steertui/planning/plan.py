"""Plan of a run: an experiment's trials with their prompts, and the work that is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.core.model import Model, is_stand_in
from steertui.core.prompt import Prompt
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import ExperimentError
from steertui.planning.judge_cost import estimate_cost, expected_answer
from steertui.planning.judges import (
    DEFAULT_OPTIONS,
    Judge,
    JudgeServerOptions,
    chat_format,
    find_judges,
    judge_names,
    judge_title,
    register_judges,
)
from steertui.planning.preflight import render_for_server
from steertui.planning.resolve import Design
from steertui.server.model import ServerModel
from steertui.store import ModelFacts, Store, UnjudgedAnswer


@dataclass(frozen=True, slots=True)
class Plan:
    """Work of a run.

    Attributes:
        id: the experiment's id in the store.
        design: the experiment with every name resolved.
        prompts: of all trials, in the grid's order.
        judges: in the experiment's order.
        answered: keys of the answered trials.
        unjudged: number of missing labels per judge.
        dollars: estimated cost of the missing labels per judge, in US dollars; None if nothing is
            paid or the price is unknown.
        is_stand_in: whether the demo model answers or judges.
    """

    id: str
    design: Design
    prompts: tuple[Prompt, ...]
    judges: tuple[Judge, ...]
    answered: frozenset[str]
    unjudged: tuple[int, ...]
    dollars: tuple[float | None, ...]
    is_stand_in: bool

    def missing(self, model: Model) -> list[Prompt]:
        """Return the model's unanswered prompts in this shard."""
        return [p for p in self.missing_here if p.trial.model == model]

    @property
    def missing_here(self) -> list[Prompt]:
        """The unanswered prompts in this shard."""
        scenarios = self.design.own_scenarios
        unanswered = (p for p in self.prompts if p.key not in self.answered)
        return [p for p in unanswered if p.trial.scenario.name in scenarios]


def make_plan(design: Design, store: Store, options: JudgeServerOptions = DEFAULT_OPTIONS) -> Plan:
    """Render all prompts, add the trials to the store, and count what is missing.

    Raises the first error found. Nothing has been run by then.
    """
    judges = experiment_judges(design, options)
    titles = [judge_title(judge) for judge in judges]
    prompts: list[Prompt] = []
    facts: dict[str, ModelFacts] = {}
    for model in design.models:
        model_prompts, facts[model.sha256] = _render(design, model)
        prompts += model_prompts
    experiment = store.plan(design.experiment.to_toml(), prompts, facts)
    register_judges(judges, titles, store)
    model_titles = [fact.title for fact in facts.values()]
    return Plan(
        id=experiment,
        design=design,
        prompts=tuple(prompts),
        judges=judges,
        answered=frozenset(store.answered(experiment)),
        unjudged=tuple(len(prompts) - store.judged(experiment, judge.id) for judge in judges),
        dollars=tuple(
            estimate_cost(judge, _answers_to_judge(design, prompts, store, experiment, judge=judge))
            for judge in judges
        ),
        is_stand_in=any(map(is_stand_in, [*titles, *model_titles])),
    )


def trial_keys(design: Design) -> list[str]:
    """Return the keys that `make_plan` would give to the trials; nothing is stored."""
    return [prompt.key for model in design.models for prompt in _render(design, model)[0]]


def experiment_judges(
    design: Design, options: JudgeServerOptions = DEFAULT_OPTIONS
) -> tuple[Judge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name."""
    experiment = design.experiment
    return find_judges(
        judge_names(experiment),
        experiment.rubric,
        experiment.hide_suffix,
        options,
        debias=experiment.debias,
    )


def _answers_to_judge(
    design: Design, prompts: Sequence[Prompt], store: Store, experiment: str, *, judge: Judge
) -> Iterator[UnjudgedAnswer]:
    """Yield the stored answers without a label, and placeholders for unanswered trials."""
    yield from store.unjudged(experiment, judge.id)
    answered = store.answered(experiment)
    for prompt in prompts:
        if prompt.key not in answered:
            trial = prompt.trial
            max_tokens = design.experiment.max_tokens
            yield expected_answer(prompt.key, trial.scenario, trial.user, max_tokens)


def _render(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    if isinstance(model, ServerModel):
        return render_for_server(design, model)
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name)
        trials = [trial for trial in design.trials if trial.model == model]
        prompts = chat.write(trials, design.experiment.thinking)
        _refuse_too_long(gguf, prompts)
        facts = ModelFacts(
            title=gguf.meta("general.name"),
            architecture=gguf.meta("general.architecture"),
            description=gguf.description,
            parameters=gguf.parameters,
            template=chat.template,
            template_sha256=chat.sha256,
        )
        return prompts, facts


def _refuse_too_long(gguf: Vocabulary, prompts: Sequence[Prompt]) -> None:
    most = gguf.context_trained
    texts = list(dict.fromkeys(prompt.text for prompt in prompts))
    lengths = dict(zip(texts, gguf.count(texts), strict=True))
    for prompt in prompts:
        need = lengths[prompt.text] + prompt.trial.sampling.max_tokens
        if need > most:
            t = prompt.trial
            raise ExperimentError(
                f"{t.scenario.name} under {t.condition.name}: prompt and --max-tokens need {need} "
                f"tokens and {t.model.name} was made for {most}; lower --max-tokens"
            )
