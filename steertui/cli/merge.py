"""`steertui merge`: several databases made one."""

from pathlib import Path

import click


@click.command(short_help="Several databases into one, such as those of shards.")
@click.argument("out", type=Path)
@click.argument("inputs", nargs=-1, required=True, type=Path)
def merge(out: Path, inputs: tuple[Path, ...]) -> None:
    """Add the databases IN… to OUT, such as those of shards; the inputs stay as they are."""
    from steertui.store.merge import merge as merge_all

    for merged in merge_all(out, inputs):
        rows = ", ".join(f"{n} {table}" for table, n in merged.added.items())
        click.echo(f"{merged.path}: {rows or 'nothing new'}")
        for key in merged.differing[:10]:
            click.echo(f"  trial {key[:12]} was answered differently there; the earlier one stays")
        if len(merged.differing) > 10:
            click.echo(f"  and {len(merged.differing) - 10} trials more")
        for judge, number in merged.relabelled.items():
            click.echo(
                f"  {judge} labelled {number} answers differently there; earlier labels stay"
            )
