"""An inspect_ai log: one model under one condition as `.eval`, which its own tools read.

The format is a zip of JSON files, version 2 of inspect_ai's log (its log format's documentation);
written here without the package, which is heavy, and held to it by a test that reads with it.
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
from steertui.core.generation import StopReason
from steertui.core.model import is_server
from steertui.core.verdict import Label
from steertui.lookup import short_id
from steertui.output_files import check_output, file_name, output, output_folder
from steertui.stats.rate import VALID_LABELS, Rate, convergence_rate
from steertui.store import Store

Record = dict[str, Any]

STOPS = {
    StopReason.STOP.value: "stop",
    StopReason.LENGTH.value: "max_tokens",
    StopReason.UNKNOWN.value: "unknown",
}


def write_logs(store: Store, summary: Summary, folder: Path) -> list[Path]:
    """Write a log for each model, temperature and condition; return the files.

    A sample is a scenario, its epochs are the samples drawn. Each judge gives two scores: under
    its name the label, and under "NAME convergence" 1 or 0 for the answers that make the rate's
    denominator, so that their mean is the report's convergence rate. Trials without an answer are
    left out. Raises OutputError where a file cannot be written or has to stay.
    """
    arms: dict[tuple[str, Any], list[Table]] = {}
    for table in summary.tables:
        arms.setdefault((table.experiment, table.setting), []).append(table)
    logs: dict[str, tuple[list[Table], str]] = {}
    for tables in arms.values():
        for condition in tables[0].conditions:
            arm = tables[0].setting
            parts = arm.name, short_id(arm.model), f"t{arm.temperature:g}", condition
            name = f"{tables[0].experiment}_{'_'.join(parts)}"
            logs[file_name(name, logs)] = tables, condition
    output_folder(folder)
    paths = [folder / f"{name}.eval" for name in logs]
    for path in paths:
        check_output(path, "inspect_ai log", [store.path])
    for path, (tables, condition) in zip(paths, logs.values(), strict=True):
        samples = list(_samples(store, tables, condition))
        with output(path, "inspect_ai log", [store.path]) as file:
            _write(file, tables, condition, samples)
    return paths


def _write(
    file: BinaryIO, tables: Sequence[Table], condition: str, samples: Sequence[Record]
) -> None:
    spec = _spec(tables[0], condition, samples)
    plan: Record = {"name": "plan", "steps": [], "config": {}}
    head = {"version": 2, "eval": spec, "plan": plan}
    summaries = [_summary(sample) for sample in samples]
    results = {
        "total_samples": len(samples), "completed_samples": len(samples),
        "scores": [_score(table, condition) for table in tables if table.judge],
    }  # fmt: skip
    stats: Record = {"started_at": "", "completed_at": "", "model_usage": {}}
    with ZipFile(file, "w", ZIP_DEFLATED) as log:
        log.writestr("_journal/start.json", _json(head))
        for sample in samples:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            log.writestr(name, _json(sample))
        log.writestr("_journal/summaries/1.json", _json(summaries))
        log.writestr("summaries.json", _json(summaries))
        whole = {"version": 2, "status": "success", "eval": spec, "plan": plan}
        log.writestr("header.json", _json(whole | {"results": results, "stats": stats}))


def _model(name: str) -> str:
    """Return a model's name as inspect_ai writes it, what ran it before a slash."""
    return name.replace(":", "/", 1) if is_server(name) else f"llama.cpp/{name}"


def _spec(table: Table, condition: str, samples: Sequence[Record]) -> Record:
    arm, ids = table.setting, list(dict.fromkeys(sample["id"] for sample in samples))
    return {
        "eval_id": f"{table.experiment}-{arm.model[:12]}-{arm.temperature:g}-{condition}",
        "run_id": table.experiment,
        "created": samples[0]["metadata"]["created"] if samples else "1970-01-01T00:00:00+00:00",
        "task": f"steertui/{condition}",
        "task_id": f"{table.experiment}-{condition}",
        "task_args": {"condition": condition, "policy": str(table.policy)},
        "dataset": {"name": "scenarios", "samples": len(ids), "sample_ids": ids},
        "model": _model(arm.name),
        "model_generate_config": {"temperature": arm.temperature},
        "model_args": {"sha256": arm.model, "title": arm.title},
        "config": {"epochs": max((sample["epoch"] for sample in samples), default=1)},
        "packages": {},
        "metadata": {"experiment": table.experiment},
    }


