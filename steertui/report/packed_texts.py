"""Packed texts: prompts, answers and verdicts of a report page, compressed by scenario."""

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.summary import Summary
from steertui.paper.comparison import PaperComparison
from steertui.store import Store
from steertui.store.report_queries import (
    AnswerText,
    JudgeVerdict,
    answer_texts,
    keys_by_scenario,
    verdicts_by_trial,
)

PACK_SIZE = 400_000
"""Characters of JSON after which a pack is closed. The page decompresses one pack at a time."""

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Pack:
    """Texts of some scenarios.

    Attributes:
        scenarios: their names, each as "experiment/scenario".
        data: the JSON object of their records by name, in raw deflate and base64.
    """

    scenarios: tuple[str, ...]
    data: str


def packs(store: Store, summary: Summary, paper: Sequence[PaperComparison] = ()) -> Iterator[Pack]:
    """Yield the summary's texts in the order of experiments and scenarios.

    If the paper's own answers are imported, they are listed with those to the same scenario.
    page.js documents the record of a scenario, and reads it.
    """
    names: list[str] = []
    texts: list[str] = []
    for experiment in summary.experiments:
        paper_keys = _paper_keys(summary, experiment, paper)
        settings = {
            (table.setting.model, table.setting.temperature)
            for table in summary.tables
            if table.experiment == experiment
        }
        for scenario, keys in keys_by_scenario(store, experiment, settings).items():
            names.append(f"{experiment}/{scenario}")
            all_keys = [*dict.fromkeys([*keys, *paper_keys.get(scenario, ())])]
            texts.append(json.dumps(_scenario(store, all_keys), ensure_ascii=False))
            if sum(map(len, texts)) > PACK_SIZE:
                yield _pack(names, texts)
                names = []
                texts = []
    if names:
        yield _pack(names, texts)


def _paper_keys(
    summary: Summary, experiment: str, paper: Sequence[PaperComparison]
) -> dict[str, tuple[str, ...]]:
    """Return the keys of the paper's imported answers by scenario."""
    found: dict[str, tuple[str, ...]] = {}
    for comparison in paper:
        if comparison.original and summary.tables[comparison.table].experiment == experiment:
            for scenario, keys in comparison.original.trials.items():
                found[scenario] = (*found.get(scenario, ()), *keys)
    return found


def _pack(names: Sequence[str], texts: Sequence[str]) -> Pack:
    members = ",".join(f"{json.dumps(n)}:{t}" for n, t in zip(names, texts, strict=True))
    compressor = zlib.compressobj(level=4, wbits=-15)
    # Generated text may have an unpaired surrogate, which UTF-8 cannot encode; it becomes "?".
    raw = compressor.compress(f"{{{members}}}".encode(errors="replace")) + compressor.flush()
    return Pack(tuple(names), base64.b64encode(raw).decode())


def _scenario(store: Store, keys: Sequence[str]) -> Record:
    texts = answer_texts(store, keys)
    verdicts = verdicts_by_trial(store, keys)
    first = texts[0]
    suffixes: dict[str, str] = {}
    for text in texts:  # The run's answers precede the paper's: its condition is shown.
        suffixes.setdefault(text.condition, text.steered_by.text)
    return {
        "title": first.title,
        "category": first.category,
        "task": first.task,
        "system": first.system,
        "suffixes": suffixes,
        "answers": [_answer(text, verdicts.get(text.key, [])) for text in texts],
    }


def _answer(text: AnswerText, verdicts: Sequence[JudgeVerdict]) -> list[object]:
    """Return an answer as the list that page.js reads."""
    return [
        text.model,
        text.temperature,
        text.condition,
        text.sample,
        text.answer,
        text.reasoning,
        text.stop,
        text.tokens,
        [[v.judge, v.label, v.reason or v.failure] for v in verdicts],
    ]
