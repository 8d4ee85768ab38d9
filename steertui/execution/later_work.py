"""Work of a run after the stage that is at work: other models, and local judges.

Their time is known from earlier runs in the database only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from steertui.analysis.judge_overview import mean_interval
from steertui.core.model import Model
from steertui.judge.local import LocalJudge
from steertui.planning.plan import Plan
from steertui.store import Store
from steertui.store.control_queries import label_times
from steertui.store.plan_queries import seconds_per_answer
from steertui.units import clock, quantity


@dataclass(frozen=True, slots=True)
class LaterStage:
    """Stage of a run.

    Attributes:
        name: of the model or judge.
        requests: missing answers or labels.
        noun: "answer" or "label".
        seconds: expected time at the rate of an earlier run; None if there is none.
    """

    name: str
    requests: int
    noun: str
    seconds: float | None

    @property
    def text(self) -> str:
        """The work in words, such as "108 labels by local:demo, about 0:40"."""
        time = "time unknown" if self.seconds is None else f"about {clock(self.seconds)}"
        return f"{quantity(self.requests, self.noun)} by {self.name}, {time}"


class LaterWork:
    """Stages of a run on this machine, in their order."""

    def __init__(self, plan: Plan, store: Store) -> None:
        self._stages = [*_models(plan, store), *_judges(plan, store)]

    def begin(self, name: str) -> None:
        """Note that the stage of a model or judge begins; it and those before it are not later."""
        names = [stage.name for stage in self._stages]
        if name in names:
            self._stages = self._stages[names.index(name) + 1 :]

    @property
    def text(self) -> str:
        """The stages that have not begun, in words; "" for none."""
        return "; ".join(stage.text for stage in self._stages)


def _models(plan: Plan, store: Store) -> Iterator[LaterStage]:
    for model in plan.design.models:
        missing = len(plan.missing(model)) if isinstance(model, Model) else 0
        if missing and isinstance(model, Model):
            rate = seconds_per_answer(store, model.sha256)
            yield LaterStage(
                model.name, missing, "answer", None if rate is None else missing * rate
            )


def _judges(plan: Plan, store: Store) -> Iterator[LaterStage]:
    for judge, work in zip(plan.judges, plan.estimate.judges, strict=True):
        if isinstance(judge, LocalJudge) and work.labels:
            rate = mean_interval(label_times(store, judge.id))
            seconds = None if rate is None else work.labels * rate
            yield LaterStage(judge.name, work.labels, "label", seconds)
