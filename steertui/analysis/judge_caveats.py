"""What a reader of judges' agreement must know: how labels came about, in sentences."""

from collections.abc import Iterator, Sequence

from steertui.analysis.sentences import quantity
from steertui.core.judge_kind import JudgeKind
from steertui.judge.label_order import OrderEffect, order_effect
from steertui.store import JudgeInfo, Store


def judge_caveats(store: Store, experiment: str, readers: Sequence[JudgeInfo]) -> Iterator[str]:
    """Yield a sentence, no full stop, on each judge whose labels want one."""
    for reader in readers:
        if reader.kind is JudgeKind.LOCAL:
            yield _order(reader, order_effect(store.readings(reader.id).values()))
        elif reader.kind is JudgeKind.HUMAN:
            yield from _drawn(store, experiment, reader)


def order_sentence(judge: str, e: OrderEffect) -> str:
    """Say what the order of the labels in a rubric does to a local judge."""
    shares = ", ".join(f"{100 * share:.0f}" for share in e.prior)
    return (
        f"{judge}: {quantity(e.answers, 'answer')} read in four orders of the rubric's labels: "
        f"{e.inconsistent} got another label in another order, {e.corrected} another by all four "
        f"than by the rubric's own; the places draw {shares} % by themselves (25 if order does "
        "nothing)"
    )


def _order(reader: JudgeInfo, found: OrderEffect | None) -> str:
    if found:
        return order_sentence(reader.name, found)
    return (
        f"{reader.name}: what the order of the labels in its rubric does was not measured; "
        "`steertui judge` with --label-order sampled does it, as a judge of its own"
    )


def _drawn(store: Store, experiment: str, reader: JudgeInfo) -> Iterator[str]:
    """Say where a person labelled some of the answers, and how they were chosen."""
    answers, labelled = len(store.answered(experiment)), store.judged(experiment, reader.id)
    if labelled == answers:
        return
    chosen = labelled - store.hand_queue(experiment, reader.id)["random"]
    some = f"{reader.name} labelled {labelled} of {answers} answers"
    if chosen:
        yield (
            f"{some}, {chosen} of them not drawn at random (doubtful ones first): agreement, "
            "kappa, precision and recall are biased, agreement as a rule downwards; corrected "
            "rates leave those labels out; `steertui label --order random` draws at random"
        )
    else:
        yield (
            f"{some}, drawn at random from each condition and label in equal parts: raw "
            "agreement, kappa and recall are of that mix and not of all answers; precision, and "
            "rates corrected for the judge whose labels ordered the queue, hold"
        )
