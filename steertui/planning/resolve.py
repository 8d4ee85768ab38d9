"""Names of an experiment resolved to models, scenarios, conditions and the grid of trials."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from steertui.assets.paper_texts import PAPER, load_paper_conditions, load_paper_pack, pack_sources
from steertui.assets.weights import find_planned_model
from steertui.core.condition import Condition
from steertui.core.condition_files import (
    conditions_path,
    expand_groups,
    load_conditions,
    load_recipes,
    shipped_conditions,
)
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams, distinct_samples
from steertui.core.interventions import VectorRecipe
from steertui.core.model import Model, is_server
from steertui.core.scenario import Scenario, load_pack
from steertui.core.shard import WHOLE, Shard
from steertui.core.trial import Trial, expand_grid
from steertui.errors import ExperimentError, ModelError, ServerError, SteertuiError
from steertui.planning.chat_formats import read_template
from steertui.planning.interventions import (
    ResolvedInterventions,
    adapter_files,
    combine_interventions,
    resolve_interventions,
)
from steertui.planning.left_out import LeftOut
from steertui.store import Store

MAX_TRIALS = 2_000_000
"""Maximum number of trials of one experiment."""

MAX_CHARACTERS = 1_000_000_000
"""Maximum number of characters in the prompts of one experiment."""


@dataclass(frozen=True)
class Design:
    """An experiment with every name resolved.

    Attributes:
        shard: the part of the scenarios that this process runs; the grid is always the whole one.
        interventions: on activations and weights, resolved for each model.
        left_out: models of the given experiment that were not found or that a vector does not fit;
            they are not in `experiment`.
    """

    experiment: Experiment
    models: tuple[Model, ...]
    scenarios: tuple[Scenario, ...]
    conditions: tuple[Condition, ...]
    shard: Shard = WHOLE
    interventions: ResolvedInterventions = field(default_factory=ResolvedInterventions)
    left_out: tuple[LeftOut, ...] = ()

    @property
    def own_scenarios(self) -> frozenset[str]:
        """Names of the scenarios in this process's shard."""
        return frozenset(s.name for i, s in enumerate(self.scenarios) if self.shard.contains(i))

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """The whole grid: model × scenario × condition × temperature × sample."""
        return tuple(
            trial
            for model in self.models
            for trial in expand_grid(
                model,
                self.scenarios,
                self.conditions,
                self.samplings(model),
                self.experiment.samples,
                interventions=self.interventions.of(model),
            )
        )

    def without(self, names: Collection[str]) -> "Design":
        """Return the design without the models of these names of the experiment."""
        if not names:
            return self
        kept = {
            name: model
            for name, model in zip(self.experiment.models, self.models, strict=True)
            if name not in names
        }
        experiment = replace(self.experiment, models=[*kept])
        return replace(self, experiment=experiment, models=tuple(kept.values()))

    def samplings(self, model: Model) -> list[SamplingParams]:
        """Return the model's sampling parameters, one set per temperature."""
        experiment = self.experiment
        return [
            SamplingParams(
                temperature=temperature,
                top_k=experiment.top_k,
                top_p=experiment.top_p,
                min_p=experiment.min_p,
                repetition_penalty=experiment.repetition_penalty,
                presence_penalty=experiment.presence_penalty,
                max_tokens=self._max_tokens(model),
                seed=experiment.seed,
                stop_tokens=experiment.stop_tokens,
            )
            for temperature in experiment.temperatures
        ]

    def _max_tokens(self, model: Model) -> int:
        """Return the limit of new tokens, which may differ for thinking models."""
        experiment = self.experiment
        kinds = ("thinking",) if experiment.thinking == "off" else ("thinking", "hybrid")
        thinks = model.kind in kinds and experiment.max_tokens_thinking > 0
        return experiment.max_tokens_thinking if thinks else experiment.max_tokens


