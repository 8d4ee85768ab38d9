"""`steertui agree`: agreement between judges."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH


@click.command(short_help="Agreement between judges.")
@click.argument("db", type=PATH)
@click.option(
    "--judge",
    "judges",
    multiple=True,
    help="Judge to compare; the first is the reference; repeatable [default: all judges]",
)
@click.option(
    "--experiment", metavar="ID", help="Name or id of the experiment [default: the newest]"
)
@click.option("--disagreements", is_flag=True, help="List the answers with different labels")
def agree(db: Path, judges: tuple[str, ...], experiment: str | None, disagreements: bool) -> None:
    """Compare judges on the answers that both have labelled.

    Annotators and the paper's judge count as judges, too. What each judge is worth on the control
    set comes first, as in a report.
    """
    from steertui.analysis.judge_agreement import compare_judges
    from steertui.analysis.judge_caveats import judge_caveats
    from steertui.analysis.judge_worth import worth_sentences
    from steertui.report.agreement_tables import draw
    from steertui.report.command import show
    from steertui.report.rich_tables import line_text
    from steertui.store import Store

    with Store(db, must_exist=True) as store:
        chosen = store.resolve_experiment(experiment)
        agreement = compare_judges(store, chosen, judges)
        worths = [*worth_sentences(store, agreement.judges)]
        caveats = [*judge_caveats(store, chosen, agreement.judges)]
    show(line_text(f"{sentence}.", "" if usable else "yellow") for sentence, usable in worths)
    show(draw(agreement, items=disagreements))
    show(line_text(f"! {sentence}.", "yellow") for sentence in caveats)
