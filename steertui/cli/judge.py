"""`steertui judge`: labels of stored answers by judges."""

import sys
from pathlib import Path
from typing import Any

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.servers import (
    DEBIAS,
    DEBIAS_HELP,
    EFFORT,
    EFFORT_HELP,
    MAX_TOKENS_HELP,
    TEMPERATURE_HELP,
    judge_server_options,
    take_judge_sampling,
    take_server_options,
)


@cloup.command(short_help="Labels of stored answers by judges.")
@click.argument("db", type=Path)
@cloup.option_group(
    "Judging",
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        required=True,
        help="local:MODEL or openai:MODEL[@URL]; repeatable",
    ),
    cloup.option("--experiment", metavar="ID", help="Id of the experiment [default: the newest]"),
    cloup.option(
        "--rubric",
        default="steertui",
        show_default=True,
        help="Instruction for the judge: steertui, paper, or a TOML file",
    ),
    cloup.option("--hide-suffix", is_flag=True, help="Show judges the task without its suffix"),
    cloup.option("--reasons", is_flag=True, help="Ask local judges for a reason, too"),
    cloup.option("--debias", type=DEBIAS, default="none", show_default=True, help=DEBIAS_HELP),
    cloup.option("--judge-max-tokens", type=int, help=MAX_TOKENS_HELP),
    cloup.option("--judge-temperature", type=float, help=TEMPERATURE_HELP),
    cloup.option("--judge-reasoning-effort", type=EFFORT, help=EFFORT_HELP),
    cloup.option("--json", "as_json", is_flag=True, help="Print one JSON record per line"),
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
    """Label the answers in DB that the given judges have not labelled yet.

    The same command again labels only what is missing. Failures are tried again, labels are kept.
    """
    overrides = take_overrides(given)
    options = take_server_options(given)
    sampling = take_judge_sampling(given)
    from steertui.headless.batch import judge_stored
    from steertui.planning.judges import find_judges

    judge_list = find_judges(judges, rubric, hide_suffix, options, debias=debias, sampling=sampling)
    code = judge_stored(
        db,
        experiment,
        judge_list,
        overrides,
        options,
        reasons=reasons,
        as_json=as_json,
    )
    sys.exit(code)
