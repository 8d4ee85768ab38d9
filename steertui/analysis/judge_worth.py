"""Judge worth: a judge's agreement with the known labels of the control set, and what it means."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from steertui.analysis.judge_agreement import PairedJudges, judge_agreement, labelled_outcomes
from steertui.core.model import is_stand_in
from steertui.core.verdict import Label
from steertui.stats.agreement import Agreement
from steertui.stats.label_dependence import (
    ONE_LABEL_SHARE,
    PATTERN_LEVEL,
    ArmDependence,
    ControlLabel,
    arm_dependence,
    follows_length,
    is_changed,
    most_common_share,
)
from steertui.store import JudgeInfo, Store
from steertui.store.control_queries import (
    answer_lengths,
    control_experiments,
    control_rereads,
    known_labels_judge,
)

USABLE_KAPPA = 0.6
"""Lower 95 % limit of kappa from which a judge is usable: "substantial" agreement (Landis and Koch,
Biometrics 33, 1977, 159-174)."""

MIN_READ = 0.90
"""Share of the control answers that a usable judge must label; its failures are no labels."""

REREAD_BLOCK = 12
"""Control answers in one rereading: three of each label."""


class Standing(StrEnum):
    """Worth of a judge in one word."""

    USABLE = "usable"
    """Kappa's lower 95 % limit is at least `USABLE_KAPPA`."""
    WEAK = "weak"
    """Better than chance, and not usable."""
    CHANCE = "no better than chance"
    """Kappa's 95 % interval includes 0 or is below it."""
    CHANGED = "changed"
    """The judge gave other labels when it read control answers again."""


@dataclass(frozen=True, slots=True)
class JudgeWorth:
    """A judge on the control set.

    Attributes:
        pair: the judge's labels against the known ones.
        answers: number of answers in the control set.
        labels: one entry per labelled control answer.
        rereads: repeated labels of control answers.
        changed: those of them that differ from the first label.
        has_changed: whether that is more than chance explains (`is_changed`).
    """

    pair: PairedJudges
    answers: int
    labels: tuple[ControlLabel, ...]
    rereads: int = 0
    changed: int = 0
    has_changed: bool = False

    @property
    def judge(self) -> JudgeInfo:
        """The measured judge."""
        return self.pair.second

    @property
    def standing(self) -> Standing:
        """Worth in one word, by the thresholds of this module."""
        low = self.pair.overall.kappa_low
        if self.has_changed:
            return Standing.CHANGED
        if low is None or low <= 0:
            return Standing.CHANCE
        return Standing.USABLE if low >= USABLE_KAPPA and self.has_read else Standing.WEAK

    @property
    def has_read(self) -> bool:
        """Whether it has labelled at least `MIN_READ` of the control answers."""
        return len(self.labels) >= MIN_READ * self.answers

    @property
    def words(self) -> str:
        """Worth in a few words, which say if it may still change."""
        return str(self.standing) if self.has_read else f"{self.standing} so far"

    @property
    def draws_headline(self) -> bool:
        """Whether sentences on the judge's gaps are shown."""
        return self.standing in (Standing.USABLE, Standing.WEAK)

    @property
    def arm(self) -> ArmDependence | None:
        """Dependence of its convergence labels on the arm, at equal known labels."""
        return arm_dependence(self.labels)


def measure_judge(store: Store, judge: str) -> JudgeWorth | None:
    """Return what a judge is worth on the newest control set that it read; None if it read none."""
    for experiment in reversed(control_experiments(store)):
        judges = {info.id: info for info in store.judges(experiment)}
        known = known_labels_judge(judges.values())
        if judge in judges and known:
            return _measure(store, experiment, known, judges[judge])
    return None


def _measure(store: Store, experiment: str, known: JudgeInfo, judge: JudgeInfo) -> JudgeWorth:
    reference = labelled_outcomes(store.outcomes(experiment, known.id).items())
    given = labelled_outcomes(store.outcomes(experiment, judge.id).items())
    lengths = answer_lengths(store, experiment)
    labels = [
        ControlLabel(
            known=one.label, given=two.label, arm=one.condition, length=lengths[one.digest or ""]
        )
        for key, one in reference.items()
        if (two := given.get(key)) and one.label and two.label
    ]
    rereads = control_rereads(store, judge.id)
    equal = [reread.label is reread.first for reread in rereads]
    return JudgeWorth(
        pair=judge_agreement([(known, reference), (judge, given)]).comparisons[0],
        answers=len(reference),
        labels=tuple(labels),
        rereads=len(equal),
        changed=equal.count(False),
        has_changed=is_changed(equal, REREAD_BLOCK),
    )


