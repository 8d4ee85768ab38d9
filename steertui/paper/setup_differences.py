"""Differences between a run's set-up and the paper's, one sentence each."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend
from steertui.paper.original_labels import PAPER_JUDGE, is_imported, is_paper_run
from steertui.store import Store

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

Rows = list[dict[str, Any]]


def setup_differences(store: Store, table: Table, model: str) -> Iterator[str]:
    """Yield the differences, the most important first, without full stops."""
    yield from _judge(store, table)
    rows = _distinct_setups(store, table)
    is_thinking = "Thinking" in model
    if is_imported(table):
        source = "the paper" if is_paper_run(table) else "another run of the paper's program"
        yield f"The answers are imported from {source}; nothing was generated here"
        yield from _suffixes(rows)
        yield from _sampling(table, rows, is_thinking=is_thinking)
        return
    yield from _suffixes(rows)
    for description, template in sorted(
        {(row["description"], row["template_sha256"][:12]) for row in rows}
    ):
        yield from _model(table, description, template)
    if any(not row["has_system"] for row in rows):
        yield "There was no system message; the paper's is the category's own text"
    yield from _sampling(table, rows, is_thinking=is_thinking)
    yield from _answer_limits(rows, is_thinking=is_thinking)


def _judge(store: Store, table: Table) -> Iterator[str]:
    judge = table.judge
    if judge is None or judge.id == PAPER_JUDGE:
        return
    sql = "SELECT settings FROM judges WHERE id = ?"
    settings = json.loads(store.column(sql, [judge.id])[0])
    if settings.get("model") != JUDGE_MODEL:
        yield f"The judge is {judge.name}; the paper's is {JUDGE_MODEL}"
    if judge.kind is not JudgeKind.PAPER and judge.rubric_sha256 != JUDGE_RUBRIC_SHA256:
        yield "The judge's rubric is not the paper's"
    if settings.get("blind"):
        yield "The judge does not see the suffix; the paper's does"


def _model(table: Table, description: str, template: str) -> Iterator[str]:
    is_served = table.setting.backend is ModelBackend.SERVER
    if is_served:
        yield f"The model is {description}; the paper ran bf16 in transformers"
    else:
        yield f"Weights are {description}, run by llama.cpp; the paper ran bf16 in transformers"
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


def _suffixes(rows: Rows) -> Iterator[str]:
    for name, suffix in sorted({(row["name"], row["suffix"].strip()) for row in rows}):
        if name == "baseline" and suffix:
            yield "The baseline has a suffix; the paper's has none"
        expected = SUFFIX_SHA256.get(name)
        if expected and sha256(suffix.encode()).hexdigest() != expected:
            yield f"The suffix of {name} is not the paper's text"


def _sampling(table: Table, rows: Rows, *, is_thinking: bool) -> Iterator[str]:
    temperature = table.setting.temperature
    if temperature:
        yield f"Answers are sampled at temperature {temperature:g}; the paper's are greedy"
    limit = MAX_TOKENS[is_thinking]
    for tokens in sorted({row["tokens"] for row in rows if row["tokens"]} - {limit}):
        yield f"At most {tokens} new tokens; the paper allowed {limit}"
    for name, neutral in sorted(_PENALTIES.items()):
        for value in sorted({row[name] for row in rows} - {neutral}):
            yield f"A {name.replace('_', ' ')} of {value:g} is applied; the paper applies none"


def _answer_limits(rows: Rows, *, is_thinking: bool) -> Iterator[str]:
    if is_thinking and any(not row["is_open"] for row in rows):
        yield "Prompts do not end with an opened reasoning block; the paper's do"
    if any(row["end"] != "eos" for row in rows):
        yield (
            "Any end-of-generation token ends an answer; in the paper only the tokenizer's own "
            "does, which leaves more nonsense in its Base answers"
        )


def _distinct_setups(store: Store, table: Table) -> Rows:
    """Return the distinct set-ups of the table's trials."""
    sql = """SELECT DISTINCT c.name, c.suffix, m.description, m.template_sha256,
            json_extract(t.sampling, '$.max_tokens') AS tokens,
            json_extract(t.sampling, '$.repetition_penalty') AS repetition_penalty,
            json_extract(t.sampling, '$.presence_penalty') AS presence_penalty,
            json_extract(t.sampling, '$.end') AS end, s.system <> '' AS has_system,
            rtrim(p.text, char(10) || ' ') LIKE '%<think>' OR m.template = '' AS is_open
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN conditions AS c ON c.id = t.condition JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN prompts AS p ON p.sha256 = t.prompt
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    setting = table.setting
    return store.query(sql, [table.experiment, setting.model, setting.temperature])
