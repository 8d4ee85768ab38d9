"""`steertui` without a subcommand: run an experiment, on the screens or with `--batch`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import click
import cloup

from steertui.cli.experiment_options import (
    experiment_options,
    judging_options,
    sampling_options,
    take_changes,
)
from steertui.cli.long_runs import long_run_options, take_long_run
from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.param_types import PATH
from steertui.cli.servers import (
    judge_server_options,
    model_server_options,
    take_server_options,
)
from steertui.core.experiment import Experiment, with_changes
from steertui.core.shard import Shard
from steertui.output_files import check_database
from steertui.paths import DEMO_DB, is_file
from steertui.planning.experiment_files import load_experiment
from steertui.planning.model_groups import expand_models, has_group
from steertui.planning.origin import file_origin
from steertui.planning.presets import PRESETS
from steertui.printable import escape_toml, print_line, print_text

if TYPE_CHECKING:
    from steertui.engine.sizing import Overrides
    from steertui.headless.batch_options import BatchOptions
    from steertui.planning.judges import JudgeServerOptions
    from steertui.planning.origin import Origin

DB = Path("steertui.db")
"""Default database, in the working folder."""


FILE_OPTIONS = MappingProxyType({".toml": "--experiment", ".gguf": "--model"})
"""Option that takes a file, by its suffix; --db takes all others."""


ABOUT = """Measure how far a prompt suffix steers a model towards instrumental convergence.

