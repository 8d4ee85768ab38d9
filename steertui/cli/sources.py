"""`steertui sources`: other people's public files that experiments are made of."""

import sys

import click


@click.group(
    invoke_without_command=True, short_help="The benchmark and the paper's texts: list and fetch."
)
@click.pass_context
def sources(context: click.Context) -> None:
    """List other people's public files: what is here, where it comes from, under what licence."""
    if not context.invoked_subcommand:
        from steertui.headless.model_commands import show_sources

        show_sources()


@sources.command()
@click.argument("names", nargs=-1)
@click.option("--base", help="Another base address: OWNER/REPO/COMMIT/PATH follow it.")
@click.option("--json", "as_json", is_flag=True, help="A JSON record a line.")
def pull(names: tuple[str, ...], base: str | None, as_json: bool) -> None:
    """Fetch sources, all if none is named, and check every byte."""
    from steertui.headless.model_commands import pull_sources

    sys.exit(pull_sources(names, base, as_json=as_json))