def resolve(
    experiment: Experiment,
    shard: Shard = WHOLE,
    *,
    store: Store | None = None,
    leaves_out: bool = False,
) -> Design:
    """Return the design of an experiment; raise the error of the first name that is unknown.

    Vectors are looked up in the user's library, then in `store`. With `leaves_out`, a model is left
    out if its weights or servers are not found or an intervention does not fit it, and others
    remain.
    """
    scenarios, conditions = resolve_texts(experiment)
    found: list[tuple[str, Model, ResolvedInterventions]] = []
    failed: dict[str, SteertuiError] = {}
    for name in experiment.models:
        try:
            model = find_any_model(name, experiment.template)
            applied = _interventions(experiment, model, (scenarios, conditions), store)
        except (ModelError, ServerError) as exc:
            if not leaves_out:
                raise
            failed[name] = exc
        else:
            found.append((name, model, applied))
    if not found and failed:
        raise next(iter(failed.values()))
    models = tuple(model for _, model, _ in found)
    if len({model.sha256 for model in models}) < len(models):
        raise ExperimentError(
            "models: two names lead to the same weights; leave one out, or write the addresses of "
            "one model's servers after one name, separated by commas"
        )
    return Design(
        replace(experiment, models=[name for name, _, _ in found]) if failed else experiment,
        models,
        scenarios,
        conditions,
        shard,
        interventions=combine_interventions(applied for _, _, applied in found),
        left_out=tuple(LeftOut(name, str(exc)) for name, exc in failed.items()),
    )


def _interventions(
    experiment: Experiment,
    model: Model,
    texts: tuple[Sequence[Scenario], Sequence[Condition]],
    store: Store | None,
) -> ResolvedInterventions:
    """Return the interventions on a model; those on a model behind servers are none."""
    if is_server(model.origin):
        return ResolvedInterventions()
    scenarios, conditions = texts
    folder = conditions_folder(experiment)
    return resolve_interventions(model, conditions, scenarios, folder, store)


def resolve_texts(experiment: Experiment) -> tuple[tuple[Scenario, ...], tuple[Condition, ...]]:
    """Return scenarios and conditions: the part of a design that needs no weights."""
    known = conditions_of_file(experiment)
    names = expand_groups(experiment.conditions, known)
    for name in names:
        if name not in known:
            raise ExperimentError(f"{name}: no such condition; there are {', '.join(known)}")
    scenarios = tuple(s for pack in experiment.scenarios for s in _load_pack(pack))
    if len({s.name for s in scenarios}) < len(scenarios):
        raise ExperimentError("scenarios: two packs contain the same scenario; leave one pack out")
    conditions = tuple(known[name] for name in names)
    chosen = _limited(_of_categories(scenarios, experiment.categories), experiment.limit)
    _require_unseen(chosen, conditions)
    _require_feasible(experiment, chosen, conditions)
    return chosen, conditions


def count_trials(experiment: Experiment, scenarios: int, conditions: int) -> int:
    """Return the number of trials of an experiment with this many scenarios and conditions."""
    samples = sum(distinct_samples(experiment.samples, t) for t in experiment.temperatures)
    return len(experiment.models) * scenarios * conditions * samples


def _require_unseen(scenarios: Sequence[Scenario], conditions: Sequence[Condition]) -> None:
    """Raise ExperimentError for a scenario on which the attacks of a contest were chosen."""
    seen = {name: c.cell.contest for c in conditions if c.cell for name in c.cell.chosen_on}
    for scenario in scenarios:
        contest = seen.get(scenario.name)
        if contest:
            raise ExperimentError(
                f"{scenario.name}: the attacks of contest {contest} were chosen on this scenario, "
                "and an evaluation on it would favour them; name another pack"
            )


