"""`steertui` itself: options into an Experiment; every heavy import waits until it is needed."""

import sys
from dataclasses import fields
from pathlib import Path

import click

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.servers import (
    LABEL_ORDER,
    ORDERS,
    answer_options,
    server_options,
    take_terms,
)
from steertui.experiment import Experiment, load_experiment, with_changes
from steertui.presets import PRESETS
from steertui.shard import WHOLE, read_shard

DEMO_DB = Path("steertui-demo.db")
DB = Path("steertui.db")


class Names(click.ParamType[list[str]]):
    """Names in one option, with commas between them."""

    name = "name,…"

    def convert(self, value: object, *_: object) -> list[str]:
        """Return the names as a list."""
        if isinstance(value, list):
            return value
        return [name.strip() for name in str(value).split(",") if name.strip()]


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="steertui")
@click.option("--batch", is_flag=True, help="Run without a screen; the results table comes last.")
@click.option("--demo", is_flag=True, help="Run the shipped demo checkpoint on the starter pack.")
@click.option("--preset", help="demo, quick, paper-4b or paper: an experiment by name.")
@click.option("--print-experiment", "printed", is_flag=True, help="Write it as TOML, to edit.")
@click.option("--experiment", "file", type=Path, help="Read the experiment from a TOML file.")
@click.option(
    "--model",
    "models",
    multiple=True,
    help="A GGUF file, a name or server:MODEL@URL; may be repeated.",
)
@click.option("--scenarios", multiple=True, help="A shipped pack, a TOML file or a CSV folder.")
@click.option("--conditions", type=Names(), help="Such as baseline,pro,anti,placebo.")
@click.option("--conditions-file", help="A TOML file with conditions of your own.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    help="local:MODEL or openai:MODEL[@URL]; may be repeated.",
)
@click.option("--rubric", help="'steertui' or a TOML file: what the judge is told.")
@click.option("--blind", is_flag=True, default=None, help="Hide the suffix from the judge.")
@click.option("--reasons", is_flag=True, default=None, help="Ask the judge for a reason, too.")
@click.option("--label-order", type=ORDERS, help=LABEL_ORDER)
@click.option("--samples", type=int, help="Answers for each scenario and condition.")
@click.option("--temperature", "temperatures", type=float, multiple=True, help="0 is greedy.")
@click.option("--top-k", type=int, help="Draw from the k likeliest tokens; 0 from all.")
@click.option("--top-p", type=float, help="Draw from the nucleus of this probability.")
@click.option("--min-p", type=float, help="Leave out tokens below this share of the likeliest.")
@click.option("--repetition-penalty", type=float, help="1 is off.")
@click.option("--presence-penalty", type=float, help="0 is off.")
@click.option("--max-tokens", type=int, help="New tokens at most, reasoning included.")
@click.option("--max-tokens-thinking", type=int, help="The same for models that think.")
@click.option("--end", type=click.Choice(["any", "eos"]), help="Which tokens end an answer.")
@click.option("--thinking", type=click.Choice(["template", "open", "off"]), help="Of prompts.")
@click.option("--server-template", help="A Jinja file: writes prompts for servers without one.")
@click.option("--limit", type=int, help="Scenarios at most, taken in turn from the categories.")
@click.option("--seed", type=int, help="Base of every trial's own seed.")
@click.option("--db", type=Path, help="The SQLite file; steertui.db here if not given.")
@click.option("--shard", help="With --batch: run part K of N, as K/N.")
@click.option("--json", "as_json", is_flag=True, help="With --batch: a JSON record a line.")
@machine_options
@server_options
@answer_options
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
    part = read_shard(shard) if shard else WHOLE
    wish, terms = take_overrides(changes), take_terms(changes)
    changed = _named(changes)
    is_chosen = batch or demo or printed or preset or file
    bare = not (is_chosen or any(v not in (None, [], ()) for v in changed.values()))
    experiment = with_changes(_chosen("demo" if demo else preset, file), changed)
    if printed:
        sys.stdout.write(experiment.to_toml())
        return
    path = db or (DEMO_DB if demo else DB)
    if batch:
        from steertui.batch import run_batch

        sys.exit(run_batch(experiment, path, wish, terms, as_json=as_json, shard=part))
    from steertui.tui.app import run_app

    sys.exit(run_app(None if bare else experiment, path, wish, at_once=not bare, terms=terms))


def _chosen(preset: str | None, file: Path | None) -> Experiment:
    """Return the experiment that the options change: a preset, a file's, or the usual one."""
    if not preset:
        return load_experiment(file) if file else Experiment()
    if preset not in PRESETS:
        raise click.UsageError(f"--preset {preset}: there are {', '.join(PRESETS)}")
    return PRESETS[preset]


def _named(changes: dict[str, object]) -> dict[str, object]:
    """Return the changes as the experiment's fields hold them: lists for what may be repeated."""
    known = {f.name for f in fields(Experiment)}
    assert known >= changes.keys(), changes.keys() - known
    return {k: list(v) if isinstance(v, tuple) else v for k, v in changes.items()}
