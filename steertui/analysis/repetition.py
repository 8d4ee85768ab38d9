"""Repetition within answers by condition: a cost of coherence that no judge measures."""

from collections.abc import Iterable
from statistics import fmean

from steertui.core.condition import Condition
from steertui.steering.sweep import repetition
from steertui.store import ModelSetting, Store
from steertui.store.report_queries import answers_by_condition


def repetition_by_condition(
    store: Store, experiment: str, setting: ModelSetting, conditions: Iterable[Condition]
) -> dict[str, float]:
    """Return the mean share of repeated sequences of four words for each condition of a dose axis.

    A share is from 0 to 1, and 1 for an empty answer. Conditions without answers are absent.
    """
    names = [condition.name for condition in conditions if condition.step]
    shares: dict[str, list[float]] = {}
    if names:
        for condition, answer in answers_by_condition(store, experiment, setting, names):
            shares.setdefault(condition, []).append(repetition(answer.split()))
    return {condition: fmean(own) for condition, own in shares.items()}
