"""Alike: which experiments differ in nothing but their models, so that these can be compared."""

from collections.abc import Mapping, Sequence

from steertui.analysis.table import Table
from steertui.core.experiment import parse_experiment
from steertui.errors import SteertuiError
from steertui.store import Store

ANSWER_SETTINGS = (
    "top_k", "top_p", "min_p", "repetition_penalty", "presence_penalty", "max_tokens",
    "max_tokens_thinking", "end", "thinking", "server_template",
)  # fmt: skip
"""Fields of an experiment that change its answers and are no axis of its tables."""

Settings = Mapping[str, Mapping[str, object]]
"""By experiment, what it gives its models."""


def experiment_settings(store: Store, experiments: Sequence[str]) -> Settings:
    """Return how each experiment was set up; one whose file cannot be read is like no other."""
    found: dict[str, dict[str, object]] = {}
    for experiment in experiments:
        try:
            planned = parse_experiment(store.plannings(experiment)[-1])
            found[experiment] = {name: getattr(planned, name) for name in ANSWER_SETTINGS}
        except SteertuiError:
            found[experiment] = {"experiment": experiment}
    return found


def are_comparable(one: Table, two: Table, by: Settings) -> bool:
    """Whether two tables differ in their models and in nothing else."""
    if one.experiment == two.experiment:
        return True
    if one.setting.model == two.setting.model or by[one.experiment] != by[two.experiment]:
        return False
    return {o.scenario for o in one.outcomes} == {o.scenario for o in two.outcomes}


def setting_differences(tables: Sequence[Table], by: Settings) -> list[str]:
    """Say in what experiments differ, if their models are not compared for that."""
    names = ["their files"]
    if all(ANSWER_SETTINGS[0] in own for own in by.values()):
        names = [n for n in ANSWER_SETTINGS if len({str(own[n]) for own in by.values()}) > 1]
    sets = {t.experiment: frozenset(o.scenario for o in t.outcomes) for t in tables}
    names += ["the scenarios"] * (len({*sets.values()}) > 1)
    if not names:
        return []
    return [
        f"The experiments differ in {', '.join(names)}; models are compared only where nothing "
        "else differs."
    ]
