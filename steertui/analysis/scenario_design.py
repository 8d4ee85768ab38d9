"""Scenarios of each model and condition, where not every condition has every scenario."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.table import Table
from steertui.core.outcome import Outcome, outcomes_by_condition

MAX_NAMES = 6
"""Model settings that a sentence names."""

Categories = Mapping[str, str]
"""Category by scenario."""


@dataclass(frozen=True, slots=True)
class ScenarioDesign:
    """Planned scenarios of one model setting.

    Attributes:
        name: the model's name, with its temperature if the model has several.
        scenarios: number under at least one condition.
        fewest: number under the condition with the fewest.
        most: number under the condition with the most.
        common: number under all conditions.
        imbalance: largest difference of a category's share between two conditions, percentage
            points.
    """

    name: str
    scenarios: int
    fewest: int
    most: int
    common: int
    imbalance: float

    @property
    def is_complete(self) -> bool:
        """Whether every condition has all scenarios of the model setting."""
        return self.common == self.scenarios


def scenario_designs(tables: Sequence[Table]) -> list[ScenarioDesign]:
    """Return the designs of the model settings; [] if all have the same scenarios throughout."""
    settings = {(table.experiment, table.setting): table for table in tables}
    everything = {o.scenario for table in settings.values() for o in table.outcomes}
    models = Counter(setting.model for _, setting in settings)
    designs = [
        _design(_name(table, several=models[table.setting.model] > 1), table.outcomes)
        for table in settings.values()
    ]
    is_complete = all(design.common == len(everything) for design in designs)
    return [] if is_complete else designs


def _name(table: Table, *, several: bool) -> str:
    at = f" at temperature {table.setting.temperature:g}" if several else ""
    return f"{table.setting.name}{at}"


def _design(name: str, outcomes: Sequence[Outcome]) -> ScenarioDesign:
    by_condition = {
        condition: {o.scenario: o.category for o in own}
        for condition, own in outcomes_by_condition(outcomes).items()
    }
    sets = [frozenset(own) for own in by_condition.values()]
    pairs = combinations(by_condition.values(), 2)
    return ScenarioDesign(
        name=name,
        scenarios=len(frozenset.union(*sets)),
        fewest=min(map(len, sets)),
        most=max(map(len, sets)),
        common=len(frozenset.intersection(*sets)),
        imbalance=max((_imbalance(one, two) for one, two in pairs), default=0.0),
    )


def _imbalance(one: Categories, two: Categories) -> float:
    shares = [
        {category: 100 * number / len(side) for category, number in Counter(side.values()).items()}
        for side in (one, two)
    ]
    names = {*shares[0], *shares[1]}
    return max(abs(shares[0].get(name, 0.0) - shares[1].get(name, 0.0)) for name in names)


def design_sentence(designs: Sequence[ScenarioDesign]) -> str:
    """Return the numbers of scenarios by model, and the imbalance, without a full stop.

    Return "" without designs.
    """
    if not designs:
        return ""
    if all(design.is_complete for design in designs):
        return _complete_sentence(designs)
    named = [
        f"{d.name} has {d.scenarios} ({_range([d.fewest, d.most])} under each condition, "
        f"{d.common} under all)"
        for d in designs
    ]
    if len(designs) > MAX_NAMES:
        each = _range([number for d in designs for number in (d.fewest, d.most)])
        named = [
            f"the {len(designs)} model settings have {_range([d.scenarios for d in designs])} "
            f"({each} under each condition, {_range([d.common for d in designs])} under all)"
        ]
    sentence = f"Not every condition has every scenario: {', '.join(named)}"
    largest = max(d.imbalance for d in designs)
    if largest < 0.5:
        return sentence
    return (
        f"{sentence}; the share of a category differs by up to {largest:.0f} points between two "
        "conditions of a model"
    )


def _complete_sentence(designs: Sequence[ScenarioDesign]) -> str:
    named = [f"{design.name} has {design.scenarios}" for design in designs]
    if len(designs) > MAX_NAMES:
        total = _range([design.scenarios for design in designs])
        named = [f"the {len(designs)} model settings have {total}"]
    return (
        "Model settings have different scenarios, the same under all their conditions: "
        f"{', '.join(named)}"
    )


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"
