"""`steertui agree`: how far judges agree."""

from pathlib import Path

import click


@click.command(short_help="How far judges agree.")
@click.argument("db", type=Path)
@click.option("--judge", "judges", multiple=True, help="The first is the reference; repeat it.")
@click.option("--experiment", help="An experiment's id; the newest if not given.")
@click.option("--items", is_flag=True, help="List the answers that two judges label differently.")
def agree(db: Path, judges: tuple[str, ...], experiment: str | None, items: bool) -> None:
    """Compare judges over the answers that both have labelled; people and the paper count too."""
    from rich.text import Text

    from steertui.analysis.judge_agreement import compare_judges
    from steertui.analysis.judge_caveats import judge_caveats
    from steertui.report.agreement_tables import draw
    from steertui.report.command import show
    from steertui.store import Store

    with Store(db, must_exist=True) as store:
        chosen = store.choose(experiment)
        concord = compare_judges(store, chosen, judges)
        said = [*judge_caveats(store, chosen, concord.judges)]
    show(draw(concord, items=items))
    show(Text(f"! {sentence}.", style="yellow") for sentence in said)