def _score(table: Table, condition: str) -> Record:
    assert table.judge
    own = [o for o in table.outcomes if o.condition == condition]
    metrics = dict(_metrics("convergence", convergence_rate(own, table.policy)))
    return {"name": f"{table.judge.name} convergence", "scorer": table.judge.id, "params": {},
            "metrics": metrics}  # fmt: skip


def _metrics(name: str, rate: Rate) -> Iterator[tuple[str, Record]]:
    found = {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    for key, value in found.items():
        if value is not None:
            yield key, {"name": key, "value": value, "params": {}}


def _samples(store: Store, tables: Sequence[Table], condition: str) -> Iterator[Record]:
    table = tables[0]
    sql = """SELECT t.key, t.sample, s.name AS scenario, s.title, s.category, s.task, s.system,
            c.suffix, g.answer, g.reasoning, g.stop, g.tokens, g.prompt_tokens, g.created_at,
            g.seconds
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ? AND c.name = ?
        ORDER BY e.place"""
    given = [table.experiment, table.setting.model, table.setting.temperature, condition]
    verdicts = {t.judge.id: t for t in tables if t.judge}
    for row in store.stream(sql, given):
        read = store.query("SELECT * FROM current_verdicts WHERE trial = ?", [row["key"]])
        scores: Record = {}
        for verdict in read:
            if verdict["judge"] in verdicts and verdict["label"]:
                scores |= _scores(verdict, verdicts[verdict["judge"]])
        yield _sample(row, table, scores)


def _scores(verdict: Record, table: Table) -> Record:
    assert table.judge
    label, name = Label(verdict["label"]), table.judge.name
    found = {name: {"value": label.value, "explanation": verdict["reason"]}}
    if label in VALID_LABELS[table.policy]:
        converged = int(label is Label.CONVERGENCE)
        found[f"{name} convergence"] = {"value": converged}
    return found


def _sample(row: Record, table: Table, scores: Record) -> Record:
    from steertui.core.condition import steer

    user = {"role": "user", "content": steer(row["task"], row["suffix"])}
    asked = [{"role": "system", "content": row["system"]}, user] if row["system"] else [user]
    text: Any = row["answer"]
    if row["reasoning"]:
        thought = {"type": "reasoning", "reasoning": row["reasoning"]}
        text = [thought, {"type": "text", "text": row["answer"]}]
    answer = {"role": "assistant", "content": text, "source": "generate"}
    usage = {
        "input_tokens": row["prompt_tokens"], "output_tokens": row["tokens"],
        "total_tokens": row["prompt_tokens"] + row["tokens"],
    }  # fmt: skip
    name = _model(table.setting.name)
    return {
        "id": sample_id(row["scenario"]), "epoch": row["sample"] + 1, "input": asked, "target": "",
        "messages": [*asked, answer],
        "output": {"model": name, "usage": usage,
                   "choices": [{"message": answer, "stop_reason": STOPS[row["stop"]]}]},
        "scores": scores,
        "metadata": {"scenario": row["scenario"], "category": row["category"],
                     "title": row["title"], "key": row["key"], "created": row["created_at"]},
        "store": {}, "events": [], "model_usage": {name: usage}, "attachments": {},
        "total_time": row["seconds"],
    }  # fmt: skip


def sample_id(scenario: str) -> str:
    """Return a scenario's name as an id that is safe in the path of a zip member.

    inspect_ai finds a sample by its id in that path, so the two are always the same. A name that
    would lead out of the folder gets its digest behind it, and is in the sample's metadata.
    """
    parts = re.sub(r"[\\:\x00-\x1f\x7f]", "_", scenario).split("/")
    safe = "/".join("_" if part in ("", ".", "..") else part for part in parts)
    if safe == scenario:
        return scenario
    return f"{safe}-{sha256(scenario.encode(errors='surrogatepass')).hexdigest()[:8]}"


def _summary(sample: Record) -> Record:
    kept = ("id", "epoch", "input", "target", "metadata", "scores", "model_usage", "total_time")
    return {name: sample[name] for name in kept} | {"completed": True}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
