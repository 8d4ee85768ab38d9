"""Work of a run after the stage that is at work: other models, and local judges.

The time of models is that of the plan, and the time of judges is known from the database only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.judge_overview import mean_interval
from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.execution.plan_lines import range_and_limit
from steertui.judge.local import LocalJudge
from steertui.planning.plan import Plan
from steertui.planning.rates import predict_seconds
from steertui.planning.work_estimate import answers_to_generate, planned_trials
from steertui.store import Store
from steertui.store.control_queries import label_times
from steertui.store.reuse import known_answers
from steertui.units import clock, quantity

UNKNOWN_TIME = "time unknown"


@dataclass(frozen=True, slots=True)
class LaterStage:
    """Stage of a run.

    Attributes:
        name: of the model or judge.
        requests: missing answers or labels.
        noun: "answer" or "label".
        time: expected time in words, by an earlier run.
    """

    name: str
    requests: int
    noun: str
    time: str

    @property
    def text(self) -> str:
        """The work in words, such as "108 labels by local:demo, about 0:40"."""
        return f"{quantity(self.requests, self.noun)} by {self.name}, {self.time}"


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
        missing = plan.missing(model) if isinstance(model, Model) else []
        if missing:
            yield LaterStage(model.name, len(missing), "answer", _answer_time(missing, store))


def _answer_time(missing: Sequence[Prompt], store: Store) -> str:
    answers = answers_to_generate(planned_trials(missing), known_answers(store, missing))
    seconds = predict_seconds(store, answers)
    return range_and_limit(seconds, len(missing))[0] if seconds else UNKNOWN_TIME


def _judges(plan: Plan, store: Store) -> Iterator[LaterStage]:
    for judge, work in zip(plan.judges, plan.estimate.judges, strict=True):
        if isinstance(judge, LocalJudge) and work.labels:
            rate = mean_interval(label_times(store, judge.id))
            time = UNKNOWN_TIME if rate is None else f"about {clock(work.labels * rate)}"
            yield LaterStage(judge.name, work.labels, "label", time)
