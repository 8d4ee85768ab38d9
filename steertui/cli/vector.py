"""`steertui vector`: directions that steer a model's hidden states."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.cli.param_types import PATH


@click.group(short_help="Steering vectors: train, sweep, list, show, import, export, remove.")
def vector() -> None:
    """Train and manage steering vectors: directions that are added to a model's hidden states."""


_THREADS = cloup.option(
    "--threads", type=int, default=0, help="CPU threads [default: physical cores]"
)
_TEMPLATE = cloup.option(
    "--template",
    default="",
    help="Chat template of the prompts, as in a run [default: the GGUF's default template]",
)
_JSON = cloup.option("--json", "as_json", is_flag=True, help="Print one JSON record per line")
_CONVENTION = click.Choice(["same", "previous"])


@vector.command(cls=cloup.Command)
@click.argument("name")
@cloup.option_group(
    "Contrast",
    cloup.option("--model", required=True, help="Model whose hidden states are read"),
    cloup.option(
        "--positive",
        default="pro",
        show_default=True,
        help="Condition that the vector points to",
    ),
    cloup.option(
        "--negative",
        default="anti",
        show_default=True,
        help="Condition that it points away from",
    ),
    cloup.option(
        "--conditions-file",
        default="",
        help="TOML file with conditions [default: shipped conditions]",
    ),
    cloup.option(
        "--scenarios",
        multiple=True,
        default=("steering-train",),
        show_default=True,
        help="Scenario pack for training; repeatable",
    ),
    cloup.option(
        "--limit",
        type=int,
        default=0,
        help="Maximum number of scenarios, taken in turn from the categories; 0 for all",
    ),
    cloup.option(
        "--pairs",
        "pairs_file",
        type=PATH,
        metavar="FILE",
        help="TOML file with pairs of texts, instead of conditions and scenarios",
    ),
    _TEMPLATE,
)
@cloup.option_group(
    "Training",
    cloup.option(
        "--method",
        type=click.Choice(["mean", "pca", "probe"]),
        default="mean",
        show_default=True,
        help="Mean difference, first principal component of the differences, or normal of a "
        "linear probe",
    ),
    cloup.option("--layers", default="", help="Layers such as 8-20 [default: all but layer 0]"),
    cloup.option("--seed", type=int, default=1, show_default=True, help="Seed of the controls"),
    _THREADS,
    cloup.option(
        "--gpu-layers",
        type=int,
        default=-1,
        show_default=True,
        help="Layers on the accelerator, -1 for all",
    ),
    _JSON,
)
def train(
    *,
    name: str,
    model: str,
    positive: str,
    negative: str,
    conditions_file: str,
    scenarios: tuple[str, ...],
    limit: int,
    pairs_file: Path | None,
    template: str,
    method: str,
    layers: str,
    seed: int,
    threads: int,
    gpu_layers: int,
    as_json: bool,
) -> None:
    """Train a vector and two controls from contrast pairs, and store them under NAME.

    The controls NAME-random and NAME-shuffled have the same norms. The training scenarios are
    stored with the vector. The same command again resumes after an interruption.
    """
    from steertui.headless.vector_commands import train_command
    from steertui.planning.contrast_pairs import PairTexts
    from steertui.steering.training import TrainingSettings
    from steertui.steering.vector import parse_layers

    texts = PairTexts(
        positive=positive,
        negative=negative,
        scenarios=scenarios,
        limit=limit,
        conditions_file=conditions_file,
        pairs_file=pairs_file,
        template=template,
    )
    settings = TrainingSettings(
        method=method,
        layers=parse_layers(layers),
        seed=seed,
        threads=threads,
        gpu_layers=gpu_layers,
    )
    sys.exit(train_command(name, model, texts, settings, as_json=as_json))


@vector.command("list")
@_JSON
def list_command(as_json: bool) -> None:
    """List the stored vectors."""
    from steertui.headless.vector_commands import list_vectors

    list_vectors(as_json=as_json)


@vector.command()
@click.argument("name")
@_JSON
def show(name: str, as_json: bool) -> None:
    """Show a vector's provenance, and its norm and separation by layer."""
    from steertui.headless.vector_commands import show_vector

    show_vector(name, as_json=as_json)


@vector.command("import")
@click.argument("file", type=PATH)
@click.argument("name")
@click.option("--model", required=True, help="Model that the vector was made for")
@_TEMPLATE
@click.option(
    "--convention",
    type=_CONVENTION,
    help="Layer where direction.N was measured: block N (repeng), or the block before it "
    "(llama.cpp's cvector-generator) [default: by the file]",
)
def import_command(
    file: Path, name: str, model: str, template: str, convention: str | None
) -> None:
    """Import a control vector of repeng or llama.cpp from a GGUF FILE as NAME.

    The file is checked against the model, and the norms of the model's hidden states are measured.
    """
    from steertui.headless.vector_commands import import_command as run
    from steertui.planning.contrast_pairs import PairTexts
    from steertui.steering.vector_file import Convention

    chosen = Convention(convention) if convention else None
    sys.exit(run(file, name, model, chosen, PairTexts(limit=12, template=template)))


