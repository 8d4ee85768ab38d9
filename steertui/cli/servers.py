"""Options of requests to servers: for judges, and for models that answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click
import cloup

from steertui.core.verdict import Debias, ReasoningEffort

if TYPE_CHECKING:
    from steertui.judge.sampling import JudgeSampling
    from steertui.planning.judges import JudgeServerOptions
    from steertui.server.limits import RetryPolicy

DEBIAS = click.Choice(list(get_args(Debias)))
"""Choices of `--debias`."""

DEBIAS_HELP = (
    "How local judges correct for the order of the labels in the rubric: not at all, by an "
    "estimate from a sample of answers, or by judging every answer in four orders"
)
"""Help text of `--debias`."""

MAX_TOKENS_HELP = "Maximum new tokens of a server judge's reply, reasoning included [default: 120]"
"""Help text of `--judge-max-tokens`."""

TEMPERATURE_HELP = "Sampling temperature of server judges [default: 0]"
"""Help text of `--judge-temperature`."""

MAX_TEMPERATURE = 5.0
"""Highest sampling temperature."""

EFFORT = click.Choice(list(get_args(ReasoningEffort)))
"""Choices of `--judge-reasoning-effort`."""

EFFORT_HELP = "Reasoning effort of server judges [default: none]"
"""Help text of `--judge-reasoning-effort`."""

NO_CONTROL_HELP = "Do not let judges read the control set first; reports then call them unmeasured"
"""Help text of `--no-control`."""

judge_server_options = cloup.option_group(
    "Judges on servers",
    cloup.option(
        "--max-cost",
        type=float,
        help="Maximum cost of all judges in this run, in US dollars [default: no limit]",
    ),
    cloup.option(
        "--judge-price",
        default="",
        help="Price in US dollars per million tokens, as IN,OUT [default: OpenAI's list price]",
    ),
    cloup.option(
        "--judge-batch",
        is_flag=True,
        help="Use the Batch API: half the price, replies within 24 hours",
    ),
    cloup.option(
        "--judge-concurrency",
        type=int,
        default=16,
        show_default=True,
        help="Maximum requests in flight per judge",
    ),
    cloup.option(
        "--judge-timeout",
        type=float,
        default=60.0,
        show_default=True,
        help="Timeout for one reply, in seconds",
    ),
    help="Keys: OPENAI_API_KEY for api.openai.com, STEERTUI_JUDGE_KEY=HOST=KEY,… for others.",
)
"""Decorator that adds the options for judges to a command."""

model_server_options = cloup.option_group(
    "Models on servers",
    cloup.option(
        "--server-concurrency",
        type=int,
        default=256,
        show_default=True,
        help="Maximum requests in flight per server",
    ),
    cloup.option(
        "--server-timeout",
        type=float,
        default=600.0,
        show_default=True,
        help="Timeout for one answer, in seconds",
    ),
    cloup.option(
        "--max-outage",
        type=float,
        default=600.0,
        show_default=True,
        help="Seconds without a reachable server after which the run stops",
    ),
    help="Keys: OPENAI_API_KEY for api.openai.com, STEERTUI_SERVER_KEY=HOST=KEY,… for others.",
)
"""Decorator that adds the options for models to a command."""


def take_server_options(given: dict[str, Any]) -> JudgeServerOptions:
    """Remove the servers' options from a command's parameters and return their values.

    Raises UsageError for a value out of range.
    """
    concurrency: int = given.pop("judge_concurrency")
    timeout: float = given.pop("judge_timeout")
    max_cost: float | None = given.pop("max_cost")
    is_cost = max_cost is None or max_cost >= 0  # False for NaN, too
    if concurrency < 1 or not timeout > 0 or not is_cost:
        raise click.UsageError(
            "--judge-concurrency and --judge-timeout: give a number above 0; --max-cost: 0 or more"
        )
    from steertui.judge.control import load_control_set
    from steertui.planning.judges import JudgeServerOptions

    return JudgeServerOptions(
        concurrency=concurrency,
        timeout=timeout,
        max_cost=max_cost,
        price=given.pop("judge_price"),
        batches=given.pop("judge_batch"),
        control_set=None if given.pop("no_control") else load_control_set(),
        answers=_take_retry_policy(given),
    )


def take_judge_sampling(given: dict[str, Any]) -> JudgeSampling:
    """Remove the options for the judges' replies from a command's parameters; return their values.

    Options that were not given have their default. Raises UsageError for a value out of range.
    """
    from steertui.judge.sampling import JudgeSampling

    names = ("max_tokens", "temperature", "reasoning_effort")
    values = {name: given.pop(f"judge_{name}") for name in names}
    sampling = JudgeSampling(**{name: v for name, v in values.items() if v is not None})
    if sampling.max_tokens < 1 or not 0 <= sampling.temperature <= MAX_TEMPERATURE:
        raise click.UsageError(
            "--judge-max-tokens: give a number above 0; --judge-temperature: 0 to "
            f"{MAX_TEMPERATURE:g}"
        )
    return sampling


def _take_retry_policy(given: dict[str, Any]) -> RetryPolicy:
    from steertui.server.limits import DEFAULT_RETRY_POLICY, RetryPolicy

    if "server_timeout" not in given:
        return DEFAULT_RETRY_POLICY
    concurrency: int = given.pop("server_concurrency")
    timeout: float = given.pop("server_timeout")
    max_outage: float = given.pop("max_outage")
    if concurrency < 1 or not timeout > 0 or not max_outage > 0:
        raise click.UsageError(
            "--server-concurrency, --server-timeout, --max-outage: give a number above 0"
        )
    return RetryPolicy(concurrency=concurrency, timeout=timeout, max_outage=max_outage)
