"""A Plan: an experiment's trials with their prompts, and what of them is still to be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.core.experiment import Design
from steertui.core.model import DEMO, Model, is_stand_in
from steertui.core.prompt import Prompt
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import ExperimentError
from steertui.judge.price import CHARACTERS_PER_TOKEN
from steertui.planning.judges import (
    DEFAULT_OPTIONS,
    Judge,
    JudgeServerOptions,
    chat_format,
    estimate_cost,
    find_judges,
    judge_title,
    register_judges,
)
from steertui.planning.preflight import write_for_server
from steertui.server.model import ServerModel
from steertui.store import ModelFacts, Store, UnjudgedAnswer

LIKELY_TOKENS = 850
"""Of an answer: the paper's published 4B answers have 3,385 characters on average."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do.

    Attributes:
        id: the experiment's id in the store.
        design: the experiment, looked up.
        prompts: of all trials, in the grid's order.
        judges: in the order asked for.
        answered: keys of the trials that have their answer.
        unjudged: for each judge, how many labels are missing.
        dollars: for each judge, about what they will cost; None where nothing is paid or known.
        is_stand_in: whether the demo checkpoint answers or judges.
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
        """Return the model's prompts that have no answer yet."""
        return [p for p in self.missing_here if p.trial.model == model]

    @property
    def missing_here(self) -> list[Prompt]:
        """The prompts without an answer that are to be answered here: the shard's."""
        own = self.design.own_scenarios
        open_ones = (p for p in self.prompts if p.key not in self.answered)
        return [p for p in open_ones if p.trial.scenario.name in own]


def make_plan(design: Design, store: Store, terms: JudgeServerOptions = DEFAULT_OPTIONS) -> Plan:
    """Write every prompt, add the trials to the store, and find what is missing.

    Raises the error of the first thing that does not fit together; nothing was run by then.
    """
    judges = experiment_judges(design, terms)
    titles = [judge_title(judge) for judge in judges]
    prompts: list[Prompt] = []
    facts: dict[str, ModelFacts] = {}
    for model in design.models:
        written, told = _write(design, model)
        prompts += written
        facts[model.sha256] = told
    experiment = store.plan(design.experiment.to_toml(), prompts, facts)
    register_judges(judges, titles, store)
    answered = frozenset(store.answered(experiment))
    missing = tuple(len(prompts) - store.judged(experiment, judge.id) for judge in judges)
    dollars = tuple(
        estimate_cost(j, _to_judge(design, prompts, store, experiment, j)) for j in judges
    )
    stand_in = any(map(is_stand_in, [*titles, *(f.title for f in facts.values())]))
    return Plan(experiment, design, tuple(prompts), judges, answered, missing, dollars, stand_in)


def trial_keys(design: Design) -> list[str]:
    """Return the keys of all trials, as `make_plan` would make them; nothing is stored."""
    return [prompt.key for model in design.models for prompt in _write(design, model)[0]]


def _to_judge(
    design: Design, prompts: Sequence[Prompt], store: Store, experiment: str, judge: Judge
) -> Iterator[UnjudgedAnswer]:
    """Yield what the judge will read, for an estimate: answers yet to come of a likely length."""
    yield from store.unjudged(experiment, judge.id)
    likely = likely_answer(design.experiment.max_tokens)
    answered = store.answered(experiment)
    for p in prompts:
        if p.key not in answered:
            s = p.trial.scenario
            yield UnjudgedAnswer(p.key, s.category, s.system, s.task, p.trial.user, likely)


def likely_answer(max_tokens: int) -> str:
    """Return a text as long as an answer probably is, for estimates of a judge's cost."""
    return "x" * int(CHARACTERS_PER_TOKEN * min(max_tokens, LIKELY_TOKENS))


def experiment_judges(
    design: Design, terms: JudgeServerOptions = DEFAULT_OPTIONS
) -> tuple[Judge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name.

    Where none is named the demo judges itself, and other models' answers stay unjudged: the
    demo can read its own kind of answers only.
    """
    e = design.experiment
    specs = e.judges or ([f"local:{DEMO}"] if e.models == [DEMO] else [])
    return find_judges(specs, e.rubric, e.blind, terms, e.label_order)


def _write(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    if isinstance(model, ServerModel):
        return write_for_server(design, model)
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name)
        trials = [trial for trial in design.trials if trial.model == model]
        prompts = chat.write(trials, design.experiment.thinking)
        _refuse_too_long(gguf, prompts)
        arch = gguf.meta("general.architecture")
        told = (gguf.meta("general.name"), arch, gguf.description, gguf.parameters)
        facts = ModelFacts(*told, chat.template, chat.sha256)
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
