"""Files and facts of a bundle that follow from its database: written once, recomputed to verify."""

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from steertui.analysis.summary import ReportFilter, Summary, summarise
from steertui.output_files import file_name
from steertui.paper.comparison import compare_with_paper
from steertui.printable import to_json
from steertui.report import markdown, record, rows
from steertui.report.pictures import pictures
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.judge_queries import judge_records
from steertui.store.setup_queries import runs, used_models

REPORT = "report.json"
Facts = dict[str, Any]


def summary_of(store: Store, experiments: Sequence[str], policy: str) -> Summary:
    """Return the summary that a bundle's report shows."""
    return summarise(store, ReportFilter(tuple(experiments), policy=Policy(policy)))


def derived_files(store: Store, summary: Summary) -> dict[str, bytes]:
    """Return report, rates, figures and experiment files by their names in a bundle."""
    paper = compare_with_paper(store, summary)
    rates = StringIO(newline="")
    rows.write_rates(store, summary, rates)
    texts = {
        REPORT: f"{to_json(record.summary_record(summary, paper), indent=1)}\n",
        "report.md": markdown.render(summary, paper),
        "rates.csv": rates.getvalue(),
    }
    if any(table.judge for table in summary.tables):
        texts |= dict(_figures(summary))
    for known in store.experiments():
        if known.id in summary.experiments:
            texts[f"experiments/{known.id}.toml"] = known.toml
    return {name: text.encode("utf-8", "replace") for name, text in texts.items()}


def _figures(summary: Summary) -> Iterator[tuple[str, str]]:
    taken: list[str] = []
    for title, canvas in pictures(summary):
        taken.append(file_name(title, taken))
        yield f"figures/{taken[-1]}.svg", canvas.file()


def bundle_facts(store: Store, experiments: Sequence[str]) -> Facts:
    """Return what a manifest states of the database: counts, plans, weights, judges, hardware."""
    models = {m.sha256: m for e in experiments for m in used_models(store, e)}
    judges = {j.id: j for e in experiments for j in judge_records(store, e)}
    return {
        "experiments": [_experiment(store, experiment) for experiment in experiments],
        "models": [
            {
                "name": model.name,
                "sha256": identity,
                "bytes": model.size,
                "origin": model.origin,
                "backend": str(model.backend),
            }
            for identity, model in sorted(models.items())
        ],
        "vectors": [
            {"name": name, "sha256": identity} for identity, name in store.vector_names().items()
        ],
        "judges": [
            {"id": judge.id, "name": judge.name, "settings": judge.settings}
            for _, judge in sorted(judges.items())
        ],
        "runs": [
            {
                "started_at": run.started_at,
                "device": run.device,
                "versions": run.versions,
                "settings": run.settings,
            }
            for experiment in experiments
            for run in runs(store, experiment)
        ],
    }


def _experiment(store: Store, experiment: str) -> Facts:
    return {
        "id": experiment,
        "trials": store.count_trials(experiment),
        "answers": len(store.answered_keys(experiment)),
        "labels": {
            judge.id: store.count_judged(experiment, judge.id) for judge in store.judges(experiment)
        },
        "plans": [
            {"planned_at": time, "digest": store.plan_digest(experiment, toml)}
            for time, toml in store.dated_plans(experiment)
        ],
    }


def plan_digests(facts: Facts) -> set[str]:
    """Return the digests of all plans."""
    return {plan["digest"] for experiment in facts["experiments"] for plan in experiment["plans"]}


def json_leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every text, number, truth value and null in a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from json_leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def canonical(value: Any) -> str:
    """Return a JSON value as text with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
