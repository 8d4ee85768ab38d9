"""Options of runs with --batch that take long: shard, budget, removal of weights, summary."""

from typing import Any

import click
import cloup

from steertui.cli.param_types import PATH
from steertui.core.shard import WHOLE, parse_shard
from steertui.headless.batch_options import BatchOptions, parse_budget

long_run_options = cloup.option_group(
    "Long runs (with --batch)",
    cloup.option("--shard", metavar="K/N", help="Run shard K of N of the scenarios"),
    cloup.option(
        "--budget",
        metavar="LIMIT",
        help="Stop after a time such as 8h or 1h30m, or a cost such as $20; the same command "
        "resumes [default: no limit]",
    ),
    cloup.option(
        "--machine-price",
        type=float,
        metavar="DOLLARS",
        help="Price of this machine in US dollars per hour, for a --budget in dollars [default: 0]",
    ),
    cloup.option(
        "--remove-weights",
        is_flag=True,
        help="Remove a model's weights once its answers are stored, if runs on this database "
        "downloaded them; your own files and the weights of judges stay",
    ),
    cloup.option(
        "--summary",
        type=PATH,
        metavar="FILE",
        help="Write a summary by model: answers, failures, labels, time, throughput, bytes and "
        "what is left; JSON for the ending .json, Markdown for others",
    ),
)
"""Decorator that adds the options to a command."""


def take_long_run(given: dict[str, Any], *, is_batch: bool) -> BatchOptions:
    """Remove the options from a command's parameters and return their values.

    Raises UsageError if one is given without --batch.
    """
    values = {
        name: given.pop(name)
        for name in ("shard", "budget", "machine_price", "remove_weights", "summary")
    }
    used = next((n for n, value in values.items() if value not in (None, False)), None)
    if used and not is_batch:
        option = f"--{used.replace('_', '-')}"
        raise click.UsageError(f"{option} needs --batch; add it")
    price = values["machine_price"] or 0.0
    return BatchOptions(
        shard=parse_shard(values["shard"]) if values["shard"] else WHOLE,
        budget=parse_budget(values["budget"], price) if values["budget"] is not None else None,
        removes_weights=values["remove_weights"],
        summary=values["summary"],
    )
