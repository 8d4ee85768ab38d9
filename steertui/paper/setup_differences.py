"""What in a run's set-up is not as the paper had it, a sentence each."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend
from steertui.paper.original_labels import is_imported, is_papers
from steertui.store import Store

MAX_TOKENS = {False: 1024, True: 8096}
"""The paper's limit of new tokens, for other models and for Thinking."""

SUFFIXES = {
    "pro": "9f0b6c1b09b3c8a2b38b569346f88b9334b4b881fdd426fbeeefba989adfd89b",
    "anti": "9125b498481592c56b5bbf7f7f92b35fc9245d80685594d3b537a639ad9d2ec0",
}
"""sha256 of the paper's suffixes, stripped (its public code, PRO_IC_SUFFIX, ANTI_IC_SUFFIX)."""

JUDGE = "gpt-5.2"

JUDGE_RUBRIC_SHA256 = "fbaa561516b015a3e1cbf4174eca26def3a64c6c628d438c9f0d2b1f83d41035"
"""`rubric_digest` of the paper's judge texts (its public code, base_system_prompt, judge_user)."""

_PENALTIES = {"repetition_penalty": 1.0, "presence_penalty": 0.0}
"""Off; at any temperature they change what is written."""


def setup_differences(store: Store, table: Table, model: str) -> Iterator[str]:
    """Yield what differs, the weightiest first, no full stop."""
    yield from _judge(store, table)
    rows = _trials(store, table)
    is_thinking = "Thinking" in model
    if is_imported(table):
        whose = "the paper's own" if is_papers(table) else "another run's of the paper's program"
        yield f"The answers are {whose}, imported; nothing was generated here"
        yield from _suffixes(rows)
        yield from _limits(table, rows, is_thinking=is_thinking)
        return
    yield from _suffixes(rows)
    for about in sorted({f"{r['description']}|{r['template_sha256'][:12]}" for r in rows}):
        yield from _model(table, *about.rsplit("|", 1))
    if any(not row["is_told"] for row in rows):
        yield "No system message was given; the paper gives the category's own text"
    yield from _limits(table, rows, is_thinking=is_thinking)
    yield from _ends(rows, is_thinking=is_thinking)


def _judge(store: Store, table: Table) -> Iterator[str]:
    if table.judge is None or table.judge.id == f"{JudgeKind.PAPER.prefix}{JUDGE}":
        return
    sql = "SELECT settings FROM judges WHERE id = ?"
    settings = json.loads(store.column(sql, [table.judge.id])[0])
    name = table.judge.name
    if settings.get("model") != JUDGE:
        yield f"The judge is {name}; the paper's is {JUDGE}"
    is_published = table.judge.kind is JudgeKind.PAPER
    if not is_published and table.judge.rubric_sha256 != JUDGE_RUBRIC_SHA256:
        yield "The judge is told other words than the paper's"
    if settings.get("blind"):
        yield "The judge does not see the suffix; the paper's does"


def _model(table: Table, about: str, template: str) -> Iterator[str]:
    is_served = table.setting.backend is ModelBackend.SERVER
    weights = f"The model is {about}" if is_served else f"Weights are {about}, run by llama.cpp"
    yield f"{weights}; the paper ran bf16 in transformers"
    if not template:
        yield "Prompts are written by the server, by a chat template that it does not tell"
        return
    whose = "a chat template of the server's or the user's" if is_served else (
        "the GGUF's own chat template"
    )  # fmt: skip
    yield (
        f"Prompts are written by {whose} (sha256 {template}…), and publishers of one model ship "
        "different ones"
    )


def _suffixes(rows: list[dict[str, Any]]) -> Iterator[str]:
    for name, suffix in sorted({(row["name"], row["suffix"].strip()) for row in rows}):
        if name == "baseline" and suffix:
            yield "Something is added to the task under baseline; the paper adds nothing"
        if name in SUFFIXES and sha256(suffix.encode()).hexdigest() != SUFFIXES[name]:
            yield f"The suffix of {name} is not the paper's text"


def _limits(table: Table, rows: list[dict[str, Any]], *, is_thinking: bool) -> Iterator[str]:
    temperature = table.setting.temperature
    if temperature:
        yield f"Answers are drawn at temperature {temperature:g}; the paper's are greedy"
    limit = MAX_TOKENS[is_thinking]
    for tokens in sorted({row["tokens"] for row in rows if row["tokens"]} - {limit}):
        yield f"At most {tokens} new tokens; the paper allowed {limit}"
    for name in sorted(_PENALTIES):
        for value in sorted({row[name] for row in rows} - {_PENALTIES[name]}):
            yield f"A {name.replace('_', ' ')} of {value:g} is applied; the paper applies none"


def _ends(rows: list[dict[str, Any]], *, is_thinking: bool) -> Iterator[str]:
    if is_thinking and any(not row["is_open"] for row in rows):
        yield "Prompts do not open the model's thought; the paper's do"
    if any(row["end"] != "eos" for row in rows):
        yield (
            "An answer may end at any end-of-generation token; the paper's only at the "
            "tokenizer's own, which leaves more nonsense in its Base answers"
        )


def _trials(store: Store, table: Table) -> list[dict[str, Any]]:
    """Return the different ways in which the table's trials were set up."""
    sql = """SELECT DISTINCT c.name, c.suffix, m.description, m.template_sha256,
            json_extract(t.sampling, '$.max_tokens') AS tokens,
            json_extract(t.sampling, '$.repetition_penalty') AS repetition_penalty,
            json_extract(t.sampling, '$.presence_penalty') AS presence_penalty,
            json_extract(t.sampling, '$.end') AS end, s.system <> '' AS is_told,
            rtrim(p.text, char(10) || ' ') LIKE '%<think>' OR m.template = '' AS is_open
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN conditions AS c ON c.id = t.condition JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN prompts AS p ON p.sha256 = t.prompt
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    arm = table.setting
    return store.query(sql, [table.experiment, arm.model, arm.temperature])
