"""Labels by a person: whether they are a sample from which rates can be read."""

from collections.abc import Sequence

from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.store import JudgeInfo


def is_stratified(judge: JudgeInfo, outcomes: Sequence[Outcome]) -> bool:
    """Whether a person labelled some of the answers, and not at random within each condition.

    The queue takes equally many answers of each label of its reference judge, so the labels are not
    in the proportion of all answers. Labels of all answers, and labels drawn at random without a
    reference judge, are a sample.
    """
    if judge.kind is not JudgeKind.HUMAN:
        return False
    labelled = [outcome for outcome in outcomes if outcome.label]
    is_complete = len(labelled) == sum(outcome.generated for outcome in outcomes)
    return not is_complete and any(outcome.drawn != "" for outcome in labelled)


def stratified_sentence(judge: JudgeInfo, outcomes: Sequence[Outcome]) -> str:
    """Return the sentence on labels that are no random sample, without a full stop."""
    labelled = sum(outcome.label is not None for outcome in outcomes)
    answers = sum(outcome.generated for outcome in outcomes)
    return (
        f"{judge.name} labelled {labelled} of {answers} answers, chosen by another judge's labels "
        "or by their uncertainty: these rates are not those of all answers; `steertui agree` "
        "weights the labels by their strata and gives corrected rates"
    )
