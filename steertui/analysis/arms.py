"""Arms: several wordings of one intent, and the gap over wordings like these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.declared_analysis import DeclaredAnalysis, Pair
from steertui.stats.rate import ScenarioCounts
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.stats.wordings import WordingGap, wording_gap
from steertui.units import quantity

Arms = Mapping[str, Sequence[str]]
"""By the name of an arm its conditions; a condition outside all arms is an arm of its own."""

Side = tuple[str, Sequence[str]]
"""Name of an arm and its conditions."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """The gap between two arms of which at least one has several wordings.

    Attributes:
        conditions: of both arms.
        gap: over these texts, and over wordings like these.
        sentence: without a full stop; the withheld one if the labels are not reliable.
    """

    conditions: tuple[str, ...]
    gap: WordingGap
    sentence: str


def text_arms(conditions: Iterable[Condition]) -> dict[str, list[str]]:
    """Return the arms whose conditions are all texts.

    Conditions of one arm that act on activations or weights are methods, not wordings, and those
    of dose axes and contests have an analysis of their own; both are left out.
    """
    known = [condition for condition in conditions if not condition.groups]
    methods = {condition.arm for condition in known if condition.arm and condition.needs_weights}
    named = {condition.arm for condition in known if condition.arm}
    arms: dict[str, list[str]] = {}
    for condition in known:
        is_own = not condition.arm and condition.name not in named
        if is_own or (condition.arm and condition.arm not in methods):
            arms.setdefault(condition.arm or condition.name, []).append(condition.name)
    return arms


def compared_arms(pair: Pair, arms: Arms) -> tuple[Side, Side]:
    """Return the name and the wordings of the arms that two conditions stand for.

    A condition without other wordings, and both of one arm, stand for themselves.
    """
    first, second = (
        next((own for own in arms.items() if condition in own[1]), (condition, [condition]))
        for condition in pair
    )
    if first[0] == second[0]:
        return (pair[0], [pair[0]]), (pair[1], [pair[1]])
    one, two = (
        own if len(own[1]) > 1 else (condition, [condition])
        for condition, own in zip(pair, (first, second), strict=True)
    )
    return one, two


def arm_results(
    arms: Arms, counts: Mapping[str, ScenarioCounts], *, is_reliable: bool
) -> tuple[ArmResult, ...]:
    """Return the gaps between arms: those that the default analysis makes of their names.

    `counts` has the valid answers by condition. If the labels allow no conclusion, nothing
    is concluded.
    """
    pairs = [
        pair
        for pair in DeclaredAnalysis().comparisons([*arms]).declared
        if any(len(arms[name]) > 1 for name in pair)
    ]
    results = []
    for first, second in pairs:
        one, two = ([counts.get(name, {}) for name in arms[arm]] for arm in (first, second))
        gap = wording_gap(one, two, first, second)
        if gap:
            sentence = arm_sentence(gap)
            if not is_reliable:
                sentence = f"nothing is concluded on the wordings of {first} and {second}"
            results.append(ArmResult((*arms[first], *arms[second]), gap, sentence))
    return tuple(results)


def arm_sentence(gap: WordingGap) -> str:
    """Return one sentence on a gap over wordings, without a full stop."""
    texts = gap.texts
    first, second = (
        f"{quantity(number, 'wording')} of {name}"
        for name, number in zip((texts.first, texts.second), gap.wordings, strict=True)
    )
    if gap.over is None or texts.low is None or texts.high is None:
        return f"{first} and {second}: no interval with fewer than {MIN_PAIRS} pairs"
    parts = [
        f"{first} and {second}: {gap.over.value:+.1f} points (95 % interval over wordings like "
        f"these {gap.over.low:+.1f} to {gap.over.high:+.1f}, over scenarios for these very texts "
        f"{texts.low:+.1f} to {texts.high:+.1f})",
        *_spreads(gap),
    ]
    if gap.share is not None:
        parts.append(f"the choice of wordings makes {100 * gap.share:.0f} % of the variance")
    return "; ".join(parts)


def _spreads(gap: WordingGap) -> Iterator[str]:
    names = gap.texts.first, gap.texts.second
    for name, spread in zip(names, gap.spread, strict=True):
        if spread is None:
            yield f"{name} is one text, taken as fixed"
        else:
            yield f"standard deviation of the wordings of {name} {spread:.1f} points"
