"""Derived verdicts: calibrated judges and juries, computed from stored labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.judge_worth import measure_judge
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import CalibrationSource, JuryRule, Label, Verdict
from steertui.errors import JudgeError
from steertui.execution.events import Event, JudgeCalibrated, Judged, JudgeMeasured
from steertui.judge.derived import (
    CalibratedJudge,
    Jury,
    data_digest,
)
from steertui.judge.local import LocalJudge
from steertui.planning.judges import Judge, with_stored_names
from steertui.stats.calibration import (
    LabelledProbabilities,
    accuracy_gain,
    cross_validated,
    fit_calibration,
    fit_prior,
)
from steertui.store import JudgeInfo, Store
from steertui.store.control_queries import (
    LabelledAnswer,
    control_experiments,
    known_labels_judge,
    labelled_answers,
)
from steertui.units import quantity

MIN_FIT = 40
"""Labelled answers that a calibration needs: ten per label."""


def calibrate(
    store: Store,
    experiment: str,
    judge: LocalJudge,
    source: CalibrationSource,
    ids: dict[str, str],
) -> Iterator[Event]:
    """Fit a calibration of a judge, and store the labels of the calibrated judge.

    They cover the answers of the experiment and of the control set that the judge has labelled.
    Labels of answers that the fit was made on come from a fit without their scenario. The id of the
    calibrated judge is added to `ids`, by the judge's. Raises JudgeError with too few labelled
    answers.
    """
    known = _known_labels(store, source)
    controls = control_experiments(store)[-1:]
    answers = _answers(store, [*controls, experiment, *known], judge.id)
    labels = {key: label for own in known.values() for key, label in own.items()}
    rows = [a for a in answers.values() if a.trial in labels and a.probabilities]
    if len(rows) < MIN_FIT:
        raise JudgeError(
            f"calibration: {judge.name} has labelled {quantity(len(rows), 'answer')} with known "
            f"labels, and a calibration needs {MIN_FIT}; choose a judge that reads the control "
            "set, or import labels of people or of a paper"
        )
    calibrated, held_out = _fitted(judge, source, rows, labels)
    ids[judge.id] = calibrated.id
    title = next((info.title for info in store.judges(experiment) if info.id == judge.id), "")
    store.add_judge(calibrated.id, calibrated.name, calibrated.settings | {"title": title})
    verdicts = {
        key: calibrated.verdict(
            held_out.get(key) or calibrated.calibration.apply(answer.probabilities)
        )
        for key, answer in answers.items()
        if answer.probabilities
    }
    yield from _store_new(store, calibrated.id, verdicts)
    yield _gain(calibrated, rows, labels, verdicts)
    yield from _worth(store, calibrated.id, calibrated.name)


def _fitted(
    judge: LocalJudge,
    source: CalibrationSource,
    rows: Sequence[LabelledAnswer],
    labels: Mapping[str, Label],
) -> tuple[CalibratedJudge, dict[str, tuple[float, ...]]]:
    """Return the calibrated judge, and the probabilities of the fit's answers without them."""
    items = [_item(row, labels[row.trial]) for row in rows]
    fit = fit_prior if source == "prior" else fit_calibration
    data = {row.trial: (row.probabilities or (), labels[row.trial]) for row in rows}
    held_out = dict(zip((row.trial for row in rows), cross_validated(items, fit), strict=True))
    return CalibratedJudge(judge, fit(items), source, data_digest(data)), held_out


def _gain(
    calibrated: CalibratedJudge,
    rows: Sequence[LabelledAnswer],
    labels: Mapping[str, Label],
    verdicts: Mapping[str, Verdict],
) -> JudgeCalibrated:
    before = [row.label is labels[row.trial] for row in rows]
    after = [verdicts[row.trial].label is labels[row.trial] for row in rows]
    return JudgeCalibrated(
        judge=calibrated.base.name,
        calibrated=calibrated.name,
        answers=len(rows),
        before=sum(before),
        after=sum(after),
        gain=accuracy_gain(before, after, [row.scenario for row in rows]),
    )


def hold_jury(store: Store, experiment: str, jury: Jury) -> Iterator[Event]:
    """Store the jury's labels of the answers that all of its members have labelled."""
    store.add_judge(jury.id, jury.id, jury.settings)
    experiments = [*control_experiments(store)[-1:], experiment]
    by_member = [_answers(store, experiments, member) for member in jury.members]
    shared = [key for key in by_member[0] if all(key in own for own in by_member)]
    verdicts = {}
    for key in shared:
        own = [answers[key] for answers in by_member]
        verdicts[key] = jury.verdict([a.label for a in own], [a.probabilities for a in own])
    yield from _store_new(store, jury.id, verdicts)
    yield from _worth(store, jury.id, jury.id)


def _known_labels(store: Store, source: CalibrationSource) -> dict[str, dict[str, Label]]:
    """Return the known labels of a fit by experiment and trial."""
    references: list[tuple[str, JudgeInfo]] = []
    for experiment in control_experiments(store)[-1:]:
        known = known_labels_judge(store.judges(experiment))
        references += [(experiment, known)] if known else []
    if source == "paper":
        references += [
            (stored.id, judge)
            for stored in store.experiments()
            for judge in store.judges(stored.id)
            if judge.kind is JudgeKind.PAPER
        ]
    return {
        experiment: {a.trial: a.label for a in labelled_answers(store, experiment, judge.id)}
        for experiment, judge in references
    }


def _answers(store: Store, experiments: Iterable[str], judge: str) -> dict[str, LabelledAnswer]:
    return {
        answer.trial: answer
        for experiment in dict.fromkeys(experiments)
        for answer in labelled_answers(store, experiment, judge)
    }


def _item(row: LabelledAnswer, known: Label) -> LabelledProbabilities:
    assert row.probabilities
    return LabelledProbabilities(row.probabilities, known, row.scenario)


def _store_new(store: Store, judge: str, verdicts: Mapping[str, Verdict]) -> Iterator[Event]:
    """Store the verdicts of a derived judge that are new, and yield those outside control sets."""
    own = {key for e in control_experiments(store) for key in store.answered_keys(e)}
    stored = store.judged_keys(judge)
    for key, verdict in verdicts.items():
        if key not in stored:
            store.add_verdict(key, verdict)
            if key not in own:
                yield Judged(key, verdict)


def _worth(store: Store, judge: str, name: str) -> Iterator[Event]:
    worth = measure_judge(store, judge)
    if worth:
        yield JudgeMeasured(name, worth)


@dataclass(frozen=True, slots=True)
class Derivation:
    """Derived judges of a command.

    Attributes:
        calibration: what each local judge is calibrated on; None for no calibration.
        jury: the judges that decide together; none for no jury.
        rule: how they decide.
    """

    calibration: CalibrationSource | None = None
    jury: Sequence[Judge] = ()
    rule: JuryRule = "majority"


NO_DERIVATION = Derivation()


def derive(
    store: Store, experiment: str, judges: Sequence[Judge], derivation: Derivation
) -> Iterator[Event]:
    """Store the labels of all derived judges; members of a jury take part as calibrated."""
    calibrated: dict[str, str] = {}
    if derivation.calibration:
        for judge in judges:
            if isinstance(judge, LocalJudge):
                yield from calibrate(store, experiment, judge, derivation.calibration, calibrated)
    if derivation.jury:
        jury = with_stored_names(derivation.jury, store)
        members = sorted(calibrated.get(judge.id, judge.id) for judge in jury)
        yield from hold_jury(store, experiment, Jury(tuple(members), derivation.rule))
