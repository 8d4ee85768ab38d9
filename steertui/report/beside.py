"""A run beside the paper: deviations, and what differs in the set-up."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from steertui.fidelity import Deviation, deviations, is_papers_benchmark, paper_model
from steertui.report.summary import Summary
from steertui.report.table import Table, convergent
from steertui.report.words import title
from steertui.store import Store

SCENARIOS = 71
"""So many items has each of the paper's runs."""

MAX_TOKENS = {False: 1024, True: 8096}
"""The paper's limit of new tokens, for other models and for Thinking."""

SUFFIXES = {
    "pro": "9f0b6c1b09b3c8a2b38b569346f88b9334b4b881fdd426fbeeefba989adfd89b",
    "anti": "9125b498481592c56b5bbf7f7f92b35fc9245d80685594d3b537a639ad9d2ec0",
}
"""sha256 of the paper's suffixes, stripped (its public code, PRO_IC_SUFFIX, ANTI_IC_SUFFIX)."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A table beside the paper; `setup` says what differs, a sentence each, no full stop.

    Attributes:
        table: its place in the summary, from 0.
        title: what the table is about.
        model: the paper's name.
        deviations: by condition, then the gap's.
    """

    table: int
    title: str
    model: str
    deviations: tuple[Deviation, ...]
    setup: tuple[str, ...]


def beside_paper(store: Store, summary: Summary) -> list[Beside]:
    """Return each table that the paper has numbers for, beside them."""
    found = (_beside(store, place, table) for place, table in enumerate(summary.tables))
    return [beside for beside in found if beside]


def _beside(store: Store, place: int, table: Table) -> Beside | None:
    model = paper_model([table.arm.name, table.arm.title])
    if model is None or not table.judge:
        return None
    if not is_papers_benchmark(o.category for o in table.outcomes):
        return None
    found = deviations(model, convergent(table.outcomes, table.policy))
    return Beside(place, title(table), model, tuple(found), tuple(_setup(store, table, model)))


def _setup(store: Store, table: Table, model: str) -> Iterator[str]:
    """Say what is not as the paper had it, the weightiest first."""
    sql = """SELECT DISTINCT c.name, c.suffix, json_extract(t.sampling, '$.max_tokens') AS tokens,
            m.description FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN conditions AS c ON c.id = t.condition JOIN models AS m ON m.sha256 = t.model
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    arm = table.arm
    rows = store.query(sql, [table.experiment, arm.model, arm.temperature])
    other = {
        row["name"] for row in rows if row["name"] in SUFFIXES
        and sha256(row["suffix"].strip().encode()).hexdigest() != SUFFIXES[row["name"]]
    }  # fmt: skip
    for name in sorted(other):
        yield f"The suffix of {name} is not the paper's text"
    judge = table.judge.name if table.judge else ""
    if "gpt-5.2" not in judge:
        yield f"The judge is {judge}; the paper's is gpt-5.2, which sees the suffix"
    scenarios = len({o.scenario for o in table.outcomes})
    if scenarios != SCENARIOS:
        yield f"{scenarios} scenarios were planned; the paper ran {SCENARIOS} of the benchmark's 76"
    for description in sorted({row["description"] for row in rows}):
        yield f"Weights are {description}, run by llama.cpp; the paper ran bf16 in transformers"
    if arm.temperature:
        yield f"Answers are drawn at temperature {arm.temperature:g}; the paper's are greedy"
    limit = MAX_TOKENS["Thinking" in model]
    for tokens in sorted({row["tokens"] for row in rows if row["tokens"]} - {limit}):
        yield f"At most {tokens} new tokens; the paper allowed {limit}"
    yield (
        "llama.cpp may end an answer at any end-of-generation token, the paper only at the "
        "tokenizer's own, which leaves more nonsense in its Base answers"
    )
