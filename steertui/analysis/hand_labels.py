"""Labels by a person: whether they are a sample from which rates can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.analysis.label_sample import count_early
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.store import JudgeInfo, ModelSetting


@dataclass(frozen=True, slots=True)
class LabelMix:
    """Labels of a person whose mix of conditions and labels is not that of all answers.

    Attributes:
        judge: the person.
        labelled: number of labelled answers.
        answers: number of answers.
        chosen: number of labelled answers that were not drawn at random.
        unlabelled: conditions with answers of which none is labelled, such as those that were added
            after the answers were drawn.
        early: number of labelled answers drawn without a judge that are no random sample of all
            answers (`label_sample.count_early`).
    """

    judge: JudgeInfo
    labelled: int
    answers: int
    chosen: int
    unlabelled: tuple[str, ...] = ()
    early: int = 0

    @property
    def words(self) -> str:
        """How the answers were drawn, in a few words."""
        if self.chosen or self.early:
            return "answers not drawn at random"
        return "stratified sample, not weighted"

    @property
    def sentence(self) -> str:
        """How the answers were drawn, and what their rates are, without a full stop."""
        some = f"{self.judge.name} labelled {self.labelled} of {self.answers} answers"
        if self.chosen:
            return (
                f"{some}, {self.chosen} of them not drawn at random (the most uncertain ones "
                "first): these rates are not those of all answers; only labels drawn at random can "
                "correct a judge's rates"
            )
        if self.early:
            return (
                f"{some}, {self.early} of them drawn before other answers were stored, or after a "
                "skipped one: these rates are not those of all answers"
            )
        without = f", none under {', '.join(self.unlabelled)}" if self.unlabelled else ""
        return (
            f"{some}, drawn at random in equal parts from each label of another judge under each "
            f"labelled condition{without}, of the answers that existed then: these rates are those "
            "of this mix, not of all answers; the comparison of judges in the detailed report "
            "corrects the other judge's rates by these labels"
        )


def label_mix(
    judge: JudgeInfo, setting: ModelSetting, outcomes: Sequence[Outcome]
) -> LabelMix | None:
    """Return the mix of a person's labels of one model; None if rates can be read from them.

    The queue takes equally many answers of each label of its reference judge, so the labels are not
    in the proportion of all answers. Labels of all answers are a sample of each condition, and so
    are labels drawn at random without a reference judge, unless other answers were stored since.
    """
    if judge.kind is not JudgeKind.HUMAN:
        return None
    labelled = [outcome for outcome in outcomes if outcome.label]
    answers = sum(outcome.generated for outcome in outcomes)
    if len(labelled) == answers:
        return None
    early = count_early({setting: outcomes}, {"": {setting: outcomes}})
    if not early and all(outcome.drawn == "" for outcome in labelled):
        return None
    chosen = sum(outcome.drawn is None for outcome in labelled)
    conditions = dict.fromkeys(outcome.condition for outcome in outcomes if outcome.generated)
    is_labelled = {outcome.condition for outcome in labelled}
    unlabelled = tuple(name for name in conditions if name not in is_labelled)
    return LabelMix(judge, len(labelled), answers, chosen, unlabelled, early=early)
