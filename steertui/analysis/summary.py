"""Summary of a database: the tables that a report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from steertui.analysis.comparable import Settings, experiment_settings, setting_differences
from steertui.analysis.judge_conflicts import opposite_conclusions
from steertui.analysis.judge_warnings import judge_warnings
from steertui.analysis.judge_worth import JudgeWorth, measure_judge
from steertui.analysis.server_warnings import server_warnings
from steertui.analysis.table import Table, make_table
from steertui.core.outcome import Outcome
from steertui.lookup import resolve_name, short_id
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting, Store
from steertui.store.setup_queries import ambiguous_names

STAND_IN_WARNING = (
    "The demo checkpoint is a scripted stand-in: its labels were written into its training text. "
    "These numbers show that the program works and mean nothing about real models."
)

ALL = "all"
"""Value of `ReportFilter.experiments` that selects every experiment."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Selection of tables by name.

    An empty tuple selects everything; an empty `experiments` selects the newest experiment.

    Attributes:
        experiments: ids, or at least their first eight digits, or "all".
        models: names, titles, or at least the first eight digits of the file's sha256.
        conditions: names.
        judges: names or ids.
        policy: denominator of the convergence rates.
    """

    experiments: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    policy: Policy = Policy.PAPER


@dataclass(frozen=True, slots=True)
class Summary:
    """The selected tables.

    Attributes:
        experiments: ids of the experiments, oldest first.
        tables: sorted by experiment, judge, model and temperature.
        findings: sentences that come before all tables: judges that contradict each other.
        remarks: sentences on merged databases and on what restricts comparisons between the
            experiments.
        settings: settings of the experiments, if there are several.
    """

    experiments: tuple[str, ...]
    tables: tuple[Table, ...]
    remarks: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    settings: Settings = field(default_factory=dict, repr=False)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that every report shows with these numbers."""
        stand_in = (STAND_IN_WARNING,) if any(t.is_stand_in for t in self.tables) else ()
        return (*self.findings, *stand_in, *self.remarks)


@dataclass(frozen=True, slots=True)
class _TableData:
    """Data of one table before the selection of conditions."""

    experiment: str
    judge: JudgeInfo | None
    setting: ModelSetting
    outcomes: list[Outcome]


def summarise_experiment(store: Store, experiment: str, policy: Policy = Policy.PAPER) -> Summary:
    """Return the summary of one experiment."""
    return summarise(store, ReportFilter((experiment,), policy=policy))


def summarise(store: Store, selection: ReportFilter) -> Summary:
    """Return the summary of the selected tables; without tables for an empty database.

    Raises ExperimentError for a name that matches nothing.
    """
    experiments = _selected_experiments(store, selection.experiments)
    tables = []
    worths = _measure_judges(store, experiments)
    for data in _table_data(store, experiments, selection):
        outcomes = [
            outcome
            for outcome in data.outcomes
            if not selection.conditions or outcome.condition in selection.conditions
        ]
        if outcomes:
            tables.append(
                make_table(
                    data.experiment,
                    data.setting,
                    data.judge,
                    outcomes,
                    selection.policy,
                    worth=worths.get(data.judge.id) if data.judge else None,
                )
            )
    complete = tuple(
        replace(
            table,
            warnings=(
                *table.warnings,
                *server_warnings(store, table),
                *judge_warnings(store, table, tables),
            ),
            tag=_tag(table, tables),
        )
        for table in tables
    )
    findings = tuple(opposite_conclusions(complete))
    remarks = _merge_remarks(store, experiments)
    if len(experiments) < 2:
        return Summary(tuple(experiments), complete, tuple(remarks), findings)
    settings = experiment_settings(store, experiments)
    remarks += setting_differences(tables, settings)
    remarks += _text_conflicts(store, experiments)
    return Summary(tuple(experiments), complete, tuple(remarks), findings, settings)


def _measure_judges(store: Store, experiments: Sequence[str]) -> dict[str, JudgeWorth | None]:
    judges = {judge.id for experiment in experiments for judge in store.judges(experiment)}
    return {judge: measure_judge(store, judge) for judge in judges}


def _tag(table: Table, tables: Sequence[Table]) -> str:
    """Return a tag for a table that shares model name, temperature and judge with another one."""
    setting = table.setting
    same = [
        other
        for other in tables
        if other.judge == table.judge
        and other.setting.temperature == setting.temperature
        and other.setting.name == setting.name
    ]
    tags = []
    if len({other.setting.model for other in same}) > 1:
        tags.append(f"weights {short_id(setting.model)}")
    if sum(other.setting == setting for other in same) > 1:
        tags.append(f"experiment {table.experiment}")
    return ", ".join(tags)


def _selected_experiments(store: Store, words: Sequence[str]) -> list[str]:
    known = [known.id for known in store.experiments()]
    if ALL in words or not known:
        return known
    if not words:
        return known[-1:]
    selected = _resolve_all("experiment", words, dict.fromkeys(known, ()))
    return [experiment for experiment in known if experiment in selected]


def _table_data(
    store: Store, experiments: Sequence[str], selection: ReportFilter
) -> list[_TableData]:
    judges = {experiment: store.judges(experiment) for experiment in experiments}
    names = {judge.id: (judge.name,) for own in judges.values() for judge in own}
    selected_judges = _resolve_all("judge", selection.judges, names)
    tables = [
        _TableData(experiment, judge, setting, outcomes)
        for experiment, own in judges.items()
        for judge in _selected_judges(own, selected_judges)
        for setting, outcomes in store.outcomes(experiment, judge.id if judge else "").items()
    ]
    models = {t.setting.model: (t.setting.name, t.setting.title) for t in tables}
    selected_models = _resolve_all("model", selection.models, models) or models
    conditions = dict.fromkeys(o.condition for table in tables for o in table.outcomes)
    _resolve_all("condition", selection.conditions, dict.fromkeys(conditions, ()))
    return [table for table in tables if table.setting.model in selected_models]


def _resolve_all(noun: str, words: Sequence[str], known: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the identities that the words match; raises ExperimentError (`resolve_name`)."""
    return {identity for word in words for identity in resolve_name(noun, word, known)}


def _selected_judges(judges: Sequence[JudgeInfo], selected: set[str]) -> list[JudgeInfo | None]:
    if selected:
        return [judge for judge in judges if judge.id in selected]
    return [*judges] or [None]


def _merge_remarks(store: Store, experiments: Sequence[str]) -> list[str]:
    """Return a sentence on rows of merged databases that conflict with the counted ones."""
    left_out = store.conflict_counts(experiments)
    if not left_out:
        return []
    counts = ", ".join(f"{number} in {about}" for about, number in left_out.items())
    return [
        f"Merged databases have rows that conflict with these numbers ({counts}); they are not "
        "counted and are stored in the table conflicts."
    ]


def _text_conflicts(store: Store, experiments: Sequence[str]) -> list[str]:
    """Return a sentence for each noun whose names have different texts in the experiments."""
    remarks = []
    nouns: tuple[Literal["scenario", "condition"], ...] = ("scenario", "condition")
    for noun in nouns:
        names = ambiguous_names(store, noun, experiments)
        if names:
            others = " and others" if len(names) > 3 else ""
            remarks.append(
                f"The experiments have different texts for the same {noun} name "
                f"({', '.join(names[:3])}{others}); their comparisons compare the texts as well."
            )
    return remarks
