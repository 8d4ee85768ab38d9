"""Plan of a run: an experiment's trials with their prompts, and the work that is missing."""

from dataclasses import dataclass

from steertui.core.model import Model, is_stand_in
from steertui.core.prompt import Prompt
from steertui.planning.estimate import Estimate, estimate_work
from steertui.planning.judges import (
    DEFAULT_OPTIONS,
    Judge,
    JudgeServerOptions,
    find_judges,
    judge_names,
    judge_sampling,
    judge_title,
    register_judges,
)
from steertui.planning.rendering import render_prompts
from steertui.planning.resolve import Design
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """Work of a run.

    Attributes:
        id: the experiment's id in the store.
        design: the experiment with every name resolved.
        prompts: of all trials, in the grid's order.
        judges: in the experiment's order.
        answered: keys of the answered trials.
        estimate: sizes, missing labels per judge, their cost, the models' rates.
        is_stand_in: whether the demo model answers or judges.
    """

    id: str
    design: Design
    prompts: tuple[Prompt, ...]
    judges: tuple[Judge, ...]
    answered: frozenset[str]
    estimate: Estimate
    is_stand_in: bool

    def missing(self, model: Model) -> list[Prompt]:
        """Return the model's unanswered prompts in this shard."""
        return [p for p in self.missing_here if p.trial.model == model]

    @property
    def unjudged(self) -> tuple[int, ...]:
        """Numbers of missing labels per judge."""
        return tuple(judge.unjudged for judge in self.estimate.judges)

    @property
    def missing_here(self) -> list[Prompt]:
        """The unanswered prompts in this shard."""
        scenarios = self.design.own_scenarios
        unanswered = (p for p in self.prompts if p.key not in self.answered)
        return [p for p in unanswered if p.trial.scenario.name in scenarios]


def make_plan(design: Design, store: Store, options: JudgeServerOptions = DEFAULT_OPTIONS) -> Plan:
    """Render all prompts, add the trials to the store, and count what is missing.

    Raises the first error found. Nothing has been run by then.
    """
    judges = experiment_judges(design, options)
    titles = [judge_title(judge) for judge in judges]
    prompts, facts = render_prompts(design)
    experiment = store.add_experiment(design.experiment.to_toml(), prompts, facts)
    register_judges(judges, titles, store)
    texts = design.scenarios, design.conditions
    model_titles = [fact.title for fact in facts.values()]
    return Plan(
        id=experiment,
        design=design,
        prompts=prompts,
        judges=judges,
        answered=frozenset(store.answered_keys(experiment)),
        estimate=estimate_work(design.experiment, texts, judges, store, prompts=prompts),
        is_stand_in=any(map(is_stand_in, [*titles, *model_titles])),
    )


def experiment_judges(
    design: Design, options: JudgeServerOptions = DEFAULT_OPTIONS
) -> tuple[Judge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name."""
    experiment = design.experiment
    return find_judges(
        judge_names(experiment),
        experiment.rubric,
        experiment.hide_suffix,
        options,
        debias=experiment.debias,
        sampling=judge_sampling(experiment),
    )
