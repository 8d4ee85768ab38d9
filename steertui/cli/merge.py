"""`steertui merge`: several databases made one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from steertui.store.merge import MergedInput

WORDS = {
    "generations": ("answer", "answers"),
    "verdicts": ("label", "labels"),
    "label_logliks": ("likelihood", "likelihoods"),
    "annotation_queue": ("place in a queue", "places in queues"),
    "trials": ("wording of a trial", "wordings of trials"),
    "models": ("description of a model", "descriptions of models"),
    "judges": ("description of a judge", "descriptions of judges"),
    "experiment_plans": ("experiment file", "experiment files"),
}
"""What differs, by its table."""

SHOWN = 10


@click.command(short_help="Several databases into one, such as those of shards.")
@click.argument("out", type=Path)
@click.argument("inputs", nargs=-1, required=True, type=Path)
def merge(out: Path, inputs: tuple[Path, ...]) -> None:
    """Add the databases IN… to OUT, such as those of shards; the inputs stay as they are.

    Every input is checked first. Where one differs from OUT, what OUT holds stays in use, and the
    other is listed and kept in the table `conflicts`.
    """
    from steertui.output_files import check_database
    from steertui.store.merge import merge as merge_all

    check_database(out, inputs)
    done = merge_all(out, inputs)
    for merged in done.inputs:
        rows = ", ".join(f"{n} {table}" for table, n in merged.added.items())
        click.echo(
            f"{merged.path}: {rows or 'nothing new'}; {merged.present} rows were there already, "
            f"{len(merged.conflicts)} differ"
        )
        for line in _differing(merged):
            click.echo(f"Warning: {merged.path}: {line}", err=True)
    if done.backup:
        click.echo(f"{out} as it was before: {done.backup}")
    before, after = done.newest
    if before and before != after:
        click.echo(
            f"The experiment planned last, which a report shows, was {before} and is {after}"
        )


def _differing(merged: MergedInput) -> list[str]:
    """Say by table what differs, with the first keys."""
    lines = []
    for about, number in Counter(c.about for c in merged.conflicts).items():
        which = [c for c in merged.conflicts if c.about == about]
        keys = [" of ".join(filter(None, (c.judge, c.subject[:12]))) for c in which[:SHOWN]]
        more = f" and {number - SHOWN} more" if number > SHOWN else ""
        lines.append(
            f"{number} {WORDS[about][number > 1]} differ{'s' * (number == 1)} from what stays in "
            f"use; the table conflicts holds what does not ({', '.join(keys)}{more})"
        )
    return lines
