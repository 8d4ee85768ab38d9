"""Options on how judges and models behind servers are asked."""

from typing import Any

import click
import cloup

DEBIAS = click.Choice(["none", "estimate", "permute"])
DEBIAS_HELP = "Local judges: correct for the labels' order, by a sample or by all orders."

judge_server_options = cloup.option_group(
    "Judges behind servers",
    cloup.option("--max-cost", type=float, help="Dollars that judges may cost in this run."),
    cloup.option("--judge-price", default="", help="IN,OUT: dollars for a million tokens."),
    cloup.option("--judge-batch", is_flag=True, help="Batch API: half the price, within a day."),
    cloup.option("--judge-concurrency", type=int, default=16, help="Questions at once; 16."),
    cloup.option("--judge-timeout", type=float, default=60.0, help="Seconds for a reply; 60."),
    help="Keys: OPENAI_API_KEY for api.openai.com, STEERTUI_JUDGE_KEY=HOST=KEY,… for others.",
)
"""Gives a command the options on how judges behind servers are asked."""

model_server_options = cloup.option_group(
    "Models behind servers",
    cloup.option("--server-template", help="A chat template for those that tell none."),
    cloup.option("--server-concurrency", type=int, default=256, help="Answers at once; 256."),
    cloup.option("--server-timeout", type=float, default=600.0, help="Seconds for an answer; 600."),
    cloup.option("--server-wait", type=float, default=600.0,
                 help="Seconds without any server, then the run stops; 600."),
    help="Keys: OPENAI_API_KEY for api.openai.com, STEERTUI_SERVER_KEY=HOST=KEY,… for others.",
)  # fmt: skip
"""Gives a command the options on how models behind servers are asked."""


def take_terms(given: dict[str, Any]) -> Any:
    """Take the options out of what a command was given."""
    names = "judge_concurrency", "judge_timeout", "max_cost", "judge_price"
    concurrency, timeout, max_cost, price = (given.pop(name) for name in names)
    batches = given.pop("judge_batch")
    if concurrency < 1 or timeout <= 0 or (max_cost is not None and max_cost < 0):
        raise click.UsageError(
            "--judge-concurrency and --judge-timeout: give a number above 0; --max-cost: 0 or more"
        )
    from steertui.planning.judges import JudgeServerOptions

    patience = _take_patience(given)
    return JudgeServerOptions(
        concurrency, timeout, max_cost=max_cost, price=price, answers=patience, batches=batches
    )


def _take_patience(given: dict[str, Any]) -> Any:
    from steertui.server.limits import DEFAULT_RETRY_POLICY, RetryPolicy

    if "server_timeout" not in given:
        return DEFAULT_RETRY_POLICY
    names = "server_concurrency", "server_timeout", "server_wait"
    concurrency, timeout, wait = (given.pop(name) for name in names)
    if concurrency < 1 or timeout <= 0 or wait <= 0:
        raise click.UsageError(
            "--server-concurrency, --server-timeout, --server-wait: give a number above 0"
        )
    return RetryPolicy(concurrency, timeout, max_outage=wait)
