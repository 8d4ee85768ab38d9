"""`steertui` itself: options into an Experiment; every heavy import waits until it is needed."""

import sys
from dataclasses import fields
from pathlib import Path

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.servers import (
    DEBIAS,
    DEBIAS_HELP,
    judge_server_options,
    model_server_options,
    take_server_options,
)
from steertui.core.experiment import Experiment, with_changes
from steertui.core.shard import WHOLE, parse_shard
from steertui.output_files import check_database
from steertui.paths import DEMO_DB
from steertui.planning.experiment_files import load_experiment
from steertui.planning.origin import file_origin
from steertui.planning.presets import PRESETS

DB = Path("steertui.db")


class Names(click.ParamType[list[str]]):
    """Names in one option, with commas between them."""

    name = "name,…"

    def convert(self, value: object, *_: object) -> list[str]:
        """Return the names as a list."""
        if isinstance(value, list):
            return value
        return [name.strip() for name in str(value).split(",") if name.strip()]


@cloup.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="steertui")
@cloup.option_group(
    "The experiment (options win over a preset or file)",
    cloup.option("--demo", is_flag=True, help="The shipped demo checkpoint on the starter pack."),
    cloup.option("--preset", metavar="NAME", help="demo, quick, paper-4b or paper."),
    cloup.option(
        "--experiment", "file", type=Path, metavar="FILE", help="An experiment from a TOML file."
    ),
    cloup.option("--print-experiment", "printed", is_flag=True, help="Write it as TOML, to edit."),
    cloup.option(
        "--model",
        "models",
        multiple=True,
        help="A GGUF file, a name or server:MODEL@URL; may be repeated.",
    ),
    cloup.option(
        "--scenarios", multiple=True, help="A pack, a TOML file or a folder of CSV files."
    ),
    cloup.option("--limit", type=int, help="Scenarios at most, in turn from the categories."),
    cloup.option("--conditions", type=Names(), help="Such as baseline,pro,anti,placebo."),
    cloup.option("--conditions-file", help="paper, or a TOML file with conditions of your own."),
    cloup.option("--samples", type=int, help="Answers for each scenario and condition."),
)
@cloup.option_group(
    "Sampling",
    cloup.option("--temperature", "temperatures", type=float, multiple=True, help="0 is greedy."),
    cloup.option("--top-k", type=int, help="Draw from the k likeliest tokens; 0 from all."),
    cloup.option("--top-p", type=float, help="Draw from the nucleus of this probability."),
    cloup.option("--min-p", type=float, help="Leave out tokens below this share of the likeliest."),
    cloup.option("--repetition-penalty", type=float, help="1 is off."),
    cloup.option("--presence-penalty", type=float, help="0 is off."),
    cloup.option("--seed", type=int, help="Base of every trial's own seed."),
    cloup.option("--max-tokens", type=int, help="New tokens at most, reasoning included."),
    cloup.option("--max-tokens-thinking", type=int, help="The same for models that think."),
    cloup.option("--thinking", type=click.Choice(["template", "force", "off"]), help="Of prompts."),
    cloup.option(
        "--stop-tokens", type=click.Choice(["any", "eos"]), help="Tokens that end an answer."
    ),
)
@cloup.option_group(
    "Judging",
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        help="local:MODEL, openai:MODEL[@URL] or none; may be repeated.",
    ),
    cloup.option("--rubric", help="steertui, paper, or a TOML file: what the judge is told."),
    cloup.option("--hide-suffix", is_flag=True, default=None, help="Hide the suffix from judges."),
    cloup.option("--reasons", is_flag=True, default=None, help="Ask the judge for a reason, too."),
    cloup.option("--debias", type=DEBIAS, help=DEBIAS_HELP),
)
@cloup.option_group(
    "The run",
    cloup.option("--batch", is_flag=True, help="No screen; the results table comes last."),
    cloup.option("--db", type=Path, help="The SQLite file; steertui.db here if not given."),
    cloup.option("--shard", metavar="K/N", help="With --batch: part K of N of the scenarios."),
    cloup.option("--json", "as_json", is_flag=True, help="With --batch: a JSON record a line."),
    cloup.option(
        "--yes",
        is_flag=True,
        help="Agree to the hosts, downloads and files of an experiment from a file or database.",
    ),
)
@machine_options
@judge_server_options
@model_server_options
@click.pass_context
def cli(
    context: click.Context,
    /,
    *,
    batch: bool,
    demo: bool,
    preset: str | None,
    printed: bool,
    file: Path | None,
    db: Path | None,
    shard: str | None,
    as_json: bool,
    yes: bool,
    **changes: object,
) -> None:
    """How far does a prompt suffix move a model toward instrumental convergence?

    Without --batch the screens open, on the demo where no model is named. The same command
    again finishes what is missing.
    """
    if context.invoked_subcommand:
        return
    if sum(map(bool, (demo, preset, file))) > 1:
        raise click.UsageError("--demo, --preset and --experiment: give one of them")
    if shard and not batch:
        raise click.UsageError("--shard: give --batch, too")
    part = parse_shard(shard) if shard else WHOLE
    wish, terms = take_overrides(changes), take_server_options(changes)
    changed = _named(changes)
    is_chosen = batch or demo or printed or preset or file
    bare = not (is_chosen or any(v not in (None, [], ()) for v in changed.values()))
    experiment = _chosen("demo" if demo else preset, file, changed)
    origin = file_origin(experiment, file, changed)
    if printed:
        sys.stdout.write(experiment.to_toml())
        return
    path = db or (DEMO_DB if demo else DB)
    check_database(path, [file] if file else [])
    if batch:
        from steertui.headless.batch import run_batch

        code = run_batch(
            experiment,
            path,
            wish,
            terms,
            origin=origin,
            is_sure=yes,
            as_json=as_json,
            shard=part,
        )
        sys.exit(code)
    from steertui.tui.app import open_session, run_app

    session = open_session(None if bare else experiment, path, wish, terms, origin=origin)
    session.is_sure = yes
    sys.exit(run_app(session, at_once=not bare))


def _chosen(preset: str | None, file: Path | None, changed: dict[str, object]) -> Experiment:
    """Return a preset, a file's experiment or the usual one, as the options change it."""
    if file:
        return load_experiment(file, changed)
    if preset and preset not in PRESETS:
        raise click.UsageError(f"--preset {preset}: there are {', '.join(PRESETS)}")
    return with_changes(PRESETS[preset] if preset else Experiment(), changed)


def _named(changes: dict[str, object]) -> dict[str, object]:
    """Return the changes as the experiment's fields hold them: lists for what may be repeated."""
    known = {f.name for f in fields(Experiment)}
    assert known >= changes.keys(), changes.keys() - known
    return {k: list(v) if isinstance(v, tuple) else v for k, v in changes.items()}
