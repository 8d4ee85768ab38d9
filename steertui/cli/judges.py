"""`steertui judges`: what judges are worth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from steertui.paths import exists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steertui.planning.judges import Judge, JudgeServerOptions

LIST = "list"
"""Subcommand that is run if none is named."""


class _DefaultGroup(cloup.Group):
    """Group whose first argument may be a database: then the judges in it are listed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert the default subcommand unless a subcommand or help is asked for."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = [LIST, *args]
        return super().parse_args(ctx, args)


@cloup.group(cls=_DefaultGroup, short_help="Judges: what they are worth, and which to take.")
def judges() -> None:
    """Show what judges are worth on answers with known labels."""


@judges.command(LIST)
@click.argument("db", type=PATH, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
def list_judges(db: Path | None, as_json: bool) -> None:
    """List the judges in DB and those tested on this machine, best first.

    The control set gives accuracy and Cohen's kappa. The paper's labels, where they are imported,
    give kappa by condition.
    """
    from steertui.errors import StoreError
    from steertui.headless.judge_commands import show_judges
    from steertui.paths import judges_db

    tested = judges_db()
    paths = [path for path in (db, tested if exists(tested) else None) if path]
    if not paths:
        raise StoreError(
            "no judge was tested on this machine yet; test one with `steertui judges test MODEL`"
        )
    show_judges(paths, as_json=as_json)


_SETTINGS = (
    cloup.option("--rubric", default="steertui", show_default=True, help="Name or TOML file"),
    cloup.option("--debias", type=DEBIAS, default="none", show_default=True, help=DEBIAS_HELP),
    cloup.option("--judge-max-tokens", type=int, help=MAX_TOKENS_HELP),
    cloup.option("--judge-temperature", type=float, help=TEMPERATURE_HELP),
    cloup.option("--judge-reasoning-effort", type=EFFORT, help=EFFORT_HELP),
    cloup.option("--json", "as_json", is_flag=True, help="Print one JSON record per line"),
)
"""Settings of a judge, and the form of the output."""


@judges.command()
@click.argument("models", nargs=-1, required=True)
@cloup.option_group(
    "Judging",
    cloup.option("--db", type=PATH, help="Database [default: one in the user's state]"),
    cloup.option("--hide-suffix", is_flag=True, help="Show judges the task without its suffix"),
    *_SETTINGS,
)
@machine_options
@judge_server_options
def test(
    models: tuple[str, ...], db: Path | None, hide_suffix: bool, as_json: bool, **given: Any
) -> None:
    """Measure MODELS as judges on the control set; no experiment is needed.

    A model is a catalogue name, a GGUF file, server:MODEL@URL or openai:MODEL[@URL].
    """
    overrides = take_overrides(given)
    options = take_server_options(given | {"no_control": False})
    from steertui.headless.judge_commands import test_judges
    from steertui.paths import new_judges_db

    found = _find(models, options, given, hide_suffix=hide_suffix)
    sys.exit(test_judges(db or new_judges_db(), found, overrides, options, as_json=as_json))


@judges.command()
@click.argument("db", type=PATH)
@cloup.option_group(
    "Judging",
    cloup.option("--judge", "name", required=True, help="local:MODEL or openai:MODEL[@URL]"),
    cloup.option(
        "--experiment", metavar="ID", help="Name or id of the experiment [default: the newest]"
    ),
    cloup.option("--no-control", is_flag=True, help=NO_CONTROL_HELP),
    *_SETTINGS,
)
@machine_options
@judge_server_options
def blind(db: Path, name: str, experiment: str | None, as_json: bool, **given: Any) -> None:
    """Judge the answers in DB with and without showing the suffix, and compare.

    The differences of rates and gap are paired by scenario and have 95 % intervals.
    """
    overrides = take_overrides(given)
    options = take_server_options(given)
    from steertui.headless.judge_commands import study_blindness

    pair = [
        *_find([name], options, given, hide_suffix=False),
        *_find([name], options, given, hide_suffix=True),
    ]
    sys.exit(study_blindness(db, experiment, pair, overrides, options, as_json=as_json))


def _find(
    names: Sequence[str],
    options: JudgeServerOptions,
    given: dict[str, Any],
    *,
    hide_suffix: bool,
) -> tuple[Judge, ...]:
    """Return the judges of these models with the given settings."""
    from steertui.planning.judges import find_judges, judge_specification

    return find_judges(
        [judge_specification(name) for name in names],
        given["rubric"],
        hide_suffix,
        options,
        debias=given["debias"],
        sampling=take_judge_sampling(dict(given)),
    )
