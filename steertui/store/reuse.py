"""Answers that another limit of tokens, or another seed, would not change.

Greedy decoding draws nothing, so the seed and the filters do not change an answer, and one that
ended by itself below both limits is the answer under both. Under a limit that truncates, the answer
is written again and begins alike; therefore reuse does not select among answers. At temperatures
above 0 a trial's seed contains all its settings: another limit is another draw, and keeping only
the answers that ended early would favour short ones.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from steertui.core.generation import StopReason
from steertui.core.prompt import Prompt
from steertui.store.rows import as_json, trial_rows
from steertui.store.store import Store

_IRRELEVANT = ("max_tokens", "seed", "top_k", "top_p", "min_p")
"""Sampling settings that do not change a greedy answer, apart from a limit that truncates it."""

Slot = tuple[str, ...]


class _Answer(NamedTuple):
    """A greedy answer: its trial's key, new tokens, whether it ended by itself, and the limit."""

    key: str
    tokens: int
    has_ended: bool
    limit: int

    def is_same_under(self, limit: int) -> bool:
        """Whether it is the answer under another limit of new tokens."""
        return limit == self.limit or (self.has_ended and self.tokens < limit)


class KnownAnswer(NamedTuple):
    """What greedy answers under other limits of tokens tell of a prompt's answer.

    Attributes:
        source: key of the trial whose answer is shared; "" if none is.
        tokens: new tokens that the answer has at least, if its limit allows them.
    """

    source: str
    tokens: int


def reusable_answers(store: Store, prompts: Sequence[Prompt]) -> dict[str, str]:
    """Return for each unanswered prompt the key of the trial whose answer it shares, if any."""
    found = known_answers(store, prompts)
    return {key: known.source for key, known in found.items() if known.source}


def known_answers(store: Store, prompts: Sequence[Prompt]) -> dict[str, KnownAnswer]:
    """Return what is known of the answers to unanswered prompts, by trial key.

    Considered are greedy trials of the same weights on this machine, with the same prompt,
    scenario, condition and interventions.
    """
    greedy = [p for p in prompts if p.trial.sampling.temperature == 0]
    known = {
        model: _greedy_answers(store, model)
        for model in dict.fromkeys(prompt.trial.model.sha256 for prompt in greedy)
    }
    found = {}
    if any(known.values()):
        for prompt, row in zip(greedy, trial_rows(greedy, ""), strict=True):
            _, model, scenario, condition, text, sampling, _, _, _, steering = row
            settings, limit = _settings(sampling)
            slot = (scenario, condition, text, steering, settings)
            answers = known[model].get(slot, ())
            source = next((a.key for a in answers if a.is_same_under(limit)), "")
            if answers:
                found[prompt.key] = KnownAnswer(source, max(a.tokens for a in answers))
    return found


def _greedy_answers(store: Store, model: str) -> dict[Slot, list[_Answer]]:
    """Return a model's greedy answers, oldest first.

    They are by scenario, condition, prompt, interventions and relevant settings.
    """
    sql = """SELECT t.key, g.tokens, g.stop,
            t.scenario, t.condition, t.prompt, t.steering, t.sampling
        FROM models AS m JOIN trials AS t ON t.model = m.sha256
        JOIN generations AS g ON g.trial = t.key
        WHERE m.sha256 = ? AND m.backend = 'gguf' AND t.temperature = 0
        ORDER BY g.id"""
    answers: dict[Slot, list[_Answer]] = {}
    for key, tokens, stop, *texts, sampling in store.tuples(sql, [model]):
        settings, limit = _settings(sampling)
        answer = _Answer(key, tokens, stop == StopReason.STOP, limit)
        answers.setdefault((*texts, settings), []).append(answer)
    return answers


@lru_cache(maxsize=64)
def _settings(sampling: str) -> tuple[str, int]:
    """Return the settings that determine a greedy answer, as JSON, and the limit of new tokens.

    A hundred thousand trials have few samplings.
    """
    members: dict[str, Any] = json.loads(sampling)
    relevant = {name: value for name, value in members.items() if name not in _IRRELEVANT}
    return as_json(relevant), int(members["max_tokens"])


def known_trials(store: Store, model: str) -> Iterator[tuple[str, str, str, str, int, str]]:
    """Yield scenario, condition, sha256 of the prompt, sampling (JSON), sample and state of trials.

    They are the model's; the state is "answered", "failed" or "planned".
    """
    sql = """SELECT s.name, c.name, t.prompt, t.sampling, t.sample, CASE
            WHEN EXISTS (SELECT 1 FROM generations AS g WHERE g.trial = t.key) THEN 'answered'
            WHEN EXISTS (SELECT 1 FROM failures AS f WHERE f.trial = t.key) THEN 'failed'
            ELSE 'planned' END
        FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition WHERE t.model = ?"""
    for row in store.tuples(sql, [model]):
        name, condition, prompt, sampling, sample, state = row
        yield name, condition, prompt, sampling, sample, state
