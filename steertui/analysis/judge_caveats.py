"""Caveats on judge agreement: label-order effects and how a person's answers were chosen."""

from collections.abc import Iterator, Sequence
from itertools import chain

from steertui.analysis.label_sample import count_early
from steertui.core.judge_kind import JudgeKind
from steertui.errors import WithRemedy
from steertui.judge.label_order import OrderEffect, order_effect
from steertui.store import JudgeInfo, Store
from steertui.units import quantity, verb


def judge_caveats(store: Store, experiment: str, judges: Sequence[JudgeInfo]) -> Iterator[str]:
    """Yield a sentence, without a full stop, for each judge that needs a caveat."""
    for judge in judges:
        if judge.kind is JudgeKind.LOCAL:
            yield _order_caveat(judge, order_effect(store.label_logliks(judge.id).values()))
        elif judge.kind is JudgeKind.HUMAN:
            yield from sample_caveat(store, experiment, judge)


def order_sentence(judge: str, order: OrderEffect) -> str:
    """Return a sentence on the effect of the rubric's label order on a local judge."""
    shares = ", ".join(f"{100 * share:.0f}" for share in order.prior)
    return (
        f"{judge}: {quantity(order.answers, 'answer')} judged with four orders of the rubric's "
        f"labels: {order.inconsistent} changed label between orders, "
        f"{order.corrected} {verb(order.corrected, 'has', 'have')} another label by "
        "all four orders than by the rubric's; share of each position in the "
        f"list: {shares} % (25 without an effect)"
    )


def _order_caveat(judge: JudgeInfo, order: OrderEffect | None) -> str:
    if order:
        return order_sentence(judge.name, order)
    return WithRemedy(
        f"{judge.name}: the effect of the rubric's label order was not measured",
        "`steertui judge --debias estimate` measures it, as a separate judge",
    )


def sample_caveat(store: Store, experiment: str, judge: JudgeInfo) -> Iterator[str]:
    """Yield a caveat, without a full stop, if a person labelled only some of the answers."""
    answers = len(store.answered_keys(experiment))
    labelled = store.count_judged(experiment, judge.id)
    if labelled == answers:
        return
    chosen = labelled - store.queue_counts(experiment, judge.id)["random"]
    some = f"{judge.name} labelled {labelled} of {answers} answers"
    if chosen:
        yield WithRemedy(
            f"{some}, {chosen} of them not drawn at random (uncertain ones first): agreement, "
            "kappa, precision and recall are biased, agreement usually downwards; corrected rates "
            "exclude those labels",
            "`steertui label --order random` draws at random",
        )
    else:
        yield f"{some}, {_random_sample(store, experiment, judge)}"


def _random_sample(store: Store, experiment: str, judge: JudgeInfo) -> str:
    """Return how answers of a queue in random order were drawn, and what follows for agreement."""
    measures = "raw agreement, kappa, precision and recall apply to that mix"
    outcomes = store.outcomes(experiment, judge.id)
    drawn = [outcome.drawn for outcome in chain(*outcomes.values()) if outcome.label]
    references = {name for name in drawn if name is not None}
    early = count_early(outcomes, {name: store.outcomes(experiment, name) for name in references})
    if early:
        return (
            f"{early} of them drawn before other answers were stored, or after a skipped one: they "
            "are no random sample of all answers, agreement, kappa, precision and recall are "
            "those of the labelled answers alone, and corrected rates exclude those labels"
        )
    before = drawn.count("")
    parts = "drawn at random in equal parts from each labelled condition"
    if before == len(drawn):
        return f"{parts}: {measures} of conditions, not to all answers"
    apart = f", except for {before} of them," if before else ""
    return (
        f"{parts} and{apart} label: {measures}, not to all answers; the corrected rates of the "
        "judge whose labels ordered the queue account for it"
    )
