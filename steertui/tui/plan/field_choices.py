"""Choices that the Plan screen offers for fields with several names."""

from collections import Counter
from dataclasses import replace

from steertui.assets.catalogue import catalogue
from steertui.assets.paper_texts import BENCHMARK, PAPER, SUBSET
from steertui.assets.weights import locate_weights
from steertui.core.condition_files import conditions_path, load_conditions
from steertui.core.experiment import Experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import DEMO, is_server
from steertui.errors import SteertuiError
from steertui.judge.price import list_price
from steertui.planning.presets import PAPER_JUDGE
from steertui.planning.resolve import resolve_texts
from steertui.units import quantity

Choices = list[tuple[str, str]]
"""(value, text) pairs."""

PAPER_JUDGE_MODEL = PAPER_JUDGE.removeprefix(JudgeKind.SERVER.prefix)


def model_choices(_: Experiment) -> Choices:
    """Return the demo model and the catalogue's quantisations, cached or not."""
    choices = [(DEMO, "demo (shipped; its results say nothing about real models)")]
    for model in catalogue():
        for weights in model.weights:
            name = f"{model.name}:{weights.quant}"
            state = "cached" if locate_weights(name) else "not downloaded"
            size = f"{weights.size / 1e9:.1f} GB, " if weights.size else ""
            choices.append((name, f"{name}  {size}{state}"))
    return choices


def pack_choices(_: Experiment) -> Choices:
    """Return the shipped scenario pack and the paper's."""
    return [
        ("starter", "starter: 36 scenarios shipped with steertui"),
        (SUBSET, f"{SUBSET}: the 71 scenarios of the paper's runs (download)"),
        (BENCHMARK, f"{BENCHMARK}: all 76 scenarios of the benchmark (download)"),
    ]


def condition_choices(experiment: Experiment) -> Choices:
    """Return the conditions of the experiment's file; raises ScenarioError if it is unreadable.

    A dose axis or a contest is one choice; its conditions are choices only if they are chosen.
    """
    file = experiment.conditions_file
    if file == PAPER:
        return [(name, name) for name in ("baseline", "pro", "anti")]
    conditions = load_conditions(conditions_path(file))
    sizes = Counter(group for c in conditions.values() for group in c.groups)
    choices = [
        (c.name, f"{c.name}: {c.about}")
        for c in conditions.values()
        if not c.groups or c.name in experiment.conditions
    ]
    return [
        *choices,
        *((name, f"{name}: {quantity(n, 'condition')} of a group") for name, n in sizes.items()),
    ]


def category_choices(experiment: Experiment) -> Choices:
    """Return the categories of the experiment's packs; none if a pack cannot be read."""
    try:
        scenarios, _ = resolve_texts(replace(experiment, categories=[], limit=0))
    except SteertuiError:
        return []
    return [(name, name) for name in dict.fromkeys(s.category for s in scenarios)]


def judge_choices(experiment: Experiment) -> Choices:
    """Return no judge, the demo and the experiment's models as judges, and the paper's judge."""
    local = dict.fromkeys([DEMO, *(m for m in experiment.models if not is_server(m))])
    price = list_price(PAPER_JUDGE_MODEL)
    cost = f", ${price.input:g} in, ${price.output:g} out per million tokens" if price else ""
    return [
        ("none", "none: answers are stored without labels"),
        *((f"local:{model}", f"local:{model}  on this machine") for model in local),
        (PAPER_JUDGE, f"{PAPER_JUDGE}  the paper's judge{cost}"),
    ]
