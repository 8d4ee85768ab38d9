"""Fields of an experiment as the Plan screen shows, parses and changes them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import get_args

from steertui.core.experiment import Experiment, Scored
from steertui.core.generation import StopTokens
from steertui.core.prompt import Thinking
from steertui.core.verdict import Debias, ReasoningEffort
from steertui.errors import ExperimentError, SteertuiError
from steertui.planning.judges import NO_JUDGE, require_judges_or_none
from steertui.planning.model_groups import expand_models
from steertui.toml_files import validate
from steertui.tui.plan.field_choices import (
    Choices,
    category_choices,
    condition_choices,
    judge_choices,
    model_choices,
    pack_choices,
)
from steertui.tui.widgets.form import titled
from steertui.typed_lists import join_names, split_numbers

MAX_CHANGES = 3
"""Fields that `changes_text` names."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an experiment.

    Attributes:
        name: attribute of `Experiment`.
        title: on the screen.
        about: help text, one sentence without a full stop.
        choices: function that returns the values to tick; None for a typed field.
        values: the values of which one is chosen; empty for a typed field or one with `choices`.
        hint: other values that can be typed.
        special: a value and the text that is shown for it, such as (0, "all").
        is_path: whether a typed value can be a path, which is completed.
        reads_texts: whether `choices` reads text files that the experiment names.
        alone: the choice that is ticked without others; "" for none.
    """

    name: str
    title: str
    about: str
    choices: Callable[[Experiment], Choices] | None = None
    values: tuple[str, ...] = ()
    hint: str = ""
    special: tuple[object, str] | None = None
    is_path: bool = False
    reads_texts: bool = False
    alone: str = ""

    def format(self, value: object) -> str:
        """Return a value as it is shown."""
        if self.special and value == self.special[0]:
            return self.special[1]
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.format_input(value)

    @staticmethod
    def format_input(value: object) -> str:
        """Return a value as it is typed."""
        if isinstance(value, list):
            return join_names(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
        return f"{value:g}" if isinstance(value, float) else str(value)


def parse(old: object, typed: str) -> object | None:
    """Return the typed text as a value of the type of `old`; None if it is not of that type.

    Raises ExperimentError for a list of numbers with a comma that could be a decimal one.
    """
    try:
        if isinstance(old, list):
            return [float(part) for part in split_numbers(typed)]
        if isinstance(old, int):
            return int(typed)
        return float(typed) if isinstance(old, float) else typed.strip()
    except ValueError:
        return None


def problem_of(experiment: Experiment, field: Field, typed: str) -> str:
    """Return what is wrong with a typed value, in the words of the screen; "" for nothing."""
    old = getattr(experiment, field.name)
    try:
        value = parse(old, typed)
    except ExperimentError as exc:
        return f"{field.title}: {exc}"
    if value is None:
        kind = "an integer" if isinstance(old, int) else "a number"
        problem = f"{typed!r} is not {kind}" if typed else "the line is empty"
        return f"{field.title}: {problem}; enter {kind}"
    try:
        with_field(experiment, field.name, value)
    except SteertuiError as exc:
        return titled(str(exc).removeprefix("experiment: "), field.name, field.title)
    return ""


def with_field(experiment: Experiment, name: str, value: object) -> Experiment:
    """Return the experiment with one field changed; groups of models become their members.

    Raises ExperimentError, JudgeError or ModelError for a bad value.
    """
    changed = asdict(experiment) | {name: value}
    require_judges_or_none(changed["judges"])
    return expand_models(validate(changed, Experiment, ExperimentError, "experiment"))


def changes_text(old: Experiment, new: Experiment) -> str:
    """Return the fields that differ, as "samples 1 → 3, seed 0 → 1"; at most `MAX_CHANGES`."""
    changes = [
        f"{field.title} {field.format(getattr(old, name))} → {field.format(getattr(new, name))}"
        for name, field in FIELDS.items()
        if getattr(old, name) != getattr(new, name)
    ]
    more = len(changes) - MAX_CHANGES
    return ", ".join(changes[:MAX_CHANGES]) + (f" and {more} more" if more > 0 else "")


_EXPERIMENT = (
    Field(
        name="name",
        title="name",
        about="Name in lists, by which commands also find the experiment; empty: none",
        special=("", "none"),
    ),
)
_MODELS = (
    Field(
        name="models",
        title="models",
        about="Models that answer; each is an axis of the grid",
        choices=model_choices,
        hint="others: a GGUF file, owner/repository:QUANT, server:MODEL@URL, family:gemma-3, fits",
    ),
)
_SCENARIOS = (
    Field(
        name="scenarios",
        title="scenario packs",
        about="Packs by name or path",
        choices=pack_choices,
        hint="others: a file (TOML, CSV, JSON), or a folder of CSV files",
    ),
    Field(
        name="categories",
        title="categories",
        about="Use only scenarios of these categories; none ticked: all",
        choices=category_choices,
        reads_texts=True,
        special=([], "all"),
    ),
    Field(
        name="limit",
        title="maximum scenarios",
        about="Maximum number of scenarios, taken in turn from the categories; 0: all",
        special=(0, "all"),
    ),
    Field(
        name="conditions",
        title="conditions",
        about="Conditions under which every scenario is answered",
        choices=condition_choices,
        reads_texts=True,
    ),
    Field(
        name="conditions_file",
        title="conditions file",
        about="TOML file with the conditions, or paper; empty: shipped conditions",
        special=("", "shipped with steertui"),
        is_path=True,
    ),
    Field(
        name="coherence",
        title="coherence",
        about="Answers whose log-likelihood the unsteered model measures after generation: doses "
        "(those of dose axes), all or none",
        values=get_args(Scored),
    ),
)
_JUDGES = (
    Field(
        name="judges",
        title="judges",
        about="Judges that label the answers; none ticked: the demo model judges its own answers "
        "if it is the only model, else answers stay unjudged",
        choices=judge_choices,
        alone=NO_JUDGE,
        hint="others: openai:MODEL, openai:MODEL@http://HOST:PORT/v1, local:FILE.gguf",
        special=([], "default"),
    ),
    Field(
        name="rubric",
        title="rubric",
        about="Instructions of the judge: steertui, paper or a TOML file",
        is_path=True,
    ),
    Field(
        name="hide_suffix",
        title="hide suffix",
        about="Show the judge the task without its suffix",
    ),
    Field(
        name="reasons",
        title="reasons",
        about="Ask the judge for a reason with every label",
    ),
    Field(
        name="judge_max_tokens",
        title="judge's tokens",
        about="Maximum new tokens of a server judge's reply, reasoning included",
    ),
    Field(
        name="judge_temperature",
        title="… temperature",
        about="Sampling temperature of server judges",
    ),
    Field(
        name="judge_reasoning_effort",
        title="… reasoning",
        about="Reasoning effort of server judges: none, minimal, low, medium, high or xhigh",
        values=get_args(ReasoningEffort),
    ),
    Field(
        name="debias",
        title="debiasing",
        about="Correction for the order of labels in the rubric, local judges only: none, "
        "estimate (from a sample) or permute (every answer in four orders)",
        values=get_args(Debias),
    ),
)
_SAMPLING = (
    Field(
        name="samples",
        title="samples",
        about="Answers per scenario and condition; one at temperature 0",
    ),
    Field(
        name="temperatures",
        title="temperatures",
        about="Sampling temperatures, separated by spaces; each is an axis of the grid; 0: greedy",
        special=([0.0], "0 (greedy)"),
    ),
    Field(
        name="max_tokens",
        title="maximum tokens",
        about="Maximum new tokens per answer, reasoning included",
    ),
    Field(
        name="max_tokens_thinking",
        title="… when thinking",
        about="Maximum new tokens for thinking models; 0: as for other models",
        special=(0, "same"),
    ),
    Field(
        name="stop_tokens",
        title="stop tokens",
        about="Tokens that end an answer: any (all end tokens of llama.cpp) or eos",
        values=get_args(StopTokens),
    ),
    Field(
        name="thinking",
        title="thinking",
        about="Thinking: template (as the chat template has it), force or off",
        values=get_args(Thinking),
    ),
    Field(
        name="template",
        title="chat template",
        about="Chat template: a name (one of the GGUF's, chatml, gemma, llama3, …) or a Jinja "
        "file; empty: each model's own",
        special=("", "each model's own"),
        is_path=True,
    ),
    Field(
        name="top_k",
        title="top k",
        about="Sample from the k most likely tokens; 0: from all",
        special=(0, "all"),
    ),
    Field(
        name="top_p",
        title="top p",
        about="Sample from the nucleus of this probability; 1: off",
        special=(1.0, "off"),
    ),
    Field(
        name="min_p",
        title="min p",
        about="Drop tokens below this share of the most likely token's probability; 0: off",
        special=(0.0, "off"),
    ),
    Field(
        name="repetition_penalty",
        title="repetition penalty",
        about="Repetition penalty; 1: off",
        special=(1.0, "off"),
    ),
    Field(
        name="presence_penalty",
        title="presence penalty",
        about="Presence penalty; 0: off",
        special=(0.0, "off"),
    ),
    Field(
        name="seed",
        title="seed",
        about="Base from which every trial's seed is derived",
    ),
)

GROUPS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "": _EXPERIMENT,
        "Models": _MODELS,
        "Scenarios": _SCENARIOS,
        "Judges": _JUDGES,
        "Sampling": _SAMPLING,
    }
)
"""Fields by heading, "" for none, in the screen's order."""

FIELDS: Mapping[str, Field] = MappingProxyType(
    {field.name: field for fields in GROUPS.values() for field in fields}
)
"""Fields by name."""
