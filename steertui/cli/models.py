"""`steertui models`: the catalogue, what of it is here, and what fits this machine."""

import sys

import click


@click.group(
    invoke_without_command=True, short_help="The models known by name, and what fits this machine."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON record a line.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models known by name: what is here, and what fits this machine's memory."""
    if not context.invoked_subcommand:
        from steertui.headless.model_commands import show_shelf

        show_shelf(as_json=as_json)


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON record a line.")
def pull(names: tuple[str, ...], as_json: bool) -> None:
    """Fetch models: NAME, NAME:QUANT, owner/repo:QUANT or owner/repo/file.gguf."""
    from steertui.headless.model_commands import pull_models

    sys.exit(pull_models(names, as_json=as_json))


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Hash models anew, all that are here if none is named, and compare with what was promised."""
    from steertui.headless.model_commands import verify_models

    sys.exit(verify_models(names))


@models.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def rm(names: tuple[str, ...], yes: bool) -> None:
    """Remove models from the cache that huggingface_hub and other programs share."""
    from steertui.headless.model_commands import remove_models

    remove_models(names, sure=yes)
