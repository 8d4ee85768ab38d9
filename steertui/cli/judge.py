"""`steertui judge`: let judges read stored answers."""

import sys
from pathlib import Path
from typing import Any

import click

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.servers import LABEL_ORDER, ORDERS, server_options, take_terms


@click.command()
@click.argument("db", type=Path)
@click.option("--judge", "judges", multiple=True, required=True, help="May be repeated.")
@click.option("--experiment", help="An experiment's id; the newest if not given.")
@click.option("--rubric", default="steertui", help="'steertui' or a TOML file.")
@click.option("--blind", is_flag=True, help="Hide the suffix from the judge.")
@click.option("--reasons", is_flag=True, help="Ask a local judge for a reason, too.")
@click.option("--label-order", type=ORDERS, default="rubric", help=LABEL_ORDER)
@click.option("--json", "as_json", is_flag=True, help="A JSON record a line.")
@machine_options
@server_options
def judge(
    db: Path,
    judges: tuple[str, ...],
    experiment: str | None,
    rubric: str,
    blind: bool,
    reasons: bool,
    label_order: Any,
    as_json: bool,
    **given: Any,
) -> None:
    """Let judges read the answers in DB that they have not read yet.

    The same command again asks only for what is missing: failures are asked again, labels never.
    """
    wish, terms = take_overrides(given), take_terms(given)
    from steertui.batch import judge_stored
    from steertui.panel import find_panel

    panel = find_panel(judges, rubric, blind, terms, label_order)
    code = judge_stored(db, experiment, panel, wish, terms, reasons=reasons, as_json=as_json)
    sys.exit(code)
