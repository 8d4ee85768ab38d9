"""Reproduction of a stored experiment: its design rebuilt from the texts of a database.

The database comes from someone else, so no file is read because it names one. Scenarios, conditions
and templates are its rows, whose content hashes were checked; weights are found by name or given by
the user, and must have the stored sha256.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from random import Random

from steertui.assets.weights import is_local_file
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.known_templates import is_template_file
from steertui.core.model import DEMO, Model, ModelBackend, is_server
from steertui.core.scenario import Scenario
from steertui.errors import BundleError
from steertui.planning.interventions import combine_interventions, resolve_interventions
from steertui.planning.judges import NO_JUDGE, judge_names
from steertui.planning.origin import Origin, origin_of
from steertui.planning.resolve import Design, find_any_model
from steertui.store import Store
from steertui.store.judge_queries import JudgeRecord, judge_records
from steertui.store.setup_queries import (
    StoredModel,
    used_conditions,
    used_models,
    used_scenarios,
    used_template,
)
from steertui.units import list_text
from steertui.untrusted import InvalidJsonError, parse_json

TEMPLATE = "template.jinja"
"""Name of the file with a stored chat template, in a folder of the caller's."""

OWN_RUBRICS = ("steertui", "paper")
"""Rubrics that a name is enough for."""


@dataclass(frozen=True, slots=True)
class ReproductionOptions:
    """What the user chose.

    Attributes:
        share: of the scenarios, above 0 and at most 1; all their conditions and samples are run.
        seed: of the choice of scenarios.
        models: names or paths of weights that the stored experiment names differently.
        judges: judges instead of the stored ones; empty for those of the stored ones that run on
            this machine and are no files.
        rubric: rubric instead of a stored one that is a file; "" for none.
    """

    share: float = 1.0
    seed: int = 0
    models: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    rubric: str = ""


def reproducible_experiment(
    store: Store, experiment: str, options: ReproductionOptions, folder: Path
) -> Experiment:
    """Return the stored experiment without the files that it names.

    A stored chat template is written to `folder`. Raises BundleError if the experiment cannot be
    run again.
    """
    toml = next(known.toml for known in store.experiments() if known.id == experiment)
    stored = parse_experiment(toml)
    _require_runnable(used_models(store, experiment))
    for condition in used_conditions(store, experiment):
        if condition.adapter:
            raise BundleError(
                f"condition {condition.name}: applies the LoRA adapter "
                f"{condition.adapter[0].file}, which a database does not hold; the experiment "
                "cannot be run again from it"
            )
    named = [n for n in stored.models if is_server(n) or not _is_path(n)]
    return replace(
        stored,
        models=list(dict.fromkeys([*options.models, *named])) or [DEMO],
        scenarios=["starter"],
        conditions_file="",
        judges=_judges(stored, options),
        rubric=options.rubric or (stored.rubric if stored.rubric in OWN_RUBRICS else "steertui"),
        template=_template(store, experiment, stored.template, folder),
        categories=[],
        limit=0,
    )


def _require_runnable(models: Sequence[StoredModel]) -> None:
    for model in models:
        if model.backend is ModelBackend.IMPORTED:
            raise BundleError(
                f"{model.name}: its answers were imported from another program; there is nothing "
                "to run again"
            )


def _judges(stored: Experiment, options: ReproductionOptions) -> list[str]:
    """Return the user's judges, or the stored ones on this machine, whose rubric is known."""
    if options.judges:
        return list(options.judges)
    if stored.rubric not in OWN_RUBRICS and not options.rubric:
        return [NO_JUDGE]
    local = [name for name in judge_names(stored) if parse_judge_kind(name) is JudgeKind.LOCAL]
    own = [name for name in local if not _is_path(name.removeprefix(JudgeKind.LOCAL.prefix))]
    return own or [NO_JUDGE]


def left_out_judges(
    store: Store, experiment: str, judges: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each judge of the stored labels that is not among `judges`, and why.

    `judges` are ids. The reason is a clause without a full stop.
    """
    for record in judge_records(store, experiment):
        if record.id not in judges:
            yield record.name, _left_out_reason(record)


def _left_out_reason(judge: JudgeRecord) -> str:
    match parse_judge_kind(judge.id):
        case JudgeKind.LOCAL if _is_calibrated(judge):
            return "a calibrated judge is computed by `steertui judge --calibrate`"
        case JudgeKind.LOCAL:
            return (
                "by default only local judges run that the experiment's plan names, not as a file "
                "and with a rubric of steertui; name all judges with --judge, a rubric with "
                "--rubric"
            )
        case JudgeKind.SERVER:
            return "a judge behind a server runs only if --judge names it"
        case JudgeKind.HUMAN:
            return "a person labels the new answers with `steertui label`"
        case JudgeKind.JURY:
            return "a jury is computed by `steertui judge --jury` after its members' labels"
        case _:
            return "its labels were imported or added with the answers, and no new ones can be made"


def _is_calibrated(judge: JudgeRecord) -> bool:
    try:
        settings = parse_json(judge.settings)
    except InvalidJsonError:
        return False
    return isinstance(settings, dict) and "calibration" in settings


def _is_path(name: str) -> bool:
    return name != DEMO and is_local_file(name)


def _template(store: Store, experiment: str, choice: str, folder: Path) -> str:
    """Return the choice of a chat template; one that was a file becomes a file in `folder`."""
    if not is_template_file(choice):
        return choice
    path = folder / TEMPLATE
    path.write_text(used_template(store, experiment), encoding="utf-8")
    return str(path)


def reproduction_origin(experiment: Experiment, place: Path, given: Sequence[str]) -> Origin:
    """Return the origin of the experiment: all names but `given` come from `place`."""
    origin = origin_of(replace(experiment, template=""), str(place), is_database=False)
    typed = {("models", name) for name in given} | {("judges", name) for name in given}
    return replace(origin, received=origin.received - typed)


def reproduction_design(
    store: Store, experiment: str, runnable: Experiment, options: ReproductionOptions
) -> Design:
    """Return the design of a stored experiment, or of a random share of its scenarios.

    The weights must be on this machine. Raises BundleError if those of a stored model are not
    among `runnable.models`.
    """
    models = _find_models(used_models(store, experiment), runnable)
    scenarios = _chosen(used_scenarios(store, experiment), options)
    conditions = tuple(used_conditions(store, experiment))
    interventions = combine_interventions(
        resolve_interventions(model, conditions, scenarios, Path(), store)
        for model in models
        if not is_server(model.origin)
    )
    return Design(runnable, models, scenarios, conditions, interventions=interventions)


def _find_models(stored: Sequence[StoredModel], runnable: Experiment) -> tuple[Model, ...]:
    available = [find_any_model(name, runnable.template) for name in runnable.models]
    found = {model.sha256: model for model in available}
    for model in stored:
        if model.sha256 not in found:
            raise BundleError(
                f"{model.name}: its weights (sha256 {model.sha256[:12]}…) are needed, and those of "
                f"{list_text(runnable.models)} are others; give the file as --model"
            )
    return tuple(found[model.sha256] for model in stored)


def _chosen(scenarios: Sequence[Scenario], options: ReproductionOptions) -> tuple[Scenario, ...]:
    """Return a random share of the scenarios, at least one, in their order."""
    number = ceil(options.share * len(scenarios))
    places = Random(options.seed).sample(range(len(scenarios)), number)
    return tuple(scenarios[place] for place in sorted(places))
