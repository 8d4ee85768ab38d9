"""Options that set the fields of an experiment; each help text ends with the field's default."""

from dataclasses import fields
from typing import Any, get_args

import click
import cloup

from steertui.cli.param_types import PATH, complete_presets
from steertui.cli.servers import (
    DEBIAS,
    DEBIAS_HELP,
    EFFORT,
    EFFORT_HELP,
    MAX_TOKENS_HELP,
    NO_CONTROL_HELP,
    TEMPERATURE_HELP,
)
from steertui.core.experiment import Experiment, Scored
from steertui.core.generation import StopTokens
from steertui.core.known_templates import KNOWN_TEMPLATES
from steertui.core.prompt import Thinking
from steertui.typed_lists import split_names

_DEFAULT = Experiment()


class NameList(click.ParamType[list[str]]):
    """Names in one option, separated by commas."""

    name = "name,…"

    def convert(self, value: object, *_: object) -> list[str]:
        """Return the names as a list."""
        if isinstance(value, list):
            return value
        return split_names(str(value))


def _option(name: str, field: str, text: str, **settings: Any) -> Any:
    """Return an option that sets a field of the experiment.

    The option has no default of its own, so that it changes only what the user gives. Its help
    states the field's default, unless `text` does.
    """
    value = getattr(_DEFAULT, field)
    default = ", ".join(map(str, value)) if isinstance(value, list) else value
    is_stated = default == "" or isinstance(value, bool) or "[default: " in text
    suffix = "" if is_stated else f" [default: {default}]"
    return cloup.option(name, field, help=f"{text}{suffix}", **settings)


experiment_options = cloup.option_group(
    "Experiment (options override a preset or file)",
    cloup.option("--demo", is_flag=True, help="Run the shipped demo model on the starter pack"),
    cloup.option(
        "--preset",
        metavar="NAME",
        shell_complete=complete_presets,
        help="Start from demo, demo-steering, demo-dose, demo-contest, contest-prompts, "
        "contest-methods, quick, paper-4b or paper",
    ),
    cloup.option(
        "--experiment",
        "file",
        type=PATH,
        metavar="FILE",
        help="Start from an experiment in a TOML file",
    ),
    _option("--name", "name", "Name of the experiment in lists and for --experiment"),
    cloup.option("--print-experiment", is_flag=True, help="Print the experiment as TOML and exit"),
    _option(
        "--model",
        "models",
        "GGUF file, model name, owner/repository:QUANT, server:MODEL@URL, or a group such as "
        "family:gemma-3+fits; repeatable",
        multiple=True,
    ),
    _option(
        "--scenarios",
        "scenarios",
        "Scenario pack, file (TOML, CSV, JSON) or folder of CSV files; repeatable",
        multiple=True,
    ),
    _option(
        "--limit",
        "limit",
        "Maximum number of scenarios, taken in turn from the categories; 0 for all",
        type=int,
    ),
    _option("--conditions", "conditions", "Conditions, separated by commas", type=NameList()),
    _option(
        "--conditions-file",
        "conditions_file",
        'TOML file with conditions, or "paper" for the paper\'s [default: shipped conditions]',
    ),
    _option(
        "--samples",
        "samples",
        "Answers per scenario and condition; at temperature 0 always 1",
        type=int,
    ),
)
"""Decorator that adds the options on models, scenarios and conditions."""

sampling_options = cloup.option_group(
    "Sampling",
    _option(
        "--temperature",
        "temperatures",
        "Sampling temperature from 0 (greedy) to 5; repeatable",
        type=float,
        multiple=True,
    ),
    _option("--top-k", "top_k", "Sample from the k most likely tokens; 0 for all", type=int),
    _option(
        "--top-p",
        "top_p",
        "Sample from the most likely tokens that have this total probability; 1 for all",
        type=float,
    ),
    _option(
        "--min-p",
        "min_p",
        "Exclude tokens whose probability is below this share of the largest one; 0 for none",
        type=float,
    ),
    _option(
        "--repetition-penalty",
        "repetition_penalty",
        "Penalty factor from 0.01 to 10 for tokens in the prompt or the answer; 1 for none",
        type=float,
    ),
    _option(
        "--presence-penalty",
        "presence_penalty",
        "Amount from -10 to 10 subtracted from the logits of tokens in the answer; 0 for none",
        type=float,
    ),
    _option(
        "--seed",
        "seed",
        "Number from which the seeds of all trials are derived, at least 0",
        type=int,
    ),
    _option(
        "--max-tokens",
        "max_tokens",
        "Maximum number of new tokens per answer, reasoning included",
        type=int,
    ),
    _option(
        "--max-tokens-thinking",
        "max_tokens_thinking",
        "Maximum number of new tokens for thinking models; 0 for the value of --max-tokens",
        type=int,
    ),
    _option(
        "--template",
        "template",
        "Chat template of every model: the name of one of the GGUF's, a known format "
        f"({', '.join(KNOWN_TEMPLATES)}), or a Jinja file [default: each model's own; servers that "
        "report none get chat messages]",
    ),
    _option(
        "--thinking",
        "thinking",
        "Reasoning: as in the chat template, forced for thinking models, or off if possible",
        type=click.Choice(list(get_args(Thinking))),
    ),
    _option(
        "--stop-tokens",
        "stop_tokens",
        "Tokens that end an answer: any end token of the model, or only the tokenizer's EOS",
        type=click.Choice(list(get_args(StopTokens))),
    ),
    _option(
        "--coherence",
        "coherence",
        "Answers whose log-likelihood the unsteered model measures: those of dose axes and of the "
        "conditions outside all groups, all, or none",
        type=click.Choice(list(get_args(Scored))),
    ),
)
"""Decorator that adds the options on sampling."""

judging_options = cloup.option_group(
    "Judging",
    _option(
        "--judge",
        "judges",
        "local:MODEL, openai:MODEL[@URL] or none; repeatable [default: none, but the demo model "
        "judges itself]",
        multiple=True,
    ),
    _option("--rubric", "rubric", "Instruction for the judge: steertui, paper, or a TOML file"),
    _option(
        "--hide-suffix",
        "hide_suffix",
        "Show judges the task without its suffix",
        is_flag=True,
        default=None,
    ),
    _option(
        "--reasons", "reasons", "Ask local judges for a reason, too", is_flag=True, default=None
    ),
    _option("--debias", "debias", DEBIAS_HELP, type=DEBIAS),
    _option("--judge-max-tokens", "judge_max_tokens", MAX_TOKENS_HELP, type=int),
    _option("--judge-temperature", "judge_temperature", TEMPERATURE_HELP, type=float),
    _option("--judge-reasoning-effort", "judge_reasoning_effort", EFFORT_HELP, type=EFFORT),
    cloup.option("--no-control", is_flag=True, help=NO_CONTROL_HELP),
)
"""Decorator that adds the options on judges."""


def take_changes(given: dict[str, object]) -> dict[str, object]:
    """Return the given fields of the experiment, with lists for repeatable options."""
    known = {field.name for field in fields(Experiment)}
    assert known >= given.keys(), given.keys() - known
    values = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
    return {name: value for name, value in values.items() if value not in (None, [])}
