"""A Plan: an experiment's trials with their prompts, and what of them is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.engine.llama import LlamaModel
from steertui.errors import ExperimentError
from steertui.experiment import Design
from steertui.judge.local import LocalJudge, parse_judge
from steertui.judge.rubric import load_rubric
from steertui.model import Model, find_model
from steertui.prompt import ChatFormat, Prompt
from steertui.store import ModelFacts, Store


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
    """

    id: str
    design: Design
    prompts: tuple[Prompt, ...]
    judges: tuple[LocalJudge, ...]
    answered: frozenset[str]
    unjudged: tuple[int, ...]

    def missing(self, model: Model) -> list[Prompt]:
        """Return the model's prompts that have no answer yet."""
        own = (p for p in self.prompts if p.trial.model == model)
        return [p for p in own if p.key not in self.answered]


def chat_format(model: LlamaModel, name: str) -> ChatFormat:
    """Return the chat format that the GGUF carries."""
    return ChatFormat(model.meta("tokenizer.chat_template"), model.bos, model.eos, name)


def make_plan(design: Design, store: Store) -> Plan:
    """Write every prompt, add the trials to the store, and find what is missing.

    Raises the error of the first thing that does not fit together; nothing was run by then.
    """
    judges = find_judges(design)
    prompts: list[Prompt] = []
    facts: dict[str, ModelFacts] = {}
    for model in design.models:
        written, told = _write(design, model)
        prompts += written
        facts[model.sha256] = told
    experiment = store.plan(design.experiment.to_toml(), prompts, facts)
    for judge in judges:
        store.add_judge(judge.id, judge.name, judge.settings)
    answered = frozenset(store.answered(experiment))
    missing = tuple(len(prompts) - store.judged(experiment, judge.id) for judge in judges)
    return Plan(experiment, design, tuple(prompts), judges, answered, missing)


def find_judges(design: Design) -> tuple[LocalJudge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name."""
    e = design.experiment
    rubric = load_rubric(e.rubric)
    return tuple(LocalJudge(find_model(parse_judge(spec)), rubric, e.blind) for spec in e.judges)


def _write(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        chat = chat_format(llama, model.name)
        prompts = [chat.write(t) for t in design.trials if t.model == model]
        _refuse_too_long(llama, prompts)
        arch = llama.meta("general.architecture")
        facts = ModelFacts(arch, llama.description, llama.parameters, chat.template, chat.sha256)
        return prompts, facts
    finally:
        llama.close()


def _refuse_too_long(llama: LlamaModel, prompts: Sequence[Prompt]) -> None:
    most = llama.context_trained
    lengths: dict[str, int] = {}
    for prompt in prompts:
        if prompt.text not in lengths:
            lengths[prompt.text] = len(llama.tokenize(prompt.text))
        need = lengths[prompt.text] + prompt.trial.sampling.max_tokens
        if need > most:
            t = prompt.trial
            raise ExperimentError(
                f"{t.scenario.name} under {t.condition.name}: prompt and --max-tokens need {need} "
                f"tokens and {t.model.name} was made for {most}; lower --max-tokens"
            )
