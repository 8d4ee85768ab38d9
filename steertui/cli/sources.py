"""`steertui sources`: public files of third parties that experiments use."""

import sys

import click


@click.group(
    invoke_without_command=True, short_help="Benchmark and paper texts: list and download."
)
@click.pass_context
def sources(context: click.Context) -> None:
    """List third-party files: state, origin and licence."""
    if not context.invoked_subcommand:
        from steertui.headless.model_commands import show_sources

        show_sources()


@sources.command()
@click.argument("names", nargs=-1)
@click.option(
    "--mirror",
    metavar="URL",
    help="Base address that OWNER/REPO/COMMIT/PATH is appended to "
    "[default: the variable STEERTUI_SOURCES, otherwise the origin]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
def pull(names: tuple[str, ...], mirror: str | None, as_json: bool) -> None:
    """Download sources and check their hashes.

    Without NAMES, all sources are downloaded.
    """
    from steertui.headless.model_commands import pull_sources

    sys.exit(pull_sources(names, mirror, as_json=as_json))
