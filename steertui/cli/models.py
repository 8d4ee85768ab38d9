"""`steertui models`: the model catalogue, its state on this machine, and memory requirements."""

import sys

import click


@click.group(invoke_without_command=True, short_help="Models: list, download, verify, remove.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models of the catalogue: which are downloaded, and which fit this machine."""
    if not context.invoked_subcommand:
        from steertui.headless.model_commands import show_models

        show_models(as_json=as_json)


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
