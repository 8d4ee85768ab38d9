"""Estimate of an experiment before it runs: trials, missing answers and labels, cost, downloads.

`estimate_experiment` starts from names and stores, fetches and contacts nothing. `estimate_work` is
the part that `make_plan` shares, for prompts that are rendered already.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.generation import distinct_samples
from steertui.core.prompt import Prompt
from steertui.core.scenario import Scenario
from steertui.errors import SteertuiError
from steertui.judge.control import ControlSet
from steertui.paths import exists
from steertui.planning.complete_plan import can_render, imported_judges, is_complete, newest_plan
from steertui.planning.consent import open_question
from steertui.planning.example_prompt import ExamplePrompt, example_prompt
from steertui.planning.judge_estimate import JudgeEstimate, JudgeWork, estimate_judge
from steertui.planning.judges import Judge, JudgeServerOptions, openable_judges, with_stored_names
from steertui.planning.left_out import LeftOut, without_missing_files
from steertui.planning.origin import TYPED, Origin
from steertui.planning.rates import MissingAnswer, SecondsPerAnswer, predict_seconds
from steertui.planning.reach import Sizes, missing_sizes
from steertui.planning.reasons import missing_reasons
from steertui.planning.remote_models import plans_from_headers
from steertui.planning.rendering import Rendering, render_present
from steertui.planning.resolve import resolve_texts
from steertui.planning.scoring import prompts_to_score
from steertui.planning.supply import requirements_of, requirements_without_models
from steertui.planning.vector_training import untrained
from steertui.store import Store
from steertui.store.plan_queries import (
    PlannedTrial,
    answered_keys,
    scored_keys,
    trials_of_plan,
)
from steertui.store.reuse import KnownAnswer, known_answers
from steertui.store.setup_queries import used_conditions


@dataclass(frozen=True, slots=True)
class GridSize:
    """Lengths of the grid's axes.

    Attributes:
        samples_by_temperature: (temperature, answers per model, scenario and condition).
        has_primary: whether a comparison of two conditions is declared as primary.
    """

    models: int = 0
    scenarios: int = 0
    conditions: int = 0
    samples_by_temperature: tuple[tuple[float, int], ...] = ()
    has_primary: bool = False

    @property
    def samples(self) -> int:
        """Answers per model, scenario and condition, over all temperatures."""
        return sum(samples for _, samples in self.samples_by_temperature)

    @property
    def samples_per_temperature(self) -> int:
        """Samples at the temperature that has the fewest; 0 if unknown."""
        return min((samples for _, samples in self.samples_by_temperature), default=0)

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.models * self.scenarios * self.conditions * self.samples

    @property
    def has_comparison(self) -> bool:
        """Whether there are conditions to compare."""
        return self.conditions > 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an experiment would do.

    Attributes:
        size: the grid's axes; all 0 if texts have to be fetched first, or on an error.
        answered: number of trials with an answer; None if trial keys are unknown: the weights are
            not on this machine, may not be opened yet, or a model is behind servers, and the
            database has no plan with these settings and texts.
        is_as_stored: whether the trials are those of the stored plan with these settings and texts,
            since the weights are not opened; other weights would be other trials.
        reused: number of these whose answer is that of a trial with another limit of tokens or
            another seed, which would not change it.
        reasons: why trials have no answer, and how many; empty unless it was asked for.
        example: one rendered prompt; None unless it was asked for and prompts can be rendered.
        categories: names of the scenarios' categories.
        conditions: with their texts.
        judges: in the experiment's order.
        unscored: number of answers, existing or not, whose log-likelihood under the unsteered model
            is to be measured; 0 if trial keys are unknown.
        left_out: models that cannot be planned, which are not in the grid.
        trainings: (vector, model) of the vectors that the run trains first.
        needs_consent: whether it is unknown which trials the database has answers to, because the
            weights are opened only after the user agreed.
        downloads: (name, bytes) of missing sources and weights; 0 bytes if the size is unknown.
        seconds_per_answer: mean over the missing answers, at the speed and answer lengths of each
            model's newest run in the database, else on this machine; None if a model has none.
        error: why the experiment cannot run, with a remedy; "" if it can.
    """

    size: GridSize = GridSize()
    answered: int | None = None
    is_as_stored: bool = False
    reused: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    example: ExamplePrompt | None = None
    categories: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    judges: tuple[JudgeEstimate, ...] = ()
    unscored: int = 0
    left_out: tuple[LeftOut, ...] = ()
    trainings: tuple[tuple[str, str], ...] = ()
    needs_consent: bool = False
    downloads: Sizes = ()
    seconds_per_answer: SecondsPerAnswer | None = None
    error: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether a run has nothing to download and nothing to do."""
        is_judged = not any(judge.unjudged for judge in self.judges)
        is_idle = not (self.unanswered or self.unscored or self.downloads or self.trainings)
        return bool(self.size.trials) and is_idle and is_judged and not self.error

    @property
    def unanswered(self) -> int:
        """Number of trials without an answer, as far as is known."""
        return self.size.trials - (self.answered or 0)


def estimate_experiment(
    experiment: Experiment,
    db: Path,
    options: JudgeServerOptions,
    origin: Origin = TYPED,
    *,
    explain: bool = False,
    leaves_out: bool = False,
) -> Estimate:
    """Return the estimate of an experiment; an error becomes its `error` and is never raised.

    The weights of a received experiment are opened only after the user agreed to it. `db` need not
    exist. `explain` adds one prompt, and the reasons for which trials have no answer. With
    `leaves_out`, models that cannot be planned are left out if others remain (`render_present`).
    """
    try:
        experiment, missing = without_missing_files(experiment) if leaves_out else (experiment, ())
        is_agreed = open_question(experiment, origin) is None
        sources, weights = missing_sizes(requirements_of(experiment))
        if early := _early(experiment, db, options, (sources, weights), is_agreed=is_agreed):
            return early
        texts = resolve_texts(experiment)
        judges = openable_judges(experiment, options, is_agreed=is_agreed)
        with Store(db, must_exist=True) if exists(db) else nullcontext() as store:
            judges = list(with_stored_names(judges, store)) if store else judges
            trainings = [(name, m.name) for name, m, _ in untrained(experiment, store)]
            rendering = None
            if is_agreed and not trainings:
                rendering = render_present(experiment, store, leaves_out=leaves_out)
            prompts = rendering.prompts if rendering else None
            estimate = estimate_work(
                rendering.design.experiment if rendering else experiment,
                texts,
                judges,
                store,
                prompts=prompts,
                control_set=options.control_set,
            )
            estimate = estimate if is_agreed else _unagreed(estimate, store)
            estimate = _explained(estimate, prompts, store) if explain else estimate
            weights = _without_complete(weights, experiment, rendering, store)
        left_out = (*missing, *(rendering.left_out if rendering else ()))
        return replace(estimate, downloads=weights, trainings=tuple(trainings), left_out=left_out)
    except SteertuiError as exc:
        return Estimate(error=str(exc))


def _early(
    experiment: Experiment,
    db: Path,
    options: JudgeServerOptions,
    missing: tuple[Sizes, Sizes],
    *,
    is_agreed: bool,
) -> Estimate | None:
    """Return the estimate of a complete plan without its files, or of one without its sources.

    `missing` are the sources and weights that are not on this machine. None if texts and prompts
    are to be read.
    """
    sources, weights = missing
    if (sources or weights) and not can_render(experiment) and exists(db):
        with Store(db, must_exist=True) as store:
            if complete := _complete(experiment, store, options, sources, is_agreed=is_agreed):
                return complete
    return Estimate(downloads=sources + weights) if sources else None


def _complete(
    experiment: Experiment,
    store: Store,
    options: JudgeServerOptions,
    sources: Sizes,
    *,
    is_agreed: bool,
) -> Estimate | None:
    """Return the estimate of a stored plan that is complete; None if something is left to do.

    The texts are compared with the stored ones unless `sources` of them are missing.
    """
    stored = newest_plan(store, experiment)
    if stored is None:
        return None
    if not sources and not trials_of_plan(store, stored.id, *resolve_texts(experiment)):
        return None  # the texts have changed
    imported = imported_judges(store, stored.id)
    own = [name for name in experiment.judges if name not in imported]
    found = openable_judges(replace(experiment, judges=own), options, is_agreed=is_agreed)
    judges = [judge for judge in with_stored_names(found, store) if not isinstance(judge, str)]
    ids = [judge.id for judge in judges]
    if len(ids) < len(own) or not is_complete(store, stored, experiment, ids):
        return None
    conditions = tuple(used_conditions(store, stored.id))
    size = _grid_size(experiment, (), conditions)
    cells = size.models * size.conditions * size.samples
    names = [*(judge.name for judge in judges), *(n for n in experiment.judges if n in imported)]
    return Estimate(
        size=replace(size, scenarios=stored.trials // max(1, cells)),
        answered=stored.trials,
        is_as_stored=True,
        conditions=conditions,
        judges=tuple(JudgeEstimate(name, unjudged=0) for name in names),
    )


def _without_complete(
    weights: Sizes, experiment: Experiment, rendering: Rendering | None, store: Store | None
) -> Sizes:
    """Return the weights without those of models that a run has no work for."""
    if rendering is None or store is None or not plans_from_headers(experiment):
        return weights
    answered = answered_keys(store, [prompt.key for prompt in rendering.prompts])
    to_score = [prompt.key for prompt in prompts_to_score(experiment, rendering.prompts)]
    done = answered - {*to_score} | scored_keys(store, to_score)
    with_work = {p.trial.model.sha256 for p in rendering.prompts if p.key not in done}
    design = rendering.design
    complete = {
        name
        for name, model in zip(design.experiment.models, design.models, strict=True)
        if model.sha256 not in with_work
    }
    judges = requirements_without_models(experiment).models
    return tuple(own for own in weights if own[0] not in complete or own[0] in judges)


def _unagreed(estimate: Estimate, store: Store | None) -> Estimate:
    return replace(estimate, needs_consent=bool(store) and estimate.answered is None)


def _explained(
    estimate: Estimate, prompts: Sequence[Prompt] | None, store: Store | None
) -> Estimate:
    reasons = tuple(missing_reasons(prompts, store))
    return replace(estimate, reasons=reasons, example=example_prompt(prompts or ()))


def estimate_work(
    experiment: Experiment,
    texts: tuple[Sequence[Scenario], Sequence[Condition]],
    judges: Sequence[Judge | str],
    store: Store | None,
    *,
    prompts: Sequence[Prompt] | None,
    control_set: ControlSet | None = None,
    own: frozenset[str] | None = None,
) -> Estimate:
    """Return the estimate of an experiment whose texts and judges are resolved.

    `judges` has the name of one whose weights cannot be opened. `prompts` are those of all trials,
    None if they cannot be rendered. `control_set` is read by every judge, unless it is None. `own`
    are the names of the scenarios that this process answers, None for all: its judges label their
    answers, and others that are stored already.
    """
    scenarios, conditions = texts
    size = _grid_size(experiment, scenarios, conditions)
    known = _known_answers(prompts or (), store)
    sources = {key: answer.source for key, answer in known.items() if answer.source}
    trials = _planned(prompts, sources) or _stored(experiment, size, texts, store)
    answered = answered_keys(store, [trial.key for trial in trials]) if store else frozenset()
    mine = [t for t in trials if own is None or t.scenario.name in own or t.key in answered]
    missing = [trial for trial in mine if trial.key not in answered]
    cells = Counter((trial.scenario, trial.condition) for trial in missing)
    if not trials:
        copies = size.models * size.samples
        cells = Counter({(s, c): copies for s in scenarios for c in conditions})
    count = len(mine) if trials else size.trials
    keys = [trial.key for trial in mine]
    work = JudgeWork(
        store, keys, count, _messages(cells), experiment.max_tokens, control_set=control_set
    )
    return Estimate(
        size=size,
        answered=sum(trial.key in answered for trial in trials) if trials else None,
        is_as_stored=bool(trials) and not prompts,
        reused=len(sources),
        categories=tuple(dict.fromkeys(s.category for s in scenarios)),
        conditions=tuple(conditions),
        judges=tuple(estimate_judge(judge, work) for judge in judges),
        unscored=_count_unscored(experiment, prompts or (), store),
        seconds_per_answer=predict_seconds(store, _to_generate(missing, known)),
    )


def _to_generate(
    missing: Iterable[PlannedTrial], known: Mapping[str, KnownAnswer]
) -> Counter[MissingAnswer]:
    tokens = {key: answer.tokens for key, answer in known.items()}
    return Counter(MissingAnswer(t.model, t.max_tokens, tokens.get(t.key)) for t in missing)


def _planned(prompts: Sequence[Prompt] | None, sources: Mapping[str, str]) -> list[PlannedTrial]:
    """Return the trials of rendered prompts; `sources` has the keys of answers that are reused."""
    return [
        PlannedTrial(
            key=sources.get(p.key, p.key),
            model=p.trial.model.sha256,
            scenario=p.trial.scenario,
            condition=p.trial.condition,
            max_tokens=p.trial.sampling.max_tokens,
        )
        for p in prompts or ()
    ]


def _stored(
    experiment: Experiment,
    size: GridSize,
    texts: tuple[Sequence[Scenario], Sequence[Condition]],
    store: Store | None,
) -> list[PlannedTrial]:
    """Return the trials of the newest stored plan with these settings and texts; [] without one."""
    if store is None:
        return []
    for stored in reversed(store.experiments()):
        with suppress(SteertuiError):
            planned = replace(parse_experiment(stored.toml), name=experiment.name)
            if stored.trials == size.trials and planned == experiment:
                return trials_of_plan(store, stored.id, *texts)
    return []


def _known_answers(prompts: Sequence[Prompt], store: Store | None) -> dict[str, KnownAnswer]:
    """Return what answers under other limits tell of the missing ones, by the trial's key."""
    if store is None:
        return {}
    answered = answered_keys(store, [prompt.key for prompt in prompts])
    return known_answers(store, [p for p in prompts if p.key not in answered])


def _count_unscored(experiment: Experiment, prompts: Sequence[Prompt], store: Store | None) -> int:
    keys = [prompt.key for prompt in prompts_to_score(experiment, prompts)]
    return len(keys) - len(scored_keys(store, keys) if store else ())


def _messages(
    cells: Mapping[tuple[Scenario, Condition], int],
) -> Mapping[tuple[Scenario, str], int]:
    """Return the counts by user message: conditions that do not differ in the text share theirs."""
    counts: Counter[tuple[Scenario, str]] = Counter()
    for (scenario, condition), count in cells.items():
        counts[scenario, condition.steer(scenario.task)] += count
    return counts


def _grid_size(
    experiment: Experiment, scenarios: Sequence[Scenario], conditions: Sequence[Condition]
) -> GridSize:
    samples = tuple((t, distinct_samples(experiment.samples, t)) for t in experiment.temperatures)
    names = [condition.name for condition in conditions]
    grouped = {condition.name for condition in conditions if condition.groups}
    return GridSize(
        models=len(experiment.models),
        scenarios=len(scenarios),
        conditions=len(conditions),
        samples_by_temperature=samples,
        has_primary=experiment.analysis.comparisons(names, grouped).primary is not None,
    )
