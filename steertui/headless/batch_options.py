"""Options of a run without screens: shard, budget, removal of weights, summary."""

import re
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from steertui.core.shard import WHOLE, Shard
from steertui.errors import ExperimentError

_HOURS = re.compile(r"(?=.)(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?", re.IGNORECASE)
_DOLLARS = re.compile(r"\$(?P<amount>\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class RunBudget:
    """Limit of one command: of its time, or of its cost.

    Attributes:
        text: as the user gave it.
        seconds: of this command; infinite if the limit is a cost.
        dollars: infinite if the limit is a time.
        machine_price: US dollars per hour of this machine; 0 if it costs nothing.
    """

    text: str
    seconds: float = inf
    dollars: float = inf
    machine_price: float = 0.0


def parse_budget(text: str, machine_price: float) -> RunBudget:
    """Return the budget of a text such as "8h", "1h30m" or "$20".

    Raises ExperimentError for another text, or a price that is no amount.
    """
    if not (isfinite(machine_price) and machine_price >= 0):
        raise ExperimentError(f"--machine-price {machine_price}: give US dollars per hour")
    if amount := _DOLLARS.fullmatch(text.strip()):
        return RunBudget(text, dollars=float(amount["amount"]), machine_price=machine_price)
    span = _HOURS.fullmatch(text.strip())
    if span is None:
        raise ExperimentError(
            f"--budget {text}: give a time such as 8h, 90m or 1h30m, or a cost such as $20"
        )
    seconds = 3600 * float(span["h"] or 0) + 60 * float(span["m"] or 0)
    return RunBudget(text, seconds=seconds, machine_price=machine_price)


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How an experiment is run.

    Attributes:
        shard: the part of the scenarios that is run here.
        removes_weights: whether a model's weights are removed after use, if a run downloaded them.
        budget: after which the run stops; None for no limit.
        summary: file for the summary of the run; None for none.
        is_sure: whether the user agrees to downloads and hosts in advance.
        as_json: whether to print JSON records.
    """

    shard: Shard = WHOLE
    removes_weights: bool = False
    budget: RunBudget | None = None
    summary: Path | None = None
    is_sure: bool = False
    as_json: bool = False
