"""A Concord: what judges say of the same answers, compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.agreement import Agreement, LabelAgreement, Pair, agreement, by_label, confusion
from steertui.correction import Corrected, corrected_gap, corrected_rate
from steertui.draw import Item, random_sample
from steertui.errors import ExperimentError
from steertui.gap import Estimate
from steertui.names import meant
from steertui.outcome import Outcome
from steertui.reliability import alpha
from steertui.store import Arm, Reader, Store
from steertui.verdict import Label

VALID = frozenset(Label) - {Label.NONSENSICAL}

REFERENCES = ("human:", "paper:")
"""How the ids of people, and of labels that others published, begin: what the rest is measured
against."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An answer that two judges labelled differently."""

    model: str
    scenario: str
    condition: str
    first: Label
    second: Label


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two judges over the answers that both labelled; the first is the reference.

    Attributes:
        by_condition: agreement under each condition: errors that differ bend the gap.
        corrected: where `has_reference`, the second judge's convergence rate by condition,
            corrected by those of the first's labels that are a random sample (see `draw`).
        corrected_gap: pro − anti of those, with limits, percentage points; None without both.
    """

    first: Reader
    second: Reader
    whole: Agreement
    by_condition: Mapping[str, Agreement]
    labels: Mapping[Label, LabelAgreement]
    confusion: tuple[tuple[int, ...], ...]
    disagreements: tuple[Disagreement, ...]
    corrected: Mapping[str, Corrected]
    corrected_gap: Estimate | None = None

    @property
    def has_reference(self) -> bool:
        """Whether the first is a person, or someone's published labels, and the second is not."""
        return is_reference(self.first) and not is_reference(self.second)


@dataclass(frozen=True, slots=True)
class Concord:
    """All comparisons of some answers' judges, and Krippendorff's alpha over all of them."""

    readers: tuple[Reader, ...]
    alpha: float | None
    comparisons: tuple[Comparison, ...]
    alpha_by_condition: Mapping[str, float | None]


Read = Mapping[Item, Outcome]
"""What one judge has labelled."""


def is_reference(reader: Reader) -> bool:
    """Whether this is a person, or someone's published labels."""
    return reader.id.startswith(REFERENCES)


def compare(store: Store, experiment: str, names: Sequence[str] = ()) -> Concord:
    """Return how far the judges agree; all of them, or those named, the first as reference.

    People and imported labels come first where none is named. Raises ExperimentError for an
    unknown name, and where fewer than two have read anything.
    """
    readers = _chosen(store.readers(experiment), names)
    return concord(
        [(reader, labelled(store.outcomes(experiment, reader.id).items())) for reader in readers]
    )


def labelled(arms: Iterable[tuple[Arm, Iterable[Outcome]]]) -> Read:
    """Return the outcomes that bear a label."""
    return {
        (arm, o.scenario, o.condition, o.sample): o
        for arm, outcomes in arms
        for o in outcomes
        if o.label is not None
    }


def concord(read: Sequence[tuple[Reader, Read]]) -> Concord:
    """Compare every two judges, the one that stands first as reference."""
    found = tuple(_pair(*one, *two) for one, two in combinations(read, 2))
    conditions = dict.fromkeys(o.condition for _, own in read for o in own.values())
    return Concord(
        tuple(reader for reader, _ in read), _alpha(read), found,
        {name: _alpha(read, name) for name in conditions},
    )  # fmt: skip


def by_rank(readers: Iterable[Reader]) -> list[Reader]:
    """Return people first, then published labels, then the rest."""
    return sorted(readers, key=_rank)


def _alpha(read: Sequence[tuple[Reader, Read]], condition: str = "") -> float | None:
    items: dict[Item, list[Label | None]] = {}
    for _, own in read:
        for key, outcome in own.items():
            if condition in ("", outcome.condition):
                items.setdefault(key, []).append(outcome.label)
    return alpha(items.values())


def _chosen(known: Sequence[Reader], names: Sequence[str]) -> list[Reader]:
    readers = {reader.id: reader for reader in known}
    every = {reader.id: (reader.name,) for reader in known}
    wanted = dict.fromkeys(i for name in names for i in meant("judge", name, every))
    found = [readers[i] for i in wanted] or by_rank(known)
    if len(found) < 2:
        raise ExperimentError("agreement needs two judges; let another read with `steertui judge`")
    return found


def _rank(reader: Reader) -> int:
    starts = enumerate(REFERENCES)
    return next((i for i, kind in starts if reader.id.startswith(kind)), len(REFERENCES))


def _pair(first: Reader, one: Read, second: Reader, two: Read) -> Comparison:
    both = [key for key in one if key in two]
    pairs = {key: _labels(one[key], two[key]) for key in both}
    conditions = dict.fromkeys(o.condition for o in two.values())
    under = {name: [k for k in both if one[k].condition == name] for name in conditions}
    is_measured = is_reference(first) and not is_reference(second)
    corrected = _corrected(one, second.id, two) if is_measured else {}
    sides = [corrected[name] for name in ("pro", "anti") if name in corrected]
    wrong = [Disagreement(k[0].name, k[1], k[2], *pairs[k]) for k in both if len(set(pairs[k])) > 1]
    seen = [*pairs.values()]
    return Comparison(
        first, second, _agreement(pairs, both), {n: _agreement(pairs, k) for n, k in under.items()},
        by_label(seen), confusion(seen), tuple(wrong), corrected,
        corrected_gap(*sides) if len(sides) == 2 else None,
    )  # fmt: skip


def _corrected(one: Read, judge: str, two: Read) -> dict[str, Corrected]:
    """Return the judge's rates, corrected by those of the reference's labels that stand for all
    of its own."""
    found = {}
    for name in dict.fromkeys(o.condition for o in two.values()):
        given = {key: o for key, o in two.items() if o.condition == name}
        checked = [_labels(one[key], given[key]) for key in random_sample(judge, given, one)]
        labels = [o.label for o in given.values() if o.label]
        rate = corrected_rate(labels, checked, Label.CONVERGENCE, VALID)
        if rate:
            found[name] = rate
    return found


def _agreement(pairs: Mapping[Item, Pair], keys: Sequence[Item]) -> Agreement:
    """Return the agreement over some answers, its limits clustered by scenario."""
    return agreement([pairs[key] for key in keys], [scenario for _, scenario, *_ in keys])


def _labels(one: Outcome, two: Outcome) -> Pair:
    assert one.label
    assert two.label
    return one.label, two.label