@vector.command()
@click.argument("name")
@click.argument("file", type=PATH)
@click.option(
    "--convention",
    type=_CONVENTION,
    default="same",
    show_default=True,
    help="Number of a direction: the layer where it was measured and is applied, or the next one, "
    "as in files of llama.cpp's cvector-generator",
)
@click.option(
    "--strength", type=float, help="Multiply the directions for this strength [default: as stored]"
)
@click.option("--layers", default="", help="Layers such as 8-20 [default: all of the vector]")
def export(name: str, file: Path, convention: str, strength: float | None, layers: str) -> None:
    """Write a vector as a GGUF FILE that llama.cpp and repeng read."""
    from steertui.headless.vector_commands import print_written
    from steertui.planning.vector_files import export_vector
    from steertui.steering.vector import parse_layers
    from steertui.steering.vector_file import Convention

    export_vector(name, file, Convention(convention), strength, parse_layers(layers))
    print_written(file)


@vector.command()
@click.argument("name")
@click.argument("file", type=PATH)
@click.option("--model", required=True, help="Model to write the adapter for")
@click.option("--layer", type=int, required=True, help="Layer whose direction is removed")
def ablate(name: str, file: Path, model: str, layer: int) -> None:
    """Write a LoRA adapter FILE that removes a vector's direction from every block of a model.

    The adapter's scale is the dose: 0 changes nothing, and 1 removes the direction.
    """
    from steertui.headless.vector_commands import print_written
    from steertui.planning.vector_files import export_ablation

    export_ablation(name, file, model, layer)
    print_written(file)


@vector.command("sweep", cls=cloup.Command)
@click.argument("name")
@cloup.option_group(
    "Sweep",
    cloup.option("--model", required=True, help="Model that the vector was trained on"),
    cloup.option(
        "--layers",
        "layers",
        multiple=True,
        help="Layers such as 8-20; repeatable [default: the vector's layers in three parts, and "
        "together]",
    ),
    cloup.option(
        "--strength",
        "strengths",
        type=float,
        multiple=True,
        help="Strength, tried in both directions; repeatable [default: 0.2, 0.4 and 0.8]",
    ),
    cloup.option(
        "--limit",
        type=click.IntRange(min=0),
        default=8,
        show_default=True,
        help="Maximum number of validation scenarios; 0 for all",
    ),
    cloup.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        default=48,
        show_default=True,
        help="Maximum number of new tokens per answer",
    ),
    cloup.option(
        "--conditions-file",
        default="",
        help="TOML file with the conditions of the contrast [default: shipped conditions]",
    ),
    _TEMPLATE,
    cloup.option(
        "--max-loss",
        type=click.FloatRange(min=0),
        default=0.5,
        show_default=True,
        help="Limit of coherence: fall of the unsteered log-likelihood of the answers in nats per "
        "token",
    ),
    cloup.option(
        "--max-repetition",
        type=click.FloatRange(0, 1),
        default=0.1,
        show_default=True,
        help="Limit of coherence: rise of the share of repeated sequences of four tokens",
    ),
    cloup.option(
        "--write",
        "file",
        type=PATH,
        metavar="FILE",
        help="Write the best of each direction as a conditions file",
    ),
    _JSON,
)
@machine_options
def sweep_subcommand(
    *,
    name: str,
    model: str,
    layers: tuple[str, ...],
    strengths: tuple[float, ...],
    limit: int,
    max_tokens: int,
    conditions_file: str,
    template: str,
    max_loss: float,
    max_repetition: float,
    file: Path | None,
    as_json: bool,
    **engine_options: object,
) -> None:
    """Choose layers and strength of a vector on scenarios that it was not trained on.

    The scenarios are those of steering-train that the training left. The effect is the change of
    the log-likelihood of the model's own answers to the positive and the negative text.
    """
    from steertui.execution.vector_sweep import SweepSettings
    from steertui.headless.vector_sweep import SweepOutput, sweep_command
    from steertui.steering.library import find_vector
    from steertui.steering.sweep import STRENGTHS, Limits, grid, layer_bands

    ranges = layers or layer_bands(find_vector(name).vector)
    settings = SweepSettings(
        cells=tuple(grid(ranges, strengths or STRENGTHS)),
        limits=Limits(max_loss, max_repetition),
        conditions_file=conditions_file,
        template=template,
        scenarios=limit,
        max_tokens=max_tokens,
    )
    form = SweepOutput(as_json, file)
    sys.exit(sweep_command(name, model, settings, take_overrides(engine_options), form))


@vector.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def rm(names: tuple[str, ...], yes: bool) -> None:
    """Remove vectors."""
    from steertui.headless.vector_commands import remove_vectors

    remove_vectors(names, sure=yes)