Without --batch, the screens open. With options of an experiment, such as --demo, --preset or
--model, its run starts at once; without, nothing is computed until you ask. The same command
resumes, and so does --batch --db FILE.
"""
"""Text above the options of `steertui --help`."""


class _Commands(cloup.Group):
    """Group that names the option for a file that is given in place of a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name."""
        file = Path(args[0])
        if not self.get_command(ctx, args[0]) and is_file(file):
            option = FILE_OPTIONS.get(file.suffix, "--db")
            ctx.fail(f"{file}: this is a file, not a command; write {option} {file}")
        return super().resolve_command(ctx, args)


@cloup.group(
    cls=_Commands,
    help=ABOUT,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="steertui")
@experiment_options
@sampling_options
@judging_options
@cloup.option_group(
    "Run",
    cloup.option("--batch", is_flag=True, help="Run without screens and print the results"),
    cloup.option(
        "--plan",
        is_flag=True,
        help="Print what a run would fetch and do, with the reason for each trial without an "
        "answer and one prompt, and exit; nothing is stored, fetched or contacted",
    ),
    cloup.option(
        "--register",
        type=PATH,
        metavar="FILE",
        help="Store the plan, write its preregistration in Markdown and exit: question, "
        "conditions, models, judges, declared analysis, numbers, hash and date",
    ),
    cloup.option(
        "--db", type=PATH, help="SQLite file [default: steertui.db; with --demo steertui-demo.db]"
    ),
    cloup.option(
        "--json",
        "as_json",
        is_flag=True,
        help="With --batch or --plan: print one JSON record per line",
    ),
    cloup.option(
        "--yes",
        is_flag=True,
        help="Agree to the servers, downloads and files that an experiment from a file or "
        "database names, to the downloads of a group of models, and on the screens also to large "
        "downloads and to costs",
    ),
)
@long_run_options
@machine_options
@judge_server_options
@model_server_options
@click.pass_context
def cli(
    context: click.Context,
    /,
    *,
    batch: bool,
    plan: bool,
    demo: bool,
    preset: str | None,
    print_experiment: bool,
    file: Path | None,
    register: Path | None,
    db: Path | None,
    as_json: bool,
    yes: bool,
    **given: object,
) -> None:
    """Print the experiment or its plan, register it, run it, or open the screens."""
    if context.invoked_subcommand:
        return
    limits = take_long_run(given, is_batch=batch)
    overrides = take_overrides(given)
    options = take_server_options(given)
    changes = take_changes(given)
    experiment = _experiment(demo, preset, file, changes)
    if print_experiment:
        print_text(escape_toml(experiment.to_toml()).removesuffix("\n"))
        return
    path = db or (DEMO_DB if demo else DB)
    check_database(path, [file] if file else [])
    origin = file_origin(experiment, file, changes)
    request = _Request(experiment, path, overrides, options, origin=origin, is_sure=yes)
    is_given = bool(demo or preset or file or changes)
    if not (demo or preset or file or "models" in changes):
        request = _for_database(
            request, is_given=is_given, is_shown=not (batch or plan or register)
        )
    if plan:
        _show_plan(request, limits.shard, as_json=as_json)
    if register or batch:
        _confirm_group(request, changes, removes=limits.removes_weights)
        _run(request, register, replace(limits, is_sure=yes, as_json=as_json))
    _open_screens(request, is_given=is_given)


@dataclass(frozen=True, slots=True)
class _Request:
    """What the command line asks for; `is_sure` agrees to a received experiment in advance."""

    experiment: Experiment
    db: Path
    overrides: Overrides
    options: JudgeServerOptions
    origin: Origin
    is_sure: bool


def _for_database(request: _Request, *, is_given: bool, is_shown: bool) -> _Request:
    """Return a request without a model for a database that may have experiments.

    Args:
        is_given: whether options change the default experiment, which then must have the model of
            an experiment there.
        is_shown: whether the screens open, which find the newest experiment themselves.
    """
    from steertui.planning.stored_experiment import newest_experiment, require_demo_is_meant

    if is_given:
        require_demo_is_meant(request.db)
    found = None if is_given or is_shown else newest_experiment(request.db)
    if not found:
        return request
    text = f"{request.db}: no option names an experiment, so this is the newest of this database"
    print_line(text, to_stderr=True)
    return replace(request, experiment=found[0], origin=found[1])


def _show_plan(request: _Request, shard: Shard, *, as_json: bool) -> NoReturn:
    """Print the plan and exit."""
    from steertui.headless.plan import show_plan

    r = request
    show_plan(r.experiment, r.db, r.options, r.origin, shard=shard, as_json=as_json)
    sys.exit(0)


def _confirm_group(request: _Request, changes: dict[str, object], *, removes: bool) -> None:
    """Print what a typed group of models fetches and does, and ask before a large download."""
    names = changes.get("models")
    if isinstance(names, list) and has_group(names):
        from steertui.headless.model_groups import confirm_group

        r = request
        confirm_group(r.experiment, r.db, r.options, r.origin, is_sure=r.is_sure, removes=removes)


def _run(request: _Request, registration: Path | None, how: BatchOptions) -> NoReturn:
    """Write the preregistration, or run without screens, and exit."""
    if registration:
        _register(request, registration)
    from steertui.headless.batch import run_batch
    from steertui.headless.complete import show_if_complete

    r = request
    if show_if_complete(r.experiment, r.db, r.options, r.origin, how):
        sys.exit(0)
    code = run_batch(
        request.experiment,
        request.db,
        request.overrides,
        request.options,
        origin=request.origin,
        how=how,
    )
    sys.exit(code)


def _register(request: _Request, output: Path) -> NoReturn:
    """Write the preregistration and exit."""
    from steertui.headless.batch import register

    code = register(
        request.experiment,
        request.db,
        request.options,
        output,
        origin=request.origin,
        is_sure=request.is_sure,
    )
    sys.exit(code)


def _experiment(
    demo: bool, preset: str | None, file: Path | None, changes: dict[str, object]
) -> Experiment:
    """Return the experiment of the file or preset, or the default one, with the changes."""
    if sum(map(bool, (demo, preset, file))) > 1:
        raise click.UsageError("--demo, --preset and --experiment: give one of them")
    if file:
        return load_experiment(file, changes)
    if demo:
        preset = "demo"
    if preset and preset not in PRESETS:
        raise click.UsageError(
            f"--preset {preset}: unknown preset; choose from {', '.join(PRESETS)}"
        )
    return expand_models(with_changes(PRESETS[preset] if preset else Experiment(), changes))


def _open_screens(request: _Request, *, is_given: bool) -> NoReturn:
    """Open the screens, run the experiment at once if one is given, and exit."""
    from steertui.tui.terminal import require_terminal

    require_terminal()
    from steertui.tui.session import open_session

    session = open_session(
        request.experiment if is_given else None,
        request.db,
        request.overrides,
        request.options,
        origin=request.origin,
    )
    session.is_sure = request.is_sure
    from steertui.tui.app import run_app  # after what may have to be said at once

    sys.exit(run_app(session, at_once=is_given))
