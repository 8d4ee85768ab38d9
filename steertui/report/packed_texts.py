"""Texts: every prompt, answer and verdict, packed for a page that unpacks them when asked."""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.summary import Summary
from steertui.paper.comparison import PaperComparison
from steertui.store import Store

ENOUGH = 400_000
"""Characters after which a pack is closed: what a page unpacks at once."""

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Pack:
    """Some scenarios' texts: raw deflate of their JSON, in base64."""

    scenarios: tuple[str, ...]
    data: str


def packs(store: Store, summary: Summary, paper: Sequence[PaperComparison] = ()) -> Iterator[Pack]:
    """Yield the summary's texts, experiment by experiment and scenario by scenario.

    The paper's own answers, where they are imported, stand among those to the same scenario. A
    scenario is named "experiment/scenario". Its record is told in page.js, which reads it.
    """
    names: list[str] = []
    texts: list[str] = []
    for experiment in summary.experiments:
        others = _originals(summary, experiment, paper)
        for scenario, keys in _keys(store, experiment, summary).items():
            names.append(f"{experiment}/{scenario}")
            every = [*dict.fromkeys([*keys, *others.get(scenario, ())])]
            texts.append(json.dumps(_scenario(store, every), ensure_ascii=False))
            if sum(map(len, texts)) > ENOUGH:
                yield _pack(names, texts)
                names, texts = [], []
    if names:
        yield _pack(names, texts)


def _originals(
    summary: Summary, experiment: str, paper: Sequence[PaperComparison]
) -> dict[str, tuple[str, ...]]:
    """Return the keys of the paper's answers by scenario."""
    found: dict[str, tuple[str, ...]] = {}
    for beside in paper:
        if beside.original and summary.tables[beside.table].experiment == experiment:
            for scenario, keys in beside.original.trials.items():
                found[scenario] = (*found.get(scenario, ()), *keys)
    return found


def _pack(names: Sequence[str], texts: Sequence[str]) -> Pack:
    inside = ",".join(f"{json.dumps(n)}:{t}" for n, t in zip(names, texts, strict=True))
    squeezer = zlib.compressobj(level=4, wbits=-15)
    # A model's text may hold half of a surrogate pair, which is no text; it shows as "?".
    raw = squeezer.compress(f"{{{inside}}}".encode(errors="replace")) + squeezer.flush()
    return Pack(tuple(names), base64.b64encode(raw).decode())


def _keys(store: Store, experiment: str, summary: Summary) -> dict[str, list[str]]:
    """Return the trials' keys by scenario, in planned order, of the models that were chosen."""
    chosen = {
        (t.setting.model, t.setting.temperature)
        for t in summary.tables
        if t.experiment == experiment
    }
    sql = """SELECT t.key, t.model, t.temperature, s.name FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN scenarios AS s ON s.id = t.scenario
        WHERE e.experiment = ? ORDER BY e.place"""
    found: dict[str, list[str]] = {}
    for row in store.query(sql, [experiment]):
        if (row["model"], row["temperature"]) in chosen:
            found.setdefault(row["name"], []).append(row["key"])
    return found


def _scenario(store: Store, keys: Sequence[str]) -> Record:
    given = json.dumps(keys)
    sql = """SELECT t.key, t.model, t.temperature, t.sample, c.name AS condition, c.suffix, s.title,
            s.category, s.task, s.system, g.answer, g.reasoning, g.stop, g.tokens
        FROM json_each(?) AS k JOIN trials AS t ON t.key = k.value
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        LEFT JOIN generations AS g ON g.trial = t.key"""
    rows = store.query(sql, [given])
    said: dict[str, list[object]] = {}
    verdicts = """SELECT trial, judge, label, failure, reason FROM json_each(?) AS k
        JOIN current_verdicts AS v ON v.trial = k.value"""
    for row in store.query(verdicts, [given]):
        read = [row["judge"], row["label"], row["reason"] or row["failure"]]
        said.setdefault(row["trial"], []).append(read)
    first = rows[0]
    suffixes: dict[str, str] = {}
    for row in rows:  # the run's stand first, and count
        suffixes.setdefault(row["condition"], row["suffix"])
    return {
        "title": first["title"],
        "category": first["category"],
        "task": first["task"],
        "system": first["system"],
        "suffixes": suffixes,
        "answers": [
            [row["model"], row["temperature"], row["condition"], row["sample"], row["answer"],
             row["reasoning"], row["stop"], row["tokens"], said.get(row["key"], [])]
            for row in rows
        ],
    }  # fmt: skip
