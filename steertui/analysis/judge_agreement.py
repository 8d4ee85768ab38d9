"""Agreement of the judges of an experiment: pairs, Krippendorff's alpha, corrected rates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.corrections import Correction, LabelledOutcomes, corrections
from steertui.analysis.declaration import read_declaration
from steertui.analysis.label_sample import AnswerKey
from steertui.core.declared_analysis import Pair
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.errors import ExperimentError, WithRemedy
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
from steertui.store import JudgeInfo, ModelSetting, Store


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
        overall: agreement over all these answers.
        by_condition: agreement by condition; errors that depend on the condition bias the gap.
        labels: precision and recall of the second judge, by label.
        confusion: first judge's labels (rows) by the second's (columns), in `Label`'s order.
        disagreements: the answers with different labels.
        corrections: if `has_reference`, the second judge's convergence rates for each model
            setting, corrected by the reference's labels.
    """

    first: JudgeInfo
    second: JudgeInfo
    overall: Agreement
    by_condition: Mapping[str, Agreement]
    labels: Mapping[Label, LabelAgreement]
    confusion: tuple[tuple[int, ...], ...]
    disagreements: tuple[Disagreement, ...]
    corrections: tuple[Correction, ...] = ()

    @property
    def has_reference(self) -> bool:
        """Whether only the first judge is a reference (`JudgeKind.is_reference`)."""
        return is_reference(self.first) and not is_reference(self.second)


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """Agreement of several judges.

    Attributes:
        judges: references first.
        alpha: Krippendorff's alpha over all judges; None if not defined.
        comparisons: every pair of judges.
        alpha_by_condition: Krippendorff's alpha by condition.
    """

    judges: tuple[JudgeInfo, ...]
    alpha: float | None
    comparisons: tuple[PairedJudges, ...]
    alpha_by_condition: Mapping[str, float | None]


def is_reference(judge: JudgeInfo) -> bool:
    """Whether a judge is a person or a set of published labels."""
    return judge.kind.is_reference


def compare_judges(store: Store, experiment: str, names: Sequence[str] = ()) -> JudgeAgreement:
    """Return the agreement of an experiment's judges: those named, or all.

    Without names, people and published labels are first. Raises ExperimentError for an unknown
    name, or with fewer than two judges.
    """
    judges = _selected(store.judges(experiment), names)
    return judge_agreement(
        [
            (judge, labelled_outcomes(store.outcomes(experiment, judge.id).items()))
            for judge in judges
        ],
        read_declaration(store, experiment).comparisons.primary,
    )


def labelled_outcomes(
    settings: Iterable[tuple[ModelSetting, Iterable[Outcome]]],
) -> LabelledOutcomes:
    """Return the outcomes that have a label, by answer."""
    return {
        (setting, o.scenario, o.condition, o.sample): o
        for setting, outcomes in settings
        for o in outcomes
        if o.label is not None
    }


def judge_agreement(
    labels: Sequence[tuple[JudgeInfo, LabelledOutcomes]], compared: Pair | None = None
) -> JudgeAgreement:
    """Return the agreement of every two judges, the earlier one as reference.

    `compared` is the pair of conditions whose gap is corrected, None for none.
    """
    conditions = dict.fromkeys(o.condition for _, own in labels for o in own.values())
    return JudgeAgreement(
        judges=tuple(judge for judge, _ in labels),
        alpha=_alpha(labels),
        comparisons=tuple(_pair(one, two, compared) for one, two in combinations(labels, 2)),
        alpha_by_condition={name: _alpha(labels, name) for name in conditions},
    )


def references_first(judges: Iterable[JudgeInfo]) -> list[JudgeInfo]:
    """Return the judges sorted: people, published labels, all others."""
    return sorted(judges, key=_rank)


def _rank(judge: JudgeInfo) -> int:
    order = (JudgeKind.HUMAN, JudgeKind.PAPER)
    return order.index(judge.kind) if judge.kind in order else len(order)


def _alpha(
    labels: Sequence[tuple[JudgeInfo, LabelledOutcomes]], condition: str = ""
) -> float | None:
    """Return Krippendorff's alpha under a condition, "" for all."""
    items: dict[AnswerKey, list[Label | None]] = {}
    for _, own in labels:
        for key, outcome in own.items():
            if condition in ("", outcome.condition):
                items.setdefault(key, []).append(outcome.label)
    return krippendorff_alpha(items.values())


def _selected(known: Sequence[JudgeInfo], names: Sequence[str]) -> list[JudgeInfo]:
    by_id = {judge.id: judge for judge in known}
    known_names = {judge.id: (judge.name,) for judge in known}
    ids = dict.fromkeys(i for name in names for i in resolve_name("judge", name, known_names))
    selected = [by_id[i] for i in ids] or references_first(known)
    if len(selected) < 2:
        raise ExperimentError(
            WithRemedy(
                "agreement needs the labels of two judges", "add a judge with `steertui judge`"
            )
        )
    return selected


def _pair(
    reference: tuple[JudgeInfo, LabelledOutcomes],
    other: tuple[JudgeInfo, LabelledOutcomes],
    compared: Pair | None,
) -> PairedJudges:
    (first, one), (second, two) = reference, other
    both = [key for key in one if key in two]
    pairs = {key: _labels(one[key], two[key]) for key in both}
    conditions = dict.fromkeys(o.condition for o in two.values())
    keys = {name: [key for key in both if one[key].condition == name] for name in conditions}
    is_measured = is_reference(first) and not is_reference(second)
    label_pairs = [*pairs.values()]
    return PairedJudges(
        first=first,
        second=second,
        overall=_agreement(pairs, both),
        by_condition={name: _agreement(pairs, own) for name, own in keys.items()},
        labels=agreement_by_label(label_pairs),
        confusion=confusion_matrix(label_pairs),
        disagreements=_disagreements(pairs),
        corrections=corrections(one, second.id, two, compared) if is_measured else (),
    )


def _disagreements(pairs: Mapping[AnswerKey, LabelPair]) -> tuple[Disagreement, ...]:
    return tuple(
        Disagreement(setting.name, scenario, condition, first=one, second=two)
        for (setting, scenario, condition, _), (one, two) in pairs.items()
        if one is not two
    )


def _agreement(pairs: Mapping[AnswerKey, LabelPair], keys: Sequence[AnswerKey]) -> Agreement:
    """Return the agreement over some answers, clustered by scenario."""
    scenarios = [scenario for _, scenario, *_ in keys]
    return measure_agreement([pairs[key] for key in keys], scenarios)


def _labels(one: Outcome, two: Outcome) -> LabelPair:
    assert one.label
    assert two.label
    return one.label, two.label
