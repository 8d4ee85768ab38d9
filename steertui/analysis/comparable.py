"""Comparability of experiments: models are compared only if nothing else differs."""

from collections.abc import Mapping, Sequence

from steertui.analysis.table import Table
from steertui.core.experiment import parse_experiment
from steertui.errors import SteertuiError
from steertui.store import Store

ANSWER_SETTINGS = (
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "max_tokens",
    "max_tokens_thinking",
    "stop_tokens",
    "thinking",
    "template",
)
"""Experiment fields that affect answers and are the same for all tables of an experiment."""

Settings = Mapping[str, Mapping[str, object]]
"""By experiment id: the values of `ANSWER_SETTINGS`."""


def experiment_settings(store: Store, experiments: Sequence[str]) -> Settings:
    """Return each experiment's settings; one with an unreadable file is equal to no other."""
    settings: dict[str, dict[str, object]] = {}
    for experiment in experiments:
        try:
            planned = parse_experiment(store.plans(experiment)[-1])
            settings[experiment] = {name: getattr(planned, name) for name in ANSWER_SETTINGS}
        except SteertuiError:
            settings[experiment] = {"experiment": experiment}
    return settings


def are_comparable(one: Table, two: Table, settings: Settings) -> bool:
    """Whether two tables are of one experiment, or differ only in their models."""
    if one.experiment == two.experiment:
        return True
    if one.setting.model == two.setting.model:
        return False
    if settings[one.experiment] != settings[two.experiment]:
        return False
    return {o.scenario for o in one.outcomes} == {o.scenario for o in two.outcomes}


def setting_differences(tables: Sequence[Table], settings: Settings) -> list[str]:
    """Return a sentence on the differences that prevent comparisons, in a list; [] for none."""
    names = ["their files"]
    if all(ANSWER_SETTINGS[0] in own for own in settings.values()):
        names = [
            name
            for name in ANSWER_SETTINGS
            if len({str(own[name]) for own in settings.values()}) > 1
        ]
    scenarios = {t.experiment: frozenset(o.scenario for o in t.outcomes) for t in tables}
    if len({*scenarios.values()}) > 1:
        names.append("the scenarios")
    if not names:
        return []
    return [
        f"The experiments differ in {', '.join(names)}; models are compared only if nothing else "
        "differs."
    ]
