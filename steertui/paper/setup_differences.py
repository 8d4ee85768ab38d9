"""Differences between a run's set-up and the paper's, one sentence each."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend, is_from_inspect
from steertui.paper.original_labels import PAPER_JUDGE, is_imported, is_paper_run
from steertui.store import Store
from steertui.store.judge_queries import judge_settings
from steertui.store.setup_queries import TrialSetup, trial_setups

MAX_TOKENS = {False: 1024, True: 8096}
"""The paper's limit of new tokens, by whether the model is a Thinking model."""

SUFFIX_SHA256 = {
    "pro": "9f0b6c1b09b3c8a2b38b569346f88b9334b4b881fdd426fbeeefba989adfd89b",
    "anti": "9125b498481592c56b5bbf7f7f92b35fc9245d80685594d3b537a639ad9d2ec0",
}
"""sha256 of the paper's suffixes, stripped (its public code, PRO_IC_SUFFIX, ANTI_IC_SUFFIX)."""

JUDGE_MODEL = PAPER_JUDGE.removeprefix(JudgeKind.PAPER.prefix)
"""Name of the paper's judge."""

JUDGE_RUBRIC_SHA256 = "fbaa561516b015a3e1cbf4174eca26def3a64c6c628d438c9f0d2b1f83d41035"
"""`rubric_digest` of the paper's judge texts (its public code, base_system_prompt, judge_user)."""

_PENALTIES = {"repetition_penalty": 1.0, "presence_penalty": 0.0}
"""Neutral values, as in the paper; a penalty changes answers at any temperature."""


def setup_differences(store: Store, table: Table, model: str) -> Iterator[str]:
    """Yield the differences, the most important first, without full stops."""
    yield from _judge(store, table)
    setups = trial_setups(store, table.experiment, table.setting)
    is_thinking = "Thinking" in model
    if is_imported(table):
        source = _source(table)
        yield f"The answers are imported from {source}; nothing was generated here"
        yield from _suffixes(setups)
        yield from _sampling(table, setups, is_thinking=is_thinking)
        return
    yield from _suffixes(setups)
    for description, template in sorted(
        {(setup.model_description, setup.template_sha256[:12]) for setup in setups}
    ):
        yield from _model(table, description, template)
    if any(not setup.has_system for setup in setups):
        yield "There was no system message; the paper's is the category's own text"
    yield from _sampling(table, setups, is_thinking=is_thinking)
    yield from _answer_limits(setups, is_thinking=is_thinking)


def _source(table: Table) -> str:
    if is_from_inspect(table.setting.model):
        return "inspect_ai logs"
    return "the paper" if is_paper_run(table) else "another run of the paper's program"


def _judge(store: Store, table: Table) -> Iterator[str]:
    judge = table.judge
    if judge is None or judge.id == PAPER_JUDGE:
        return
    settings = judge_settings(store, judge.id)
    if settings.get("model") != JUDGE_MODEL:
        yield f"The judge is {judge.name}; the paper's is {JUDGE_MODEL}"
    if judge.kind is not JudgeKind.PAPER and judge.rubric_sha256 != JUDGE_RUBRIC_SHA256:
        yield "The judge's rubric is not the paper's"
    if settings.get("blind"):
        yield "The judge does not see the suffix; the paper's does"


def _model(table: Table, description: str, template: str) -> Iterator[str]:
    is_served = table.setting.backend is ModelBackend.SERVER
    if is_served:
        yield f"The model is {description or 'not described'}; the paper ran bf16 in transformers"
    else:
        weights = f"Weights are {description}, run" if description else "The weights are run"
        yield f"{weights} by llama.cpp; the paper ran bf16 in transformers"
    if not template:
        yield "The server renders the prompts by a chat template that it does not report"
        return
    source = "the GGUF's own chat template"
    if is_served:
        source = "a chat template of the server or the user"
    yield (
        f"Prompts are rendered by {source} (sha256 {template}…); publishers of one model ship "
        "different templates"
    )


def _suffixes(setups: Sequence[TrialSetup]) -> Iterator[str]:
    for name, suffix in sorted({(setup.condition, setup.suffix.strip()) for setup in setups}):
        if name == "baseline" and suffix:
            yield "The baseline has a suffix; the paper's has none"
        expected = SUFFIX_SHA256.get(name)
        if expected and sha256(suffix.encode()).hexdigest() != expected:
            yield f"The suffix of {name} is not the paper's text"


def _sampling(table: Table, setups: Sequence[TrialSetup], *, is_thinking: bool) -> Iterator[str]:
    temperature = table.setting.temperature
    if temperature:
        yield f"Answers are sampled at temperature {temperature:g}; the paper's are greedy"
    limit = MAX_TOKENS[is_thinking]
    limits = {setup.max_tokens for setup in setups if setup.max_tokens}
    for tokens in sorted(limits - {limit}):
        yield f"At most {tokens} new tokens; the paper allowed {limit}"
    for name, neutral in sorted(_PENALTIES.items()):
        for value in sorted({getattr(setup, name) for setup in setups} - {neutral}):
            yield f"A {name.replace('_', ' ')} of {value:g} is applied; the paper applies none"


def _answer_limits(setups: Sequence[TrialSetup], *, is_thinking: bool) -> Iterator[str]:
    if is_thinking and any(not setup.opens_thinking for setup in setups):
        yield "Prompts do not end with an opened reasoning block; the paper's do"
    if any(setup.stop_tokens != "eos" for setup in setups):
        yield (
            "Any end-of-generation token ends an answer; in the paper only the tokenizer's own "
            "does, which leaves more nonsense in its Base answers"
        )
