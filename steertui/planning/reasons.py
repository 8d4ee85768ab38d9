"""Reasons why trials of an experiment have no answer yet."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steertui.core.prompt import Prompt
from steertui.store import Store
from steertui.store.reuse import known_trials, reusable_answers
from steertui.store.rows import as_json, digest
from steertui.untrusted import parse_json

MAX_NAMED = 3
"""Names that a reason lists."""

UNKNOWN = "unknown: prompts cannot be rendered before weights, vectors and consent are there"
"""Reason if no trial's key is known."""


@dataclass(slots=True)
class _Known:
    """What a database has of a model: trials by what they share with another one."""

    states: dict[tuple[str, str, str, str, int], str] = field(default_factory=dict)
    samplings: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    cells: set[tuple[str, str]] = field(default_factory=set)
    scenarios: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)


def missing_reasons(
    prompts: Sequence[Prompt] | None, store: Store | None
) -> Iterator[tuple[str, int]]:
    """Yield each reason for which trials have no answer, with their number, in planned order.

    `prompts` are those of all trials, None if they cannot be rendered. Answers that a plan would
    reuse are not missing.
    """
    if prompts is None:
        yield UNKNOWN, 0
        return
    known = {m: _read(store, m) for m in dict.fromkeys(p.trial.model.sha256 for p in prompts)}
    texts: dict[str, str] = {}
    open_trials = []
    for prompt in prompts:
        text = texts.setdefault(prompt.text, digest(prompt.text))
        state = known[prompt.trial.model.sha256].states.get(_place(prompt, text), "")
        if state != "answered":
            open_trials.append((prompt, text, state))
    reused = reusable_answers(store, [p for p, _, _ in open_trials]) if store else {}
    missing = [trial for trial in open_trials if trial[0].key not in reused]
    reasons = Counter(
        _reason(prompt, text, state, known[prompt.trial.model.sha256])
        for prompt, text, state in missing
    )
    yield from _merged(reasons)


def _read(store: Store | None, model: str) -> _Known:
    known = _Known()
    if store is None:
        return known
    for scenario, condition, text, sampling, sample, state in known_trials(store, model):
        settings = as_json(parse_json(sampling))
        known.states[scenario, condition, text, settings, sample] = state
        known.samplings.setdefault((scenario, condition, text), set()).add(settings)
        known.cells.add((scenario, condition))
        known.scenarios.add(scenario)
        known.conditions.add(condition)
    return known


def _place(prompt: Prompt, text: str) -> tuple[str, str, str, str, int]:
    trial = prompt.trial
    settings = as_json(trial.sampling.as_dict())
    return trial.scenario.name, trial.condition.name, text, settings, trial.sample


def _reason(prompt: Prompt, text: str, state: str, known: _Known) -> tuple[str, str]:
    """Return (kind, name) of the first thing that is new about a trial."""
    trial = prompt.trial
    scenario, condition = trial.scenario.name, trial.condition.name
    if state == "failed":
        return "failed before", ""
    if state == "planned":
        return "planned before, not answered", ""
    if not known.scenarios:
        return "new model", trial.model.name
    if scenario not in known.scenarios:
        return "new scenario", scenario
    if condition not in known.conditions:
        return "new condition", condition
    if (scenario, condition) not in known.cells:
        return "new combination of scenario and condition", ""
    samplings = known.samplings.get((scenario, condition, text))
    if samplings is None:
        return "changed prompt", "a text, the template or thinking"
    wanted = trial.sampling.as_dict()
    if as_json(wanted) in samplings:
        return "another sample", ""
    return _changed_settings(wanted, samplings)


def _changed_settings(wanted: Mapping[str, Any], samplings: set[str]) -> tuple[str, str]:
    """Return the settings in which a trial differs from the most similar one with its prompt."""
    fewest: list[str] = []
    for text in sorted(samplings):
        stored = parse_json(text)
        names = [n for n in dict.fromkeys([*wanted, *stored]) if wanted.get(n) != stored.get(n)]
        changes = [f"{n} {stored.get(n, 'any')} → {wanted.get(n, 'any')}" for n in names]
        fewest = changes if not fewest or len(changes) < len(fewest) else fewest
    return "changed setting", ", ".join(fewest)


def _merged(reasons: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, int]]:
    """Yield one reason per kind, with its first names; changed settings are told apart."""
    by_kind: dict[str, list[tuple[str, int]]] = {}
    for (kind, name), count in reasons.items():
        group = f"{kind} {name}" if kind == "changed setting" else kind
        by_kind.setdefault(group, []).append((name, count))
    for group, named in by_kind.items():
        names = [name for name, _ in named if name]
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        is_listed = names and not group.startswith("changed setting")
        text = f"{group}: {', '.join(names[:MAX_NAMED])}{more}" if is_listed else group
        yield text, sum(count for _, count in named)
