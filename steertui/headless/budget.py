"""Time and cost of a run against its budget."""

import time
from dataclasses import replace
from math import inf

from steertui.errors import ExperimentError
from steertui.execution import Event, JudgeProgress
from steertui.headless.batch_options import RunBudget
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.plan import Plan
from steertui.server.model import ServerModel


def with_cost_limit(options: JudgeServerOptions, budget: RunBudget | None) -> JudgeServerOptions:
    """Return the options with the budget's dollars as the limit of all judges, if it is lower."""
    if budget is None or budget.dollars == inf:
        return options
    given = inf if options.max_cost is None else options.max_cost
    return replace(options, max_cost=min(given, budget.dollars))


def require_prices(budget: RunBudget, plan: Plan) -> None:
    """Raise ExperimentError if a cost is limited that no price is stated for."""
    if budget.dollars == inf:
        return
    servers = [model.name for model in plan.design.models if isinstance(model, ServerModel)]
    if servers:
        raise ExperimentError(
            f"--budget {budget.text}: no price is known for the answers of {servers[0]}; give a "
            "time such as 8h"
        )
    is_paid = any(judge.dollars for judge in plan.estimate.judges)
    if not (budget.machine_price or is_paid):
        raise ExperimentError(
            f"--budget {budget.text}: nothing in this run has a price; state --machine-price in "
            "US dollars per hour, or give a time such as 8h"
        )


class BudgetMeter:
    """Time and cost of a run so far, from the moment the meter is made."""

    def __init__(self, budget: RunBudget) -> None:
        self._budget = budget
        self._start = time.monotonic()
        self._judges: dict[str, float] = {}

    def add(self, event: Event) -> None:
        """Count the cost that an event states."""
        if isinstance(event, JudgeProgress):
            self._judges[event.judge] = event.dollars or 0.0

    @property
    def is_spent(self) -> bool:
        """Whether the budget is spent."""
        seconds = time.monotonic() - self._start
        cost = sum(self._judges.values()) + seconds / 3600 * self._budget.machine_price
        return seconds >= self._budget.seconds or cost >= self._budget.dollars
