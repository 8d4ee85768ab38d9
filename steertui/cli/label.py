"""`steertui label`: labels by hand, at the prompt."""

import getpass
from pathlib import Path

import click

KEYS = {"c": 0, "n": 1, "r": 2, "x": 3}
ASK = "c convergence · n no_convergence · r safety_refusal · x nonsensical · s skip · q quit"


@click.command(short_help="Label answers by hand.")
@click.argument("db", type=Path)
@click.option("--as", "who", help="Your name; the system's user if not given.")
@click.option("--reference", help="The judge whose labels and margins order the queue.")
@click.option("--order", type=click.Choice(["uncertain", "random"]), default="uncertain")
@click.option("--count", type=int, default=0, help="Answers at most.")
@click.option("--experiment", help="An experiment's id; the newest if not given.")
def label(
    db: Path, who: str | None, reference: str | None, order: str, count: int, experiment: str | None
) -> None:
    """Label answers by hand: condition and judge's label stay hidden until you have answered."""
    from steertui.analysis.label_queue import (
        QueueItem,
        QueueOrder,
        add_label,
        annotator_id,
        build_queue,
    )
    from steertui.core.judge_kind import JudgeKind
    from steertui.core.verdict import Label
    from steertui.lookup import resolve_name
    from steertui.store import Store

    def show(place: int, total: int, item: QueueItem) -> None:
        click.echo(f"\n[{place}/{total}] {item.category}\n\nTASK\n{plain(item.task)}\n")
        click.echo(f"ANSWER\n{plain(item.answer)}\n\n{ASK}")

    name = annotator_id(who or getpass.getuser())
    with Store(db, must_exist=True) as store:
        chosen = store.choose(experiment)
        judges = {r.id: (r.name,) for r in store.readers(chosen) if r.kind is not JudgeKind.HUMAN}
        judge = resolve_name("judge", reference, judges)[0] if reference else next(iter(judges), "")
        queue = build_queue(store, chosen, name, judge, QueueOrder(order))[: count or None]
        for place, item in enumerate(queue, 1):
            show(place, len(queue), item)
            key = click.prompt("label", type=click.Choice([*KEYS, "s", "q"]), show_choices=False)
            if key == "q":
                break
            if key in KEYS:
                given = list(Label)[KEYS[key]]
                add_label(store, name, item, given)
                click.echo(f"stored; it was {item.condition}, {judge or 'no judge'}: {item.label}")
        done = store.judged(chosen, name)
    click.echo(f"{done} answers bear a label of {name}. Compare: steertui agree {db}")


def plain(text: str) -> str:
    """Return a model's text without control characters: it must not drive the terminal."""
    return "".join(c for c in text if c in "\n\t" or c.isprintable())
