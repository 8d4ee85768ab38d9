"""Confirmation of a run whose models were given as a group: bytes, trials, time and cost."""

import sys
from pathlib import Path

import click

from steertui.assets.catalogue import catalogue_model
from steertui.assets.hub.cache import free_space
from steertui.core.experiment import Experiment
from steertui.errors import ConsentError, ExperimentError
from steertui.execution.plan_lines import estimate_lines
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.inventory import fits_machine
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.origin import Origin
from steertui.planning.reach import is_large_download
from steertui.printable import print_line
from steertui.units import quantity, size_text


def confirm_group(
    experiment: Experiment,
    db: Path,
    options: JudgeServerOptions,
    origin: Origin,
    *,
    is_sure: bool,
    removes: bool = False,
) -> None:
    """Print what a group of models would fetch and do, and ask before a large download.

    With `removes` only the largest model must fit the disk, since weights are removed after use.

    Raises ConsentError if the user declines or there is no terminal to ask on, and ExperimentError
    if the disk has too little space or the experiment cannot run.
    """
    estimate = estimate_experiment(experiment, db, options, origin, leaves_out=True)
    if estimate.error:
        raise ExperimentError(estimate.error)
    large = [name for name in experiment.models if not _fits(name)]
    if large:
        raise ExperimentError(
            f"{', '.join(large)}: too large for the memory of this machine; add +fits to the "
            "group, or name the models one by one"
        )
    for line in estimate_lines(estimate, experiment):
        print_line(line, to_stderr=True)
    total = sum(size for _, size in estimate.downloads)
    sizes = [size for _, size in estimate.downloads]
    if (max(sizes, default=0) if removes else total) > free_space():
        raise ExperimentError(
            f"{quantity(len(estimate.downloads), 'file')} of {size_text(total)} to download and "
            f"{size_text(free_space())} free; name fewer models, or set HF_HOME to another disk"
        )
    if is_sure or not is_large_download(estimate.downloads):
        return
    if not sys.stdin.isatty():
        raise ConsentError(
            f"{size_text(total)} to download; nothing was done: add --yes to agree, or run it in a "
            "terminal"
        )
    if not click.confirm(f"Download {size_text(total)}?", err=True):
        raise ConsentError("not run; nothing was done")


def _fits(name: str) -> bool:
    found = catalogue_model(name)
    return found is None or fits_machine(*found)
