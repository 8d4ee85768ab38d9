"""Export as inspect_ai logs: one `.eval` file per model, temperature and condition.

A log is a zip archive of JSON files (version 2 of inspect_ai's log format). It is written without
the inspect_ai package, which is large; a test reads it with that package.
"""

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.generation import SamplingParams, StopReason
from steertui.core.model import IMPORTED_PREFIX, is_server
from steertui.core.verdict import Label
from steertui.lookup import short_id
from steertui.output_files import check_output, file_name, output, output_folder
from steertui.stats.rate import VALID_LABELS, Rate, convergence_rate
from steertui.store import ModelSetting, Store
from steertui.store.report_queries import AnswerRecord, answer_records
from steertui.untrusted import parse_json

Record = dict[str, Any]

STOP_REASONS = {
    StopReason.STOP.value: "stop",
    StopReason.LENGTH.value: "max_tokens",
    StopReason.UNKNOWN.value: "unknown",
}
"""Stop reasons of inspect_ai by the stored ones."""

CONFIG_KEYS = ("top_p", "top_k", "presence_penalty", "seed")
"""Sampling parameters with the same name in inspect_ai's config, besides the temperature."""

EXTRA_KEYS = ("min_p", "repetition_penalty")
"""Sampling parameters that inspect_ai's config lacks."""

FILE_KIND = "inspect_ai log"


def write_logs(store: Store, summary: Summary, folder: Path) -> list[Path]:
    """Write a log for each model, temperature and condition; return the files.

    A sample is a scenario; its epochs are the samples drawn at a temperature. Each judge has two
    scores: "NAME" is the label; "NAME convergence" is 1 or 0 for the answers in the denominator of
    the rate, so that its mean is the convergence rate of the report. Trials without an answer are
    left out. Raises OutputError if a file cannot be written or must not be replaced.
    """
    by_setting: dict[tuple[str, ModelSetting], list[Table]] = {}
    for table in summary.tables:
        by_setting.setdefault((table.experiment, table.setting), []).append(table)
    logs: dict[str, tuple[list[Table], str]] = {}
    for (experiment, setting), tables in by_setting.items():
        for condition in tables[0].conditions:
            temperature = f"t{setting.temperature:g}"
            parts = (experiment, setting.name, short_id(setting.model), temperature, condition)
            logs[file_name("_".join(parts), logs)] = tables, condition
    output_folder(folder)
    paths = [folder / f"{name}.eval" for name in logs]
    for path in paths:
        check_output(path, FILE_KIND, [store.path])
    for path, (tables, condition) in zip(paths, logs.values(), strict=True):
        first = tables[0]
        answers = list(answer_records(store, first.experiment, first.setting, condition))
        with output(path, FILE_KIND, [store.path]) as file:
            _write(file, tables, condition, answers)
    return paths


def _write(
    file: BinaryIO, tables: Sequence[Table], condition: str, answers: Sequence[AnswerRecord]
) -> None:
    samples = list(_samples(tables, answers))
    spec = _spec(tables, condition, samples)
    spec["model_generate_config"] = _generate_config(tables[0].setting, answers)
    plan: Record = {"name": "plan", "steps": [], "config": {}}
    start = {"version": 2, "eval": spec, "plan": plan}
    summaries = [_summary(sample) for sample in samples]
    results = {
        "total_samples": len(samples),
        "completed_samples": len(samples),
        "scores": [_score(table, condition) for table in tables if table.judge],
    }
    stats: Record = {"started_at": "", "completed_at": "", "model_usage": {}}
    header = start | {"status": "success", "results": results, "stats": stats}
    with ZipFile(file, "w", ZIP_DEFLATED) as log:
        log.writestr("_journal/start.json", _json(start))
        for sample in samples:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            log.writestr(name, _json(sample))
        log.writestr("_journal/summaries/1.json", _json(summaries))
        log.writestr("summaries.json", _json(summaries))
        log.writestr("header.json", _json(header))


def _model(name: str) -> str:
    """Return a model's name in inspect_ai's form, "PROVIDER/MODEL"."""
    return name.replace(":", "/", 1) if is_server(name) else f"llama.cpp/{name}"


def _spec(tables: Sequence[Table], condition: str, samples: Sequence[Record]) -> Record:
    table = tables[0]
    setting = table.setting
    ids = list(dict.fromkeys(sample["id"] for sample in samples))
    return {
        "eval_id": f"{table.experiment}-{setting.model[:12]}-{setting.temperature:g}-{condition}",
        "run_id": table.experiment,
        "created": samples[0]["metadata"]["created"] if samples else "1970-01-01T00:00:00+00:00",
        "task": f"steertui/{condition}",
        "task_id": f"{table.experiment}-{condition}",
        "task_args": {"condition": condition, "policy": str(table.policy)},
        "dataset": {"name": "scenarios", "samples": len(ids), "sample_ids": ids},
        "scorers": [
            {"name": own.judge.name, "metadata": {"title": own.judge.title}}
            for own in tables
            if own.judge
        ],
        "model": _model(setting.name),
        "model_args": {"sha256": setting.model, "title": setting.title},
        "config": {"epochs": max((sample["epoch"] for sample in samples), default=1)},
        "packages": {},
        "metadata": {"experiment": table.experiment},
    }


