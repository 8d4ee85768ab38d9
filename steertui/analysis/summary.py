"""Summary of a database: the tables that a report shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from steertui.analysis.coherence import measures_by_condition
from steertui.analysis.comparable import Settings, experiment_settings, setting_differences
from steertui.analysis.declaration import Declaration, read_declaration
from steertui.analysis.group_conflicts import with_group_conflicts
from steertui.analysis.group_warnings import group_warnings, unscored_warnings
from steertui.analysis.groups import group_results
from steertui.analysis.judge_conflicts import Conflict, judge_conflicts, with_conflicts
from steertui.analysis.judge_warnings import judge_warnings
from steertui.analysis.judge_worth import JudgeWorth, measure_judge
from steertui.analysis.primary_gaps import primary_over_settings
from steertui.analysis.repeated_prompts import repeated_prompts
from steertui.analysis.server_warnings import server_warnings
from steertui.analysis.stand_ins import left_out_sentences
from steertui.analysis.table import Table, make_table
from steertui.analysis.variance import with_random_factors
from steertui.core.outcome import Outcome
from steertui.lookup import resolve_name, short_id
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting, Store
from steertui.store.setup_queries import WeightFacts, ambiguous_names, weight_facts

STAND_IN_WARNING = (
    "The demo checkpoint is a scripted stand-in: its labels were written into its training text. "
    "These numbers show that the program works and mean nothing about real models."
)

PARTLY_STAND_IN_WARNING = (
    "Numbers of the model or judge demo are those of a scripted stand-in and mean nothing about "
    "real models."
)

ALL = "all"
"""Value of `ReportFilter.experiments` that selects every experiment."""


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Selection of what a report shows, by name.

    An empty tuple selects everything; an empty `experiments` selects the newest experiment. Models,
    conditions and judges only select what is shown: every number is that of the whole experiment.

    Attributes:
        experiments: names, ids, or at least their first four digits, or "all".
        models: names, titles, or at least the first four digits of the file's sha256.
        conditions: names.
        judges: names or ids.
        policy: denominator of the convergence rates.
        all_pairs: whether pairs of conditions that are not declared are shown, as exploratory.
    """

    experiments: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    policy: Policy = Policy.PAPER
    all_pairs: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What is shown, by identity; an empty set is everything."""

    models: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    judges: frozenset[str] = frozenset()

    def shows(self, conditions: Iterable[str]) -> bool:
        """Whether all these conditions are shown."""
        return not self.conditions or self.conditions.issuperset(conditions)


@dataclass(frozen=True)
class Summary:
    """The tables of the selected experiments.

    Attributes:
        experiments: ids of the experiments, oldest first.
        complete: all tables, sorted by experiment, judge, model and temperature.
        remarks: sentences on merged databases and on what restricts comparisons between the
            experiments.
        settings: settings of the experiments, if there are several.
        selection: what is shown of the tables.
        declarations: of the experiments.
        weights: facts of the models' files, by the identity of the weights.
        conflicts: comparisons on which judges of the same answers contradict each other.
    """

    experiments: tuple[str, ...]
    complete: tuple[Table, ...]
    remarks: tuple[str, ...] = ()
    settings: Settings = field(default_factory=dict, repr=False)
    selection: Selection = Selection()
    declarations: tuple[Declaration, ...] = ()
    weights: Mapping[str, WeightFacts] = field(default_factory=dict, repr=False)
    conflicts: tuple[Conflict, ...] = field(default=(), repr=False)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The shown tables with their shown conditions, each with at least one."""
        shown = (table for table in self.complete if self.shows(table))
        if not self.selection.conditions:
            return tuple(shown)
        tables = (table.only(self.selection.conditions) for table in shown)
        return tuple(table for table in tables if table.rows)

    @cached_property
    def findings(self) -> tuple[str, ...]:
        """Sentences that come before all tables: judges that contradict each other."""
        keys = {table.key for table in self.tables if table.primary}
        return tuple(
            conflict.sentence
            for conflict in self.conflicts
            if conflict.is_primary and any(table.key in keys for table in conflict.tables)
        )

    def shows(self, table: Table) -> bool:
        """Whether the table's model and judge are shown."""
        models, judges = self.selection.models, self.selection.judges
        is_judge = not judges or (table.judge is not None and table.judge.id in judges)
        return is_judge and (not models or table.setting.model in models)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that every report shows with these numbers."""
        kinds = {table.is_stand_in for table in self.tables}
        stand_in = {
            frozenset({True}): (STAND_IN_WARNING,),
            frozenset({True, False}): (PARTLY_STAND_IN_WARNING,),
        }.get(frozenset(kinds), ())
        left_out = left_out_sentences(self.complete)
        return (*self.findings, *stand_in, *left_out, *self.remarks)


@dataclass(frozen=True, slots=True)
class _TableData:
    """Data of one table."""

    experiment: str
    judge: JudgeInfo | None
    setting: ModelSetting
    outcomes: list[Outcome]

    @property
    def is_labelled(self) -> bool:
        """Whether the judge labelled any of the answers, or can be asked to."""
        is_asked = self.judge is None or not self.judge.kind.is_reference
        return is_asked or any(outcome.label for outcome in self.outcomes)


def summarise_experiment(store: Store, experiment: str, policy: Policy = Policy.PAPER) -> Summary:
    """Return the summary of one experiment."""
    return summarise(store, ReportFilter((experiment,), policy=policy))


def summarise(store: Store, wanted: ReportFilter) -> Summary:
    """Return the summary of the selected experiments; without tables for an empty database.

    Raises ExperimentError for a name that matches nothing.
    """
    experiments = _selected_experiments(store, wanted.experiments)
    declarations = {
        name: replace(read_declaration(store, name), policy=wanted.policy) for name in experiments
    }
    worths = _measure_judges(store, experiments)
    data = _table_data(store, experiments)
    tables = [
        make_table(
            one.experiment,
            one.setting,
            one.judge,
            one.outcomes,
            wanted.policy,
            worth=worths.get(one.judge.id) if one.judge else None,
            analysis=declarations[one.experiment].analysis,
            grouped=declarations[one.experiment].grouped,
            is_exploring=wanted.all_pairs,
        )
        for one in data
    ]
    remarks = _merge_remarks(store, experiments)
    settings: Settings = {}
    if len(experiments) > 1:
        settings = experiment_settings(store, experiments)
        remarks += setting_differences(tables, settings)
        remarks += _text_conflicts(store, experiments)
    conflicts = tuple(judge_conflicts(tables))
    return Summary(
        experiments=tuple(experiments),
        complete=_completed(store, tables, declarations, conflicts),
        remarks=tuple(remarks),
        settings=settings,
        selection=_selection(data, wanted),
        declarations=tuple(declarations.values()),
        weights=weight_facts(store),
        conflicts=conflicts,
    )


def _completed(
    store: Store,
    tables: Sequence[Table],
    declarations: Mapping[str, Declaration],
    conflicts: Sequence[Conflict],
) -> tuple[Table, ...]:
    """Return the tables with what depends on the store or on the other tables."""
    over_settings = primary_over_settings(tables)
    completed = (
        replace(
            with_conflicts(table, conflicts),
            warnings=(
                *table.warnings,
                *server_warnings(store, table),
                *judge_warnings(store, table, tables, conflicts),
            ),
            tag=_tag(table, tables),
            repeated=repeated_prompts(store, table),
            primary_over_settings=over_settings.get(table.key),
            groups=group_results(
                declarations[table.experiment].conditions,
                table.outcomes,
                table.policy,
                is_reliable=table.draws_headline,
                measures=measures_by_condition(
                    store,
                    table.experiment,
                    table.setting,
                    declarations[table.experiment].conditions,
                ),
            ),
        )
        for table in tables
    )
    return with_group_conflicts(
        [
            with_random_factors(_group_warned(t), tables, declarations[t.experiment].conditions)
            for t in completed
        ]
    )


def _group_warned(table: Table) -> Table:
    """Return the table with warnings on its dose axes and contests; on gaps if it has labels."""
    found = [*unscored_warnings(table.groups)]
    if table.judge is not None:
        found += group_warnings(table.groups, table.outcomes, table.policy)
    return replace(table, warnings=(*table.warnings, *found))


def _selection(data: Sequence[_TableData], wanted: ReportFilter) -> Selection:
    """Return the identities of the named models, conditions and judges."""
    models = {d.setting.model: (d.setting.name, d.setting.title) for d in data}
    judges = {d.judge.id: (d.judge.name,) for d in data if d.judge}
    conditions = dict.fromkeys(o.condition for d in data for o in d.outcomes)
    return Selection(
        models=_resolve_all("model", wanted.models, models),
        conditions=_resolve_all("condition", wanted.conditions, dict.fromkeys(conditions, ())),
        judges=_resolve_all("judge", wanted.judges, judges),
    )


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
    names = store.experiment_names()
    known = list(names)
    if ALL in words or not known:
        return known
    if not words:
        return known[-1:]
    selected = _resolve_all("experiment", words, names)
    return [experiment for experiment in known if experiment in selected]


def _table_data(store: Store, experiments: Sequence[str]) -> list[_TableData]:
    tables = []
    for experiment in experiments:
        judges: list[JudgeInfo | None] = [*store.judges(experiment)]
        for judge in judges or [None]:
            outcomes = store.outcomes(experiment, judge.id if judge else "")
            tables += [
                _TableData(experiment, judge, setting, own) for setting, own in outcomes.items()
            ]
    return _without_unlabelled(tables)


def _without_unlabelled(tables: Sequence[_TableData]) -> list[_TableData]:
    """Return the tables without those of a reference judge that labelled none of their answers.

    No run makes these labels, so they are not missing. A table stays if it is the first one of its
    answers and no other has labels: it counts the answers.
    """
    counted = {(one.experiment, one.setting) for one in tables if one.is_labelled}
    kept: list[_TableData] = []
    for one in tables:
        answers = one.experiment, one.setting
        if one.is_labelled or answers not in counted:
            kept.append(one)
            counted.add(answers)
    return kept


def _resolve_all(
    noun: str, words: Sequence[str], known: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """Return the identities that the words match; raises ExperimentError (`resolve_name`)."""
    return frozenset(identity for word in words for identity in resolve_name(noun, word, known))


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
