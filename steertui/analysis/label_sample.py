"""A Draw: which of a person's labels are a random sample of the answers that a judge labelled."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from steertui.core.outcome import Outcome
from steertui.store import ModelSetting

Item = tuple[ModelSetting, str, str, int]
"""An answer: the model at its temperature, scenario, condition and sample."""


def random_key(key: Sequence[str]) -> str:
    """Return an answer's place in the one random order that every queue and sample follows, from
    the names of its model, temperature, scenario, condition and sample."""
    return sha256("\0".join(("queue", *key)).encode()).hexdigest()


def _place(item: Item) -> str:
    arm, scenario, condition, sample = item
    return random_key([arm.name, str(arm.temperature), scenario, condition, str(sample)])


def random_sample(
    judge: str, given: Mapping[Item, Outcome], own: Mapping[Item, Outcome]
) -> list[Item]:
    """Return the answers labelled by a person that stand for all those of each of a judge's labels.

    `given` is what the judge labelled under one condition, `own` what the person labelled. Of each
    label's answers these are all, where the person labelled all; otherwise those that come first
    in the random order, without a gap, up to the last that a queue in that order drew from this
    judge's labels (see `Outcome.drawn`). What was chosen for being doubtful, or what stands
    behind an answer that was passed over, tells of no other answer.
    """
    labels: dict[object, list[Item]] = {}
    for key, outcome in given.items():
        labels.setdefault(outcome.label, []).append(key)
    found: list[Item] = []
    for keys in labels.values():
        found += keys if all(key in own for key in keys) else _beginning(judge, keys, own)
    return found


def _beginning(judge: str, keys: Sequence[Item], own: Mapping[Item, Outcome]) -> list[Item]:
    passed: list[Item] = []
    counted = 0
    for key in sorted(keys, key=_place):
        if key not in own:
            break
        passed.append(key)
        if own[key].drawn in (judge, ""):
            counted = len(passed)
    return passed[:counted]
