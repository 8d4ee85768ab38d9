"""A Summary: the tables of whatever part of a database a report is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from steertui.analysis.comparable import Settings, experiment_settings, setting_differences
from steertui.analysis.judge_warnings import judge_warnings
from steertui.analysis.table import Table, make_table
from steertui.core.outcome import Outcome
from steertui.lookup import brief, resolve_name
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting, Store

STAND_IN_WARNING = (
    "The demo checkpoint is a scripted stand-in: its labels were written into its training text. "
    "These numbers show that the machinery runs and mean nothing about real models."
)

ALL = "all"
"""Asks for every experiment of a database."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Names; an empty tuple leaves nothing out, but `experiments` then means the newest one.

    Attributes:
        experiments: ids, or at least the first eight digits of one; or "all".
        models: names, titles, or at least the first eight digits of the file's sha256.
        conditions: names.
        judges: names or ids.
        policy: which items make the convergence rates' denominator.
    """

    experiments: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    policy: Policy = Policy.PAPER


@dataclass(frozen=True, slots=True)
class Summary:
    """Every table that was chosen.

    Attributes:
        experiments: their ids, oldest first.
        tables: by experiment, judge, model and temperature.
        remarks: what hampers a comparison of the experiments, and what merging left out, a
            sentence each.
        settings: how they were set up, where they are several.
    """

    experiments: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...] = ()
    settings: Settings = field(default_factory=dict, repr=False)

    @property
    def notices(self) -> tuple[str, ...]:
        """What must stand wherever these numbers are shown."""
        stand_in = (STAND_IN_WARNING,) if any(t.is_stand_in for t in self.tables) else ()
        return (*stand_in, *self.remarks)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one table will be made of."""

    experiment: str
    judge: JudgeInfo | None
    setting: ModelSetting
    outcomes: list[Outcome]


def summarise_experiment(store: Store, experiment: str, policy: Policy = Policy.PAPER) -> Summary:
    """Return what the store holds of one experiment."""
    return summarise(store, ReportFilter((experiment,), policy=policy))


def summarise(store: Store, choice: ReportFilter) -> Summary:
    """Return what was chosen; raises ExperimentError for a name that is not there.

    A database without an experiment gives a summary without tables.
    """
    experiments = _experiments(store, choice.experiments)
    tables = tuple(
        make_table(p.experiment, p.setting, p.judge, kept, choice.policy)
        for p in _parts(store, experiments, choice)
        if (kept := [o for o in p.outcomes if o.condition in (choice.conditions or (o.condition,))])
    )
    signed = tuple(
        replace(t, warnings=(*t.warnings, *judge_warnings(store, t, tables)), tag=_tag(t, tables))
        for t in tables
    )
    merged = _merged(store, experiments)
    if len(experiments) < 2:
        return Summary(tuple(experiments), signed, tuple(merged))
    by = experiment_settings(store, experiments)
    remarks = [*merged, *setting_differences(tables, by), *_remarks(store, experiments)]
    return Summary(tuple(experiments), signed, tuple(remarks), by)


def _tag(table: Table, tables: Sequence[Table]) -> str:
    """Return what tells a table from others of its model's name, temperature and judge."""
    arm = table.setting
    alike = [
        t for t in tables if (t.judge, t.setting.temperature) == (table.judge, arm.temperature)
    ]
    alike = [t for t in alike if t.setting.name == arm.name]
    tags = []
    if len({t.setting.model for t in alike}) > 1:
        tags.append(f"weights {brief(arm.model)}")
    if sum(t.setting == arm for t in alike) > 1:
        tags.append(f"experiment {table.experiment}")
    return ", ".join(tags)


def _experiments(store: Store, wanted: Sequence[str]) -> list[str]:
    known = [str(row["id"]) for row in store.experiments()]
    if ALL in wanted or not known:
        return known
    if not wanted:
        return known[-1:]
    kept = _meant("experiment", wanted, dict.fromkeys(known, ()))
    return [e for e in known if e in kept]


def _parts(store: Store, experiments: Sequence[str], choice: ReportFilter) -> list[_Part]:
    readers = {e: store.readers(e) for e in experiments}
    every = {r.id: (r.name,) for found in readers.values() for r in found}
    judges = _meant("judge", choice.judges, every)
    parts = [
        _Part(e, judge, arm, outcomes)
        for e, found in readers.items()
        for judge in _judges(found, judges)
        for arm, outcomes in store.outcomes(e, judge.id if judge else "").items()
    ]
    models = {p.setting.model: (p.setting.name, p.setting.title) for p in parts}
    kept = _meant("model", choice.models, models) or models
    conditions = dict.fromkeys(o.condition for p in parts for o in p.outcomes)
    _meant("condition", choice.conditions, dict.fromkeys(conditions, ()))
    return [p for p in parts if p.setting.model in kept]


def _meant(noun: str, words: Sequence[str], known: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the identities that the words name; raises ExperimentError."""
    return {identity for word in words for identity in resolve_name(noun, word, known)}


def _judges(found: Sequence[JudgeInfo], wanted: set[str]) -> list[JudgeInfo | None]:
    if wanted:
        return [reader for reader in found if reader.id in wanted]
    return [*found] or [None]


def _merged(store: Store, experiments: Sequence[str]) -> list[str]:
    """Say that databases which were merged into this one differ from what is counted here."""
    left_out = store.left_out(experiments)
    if not left_out:
        return []
    counts = ", ".join(f"{number} in {about}" for about, number in left_out.items())
    return [
        f"Merged databases differ from what these numbers rest on ({counts}); "
        "the table conflicts holds what is not counted."
    ]


def _remarks(store: Store, experiments: Sequence[str]) -> list[str]:
    """Say where experiments give one name to different texts, which no pairing can mend."""
    marks = ", ".join("?" * len(experiments))
    said = []
    for noun, text in (("scenario", "n.task || char(0) || trim(n.system, char(10, 13, 9, 32))"),
                       ("condition", "trim(n.suffix, char(10, 13, 9, 32))")):  # fmt: skip
        sql = f"""SELECT n.name FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
            JOIN {noun}s AS n ON n.id = t.{noun} WHERE e.experiment IN ({marks})
            GROUP BY n.name HAVING count(DISTINCT {text}) > 1"""
        names = [row["name"] for row in store.query(sql, experiments)]
        if names:
            said.append(
                f"The experiments give different texts to one {noun}'s name ({', '.join(names[:3])}"
                f"{' and others' if len(names) > 3 else ''}); what compares them compares the "
                "texts, too."
            )
    return said
