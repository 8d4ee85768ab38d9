"""A Concord: what judges say of the same answers, compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.label_sample import Item, random_sample
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.errors import ExperimentError
from steertui.lookup import resolve_name
from steertui.stats.agreement import (
    Agreement,
    LabelAgreement,
    LabelPair,
    agreement_by_label,
    confusion_matrix,
    measure_agreement,
)
from steertui.stats.krippendorff import krippendorff_alpha
from steertui.stats.misclassification import CorrectedRate, corrected_gap, corrected_rate
from steertui.stats.rate import Estimate
from steertui.store import JudgeInfo, ModelSetting, Store

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
class PairedJudges:
    """Two judges over the answers that both labelled; the first is the reference.

    Attributes:
        by_condition: agreement under each condition: errors that differ bend the gap.
        corrected: where `has_reference`, the second judge's convergence rate by condition,
            corrected by those of the first's labels that are a random sample (see `draw`).
        corrected_gap: pro − anti of those, with limits, percentage points; None without both.
    """

    first: JudgeInfo
    second: JudgeInfo
    overall: Agreement
    by_condition: Mapping[str, Agreement]
    labels: Mapping[Label, LabelAgreement]
    confusion: tuple[tuple[int, ...], ...]
    disagreements: tuple[Disagreement, ...]
    corrected: Mapping[str, CorrectedRate]
    corrected_gap: Estimate | None = None

    @property
    def has_reference(self) -> bool:
        """Whether the first is a person, or someone's published labels, and the second is not."""
        return is_reference(self.first) and not is_reference(self.second)


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """All comparisons of some answers' judges, and Krippendorff's alpha over all of them."""

    judges: tuple[JudgeInfo, ...]
    alpha: float | None
    comparisons: tuple[PairedJudges, ...]
    alpha_by_condition: Mapping[str, float | None]


LabelledOutcomes = Mapping[Item, Outcome]
"""What one judge has labelled."""


def is_reference(reader: JudgeInfo) -> bool:
    """Whether this is a person, or someone's published labels."""
    return reader.kind.is_reference


def compare_judges(store: Store, experiment: str, names: Sequence[str] = ()) -> JudgeAgreement:
    """Return how far the judges agree; all of them, or those named, the first as reference.

    People and imported labels come first where none is named. Raises ExperimentError for an
    unknown name, and where fewer than two have read anything.
    """
    readers = _chosen(store.readers(experiment), names)
    return judge_agreement(
        [
            (reader, labelled_outcomes(store.outcomes(experiment, reader.id).items()))
            for reader in readers
        ]
    )


def labelled_outcomes(arms: Iterable[tuple[ModelSetting, Iterable[Outcome]]]) -> LabelledOutcomes:
    """Return the outcomes that bear a label."""
    return {
        (arm, o.scenario, o.condition, o.sample): o
        for arm, outcomes in arms
        for o in outcomes
        if o.label is not None
    }


def judge_agreement(read: Sequence[tuple[JudgeInfo, LabelledOutcomes]]) -> JudgeAgreement:
    """Compare every two judges, the one that stands first as reference."""
    found = tuple(_pair(*one, *two) for one, two in combinations(read, 2))
    conditions = dict.fromkeys(o.condition for _, own in read for o in own.values())
    return JudgeAgreement(
        tuple(reader for reader, _ in read), _alpha(read), found,
        {name: _alpha(read, name) for name in conditions},
    )  # fmt: skip


def references_first(readers: Iterable[JudgeInfo]) -> list[JudgeInfo]:
    """Return people first, then published labels, then the rest."""
    return sorted(readers, key=_rank)


def _alpha(read: Sequence[tuple[JudgeInfo, LabelledOutcomes]], condition: str = "") -> float | None:
    items: dict[Item, list[Label | None]] = {}
    for _, own in read:
        for key, outcome in own.items():
            if condition in ("", outcome.condition):
                items.setdefault(key, []).append(outcome.label)
    return krippendorff_alpha(items.values())


def _chosen(known: Sequence[JudgeInfo], names: Sequence[str]) -> list[JudgeInfo]:
    readers = {reader.id: reader for reader in known}
    every = {reader.id: (reader.name,) for reader in known}
    wanted = dict.fromkeys(i for name in names for i in resolve_name("judge", name, every))
    found = [readers[i] for i in wanted] or references_first(known)
    if len(found) < 2:
        raise ExperimentError("agreement needs two judges; let another read with `steertui judge`")
    return found


def _rank(reader: JudgeInfo) -> int:
    order = (JudgeKind.HUMAN, JudgeKind.PAPER)
    return order.index(reader.kind) if reader.kind in order else len(order)


def _pair(
    first: JudgeInfo, one: LabelledOutcomes, second: JudgeInfo, two: LabelledOutcomes
) -> PairedJudges:
    both = [key for key in one if key in two]
    pairs = {key: _labels(one[key], two[key]) for key in both}
    conditions = dict.fromkeys(o.condition for o in two.values())
    under = {name: [k for k in both if one[k].condition == name] for name in conditions}
    is_measured = is_reference(first) and not is_reference(second)
    corrected = _corrected(one, second.id, two) if is_measured else {}
    sides = [corrected[name] for name in ("pro", "anti") if name in corrected]
    wrong = [Disagreement(k[0].name, k[1], k[2], *pairs[k]) for k in both if len(set(pairs[k])) > 1]
    seen = [*pairs.values()]
    return PairedJudges(
        first, second, _agreement(pairs, both), {n: _agreement(pairs, k) for n, k in under.items()},
        agreement_by_label(seen), confusion_matrix(seen), tuple(wrong), corrected,
        corrected_gap(*sides) if len(sides) == 2 else None,
    )  # fmt: skip


def _corrected(
    one: LabelledOutcomes, judge: str, two: LabelledOutcomes
) -> dict[str, CorrectedRate]:
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


def _agreement(pairs: Mapping[Item, LabelPair], keys: Sequence[Item]) -> Agreement:
    """Return the agreement over some answers, its limits clustered by scenario."""
    return measure_agreement([pairs[key] for key in keys], [scenario for _, scenario, *_ in keys])


def _labels(one: Outcome, two: Outcome) -> LabelPair:
    assert one.label
    assert two.label
    return one.label, two.label
