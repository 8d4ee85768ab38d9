"""`steertui merge`: several databases merged into one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steertui.cli.param_types import PATH
from steertui.printable import print_line
from steertui.units import quantity

if TYPE_CHECKING:
    from steertui.store.merge import MergedInput

ROW_NAMES = {
    "generations": ("answer", "answers"),
    "verdicts": ("label", "labels"),
    "label_logliks": ("log-likelihood", "log-likelihoods"),
    "answer_logliks": ("scored answer", "scored answers"),
    "annotation_queue": ("entry of an annotation queue", "entries of annotation queues"),
    "agreement_views": ("view of an agreement", "views of agreements"),
    "trials": ("trial description", "trial descriptions"),
    "models": ("model description", "model descriptions"),
    "judges": ("judge description", "judge descriptions"),
    "experiment_plans": ("experiment file", "experiment files"),
}
"""By table: what a row is, singular and plural."""

MAX_KEYS = 10
"""Maximum keys that a warning lists."""


@click.command(short_help="Databases merged into one, such as those of shards.")
@click.argument("out", type=PATH)
@click.argument("inputs", nargs=-1, required=True, type=PATH)
def merge(out: Path, inputs: tuple[Path, ...]) -> None:
    """Add the databases INPUTS to OUT, such as those of shards. The inputs are not changed.

    All inputs are checked first. If a row of an input differs from the row in OUT, the row in OUT
    stays in use; the other row is listed and stored in the table `conflicts`.
    """
    from steertui.output_files import check_database
    from steertui.store.merge import merge as merge_all

    check_database(out, inputs)
    result = merge_all(out, inputs)
    for merged in result.inputs:
        rows = ", ".join(f"{count} {table}" for table, count in merged.added.items())
        print_line(
            f"{merged.path}: {rows or 'nothing new'}; {quantity(merged.present, 'row')} already "
            f"present, {len(merged.conflicts)} differ"
        )
        for line in _conflicts(merged):
            print_line(f"Warning: {merged.path}: {line}", to_stderr=True)
    if result.backup:
        print_line(f"Backup of {out}: {result.backup}")
    before, after = result.newest
    if before and before != after:
        print_line(f"The newest experiment, which reports show, is now {after}; before: {before}")


def _conflicts(merged: MergedInput) -> list[str]:
    """Return one sentence per table on the rows that differ, with the first keys."""
    lines = []
    for table, count in Counter(conflict.about for conflict in merged.conflicts).items():
        conflicts = [conflict for conflict in merged.conflicts if conflict.about == table]
        keys = [
            " of ".join(filter(None, (conflict.judge, conflict.subject[:12])))
            for conflict in conflicts[:MAX_KEYS]
        ]
        more = f" and {count - MAX_KEYS} more" if count > MAX_KEYS else ""
        singular, plural = ROW_NAMES[table]
        subject = f"{count} {plural} differ" if count > 1 else f"1 {singular} differs"
        lines.append(
            f"{subject} from the stored rows, which stay in use; the other rows are in the table "
            f"conflicts ({', '.join(keys)}{more})"
        )
    return lines
