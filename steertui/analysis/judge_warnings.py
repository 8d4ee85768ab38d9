"""Warnings on a table's judge: drift in the store, differences from a reference."""

from collections.abc import Iterator, Sequence

from steertui.analysis.drift import (
    changed_labels,
    judged_days_apart,
    reference_differences,
    server_model_changes,
)
from steertui.analysis.judge_agreement import is_reference
from steertui.analysis.judge_conflicts import Conflict
from steertui.analysis.judge_worth import one_label_warning
from steertui.analysis.table import Table
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.core.declared_analysis import Pair
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import ModelBackend, is_stand_in
from steertui.server.address import parse_address
from steertui.store import JudgeInfo, Store
from steertui.store.judge_queries import (
    count_relabelled,
    judge_settings,
    labelling_spans,
    model_origin,
    reply_models,
)


def judge_warnings(
    store: Store, table: Table, tables: Sequence[Table], conflicts: Sequence[Conflict]
) -> Iterator[TrialWarning]:
    """Yield the warnings on a table's judge.

    `tables` are all tables of the experiments, among them those of reference judges.
    """
    judge = table.judge
    if judge is None:
        return
    labels = [outcome.label for outcome in table.outcomes if outcome.label]
    sentence = one_label_warning(judge, labels, table.worth)
    if sentence:
        yield TrialWarning(WarningKind.ONE_LABEL, sentence)
    if _has_own_answers(store, table, judge):
        sentence = f"{judge.name} labelled its own answers, which is weak evidence"
        if not _have_other_labels(store, table, tables):
            sentence += "; let another judge label them, too"
        yield TrialWarning(WarningKind.OWN_ANSWERS, sentence)
    changes = _changes(store, table, judge)
    yield from (TrialWarning(WarningKind.CHANGED_JUDGE, text) for text in changes)
    yield from (_contested(own.pair, name) for own in conflicts if (name := own.rival(table)))
    if is_reference(judge):
        return
    for other in tables:
        is_same = (other.experiment, other.setting) == (table.experiment, table.setting)
        if not is_same or not other.judge or other.mix:
            continue  # answers chosen by the judge's labels differ from them more often
        if is_reference(other.judge):
            found = reference_differences(table.outcomes, other.outcomes, other.judge.name)
            for condition, text in found.items():
                yield TrialWarning(WarningKind.DISAGREEMENT, text, (condition,))


def _have_other_labels(store: Store, table: Table, tables: Sequence[Table]) -> bool:
    """Whether a judge that did not write the answers of a table labelled some of them, too."""
    return any(
        other.judge is not None
        and (other.experiment, other.setting) == (table.experiment, table.setting)
        and any(row.counts.judged for row in other.rows)
        and not _has_own_answers(store, other, other.judge)
        for other in tables
    )


def _has_own_answers(store: Store, table: Table, judge: JudgeInfo) -> bool:
    """Whether a table's judge and model are one: the same weights, or one name at one server.

    The demo is left out: its labels were written into its training text, as every report says.
    """
    if judge.kind not in (JudgeKind.LOCAL, JudgeKind.SERVER) or is_stand_in(judge.title):
        return False
    settings = judge_settings(store, judge.id)
    if judge.kind is JudgeKind.LOCAL:
        return settings.get("model") == table.setting.model
    if table.setting.backend is not ModelBackend.SERVER:
        return False
    address = parse_address(model_origin(store, table.setting.model))
    return settings.get("model") == address.model and settings.get("url") in address.urls


def _contested(pair: Pair, name: str) -> TrialWarning:
    """Return the warning that the judge of this name leads to another conclusion."""
    text = (
        f"{' − '.join(pair)} is no finding: {name} leads to another conclusion, and no reference "
        "decides between them"
    )
    return TrialWarning(WarningKind.DISAGREEMENT, text, pair)


def _changes(store: Store, table: Table, judge: JudgeInfo) -> Iterator[str]:
    """Yield signs that the labels of one judge are not those of one judge at one time."""
    if judge.kind is JudgeKind.SERVER:
        models = reply_models(store, table.experiment, table.setting, judge.id)
        yield from server_model_changes(models)
        spans = labelling_spans(store, table.experiment, table.setting, judge.id)
        yield from judged_days_apart({c: spans[c] for c in spans if c in table.conditions})
    if judge.kind is JudgeKind.HUMAN:
        labelled = sum(row.counts.judged for row in table.rows)
        changed = count_relabelled(store, table.experiment, table.setting, judge.id)
        yield from changed_labels(changed, labelled)
