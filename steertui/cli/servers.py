"""Options on how judges behind servers are asked, the same for every command that asks them."""

from collections.abc import Callable
from typing import Any

import click

OPTIONS = (
    click.option("--max-cost", type=float, help="Dollars that judges may cost in this run."),
    click.option("--judge-price", default="", help="IN,OUT: dollars for a million tokens."),
    click.option("--judge-concurrency", type=int, default=16, help="Questions at once."),
    click.option("--judge-timeout", type=float, default=60.0, help="Seconds for a reply."),
)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def take_terms(given: dict[str, Any]) -> Any:
    """Take the options out of what a command was given."""
    names = "judge_concurrency", "judge_timeout", "max_cost", "judge_price"
    concurrency, timeout, max_cost, price = (given.pop(name) for name in names)
    if concurrency < 1 or timeout <= 0 or (max_cost is not None and max_cost < 0):
        raise click.UsageError(
            "--judge-concurrency and --judge-timeout: give a number above 0; --max-cost: 0 or more"
        )
    from steertui.panel import Terms

    return Terms(concurrency, timeout, max_cost=max_cost, price=price)
