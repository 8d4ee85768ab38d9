"""A Concord: what the store's judges say of the same answers, compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.agreement import Agreement, LabelAgreement, Pair, agreement, by_label, confusion
from steertui.correction import Corrected, corrected_rate
from steertui.errors import ExperimentError
from steertui.outcome import Outcome
from steertui.reliability import alpha
from steertui.store import Reader, Store
from steertui.verdict import Label

VALID = frozenset(Label) - {Label.NONSENSICAL}


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
        corrected: the second judge's convergence rate by condition, corrected by the first's
            labels under that condition.
    """

    first: Reader
    second: Reader
    whole: Agreement
    by_condition: Mapping[str, Agreement]
    labels: Mapping[Label, LabelAgreement]
    confusion: tuple[tuple[int, ...], ...]
    disagreements: tuple[Disagreement, ...]
    corrected: Mapping[str, Corrected]


@dataclass(frozen=True, slots=True)
class Concord:
    """All comparisons of an experiment's judges, and Krippendorff's alpha over all of them."""

    readers: tuple[Reader, ...]
    alpha: float | None
    comparisons: tuple[Comparison, ...]


Read = Mapping[tuple[str, ...], Outcome]


def compare(store: Store, experiment: str, names: Sequence[str] = ()) -> Concord:
    """Return how far the judges agree; all of them, or those named, the first as reference.

    People and imported labels come first where none is named. Raises ExperimentError for an
    unknown name, and where fewer than two have read anything.
    """
    readers = _chosen(store.readers(experiment), names)
    read = [_read(store, experiment, reader) for reader in readers]
    items = {key for found in read for key in found}
    labels = ([found[key].label if key in found else None for found in read] for key in items)
    pairs = combinations(range(len(readers)), 2)
    found = tuple(_pair(readers[i], readers[j], read[i], read[j]) for i, j in pairs)
    return Concord(tuple(readers), alpha(labels), found)


def _chosen(known: Sequence[Reader], names: Sequence[str]) -> list[Reader]:
    by_name = {key: reader for reader in known for key in (reader.id, reader.name)}
    for name in names:
        if name not in by_name:
            raise ExperimentError(
                f"{name}: has read nothing here; there are {', '.join(r.name for r in known)}"
            )
    found = [by_name[name] for name in dict.fromkeys(names)] or sorted(known, key=_rank)
    if len(found) < 2:
        raise ExperimentError("agreement needs two judges; let another read with `steertui judge`")
    return found


def _rank(reader: Reader) -> int:
    kinds = ("human:", "paper:")
    return next((i for i, kind in enumerate(kinds) if reader.id.startswith(kind)), len(kinds))


def _read(store: Store, experiment: str, reader: Reader) -> Read:
    return {
        (arm.name, str(arm.temperature), o.scenario, o.condition, str(o.sample)): o
        for arm, outcomes in store.outcomes(experiment, reader.id).items()
        for o in outcomes
        if o.label is not None
    }


def _pair(first: Reader, second: Reader, one: Read, two: Read) -> Comparison:
    both = [key for key in one if key in two]
    pairs = {key: _labels(one[key], two[key]) for key in both}
    conditions = dict.fromkeys(o.condition for o in two.values())
    under = {name: [pairs[k] for k in both if one[k].condition == name] for name in conditions}
    corrected = {}
    for name in conditions:
        given = [o.label for o in two.values() if o.condition == name and o.label]
        rate = corrected_rate(given, under[name], Label.CONVERGENCE, VALID)
        if rate:
            corrected[name] = rate
    wrong = [Disagreement(k[0], k[2], k[3], *pairs[k]) for k in both if len(set(pairs[k])) > 1]
    seen = list(pairs.values())
    return Comparison(
        first, second, agreement(seen), {n: agreement(p) for n, p in under.items()},
        by_label(seen), confusion(seen), tuple(wrong), corrected,
    )  # fmt: skip


def _labels(one: Outcome, two: Outcome) -> Pair:
    assert one.label
    assert two.label
    return one.label, two.label
