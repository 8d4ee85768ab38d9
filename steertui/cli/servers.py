"""Options on how judges and models behind servers are asked."""

from collections.abc import Callable, Sequence
from typing import Any

import click

ORDERS = click.Choice(["rubric", "sampled", "all"])
LABEL_ORDER = "Of a local judge: correct for the labels' order, from a sample or by all orders."

OPTIONS = (
    click.option("--max-cost", type=float, help="Dollars that judges may cost in this run."),
    click.option("--judge-price", default="", help="IN,OUT: dollars for a million tokens."),
    click.option("--judge-batch", is_flag=True, help="Half the price, within a day: Batch API."),
    click.option("--judge-concurrency", type=int, default=16, help="Questions at once."),
    click.option("--judge-timeout", type=float, default=60.0, help="Seconds for a reply."),
)


ANSWER_OPTIONS = (
    click.option("--server-concurrency", type=int, default=256, help="Answers at once, at most."),
    click.option("--server-timeout", type=float, default=600.0, help="Seconds for an answer."),
    click.option("--server-wait", type=float, default=600.0, help="Seconds without any server."),
)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about judges."""
    return _given(command, OPTIONS)


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about models behind servers."""
    return _given(command, ANSWER_OPTIONS)


def _given(command: Callable[..., Any], options: Sequence[Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def take_terms(given: dict[str, Any]) -> Any:
    """Take the options out of what a command was given."""
    names = "judge_concurrency", "judge_timeout", "max_cost", "judge_price"
    concurrency, timeout, max_cost, price = (given.pop(name) for name in names)
    batches = given.pop("judge_batch")
    if concurrency < 1 or timeout <= 0 or (max_cost is not None and max_cost < 0):
        raise click.UsageError(
            "--judge-concurrency and --judge-timeout: give a number above 0; --max-cost: 0 or more"
        )
    from steertui.panel import Terms

    patience = _take_patience(given)
    return Terms(
        concurrency, timeout, max_cost=max_cost, price=price, answers=patience, batches=batches
    )


def _take_patience(given: dict[str, Any]) -> Any:
    from steertui.server.patience import USUAL, Patience

    if "server_timeout" not in given:
        return USUAL
    names = "server_concurrency", "server_timeout", "server_wait"
    concurrency, timeout, wait = (given.pop(name) for name in names)
    if concurrency < 1 or timeout <= 0 or wait <= 0:
        raise click.UsageError(
            "--server-concurrency, --server-timeout, --server-wait: give a number above 0"
        )
    return Patience(concurrency, timeout, wait=wait)
