"""Plan of a run: an experiment's trials with their prompts, and the work that is missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from steertui.core.experiment import Experiment
from steertui.core.model import Model, is_stand_in
from steertui.core.prompt import Prompt
from steertui.errors import SteertuiError
from steertui.judge.local import LocalJudge
from steertui.judge.server import ServerJudge
from steertui.planning.estimate import Estimate
from steertui.planning.judges import (
    DEFAULT_OPTIONS,
    Judge,
    JudgeDescription,
    JudgeServerOptions,
    describe_judge,
    find_judges,
    judge_names,
    judge_sampling,
    register_judges,
    require_judges_or_none,
    with_stored_names,
)
from steertui.planning.left_out import LeftOut
from steertui.planning.rendering import render_prompts
from steertui.planning.resolve import Design, unused_conditions
from steertui.planning.scoring import prompts_to_score
from steertui.planning.work_estimate import estimate_work
from steertui.store import ModelFacts, Store
from steertui.store.reuse import reusable_answers
from steertui.units import quantity, verb


@dataclass(frozen=True, slots=True)
class Plan:
    """Work of a run.

    Attributes:
        id: the experiment's id in the store.
        design: the experiment with every name resolved.
        prompts: of all trials, in the grid's order.
        judges: in the experiment's order.
        answered: keys of the answered trials.
        reused: number of answers that this plan took from trials with another limit of tokens or
            another seed, which would not change them.
        left_out: models that cannot be planned, which are not in the design.
        estimate: sizes, missing labels per judge, their cost, the models' rates.
        is_stand_in: whether the demo model answers or judges.
        notes: what a user must know of the prompts, each "MODEL: sentence" without a full stop.
    """

    id: str
    design: Design
    prompts: tuple[Prompt, ...]
    judges: tuple[Judge, ...]
    answered: frozenset[str]
    estimate: Estimate
    is_stand_in: bool
    notes: tuple[str, ...] = ()
    reused: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def missing(self, model: Model) -> list[Prompt]:
        """Return the model's unanswered prompts in this shard."""
        return [p for p in self.missing_here if p.trial.model == model]

    @property
    def to_score(self) -> list[Prompt]:
        """The prompts whose answers the unsteered model is to score, scored or not."""
        return prompts_to_score(self.design.experiment, self.prompts)

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


def make_plan(
    design: Design,
    store: Store,
    options: JudgeServerOptions = DEFAULT_OPTIONS,
    *,
    leaves_out: bool = False,
) -> Plan:
    """Render all prompts, add the trials to the store, and count what is missing.

    With `leaves_out`, models for which the prompts cannot be written are left out if others remain
    (`render_prompts`). Raises the first error found. Nothing has been run by then.
    """
    judges = with_stored_names(experiment_judges(design, options), store)
    descriptions = [describe_judge(judge) for judge in judges]
    rendering = render_prompts(design, leaves_out=leaves_out)
    design, prompts, facts = rendering.design, rendering.prompts, rendering.facts
    for stored in design.interventions.vectors.values():
        store.add_vector(stored.name, stored.raw)
    experiment = store.add_experiment(design.experiment.to_toml(), prompts, facts)
    reused = _reuse(prompts, store, experiment)
    register_judges(judges, descriptions, store)
    store.note_rows()
    texts = design.scenarios, design.conditions
    titles = [*(d.title for d in descriptions), *(fact.title for fact in facts.values())]
    return Plan(
        id=experiment,
        design=design,
        prompts=prompts,
        judges=judges,
        answered=frozenset(store.answered_keys(experiment)),
        reused=reused,
        estimate=estimate_work(
            design.experiment,
            texts,
            judges,
            store,
            prompts=prompts,
            control_set=options.control_set,
            own=design.own_scenarios,
        ),
        is_stand_in=any(map(is_stand_in, titles)),
        notes=tuple(_notes(design, facts, judges, descriptions)),
        left_out=rendering.left_out,
    )


def require_keys(plan: Plan) -> None:
    """Raise JudgeError if a judge that has labels to give needs an API key that is missing."""
    for judge, work in zip(plan.judges, plan.estimate.judges, strict=True):
        if isinstance(judge, ServerJudge) and work.labels:
            judge.require_key()


@contextmanager
def withdrawn_on_error(plan: Plan, store: Store) -> Iterator[None]:
    """Withdraw the plan if the block raises SteertuiError before anything was run."""
    try:
        yield
    except SteertuiError:
        store.withdraw_plan(plan.id)
        raise


def _reuse(prompts: Sequence[Prompt], store: Store, experiment: str) -> int:
    """Copy the answers that the plan's settings would not change; return their number."""
    answered = store.answered_keys(experiment)
    sources = reusable_answers(store, [p for p in prompts if p.key not in answered])
    store.copy_answers(sources)
    return len(sources)


def _notes(
    design: Design,
    facts: Mapping[str, ModelFacts],
    judges: Sequence[Judge],
    descriptions: Sequence[JudgeDescription],
) -> Iterable[str]:
    """Return the notes on all prompts; each is given once for the same weights."""
    notes: dict[tuple[str, str], str] = {}
    for model in design.models:
        for note in facts[model.sha256].notes:
            notes[model.sha256, note] = f"{model.name}: {note}"
    for judge, description in zip(judges, descriptions, strict=True):
        weights = judge.model.sha256 if isinstance(judge, LocalJudge) else ""
        for note in description.notes:
            notes.setdefault((weights, note), f"{judge.name}: {note}")
    return [*notes.values(), *_unused_note(design.experiment), *_greedy_note(design.experiment)]


def _unused_note(experiment: Experiment) -> Iterable[str]:
    names = unused_conditions(experiment)
    if names:
        others = len(names) - 5
        more = f" and {quantity(others, 'other')}" if others > 0 else ""
        them = verb(len(names), "it", "them")
        yield (
            f"{experiment.conditions_file} also defines {', '.join(names[:5])}{more}, which this "
            f"experiment does not run; add {them} to its conditions"
        )


def _greedy_note(experiment: Experiment) -> Iterable[str]:
    if experiment.samples > 1 and 0 in experiment.temperatures:
        has_others = any(experiment.temperatures)
        yield (
            f"at temperature 0 one sample is run, not {experiment.samples}, since all would have "
            "the same answer" + ("" if has_others else "; set a temperature above 0 for several")
        )


def experiment_judges(
    design: Design, options: JudgeServerOptions = DEFAULT_OPTIONS
) -> tuple[Judge, ...]:
    """Return the experiment's judges; raises JudgeError or ModelError for a wrong name."""
    experiment = design.experiment
    require_judges_or_none(experiment.judges)
    return find_judges(
        judge_names(experiment),
        experiment.rubric,
        experiment.hide_suffix,
        options,
        debias=experiment.debias,
        sampling=judge_sampling(experiment),
    )