def _generate_config(setting: ModelSetting, answers: Sequence[AnswerRecord]) -> Record:
    """Return the sampling parameters that all answers of a log have.

    Those without a key in inspect_ai's config are in its `extra_body`, unless they are neutral. Of
    imported answers only temperature and limit of tokens are known.
    """
    shared = _shared([parse_json(answer.sampling) for answer in answers])
    config: Record = {"temperature": setting.temperature}
    if shared.get("max_tokens"):
        config["max_tokens"] = shared["max_tokens"]
    if setting.model.startswith(IMPORTED_PREFIX):
        return config
    config |= {key: shared[key] for key in CONFIG_KEYS if key in shared}
    neutral = SamplingParams().as_dict()
    extra = {k: shared[k] for k in EXTRA_KEYS if k in shared and shared[k] != neutral[k]}
    return config | ({"extra_body": extra} if extra else {})


def _shared(records: Sequence[Record]) -> Record:
    """Return the members that are equal in all records; {} for none."""
    first = records[0] if records else {}
    return {key: value for key, value in first.items() if all(r.get(key) == value for r in records)}


def _score(table: Table, condition: str) -> Record:
    assert table.judge
    outcomes = [outcome for outcome in table.outcomes if outcome.condition == condition]
    return {
        "name": f"{table.judge.name} convergence",
        "scorer": table.judge.id,
        "params": {},
        "metrics": dict(_metrics("convergence", convergence_rate(outcomes, table.policy))),
    }


def _metrics(name: str, rate: Rate) -> Iterator[tuple[str, Record]]:
    values = {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    for key, value in values.items():
        if value is not None:
            yield key, {"name": key, "value": value, "params": {}}


def _samples(tables: Sequence[Table], answers: Sequence[AnswerRecord]) -> Iterator[Record]:
    by_judge = {table.judge.id: table for table in tables if table.judge}
    for answer in answers:
        scores: Record = {}
        for verdict in answer.verdicts:
            if verdict.judge in by_judge and verdict.label:
                scores |= _scores(verdict.label, verdict.reason, by_judge[verdict.judge])
        yield _sample(answer, tables[0], scores)


def _scores(label: Label, reason: str, table: Table) -> Record:
    assert table.judge
    name = table.judge.name
    scores: Record = {name: {"value": label.value, "explanation": reason}}
    if label in VALID_LABELS[table.policy]:
        scores[f"{name} convergence"] = {"value": int(label is Label.CONVERGENCE)}
    return scores


def _sample(answer: AnswerRecord, table: Table, scores: Record) -> Record:
    condition = answer.condition
    given = _messages(answer.system.strip(), answer.task)
    messages = _messages(condition.system_message(answer.system), condition.steer(answer.task))
    reply = {"role": "assistant", "content": _content(answer), "source": "generate"}
    choice = {"message": reply, "stop_reason": STOP_REASONS[answer.stop]}
    model = _model(table.setting.name)
    usage = {
        "input_tokens": answer.prompt_tokens,
        "output_tokens": answer.tokens,
        "total_tokens": answer.prompt_tokens + answer.tokens,
    }
    metadata: Record = {
        "scenario": answer.scenario,
        "category": answer.category,
        "title": answer.title,
        "key": answer.key,
        "created": answer.created_at,
    }
    if answer.loglik is not None:
        metadata |= {"loglik": answer.loglik, "loglik_tokens": answer.loglik_tokens}
    return {
        "id": sample_id(answer.scenario),
        "epoch": answer.sample + 1,
        "input": given,
        "target": "",
        "messages": [*messages, reply],
        "output": {"model": model, "usage": usage, "choices": [choice]},
        "scores": scores,
        "metadata": metadata,
        "store": {},
        "events": [],
        "model_usage": {model: usage},
        "attachments": {},
        "total_time": answer.seconds,
    }


def _messages(system: str, user: str) -> list[Record]:
    """Return the user message, after a system message if there is one."""
    texts = [("system", system), ("user", user)] if system else [("user", user)]
    return [{"role": role, "content": text} for role, text in texts]


def _content(answer: AnswerRecord) -> str | list[Record]:
    """Return the message content: a list of parts if the answer has reasoning."""
    if not answer.reasoning:
        return answer.answer
    return [
        {"type": "reasoning", "reasoning": answer.reasoning},
        {"type": "text", "text": answer.answer},
    ]


def sample_id(scenario: str) -> str:
    """Return a sample id from a scenario's name, safe as part of the path of a zip member.

    inspect_ai finds a sample by its id in that path, so both are always equal. An unsafe name is
    changed and gets a digest as its suffix; the sample's metadata has the name itself.
    """
    parts = re.sub(r"[\\:\x00-\x1f\x7f]", "_", scenario).split("/")
    safe = "/".join("_" if part in ("", ".", "..") else part for part in parts)
    if safe == scenario:
        return scenario
    return f"{safe}-{sha256(scenario.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _summary(sample: Record) -> Record:
    keys = ("id", "epoch", "input", "target", "metadata", "scores", "model_usage", "total_time")
    return {name: sample[name] for name in keys} | {"completed": True}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
