"""Judging of stored answers, planned: missing labels, cost and notes of each judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steertui.judge.control import load_control_set
from steertui.planning.control_answers import pending_control, store_control_set
from steertui.planning.judge_cost import add_costs, control_cost, estimate_cost
from steertui.planning.judge_estimate import JudgeEstimate, judge_estimate
from steertui.planning.judges import (
    Judge,
    JudgeServerOptions,
    check_context,
    describe_judge,
    register_judges,
    with_stored_names,
)
from steertui.store import Store, UnjudgedAnswer


@dataclass(frozen=True, slots=True)
class JudgingPlan:
    """What judges have to label.

    Attributes:
        experiment: id of the experiment with the answers.
        judges: who are registered in the store.
        unjudged: answers without a label, by judge id.
        work: missing labels and cost of each judge, in their order.
        notes: on the prompts of each judge, in their order.
    """

    experiment: str
    judges: tuple[Judge, ...]
    unjudged: Mapping[str, Sequence[UnjudgedAnswer]]
    work: tuple[JudgeEstimate, ...]
    notes: tuple[tuple[str, ...], ...]

    @property
    def dollars(self) -> float:
        """Estimated cost of all judges in US dollars, as far as prices are known."""
        return sum(work.dollars or 0.0 for work in self.work)


def plan_judging(
    store: Store, experiment: str, judges: Sequence[Judge], options: JudgeServerOptions
) -> JudgingPlan:
    """Register the judges, and return what they have to label of an experiment.

    Raises JudgeError if an answer exceeds a judge's context.
    """
    judges = with_stored_names(judges, store)
    descriptions = [describe_judge(judge) for judge in judges]
    unjudged = {judge.id: store.unjudged_answers(experiment, judge.id) for judge in judges}
    check_context(judges, unjudged)
    register_judges(judges, descriptions, store)
    return JudgingPlan(
        experiment=experiment,
        judges=judges,
        unjudged=unjudged,
        work=tuple(_work(store, judge, unjudged[judge.id], options) for judge in judges),
        notes=tuple(description.notes for description in descriptions),
    )


def plan_test(store: Store, judges: Sequence[Judge], options: JudgeServerOptions) -> JudgingPlan:
    """Store the control set, register the judges, and return what they have to label of it."""
    control = store_control_set(store, options.control_set or load_control_set())
    return plan_judging(store, control, judges, replace(options, control_set=None))


def _work(
    store: Store, judge: Judge, answers: Sequence[UnjudgedAnswer], options: JudgeServerOptions
) -> JudgeEstimate:
    pending = pending_control(store, options.control_set, judge)
    control = control_cost(judge, options.control_set, pending, len(answers))
    cost = add_costs(estimate_cost(judge, answers), control)
    return judge_estimate(judge, len(answers), cost, control=len(pending))
