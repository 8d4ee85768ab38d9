"""`steertui judge`: let judges read stored answers."""

import sys
from pathlib import Path
from typing import Any

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.servers import DEBIAS, DEBIAS_HELP, judge_server_options, take_terms


@cloup.command(short_help="Judge stored answers.")
@click.argument("db", type=Path)
@cloup.option_group(
    "Judging",
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        required=True,
        help="local:MODEL or openai:MODEL[@URL]; may be repeated.",
    ),
    cloup.option("--experiment", metavar="ID", help="The newest if not given."),
    cloup.option("--rubric", default="steertui", help="steertui, paper, or a TOML file."),
    cloup.option("--hide-suffix", is_flag=True, help="Hide the suffix from the judge."),
    cloup.option("--reasons", is_flag=True, help="Ask a local judge for a reason, too."),
    cloup.option("--debias", type=DEBIAS, default="none", help=DEBIAS_HELP),
    cloup.option("--json", "as_json", is_flag=True, help="A JSON record a line."),
)
@machine_options
@judge_server_options
def judge(
    db: Path,
    judges: tuple[str, ...],
    experiment: str | None,
    rubric: str,
    hide_suffix: bool,
    reasons: bool,
    debias: Any,
    as_json: bool,
    **given: Any,
) -> None:
    """Let judges read the answers in DB that they have not read yet.

    The same command again asks only for what is missing: failures are asked again, labels never.
    """
    wish, terms = take_overrides(given), take_terms(given)
    from steertui.headless.batch import judge_stored
    from steertui.planning.judges import find_judges

    panel = find_judges(judges, rubric, hide_suffix, terms, debias=debias)
    code = judge_stored(db, experiment, panel, wish, terms, reasons=reasons, as_json=as_json)
    sys.exit(code)
