"""Everything needed to do an experiment again, as the database tells it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.analysis.summary import Summary
from steertui.core.experiment import parse_experiment
from steertui.core.model import ModelBackend, parse_model_backend
from steertui.errors import SteertuiError
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class ReproductionRecord:
    """One experiment's facts.

    Attributes:
        toml: the experiment's file, as `--experiment` reads it: as it was planned last, with the
            judges of every time that it was planned alike.
        conditions: (name, suffix, about) of each.
        facts: (what, value) pairs: models with their hashes, judges' settings, versions, devices.
    """

    experiment: str
    created_at: str
    toml: str
    conditions: tuple[tuple[str, str, str], ...]
    facts: tuple[tuple[str, str], ...]


def reproduction_record(store: Store, summary: Summary) -> Iterator[ReproductionRecord]:
    """Yield the facts of each experiment of a summary."""
    for row in store.experiments():
        if row["id"] in summary.experiments:
            yield ReproductionRecord(
                row["id"], row["created_at"], _toml(store.plannings(row["id"])),
                tuple(_conditions(store, row["id"])), tuple(_facts(store, row["id"])),
            )  # fmt: skip


def _toml(plannings: Sequence[str]) -> str:
    last = plannings[-1]
    try:
        found = [parse_experiment(toml) for toml in plannings]
    except SteertuiError:
        return last  # of another version
    alike = [e for e in found if replace(e, judges=[]) == replace(found[-1], judges=[])]
    judges = list(dict.fromkeys(judge for e in alike for judge in e.judges))
    return last if judges == found[-1].judges else replace(found[-1], judges=judges).to_toml()


def _conditions(store: Store, experiment: str) -> Iterator[tuple[str, str, str]]:
    sql = """SELECT c.name, c.suffix, c.about FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN conditions AS c ON c.id = t.condition
        WHERE e.experiment = ? GROUP BY c.id ORDER BY min(e.place)"""
    for row in store.query(sql, [experiment]):
        yield row["name"], row["suffix"], row["about"]


def _facts(store: Store, experiment: str) -> Iterator[tuple[str, str]]:
    models = """SELECT DISTINCT m.* FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN models AS m ON m.sha256 = t.model
        WHERE e.experiment = ?"""
    for m in store.query(models, [experiment]):
        digest = f"sha256 {m['sha256']}"
        if parse_model_backend(m["sha256"], m["origin"]) is ModelBackend.SERVER:
            digest = f"sha256 of what its server tells of its weights {m['sha256']}, {m['origin']}"
        size = f", {m['size']:,} bytes" if m["size"] else ""
        yield f"model {m['name']}", f"{m['title']}: {m['description']}{size}, {digest}"
        if m["template_sha256"]:
            yield f"chat template of {m['name']}", f"sha256 {m['template_sha256']}"
    sampling = """SELECT DISTINCT t.sampling FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial WHERE e.experiment = ?"""
    for row in store.query(sampling, [experiment]):
        yield "sampling", _plain(row["sampling"])
    judges = """SELECT j.id, j.name, j.settings FROM judges AS j WHERE EXISTS (
        SELECT 1 FROM experiment_trials JOIN verdicts AS v USING (trial)
        WHERE experiment = ? AND v.judge = j.id) ORDER BY j.rowid"""
    for row in store.query(judges, [experiment]):
        yield f"judge {row['name']}", f"{row['id']}; {_plain(row['settings'])}"
    runs = "SELECT started_at, versions, device, settings FROM runs WHERE experiment = ?"
    for row in store.query(runs, [experiment]):
        inside = f"{row['device']}; {_plain(row['versions'])}; {_plain(row['settings'])}"
        yield f"sitting of {row['started_at'][:16].replace('T', ' ')} UTC", inside


def _plain(text: str) -> str:
    """Return JSON's fields as "name value, …"; a text that is none as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{name} {value}" for name, value in found.items())
