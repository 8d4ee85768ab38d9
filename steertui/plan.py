"""A Plan: an experiment's trials with their prompts, and what of them is still to be done."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.engine.llama import LlamaModel
from steertui.errors import ExperimentError
from steertui.experiment import Design
from steertui.judge.local import LocalJudge, parse_judge
from steertui.judge.rubric import Rubric, load_rubric
from steertui.model import DEMO, Model, is_stand_in
from steertui.prompt import ChatFormat, Prompt
from steertui.store import ModelFacts, Store
from steertui.weights import find_model

NO_JUDGE = "none"


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
        is_stand_in: whether the demo checkpoint answers or judges.
    """

    id: str
    design: Design
    prompts: tuple[Prompt, ...]
    judges: tuple[LocalJudge, ...]
    answered: frozenset[str]
    unjudged: tuple[int, ...]
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
    titles = [_title(judge) for judge in judges]
    experiment = store.plan(design.experiment.to_toml(), prompts, facts)
    for judge, title in zip(judges, titles, strict=True):
        store.add_judge(judge.id, judge.name, judge.settings | {"title": title})
    answered = frozenset(store.answered(experiment))
    missing = tuple(len(prompts) - store.judged(experiment, judge.id) for judge in judges)
    stand_in = any(map(is_stand_in, [*titles, *(f.title for f in facts.values())]))
    return Plan(experiment, design, tuple(prompts), judges, answered, missing, stand_in)


def find_judges(design: Design) -> tuple[LocalJudge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name.

    Where none is named the demo judges itself, and other models' answers stay unjudged: the
    demo can read its own kind of answers only.
    """
    e = design.experiment
    rubric = load_rubric(e.rubric)
    specs = e.judges or ([f"local:{DEMO}"] if e.models == [DEMO] else [])
    found = (find_judge(spec, rubric, e.blind) for spec in specs if spec != NO_JUDGE)
    return tuple(found)


def find_judge(spec: str, rubric: Rubric, blind: bool) -> LocalJudge:
    """Return the judge that a name such as "local:demo" means."""
    return LocalJudge(find_model(parse_judge(spec)), rubric, blind)


def _title(judge: LocalJudge) -> str:
    """Return what the judge's GGUF calls itself; raises ModelError where it could not judge."""
    llama = LlamaModel(judge.model.path, vocab_only=True)
    try:
        chat = chat_format(llama, judge.model.name)
        judge.prompt(chat, "category", "context", "task", "task", "answer")
        return llama.meta("general.name")
    finally:
        llama.close()


def _write(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        chat = chat_format(llama, model.name)
        thinking = design.experiment.thinking
        prompts = [chat.write(t, thinking) for t in design.trials if t.model == model]
        _refuse_too_long(llama, prompts)
        arch = llama.meta("general.architecture")
        told = (llama.meta("general.name"), arch, llama.description, llama.parameters)
        facts = ModelFacts(*told, chat.template, chat.sha256)
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
