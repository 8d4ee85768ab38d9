"""`steertui bundle`, `verify` and `reproduce`: results that others can check and run again."""

import sys
from pathlib import Path
from typing import Any

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.param_types import PATH


@click.command(short_help="One file with database, report and hashes, for others to check.")
@click.argument("db", type=PATH)
@click.option(
    "--output", "-o", type=PATH, help="File to write [default: NAME.bundle.zip beside NAME.db]"
)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    help="Name or id of an experiment; repeatable [default: all]",
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
    type=PATH,
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
@click.argument("file", type=PATH, metavar="BUNDLE")
@click.option("--digest", default="", help="The digest that the authors published")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
def verify(file: Path, digest: str, as_json: bool) -> None:
    """Check a bundle and exit with 1 if anything differs. Nothing of it is run.

    All parts must agree: the sha256 of every file, the content hashes of the database, and every
    number of the report, which is computed again. Only the digest shows who wrote them.
    """
    from steertui.headless.bundle_commands import verify as verify_file

    sys.exit(verify_file(file, digest=digest, as_json=as_json))


@cloup.command(short_help="Run a bundle's experiment again and compare item by item.")
@click.argument("file", type=PATH, metavar="BUNDLE")
@cloup.option_group(
    "Reproduction",
    cloup.option(
        "--experiment", default="", metavar="ID", help="Name or id, if the bundle has several"
    ),
    cloup.option(
        "--share",
        type=click.FloatRange(0, 1, min_open=True),
        default=1.0,
        show_default=True,
        help="Share of the scenarios to run, chosen at random; 0.1 for a tenth",
    ),
    cloup.option(
        "--seed", type=int, default=0, show_default=True, help="Seed of the choice of scenarios"
    ),
    cloup.option(
        "--model",
        "models",
        multiple=True,
        help="GGUF file with the sha256 of a stored model that was a local file; repeatable",
    ),
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        help="local:MODEL or openai:MODEL[@URL]; repeatable [default: the stored judges on this "
        "machine]",
    ),
    cloup.option(
        "--rubric", default="", metavar="FILE", help="The judges' rubric, if it was a file"
    ),
    cloup.option(
        "--db",
        type=PATH,
        help="Database of the reproduction [default: NAME.reproduced.db beside NAME.zip]",
    ),
    cloup.option(
        "--margin",
        type=click.FloatRange(0, 100, min_open=True),
        help="Margin of equivalence in points [default: that of the declared analysis]",
    ),
    cloup.option("--yes", is_flag=True, help="Agree to the servers and downloads that it names"),
    cloup.option("--json", "as_json", is_flag=True, help="Print one JSON record per line"),
)
@machine_options
def reproduce(
    file: Path,
    experiment: str,
    share: float,
    seed: int,
    models: tuple[str, ...],
    judges: tuple[str, ...],
    rubric: str,
    db: Path | None,
    margin: float | None,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Verify BUNDLE, run its experiment again, and compare answers, labels and rates.

    Prompts are rendered again from the stored texts, and weights must have the stored sha256. Exits
    with 0 if every table is identical, or shown to be equivalent within the margin, else with 1.
    With --deterministic, and on equal software and hardware, the answers of a run that was
    deterministic are identical.
    """
    from steertui.headless.reproduce import ReproductionRun
    from steertui.headless.reproduce import reproduce as run_again
    from steertui.planning.reproduction import ReproductionOptions

    overrides = take_overrides(given)
    options = ReproductionOptions(share, seed, models, judges, rubric)
    how = ReproductionRun(
        bundle=file,
        db=db or file.with_name(f"{file.stem}.reproduced.db"),
        experiment=experiment,
        margin=margin,
        is_sure=yes,
        as_json=as_json,
    )
    sys.exit(run_again(how, options, overrides))
