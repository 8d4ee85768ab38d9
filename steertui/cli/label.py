"""`steertui label`: labels by a person, at the prompt."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steertui.cli.param_types import PATH
from steertui.core.verdict import LABEL_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steertui.analysis.label_queue import QueueItem
    from steertui.store import JudgeInfo, Store


@click.command(short_help="Labels by a person.")
@click.argument("db", type=PATH)
@click.option("--annotator", help="Your name [default: the name of the system's user]")
@click.option(
    "--reference",
    help="Judge whose labels and margins define the queue [default: the first judge]",
)
@click.option(
    "--order",
    type=click.Choice(["uncertain", "random"]),
    default="uncertain",
    show_default=True,
    help="Answers with the smallest margins first, or in random order, which corrected rates "
    "require",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    help="Maximum number of answers, 0 for all [default: 0]",
)
@click.option(
    "--experiment", metavar="ID", help="Name or id of the experiment [default: the newest]"
)
def label(
    db: Path,
    annotator: str | None,
    reference: str | None,
    order: str,
    limit: int,
    experiment: str | None,
) -> None:
    """Label answers yourself.

    The condition and the judge's label are hidden until you have labelled the answer.
    """
    from steertui.analysis.label_queue import QueueOrder, annotator_id, build_queue
    from steertui.store import Store

    name = annotator_id(annotator or getpass.getuser())
    with Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        judge = _reference(store, chosen, reference)
        queue = build_queue(store, chosen, name, judge.id if judge else "", QueueOrder(order))
        _label_all(store, queue[: limit or None], name, judge.name if judge else "")
        labelled = store.count_judged(chosen, name)
    _print(f"Answers labelled by {name}: {labelled}. Compare judges: steertui agree {db}")


def _reference(store: Store, experiment: str, name: str | None) -> JudgeInfo | None:
    """Return the reference judge; None if there is none."""
    from steertui.core.judge_kind import JudgeKind
    from steertui.lookup import resolve_name

    readers = [judge for judge in store.judges(experiment) if judge.kind is not JudgeKind.HUMAN]
    if name is None:
        return next(iter(readers), None)
    chosen = resolve_name("judge", name, {judge.id: (judge.name,) for judge in readers})
    return next(judge for judge in readers if judge.id == chosen[0])


def _label_all(store: Store, queue: Sequence[QueueItem], annotator: str, judge: str) -> None:
    """Ask for a label of each answer and store it, until the queue is empty or `q` is given.

    `judge` is the name of the reference judge, "" for none.
    """
    from steertui.analysis.label_queue import AlreadyLabelledError, add_label

    labels = {key: label for label, key in LABEL_KEYS.items()}
    for key, meaning in labels.items():
        _print(f"{key}  {meaning.words}: {meaning.definition}")
    for number, item in enumerate(queue, 1):
        _show(item, number, len(queue))
        key = click.prompt("label", type=click.Choice([*labels, "s", "q"]), show_choices=False)
        if key == "q":
            return
        if key in labels:
            try:
                add_label(store, annotator, item, labels[key])
            except AlreadyLabelledError as exc:
                _print(f"{exc}.")
                continue
            by_judge = f"; {judge}: {item.label.words if item.label else 'unjudged'}"
            _print(f"Stored. Condition: {item.condition}{by_judge if judge else ''}")


def _print(text: str) -> None:
    """Print text of several lines; on a terminal, lines are wrapped between words."""
    from steertui.report.command import show
    from steertui.report.rich_tables import line_text

    show(line_text(line) for line in text.split("\n"))


def _show(item: QueueItem, number: int, total: int) -> None:
    keys = " · ".join(f"{key} {label.words}" for label, key in LABEL_KEYS.items())
    _print(f"\n[{number}/{total}] {item.category}\n\nTASK\n{item.task}\n")
    _print(f"ANSWER\n{item.answer}\n\n{keys} · s skip · q quit")
