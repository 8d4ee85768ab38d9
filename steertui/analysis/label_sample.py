"""Random sample of labels: which of a person's labels can correct a judge's rates."""

from collections.abc import Mapping, Sequence
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
