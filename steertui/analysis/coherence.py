"""Measures of coherence of stored answers, by condition, which need no judge."""

from collections import Counter
from collections.abc import Iterable, Mapping

from steertui.core.condition import Condition
from steertui.stats.coherence import AnswerMeasures
from steertui.steering.sweep import repetition
from steertui.store import ModelSetting, Store
from steertui.store.report_queries import scored_answers

MAX_WORD = 30
"""Characters of a word; words of ordinary texts with spaces are shorter."""


def measures_by_condition(
    store: Store, experiment: str, setting: ModelSetting, conditions: Iterable[Condition]
) -> Mapping[str, AnswerMeasures]:
    """Return the measures of the conditions on which the results of dose axes rest.

    These are the conditions of the axes and those outside all groups; without an axis none.
    Repetition is the share of sequences of four words (`words_of`) that occurred before in the
    answer, 1 for an empty answer (seq-rep-4; Welleck et al. 2020, arXiv 1908.04319, section 6).
    """
    known = list(conditions)
    names = [c.name for c in known if c.step or not c.groups]
    if not any(c.step for c in known):
        return {}
    repeated: dict[str, dict[str, tuple[float, int]]] = {name: {} for name in names}
    logliks: dict[str, dict[str, tuple[float, int]]] = {name: {} for name in names}
    answers: Counter[str] = Counter()
    unscored: Counter[str] = Counter()
    for answer in scored_answers(store, experiment, setting, names):
        _add(repeated[answer.condition], answer.scenario, repetition(words_of(answer.answer)))
        answers[answer.condition] += 1
        unscored[answer.condition] += answer.loglik is None
        if answer.loglik is not None and answer.tokens:
            mean = answer.loglik / answer.tokens
            _add(logliks[answer.condition], answer.scenario, mean)
    return {
        name: AnswerMeasures(repeated[name], logliks[name], answers[name], unscored[name])
        for name in names
    }


def words_of(text: str) -> list[str]:
    """Return the words of a text; of a run of more than `MAX_WORD` characters, its characters.

    A loop of one token without spaces, and a text in a script without them, are single runs.
    """
    return [unit for word in text.split() for unit in ([word] if len(word) <= MAX_WORD else word)]


def _add(sums: dict[str, tuple[float, int]], scenario: str, value: float) -> None:
    total, number = sums.get(scenario, (0.0, 0))
    sums[scenario] = (total + value, number + 1)
