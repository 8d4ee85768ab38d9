"""`steertui bundle`, `verify` and `reproduce`: results that others can check and run again."""

import sys
from pathlib import Path

import click


@click.command(short_help="One file with database, report and hashes, for others to check.")
@click.argument("db", type=Path)
@click.option(
    "--output", "-o", type=Path, help="File to write [default: DB.bundle.zip next to the database]"
)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    help="Id of an experiment, or its first digits; repeatable [default: all]",
)
@click.option(
    "--policy",
    type=click.Choice(["paper", "all", "exclude-refusals"]),
    default="paper",
    show_default=True,
    help="Denominator of the report's convergence rates, as with `steertui report`",
)
@click.option(
    "--registration",
    type=Path,
    metavar="FILE",
    help="Include the preregistration that --register wrote",
)
def bundle(
    db: Path,
    output: Path | None,
    experiments: tuple[str, ...],
    policy: str,
    registration: Path | None,
) -> None:
    """Write DB with its report, figures, experiment files and all hashes to one ZIP file.

    The digest that is printed identifies the bundle: publish it beside the file.
    """
    from steertui.headless.bundle_commands import bundle_database
    from steertui.report.bundle.writer import BundleContents

    bundle_database(db, BundleContents(experiments, policy, registration), output)


@click.command(short_help="Check every hash and compute every number of a bundle again.")
@click.argument("file", type=Path, metavar="BUNDLE")
@click.option("--digest", default="", help="The digest that the authors published")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
def verify(file: Path, digest: str, as_json: bool) -> None:
    """Check a bundle and exit with 1 if anything differs. Nothing of it is run.

    All parts must agree: the sha256 of every file, the content hashes of the database, and every
    number of the report, which is computed again. Only the digest shows who wrote them.
    """
    from steertui.headless.bundle_commands import verify as verify_file

    sys.exit(verify_file(file, digest=digest, as_json=as_json))
