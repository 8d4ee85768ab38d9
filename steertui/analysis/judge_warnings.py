"""Warnings on a table's judge: drift in the store, differences from a reference."""

from collections.abc import Iterator, Sequence

from steertui.analysis.drift import (
    changed_labels,
    judged_days_apart,
    reference_differences,
    server_model_changes,
)
from steertui.analysis.hand_labels import is_stratified
from steertui.analysis.judge_agreement import is_reference
from steertui.analysis.judge_worth import one_label_warning
from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.store import Store
from steertui.store.judge_queries import count_relabelled, labelling_spans, reply_models


def judge_warnings(store: Store, table: Table, tables: Sequence[Table]) -> Iterator[str]:
    """Yield the warnings on a table's judge, one sentence each, without a full stop.

    `tables` are all tables of the summary, among them those of reference judges.
    """
    judge = table.judge
    if judge is None:
        return
    labels = [outcome.label for outcome in table.outcomes if outcome.label]
    sentence = one_label_warning(judge, labels, table.worth)
    if sentence:
        yield sentence
    if judge.kind is JudgeKind.SERVER:
        models = reply_models(store, table.experiment, table.setting, judge.id)
        yield from server_model_changes(models)
        spans = labelling_spans(store, table.experiment, table.setting, judge.id)
        yield from judged_days_apart({c: spans[c] for c in spans if c in table.conditions})
    if judge.kind is JudgeKind.HUMAN:
        labelled = sum(row.counts.judged for row in table.rows)
        changed = count_relabelled(store, table.experiment, table.setting, judge.id)
        yield from changed_labels(changed, labelled)
    if is_reference(judge):
        return
    for other in tables:
        is_same = (other.experiment, other.setting) == (table.experiment, table.setting)
        if not is_same or not other.judge or is_stratified(other.judge, other.outcomes):
            continue  # answers chosen by the judge's labels differ from them more often
        if is_reference(other.judge):
            yield from reference_differences(table.outcomes, other.outcomes, other.judge.name)