def _require_feasible(
    experiment: Experiment, scenarios: Sequence[Scenario], conditions: Sequence[Condition]
) -> None:
    """Raise ExperimentError if the grid is too large, before it is built."""
    trials = count_trials(experiment, len(scenarios), len(conditions))
    if trials > MAX_TRIALS:
        raise ExperimentError(
            f"the experiment has {trials:,} trials, and at most {MAX_TRIALS:,} are planned at "
            "once; reduce samples, temperatures, scenarios or conditions"
        )
    texts = sum(len(s.task) + len(s.system) for s in scenarios) * len(conditions)
    texts_of_conditions = sum(c.text_length for c in conditions) * len(scenarios)
    size = count_trials(experiment, 1, 1) * (texts + texts_of_conditions)
    if size > MAX_CHARACTERS:
        raise ExperimentError(
            f"the experiment's prompts have {size:,} characters, and at most {MAX_CHARACTERS:,} "
            "are planned at once; shorten the texts, or reduce samples or temperatures"
        )


def find_any_model(name: str, template: str) -> Model:
    """Return the model of a name, here or behind servers; `template` is the experiment's.

    A model of which only the header is on this machine is a RemoteModel.
    """
    if not is_server(name):
        return find_planned_model(name)
    from steertui.server.model import find_server_model

    return find_server_model(name, read_template(template))


def _of_categories(scenarios: tuple[Scenario, ...], categories: list[str]) -> tuple[Scenario, ...]:
    known = dict.fromkeys(s.category for s in scenarios)
    for name in categories:
        if name not in known:
            raise ExperimentError(f"{name}: no such category; there are {', '.join(known)}")
    return tuple(s for s in scenarios if s.category in (categories or known))


def _load_pack(name: str) -> tuple[Scenario, ...]:
    return load_paper_pack(name) if pack_sources(name) else load_pack(name)


def conditions_folder(experiment: Experiment) -> Path:
    """Return the folder in which relative names of adapters are looked up."""
    return conditions_path(experiment.conditions_file).parent


def named_adapters(experiment: Experiment) -> list[str]:
    """Return the paths of the adapters of an experiment's conditions."""
    if experiment.conditions_file in ("", PAPER):
        return []
    known = conditions_of_file(experiment)
    names = expand_groups(experiment.conditions, known)
    used = [condition for name, condition in known.items() if name in names]
    return adapter_files(used, conditions_folder(experiment))


def unused_conditions(experiment: Experiment) -> list[str]:
    """Return the conditions of the user's own file that the experiment does not run.

    Copies of shipped conditions, which Plan writes into the file, are left out.
    """
    if experiment.conditions_file in ("", PAPER, *shipped_conditions()):
        return []
    known = conditions_of_file(experiment)
    used, shipped = expand_groups(experiment.conditions, known), load_conditions()
    return [name for name, c in known.items() if name not in used and c != shipped.get(name)]


def named_trainings(experiment: Experiment) -> list[str]:
    """Return the names of the vectors whose training a conditions file of others describes."""
    if experiment.conditions_file in ("", PAPER, *shipped_conditions()):
        return []
    return [recipe.name for recipe in vector_recipes(experiment)]


def vector_recipes(experiment: Experiment) -> tuple[VectorRecipe, ...]:
    """Return the trainings of vectors in the conditions file of an experiment."""
    if experiment.conditions_file == PAPER:
        return ()
    return load_recipes(conditions_path(experiment.conditions_file))


def conditions_of_file(experiment: Experiment) -> dict[str, Condition]:
    """Return the conditions of an experiment's conditions file by name, used or not."""
    if experiment.conditions_file == PAPER:
        return load_paper_conditions()
    return load_conditions(conditions_path(experiment.conditions_file))


def _limited(scenarios: tuple[Scenario, ...], limit: int) -> tuple[Scenario, ...]:
    """Return at most `limit` scenarios, taken in turn from the categories, in the packs' order."""
    if not limit or limit >= len(scenarios):
        return scenarios
    seen: Counter[str] = Counter()
    ranks = []
    for index, scenario in enumerate(scenarios):
        ranks.append((seen[scenario.category], index))
        seen[scenario.category] += 1
    chosen = {index for _, index in sorted(ranks)[:limit]}
    return tuple(s for i, s in enumerate(scenarios) if i in chosen)
