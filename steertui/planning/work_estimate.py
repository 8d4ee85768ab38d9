"""Estimate of an experiment whose texts and judges are resolved, for prompts that are rendered."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.prompt import Prompt
from steertui.core.scenario import Scenario
from steertui.errors import SteertuiError
from steertui.judge.control import ControlSet
from steertui.planning.estimate import Estimate, GridSize, grid_size
from steertui.planning.judge_estimate import JudgeWork, estimate_judge
from steertui.planning.judges import Judge
from steertui.planning.rates import MissingAnswer, predict_seconds
from steertui.planning.scoring import prompts_to_score
from steertui.store import Store
from steertui.store.plan_queries import (
    PlannedTrial,
    answered_keys,
    scored_keys,
    trials_of_plan,
)
from steertui.store.reuse import KnownAnswer, known_answers

NO_SOURCES: Mapping[str, str] = MappingProxyType({})
"""Keys of reused answers, if there are none."""


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
    size = grid_size(experiment, scenarios, conditions)
    known = _known_answers(prompts or (), store)
    sources = {key: answer.source for key, answer in known.items() if answer.source}
    trials = planned_trials(prompts or (), sources) or _stored(experiment, size, texts, store)
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
        seconds_per_answer=predict_seconds(store, answers_to_generate(missing, known)),
    )


def answers_to_generate(
    missing: Iterable[PlannedTrial], known: Mapping[str, KnownAnswer]
) -> Counter[MissingAnswer]:
    """Return the missing answers with their counts; `known` is what other limits tell of them."""
    tokens = {key: answer.tokens for key, answer in known.items()}
    return Counter(MissingAnswer(t.model, t.max_tokens, tokens.get(t.key)) for t in missing)


def planned_trials(
    prompts: Iterable[Prompt], sources: Mapping[str, str] = NO_SOURCES
) -> list[PlannedTrial]:
    """Return the trials of rendered prompts; `sources` has the keys of answers that are reused."""
    return [
        PlannedTrial(
            key=sources.get(p.key, p.key),
            model=p.trial.model.sha256,
            scenario=p.trial.scenario,
            condition=p.trial.condition,
            max_tokens=p.trial.sampling.max_tokens,
        )
        for p in prompts
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
