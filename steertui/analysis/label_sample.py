"""Random sample of labels: which of a person's labels can correct a judge's rates."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from steertui.core.outcome import Outcome
from steertui.store import ModelSetting

AnswerKey = tuple[ModelSetting, str, str, int]
"""An answer: model setting, scenario, condition, sample."""


def random_key(names: Sequence[str]) -> str:
    """Return an answer's sort key in the random order of all queues and samples.

    `names` are those of its model, temperature, scenario, condition and sample. The key is a
    sha256, so the order is the same on every machine.
    """
    return sha256("\0".join(("queue", *names)).encode()).hexdigest()


def _random_key(key: AnswerKey) -> str:
    setting, scenario, condition, sample = key
    return random_key([setting.name, str(setting.temperature), scenario, condition, str(sample)])


def random_sample(
    judge: str, judged: Mapping[AnswerKey, Outcome], labelled: Mapping[AnswerKey, Outcome]
) -> list[AnswerKey]:
    """Return the answers labelled by a person that are a random sample of each judge's label.

    `judged` has the judge's outcomes of one model under one condition, `labelled` the person's.
    For each of the judge's labels the sample is all answers if the person labelled all, in
    whatever order. Otherwise it is the longest unbroken prefix of the random order up to the last
    answer drawn from a queue in that order by this judge's labels (`Outcome.drawn`). Answers
    chosen for their uncertainty, and answers after a skipped one, are not random and are excluded.
    """
    strata: dict[object, list[AnswerKey]] = {}
    for key, outcome in judged.items():
        strata.setdefault(outcome.label, []).append(key)
    sample: list[AnswerKey] = []
    for keys in strata.values():
        is_complete = all(key in labelled for key in keys)
        sample += keys if is_complete else _random_prefix(judge, keys, labelled)
    return sample


def count_early(
    own: Mapping[ModelSetting, Sequence[Outcome]],
    by_reference: Mapping[str, Mapping[ModelSetting, Sequence[Outcome]]],
) -> int:
    """Return how many of a person's labels drawn at random are no random sample of all answers.

    They are not the first in the random order of all answers that exist now: the queue was drawn
    before other answers were stored, or an answer was skipped. `own` has the person's outcomes,
    `by_reference` those of each judge whose labels ordered a queue; "" stands for no judge.
    """
    early = 0
    for reference, judged in by_reference.items():
        for setting, outcomes in own.items():
            labelled = _keyed(setting, (o for o in outcomes if o.label))
            cells: dict[str, dict[AnswerKey, Outcome]] = {}
            for key, outcome in _keyed(setting, judged.get(setting, ())).items():
                if outcome.generated:
                    cells.setdefault(outcome.condition, {})[key] = outcome
            sample = {key for cell in cells.values() for key in _sample(reference, cell, labelled)}
            drawn = [key for key, outcome in labelled.items() if outcome.drawn == reference]
            early += sum(key not in sample for key in drawn)
    return early


def _sample(
    reference: str, cell: Mapping[AnswerKey, Outcome], labelled: Mapping[AnswerKey, Outcome]
) -> list[AnswerKey]:
    if reference:
        return random_sample(reference, cell, labelled)
    is_complete = all(key in labelled for key in cell)
    return [*cell] if is_complete else _random_prefix("", [*cell], labelled)


def _keyed(setting: ModelSetting, outcomes: Iterable[Outcome]) -> dict[AnswerKey, Outcome]:
    return {(setting, o.scenario, o.condition, o.sample): o for o in outcomes}


def _random_prefix(
    judge: str, keys: Sequence[AnswerKey], labelled: Mapping[AnswerKey, Outcome]
) -> list[AnswerKey]:
    prefix: list[AnswerKey] = []
    length = 0
    for key in sorted(keys, key=_random_key):
        if key not in labelled:
            break
        prefix.append(key)
        if labelled[key].drawn in (judge, ""):
            length = len(prefix)
    return prefix[:length]
