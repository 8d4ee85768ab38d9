"""`steertui judge`: labels of stored answers by judges."""

import sys
from pathlib import Path
from typing import Any, get_args

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.param_types import PATH
from steertui.cli.servers import (
    DEBIAS,
    DEBIAS_HELP,
    EFFORT,
    EFFORT_HELP,
    MAX_TOKENS_HELP,
    NO_CONTROL_HELP,
    TEMPERATURE_HELP,
    judge_server_options,
    take_judge_sampling,
    take_server_options,
)
from steertui.core.verdict import CalibrationSource, JuryRule
from steertui.typed_lists import split_names


@cloup.command(short_help="Labels of stored answers by judges.")
@click.argument("db", type=PATH)
@cloup.option_group(
    "Judging",
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        help="local:MODEL or openai:MODEL[@URL]; repeatable",
    ),
    cloup.option(
        "--experiment", metavar="ID", help="Name or id of the experiment [default: the newest]"
    ),
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
    cloup.option("--no-control", is_flag=True, help=NO_CONTROL_HELP),
    cloup.option("--json", "as_json", is_flag=True, help="Print one JSON record per line"),
)
@cloup.option_group(
    "Derived judges",
    cloup.option(
        "--calibrate",
        type=click.Choice(["none", *get_args(CalibrationSource)]),
        default="none",
        show_default=True,
        help="Add a calibrated judge for each local one: label priors corrected, or probabilities "
        "fitted on the control set, or on it and the paper's imported answers",
    ),
    cloup.option(
        "--jury",
        default="",
        metavar="A,B,C",
        help="Add a jury of these judges, which judge as with --judge",
    ),
    cloup.option(
        "--jury-rule",
        type=click.Choice(get_args(JuryRule)),
        default="majority",
        show_default=True,
        help="The jury's label: given by most members, or the largest mean probability",
    ),
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
    calibrate: Any,
    jury: str,
    jury_rule: Any,
    as_json: bool,
    **given: Any,
) -> None:
    """Label the answers in DB that the given judges have not labelled yet.

    The same command again labels only what is missing. Failures are tried again, labels are kept.
    """
    overrides = take_overrides(given)
    options = take_server_options(given)
    sampling = take_judge_sampling(given)
    from steertui.execution.derived_judges import Derivation
    from steertui.headless.batch import judge_stored
    from steertui.planning.judges import distinct_judges, find_judges

    members = split_names(jury)
    names = distinct_judges([*judges, *members])
    if not names or (jury and len(members) < 2):
        raise click.UsageError("give --judge, or --jury with at least two judges")
    found = find_judges(names, rubric, hide_suffix, options, debias=debias, sampling=sampling)
    by_name = dict(zip(names, found, strict=True))
    derivation = Derivation(
        None if calibrate == "none" else calibrate, [by_name[m] for m in members], jury_rule
    )
    code = judge_stored(
        db,
        experiment,
        found,
        overrides,
        options,
        reasons=reasons,
        as_json=as_json,
        derivation=derivation,
    )
    sys.exit(code)
