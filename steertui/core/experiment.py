"""Experiment: its settings as a dataclass and as TOML."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from steertui.core.declared_analysis import DeclaredAnalysis
from steertui.core.generation import StopTokens
from steertui.core.model import DEMO
from steertui.core.prompt import Thinking
from steertui.core.typed_name import NameRule
from steertui.core.verdict import Debias, ReasoningEffort
from steertui.errors import ExperimentError
from steertui.toml_files import forbid_extra_keys, parse_toml, validate

Scored = Literal["doses", "all", "none"]
"""Answers that the unsteered model scores: those on which the results of dose axes rest, all of
local models, or none."""


@forbid_extra_keys
@dataclass(frozen=True)
class Experiment:
    """Settings of an experiment. Every field can be set in a TOML file.

    Attributes:
        name: name in lists, by which commands also find the experiment; "" for none [default].
        models: "demo", paths of GGUF files, names in the catalogue or on the hub, or
            "server:MODEL@URL" for a model behind servers [default: "demo"].
        scenarios: names or paths of packs [default: "starter"].
        conditions: names, in the order of the tables [default: baseline, pro, anti].
        conditions_file: TOML file that defines the conditions; "" for the shipped conditions
            [default], "paper" for the paper's.
        judges: judges such as "local:demo"; "none" for no judge. If empty [default], the demo model
            judges its own answers if it is the only model; else answers stay unjudged.
        rubric: "steertui" [default], "paper" or the path of a TOML file.
        hide_suffix: whether the judge sees the task without its suffix.
        reasons: whether local judges also give a reason.
        judge_max_tokens: maximum number of new tokens of a server judge's reply, reasoning included
            [default: 120].
        judge_temperature: sampling temperature of server judges [default: 0].
        judge_reasoning_effort: reasoning effort of server judges: "none" [default], "minimal",
            "low", "medium", "high" or "xhigh".
        debias: how a local judge corrects for the order of the labels in the rubric: "none"
            [default]; "estimate" from a sample of answers; "permute": every answer in four orders.
        samples: answers per scenario and condition [default: 1]; always 1 at temperature 0.
        temperatures: sampling temperatures; every prompt is answered at each [default: 0].
        top_k: see `SamplingParams`, as for the next four fields.
        max_tokens: maximum number of new tokens, reasoning included [default: 1024].
        max_tokens_thinking: maximum number of new tokens for thinking models; 0 for `max_tokens`
            [default].
        stop_tokens: tokens that end an answer: "any" end-of-generation token known to llama.cpp
            [default], or only the tokenizer's "eos".
        thinking: "template" follows the GGUF's chat template [default], "force" sets hybrid
            models to reason and opens the reasoning in the prompt of every thinking model, "off"
            turns reasoning off if a model supports it.
        template: chat template that renders the prompts of every model: the name of one of the
            GGUF's templates, a known format such as "chatml", or a Jinja file; "" for each model's
            own [default]. Servers that report none then get chat messages.
        coherence: answers whose log-likelihood the unsteered model measures after generation:
            "doses" [default], if there is a dose axis, those of dose axes and of conditions outside
            all groups; "all"; or "none". Models behind servers are left out.
        categories: categories whose scenarios are used; empty for all [default].
        limit: maximum number of scenarios, taken in turn from the categories; 0 for all [default].
        seed: number from which the seeds of all trials are derived [default: 0].
        analysis: the declared comparisons, a table of its own (`DeclaredAnalysis`).
    """

    name: str = ""
    models: list[str] = field(default_factory=lambda: [DEMO])
    scenarios: list[str] = field(default_factory=lambda: ["starter"])
    conditions: list[str] = field(default_factory=lambda: ["baseline", "pro", "anti"])
    conditions_file: str = ""
    judges: list[str] = field(default_factory=list)
    rubric: str = "steertui"
    hide_suffix: bool = False
    reasons: bool = False
    judge_max_tokens: int = 120
    judge_temperature: float = 0.0
    judge_reasoning_effort: ReasoningEffort = "none"
    debias: Debias = "none"
    samples: int = 1
    temperatures: list[float] = field(default_factory=lambda: [0.0])
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    max_tokens: int = 1024
    max_tokens_thinking: int = 0
    stop_tokens: StopTokens = "any"
    thinking: Thinking = "template"
    template: str = ""
    coherence: Scored = "doses"
    categories: list[str] = field(default_factory=list)
    limit: int = 0
    seed: int = 0
    analysis: DeclaredAnalysis = field(default_factory=DeclaredAnalysis)

    def __post_init__(self) -> None:
        for name in ("models", "scenarios", "conditions", "temperatures"):
            values = getattr(self, name)
            if not values:
                raise ExperimentError(f"{name}: none given; name at least one")
            if len(set(values)) < len(values):
                raise ExperimentError(f"{name}: one value is given twice; give each once")
        for name, low, high in _BOUNDS:
            for value in getattr(self, name) if name == "temperatures" else [getattr(self, name)]:
                if not low <= value <= high:
                    raise ExperimentError(f"{name}: {value} is out of range; give {low} to {high}")
        fault = _name_fault(self.name)
        if fault:
            raise ExperimentError(
                f"name: {self.name!r} is no name: it {fault}; give at most 60 letters, digits, "
                "spaces, dots, hyphens or underscores that do not look like an id"
            )
        self.analysis.require_conditions(self.conditions)

    def to_toml(self) -> str:
        """Return the experiment as TOML that `load_experiment` reads; without a name for ""."""
        import tomli_w

        table = asdict(self)
        if not self.name:
            del table["name"]
        return tomli_w.dumps(table)


_NAME = NameRule(r"\w", r"[\w .-]", 60)
_ID = re.compile(r"[0-9a-f]{4,}")
_WORDS = ("all",)
"""Words that select experiments and are no names."""


def _name_fault(name: str) -> str:
    """Return what is wrong with a name of an experiment, which may have none; "" for nothing."""
    if _ID.fullmatch(name):
        return "looks like an id"
    if name in _WORDS:
        return "is a word that selects experiments"
    return _NAME.fault(name) if name else ""


_BOUNDS = (
    ("samples", 1, 10_000),
    ("temperatures", 0.0, 5.0),
    ("top_k", 0, 1_000_000),
    ("top_p", 1e-6, 1.0),
    ("min_p", 0.0, 1.0),
    ("repetition_penalty", 0.01, 10.0),
    ("presence_penalty", -10.0, 10.0),
    ("max_tokens", 1, 1_000_000),
    ("max_tokens_thinking", 0, 1_000_000),
    ("judge_max_tokens", 1, 1_000_000),
    ("judge_temperature", 0.0, 5.0),
    ("limit", 0, 1_000_000),
    ("seed", 0, 2**63 - 1),
)

DEMO_EXPERIMENT = Experiment(
    conditions=["baseline", "pro", "anti", "placebo"], max_tokens=128, reasons=True
)
"""Experiment of `--demo`: the shipped checkpoint on the starter pack, judged by itself."""


def parse_experiment(toml: str) -> Experiment:
    """Return the experiment of a TOML text, such as one from the store."""
    table = parse_toml(toml, ExperimentError, "experiment")
    return validate(table, Experiment, ExperimentError, "experiment")


def stored_name(toml: str) -> str:
    """Return the name in a stored experiment file, "" for none or an unreadable file."""
    try:
        name = parse_toml(toml, ExperimentError, "experiment").get("name", "")
    except ExperimentError:
        return ""
    return name if isinstance(name, str) and not _name_fault(name) else ""


_RENAMED_KEYS = {
    "end": "stop_tokens",
    "blind": "hide_suffix",
    "label_order": "debias",
    "server_template": "template",
}

_RENAMED_VALUES: Mapping[str, Mapping[object, str]] = {
    "debias": {"rubric": "none", "sampled": "estimate", "all": "permute"},
    "thinking": {"open": "force"},
}


def rename_keys(table: Mapping[str, object]) -> dict[str, object]:
    """Return an experiment's TOML table with the old names of keys and values replaced.

    Used only to migrate old databases. A table that has only new names is returned unchanged.
    """
    renamed = {_RENAMED_KEYS.get(key, key): value for key, value in table.items()}
    for key, values in _RENAMED_VALUES.items():
        value = renamed.get(key)
        if isinstance(value, str):
            renamed[key] = values.get(value, value)
    return renamed


def with_changes(experiment: Experiment, changes: dict[str, object]) -> Experiment:
    """Return the experiment with the fields that are given (not None or empty) replaced."""
    return replace(experiment, **given_fields(changes))  # type: ignore[arg-type]


def given_fields(changes: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that are given: not None or empty."""
    return {k: v for k, v in changes.items() if v is not None and v not in ([], ())}
