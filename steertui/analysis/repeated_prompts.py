"""Conditions with equal prompts and steering under two names, whose greedy answers may differ."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

from steertui.analysis.table import RepeatedPrompt, Table
from steertui.core.interventions import (
    Intervention,
    InterventionKind,
    Interventions,
    interventions_json,
    parse_interventions,
)
from steertui.store import Store
from steertui.store.report_queries import repeated_trials


@dataclass(frozen=True, slots=True)
class _Slot:
    """What determines a greedy answer; interventions are summed, those of strength 0 left out."""

    scenario: str
    prompt: str
    sampling: str
    steering: str


def repeated_prompts(store: Store, table: Table) -> tuple[RepeatedPrompt, ...]:
    """Return the pairs of conditions whose prompts and steering are equal in all their trials.

    Of several such conditions each is paired with the first. Empty above temperature 0, where
    answers to equal prompts differ by their seeds.
    """
    if table.setting.temperature:
        return ()
    names: dict[_Slot, list[str]] = {}
    for trial in repeated_trials(store, table.experiment, table.setting):
        active = _active(trial.steering)
        slot = _Slot(trial.scenario, trial.prompt, trial.sampling, active)
        names.setdefault(slot, []).append(trial.condition)
    equal = Counter((first, other) for first, *others in names.values() for other in others)
    planned = Counter(outcome.condition for outcome in table.outcomes)
    return tuple(
        _compared(table, *pair)
        for pair, number in equal.items()
        if number == planned[pair[0]] == planned[pair[1]]
    )


@cache
def _active(steering: str) -> str:
    """Return the interventions that change something; all if this version cannot read them."""
    try:
        interventions = parse_interventions(steering)
    except (ValueError, TypeError, KeyError, OverflowError):
        return steering  # in a database of somebody else
    return interventions_json(tuple(one for one in _summed(interventions) if one.strength))


def _summed(interventions: Interventions) -> Interventions:
    """Return the interventions with the strengths of equal vectors and adapters summed.

    The engine sums them; ablations of one direction are applied one after another.
    """
    totals: dict[Intervention, float] = {}
    ablations = []
    for each in interventions:
        if each.kind is InterventionKind.ABLATION:
            ablations.append(each)
        else:
            own = replace(each, strength=0.0)
            totals[own] = totals.get(own, 0.0) + each.strength
    summed = (replace(own, strength=round(total, 9)) for own, total in totals.items())
    return (*summed, *ablations)


def _compared(table: Table, first: str, second: str) -> RepeatedPrompt:
    answers: dict[str, dict[str, str]] = {first: {}, second: {}}
    for outcome in table.outcomes:
        if outcome.condition in answers and outcome.digest is not None:
            answers[outcome.condition][outcome.scenario] = outcome.digest
    one, two = answers.values()
    both = one.keys() & two
    return RepeatedPrompt(first, second, len(both), sum(one[name] != two[name] for name in both))
