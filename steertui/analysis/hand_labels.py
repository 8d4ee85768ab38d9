"""Labels by a person: whether they are a sample from which rates can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.store import JudgeInfo


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
    """

    judge: JudgeInfo
    labelled: int
    answers: int
    chosen: int
    unlabelled: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """How the answers were drawn, in a few words."""
        return "answers not drawn at random" if self.chosen else "stratified sample, not weighted"

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
        without = f", none under {', '.join(self.unlabelled)}" if self.unlabelled else ""
        return (
            f"{some}, drawn at random in equal parts from each label of another judge under each "
            f"labelled condition{without}: these rates are those of this mix, not of all answers; "
            "the comparison of judges in the detailed report corrects the other judge's rates by "
            "these labels"
        )


def label_mix(judge: JudgeInfo, outcomes: Sequence[Outcome]) -> LabelMix | None:
    """Return the mix of a person's labels; None if rates can be read from them.

    The queue takes equally many answers of each label of its reference judge, so the labels are not
    in the proportion of all answers. Labels of all answers, and labels drawn at random without a
    reference judge, are a sample of each condition.
    """
    if judge.kind is not JudgeKind.HUMAN:
        return None
    labelled = [outcome for outcome in outcomes if outcome.label]
    answers = sum(outcome.generated for outcome in outcomes)
    if len(labelled) == answers or all(outcome.drawn == "" for outcome in labelled):
        return None
    chosen = sum(outcome.drawn is None for outcome in labelled)
    conditions = dict.fromkeys(outcome.condition for outcome in outcomes if outcome.generated)
    is_labelled = {outcome.condition for outcome in labelled}
    unlabelled = tuple(name for name in conditions if name not in is_labelled)
    return LabelMix(judge, len(labelled), answers, chosen, unlabelled)
