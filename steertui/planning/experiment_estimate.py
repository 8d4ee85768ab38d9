"""Estimate of an experiment by its names, which stores, fetches and contacts nothing."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.core.prompt import Prompt
from steertui.errors import SteertuiError
from steertui.paths import exists
from steertui.planning.complete_plan import imported_judges, is_complete, newest_plan, stored_judge
from steertui.planning.consent import open_question
from steertui.planning.estimate import Estimate, grid_size
from steertui.planning.example_prompt import example_prompt
from steertui.planning.judge_estimate import IMPORTED_WORTH, JudgeEstimate
from steertui.planning.judges import (
    NO_JUDGE,
    JudgeServerOptions,
    judge_names,
    openable_judges,
    with_stored_names,
)
from steertui.planning.left_out import without_missing_files
from steertui.planning.origin import TYPED, Origin
from steertui.planning.reach import Sizes, missing_sizes
from steertui.planning.reasons import missing_reasons
from steertui.planning.remote_models import plans_from_headers
from steertui.planning.rendering import Rendering, render_present
from steertui.planning.resolve import resolve_texts
from steertui.planning.scoring import prompts_to_score
from steertui.planning.supply import requirements_of, requirements_without_models
from steertui.planning.vector_training import untrained
from steertui.planning.work_estimate import estimate_work
from steertui.store import Store
from steertui.store.plan_queries import (
    answered_keys,
    scored_keys,
    trials_of_plan,
)
from steertui.store.setup_queries import used_conditions


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
    if (sources or weights) and exists(db):
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
    own = [name for name in judge_names(experiment) if name not in imported]
    found = openable_judges(
        replace(experiment, judges=own or [NO_JUDGE]), options, is_agreed=is_agreed
    )
    known = (
        stored_judge(judge, experiment, store) if isinstance(judge, str) else judge
        for judge in with_stored_names(found, store)
    )
    judges = [judge for judge in known if judge]
    ids = [judge.id for judge in judges]
    if len(ids) < len(own) or not is_complete(store, stored, experiment, ids):
        return None
    conditions = tuple(used_conditions(store, stored.id))
    size = grid_size(experiment, (), conditions)
    cells = size.models * size.conditions * size.samples
    return Estimate(
        size=replace(size, scenarios=stored.trials // max(1, cells)),
        answered=stored.trials,
        is_as_stored=True,
        conditions=conditions,
        judges=(
            *(JudgeEstimate(judge.name, unjudged=0, id=judge.id) for judge in judges),
            *map(_imported_judge, (name for name in experiment.judges if name in imported)),
        ),
    )


def _imported_judge(name: str) -> JudgeEstimate:
    return JudgeEstimate(name, unjudged=0, worth=IMPORTED_WORTH)


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