def worth_sentence(judge: JudgeInfo, worth: JudgeWorth | None) -> str:
    """Return one sentence on what a judge is worth, without a full stop; "" if it is not needed.

    People and published labels are not measured on the control set. The demo checkpoint is not,
    either: its labels were written into its training text, which every report says.
    """
    if judge.kind.is_reference or is_stand_in(judge.title):
        return ""
    if worth is None:
        return f"{judge.name} has not read the control set: what its labels are worth is not known"
    parts = [_standing_sentence(worth), *_patterns(worth)]
    if missing := worth.answers - len(worth.labels):
        parts.append(f"{missing} of {worth.answers} control answers have no label")
    return "; ".join(parts)


def worth_sentences(store: Store, judges: Iterable[JudgeInfo]) -> Iterator[tuple[str, bool]]:
    """Yield the sentence on each judge that needs one, and whether the judge is usable."""
    for judge in judges:
        worth = measure_judge(store, judge.id)
        if sentence := worth_sentence(judge, worth):
            yield sentence, worth is not None and worth.standing is Standing.USABLE


def worth_words(worth: JudgeWorth | None) -> str:
    """Return what a judge is worth in a few words, for narrow panels."""
    if worth is None:
        return "judge not measured"
    effect = "" if worth.draws_headline or not worth.has_read else ": its rates mean nothing"
    return f"judge {worth.words}{effect}"


def _standing_sentence(worth: JudgeWorth) -> str:
    agreement = worth.pair.overall
    name = worth.judge.name
    numbers = (
        f"{agreement.agreed} of {agreement.items} control answers labelled as known, kappa "
        f"{kappa_interval(agreement)}"
    )
    match worth.standing:
        case Standing.CHANGED:
            return (
                f"{name} changed while it judged: {worth.changed} of {worth.rereads} control "
                "answers that it read again got another label than before, so its labels are not "
                "those of one judge and its rates mean nothing"
            )
        case Standing.CHANCE if not worth.has_read:
            return (
                f"{name} is not shown to agree with the known labels of the control set better "
                f"than chance so far ({numbers}), so nothing is concluded from its rates and gaps"
            )
        case Standing.CHANCE:
            return (
                f"{name} agrees with the known labels of the control set no better than chance "
                f"({numbers}), so its rates and gaps mean nothing"
            )
        case Standing.WEAK:
            return (
                f"{name} agrees weakly with the known labels of the control set ({numbers}); its "
                "rates and gaps may be far from true, so check them with another judge or by hand"
            )
        case Standing.USABLE:
            return f"{name} is usable: {numbers}"


def _patterns(worth: JudgeWorth) -> Iterator[str]:
    """Yield what the judge's labels depend on instead of the answers."""
    labels = worth.labels
    common = most_common_share([item.given for item in labels])
    if common and common[1] >= ONE_LABEL_SHARE:
        yield f"it gives one label, {common[0].words}, to {100 * common[1]:.0f} % of them"
        return
    arm = worth.arm
    if arm and arm.p <= PATTERN_LEVEL:
        yield (
            "its labels follow the condition: at equal known labels it calls "
            f"{abs(arm.points):.0f} points {'more' if arm.points > 0 else 'fewer'} answers "
            "convergent under pro than under anti"
        )
    elif follows_length(labels):
        yield "its labels follow the length of the answers"
    elif worth.standing is Standing.CHANCE and worth.has_read:
        yield "its labels are unrelated to the known ones, as if drawn at random"


def kappa_interval(agreement: Agreement) -> str:
    """Return "0.71 (95 % interval 0.60 to 0.81)"; "not defined" without kappa."""
    if agreement.kappa is None or agreement.kappa_low is None or agreement.kappa_high is None:
        return "not defined"
    return (
        f"{agreement.kappa:.2f} (95 % interval {agreement.kappa_low:.2f} to "
        f"{agreement.kappa_high:.2f})"
    )


def one_label_warning(judge: JudgeInfo, labels: list[Label], worth: JudgeWorth | None) -> str:
    """Return a warning if a judge hardly distinguishes a table's answers; "" otherwise.

    A judge that is usable on the control set has shown that it tells the labels apart.
    """
    common = most_common_share(labels)
    is_known_good = worth is not None and worth.standing is Standing.USABLE
    if not common or len(labels) < MIN_LABELS or common[1] < ONE_LABEL_SHARE or is_known_good:
        return ""
    if judge.kind.is_reference:
        return ""
    return (
        f"{judge.name} gives one label, {common[0].words}, to {100 * common[1]:.0f} % of all "
        f"{len(labels)} answers under all conditions together: so would a judge that does not read "
        "them; check some answers by hand"
    )


MIN_LABELS = 20
"""Labels of a table from which `one_label_warning` speaks."""
