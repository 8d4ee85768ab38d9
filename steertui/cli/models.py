"""`steertui models`: the model catalogue, its state on this machine, and memory requirements."""

import sys
from pathlib import Path

import click

from steertui.cli.param_types import PATH


@click.group(
    invoke_without_command=True, short_help="Models: list, check, download, verify, remove."
)
@click.option("--family", default="", metavar="NAME", help="Only a family, such as gemma-3")
@click.option("--kind", default="", help="Only base, instruct, thinking or hybrid models")
@click.option(
    "--size", default="", metavar="RANGE", help="Only 1-8, -8, 4- or 8 billion parameters"
)
@click.option("--quant", default="", metavar="NAME", help="Only a quantisation, such as Q8_0")
@click.option("--fits", is_flag=True, help="Only models that fit the memory of this machine")
@click.option("--detail", is_flag=True, help="Add licence, chat template, sampling and doubts")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
@click.pass_context
def models(
    context: click.Context,
    /,
    *,
    family: str,
    kind: str,
    size: str,
    quant: str,
    fits: bool,
    detail: bool,
    as_json: bool,
) -> None:
    """List the models of the catalogue: which are downloaded, and which fit this machine."""
    if not context.invoked_subcommand:
        from steertui.headless.model_listing import show_models
        from steertui.planning.model_groups import ModelFilter

        shown = ModelFilter(family=family, kind=kind, quant=quant, size=size, fits=fits)
        show_models(shown, detail=detail, as_json=as_json)


@models.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="Write the entries that differ to a TOML file, as the hub states them",
)
def check(names: tuple[str, ...], as_json: bool, output: Path | None) -> None:
    """Ask the hub whether the catalogue's entries still hold; exit with 1 if one does not.

    Repository, revision, file, size and sha256 are compared; nothing is downloaded. Without NAMES,
    all models are checked.
    """
    from steertui.headless.model_check import check_models

    sys.exit(check_models(names, as_json=as_json, output=output))


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
def pull(names: tuple[str, ...], as_json: bool) -> None:
    """Download models: NAME, NAME:QUANT, owner/repo:QUANT or owner/repo/file.gguf."""
    from steertui.headless.model_commands import pull_models

    sys.exit(pull_models(names, as_json=as_json))


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Hash downloaded models again and compare with the published hashes.

    Without NAMES, all downloaded models are verified.
    """
    from steertui.headless.model_commands import verify_models

    sys.exit(verify_models(names))


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def rm(names: tuple[str, ...], yes: bool) -> None:
    """Remove models from the cache, which huggingface_hub and other programs share."""
    from steertui.headless.model_commands import remove_models

    remove_models(names, sure=yes)
