"""Experiment: what to run, as a dataclass and as TOML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from steertui.core.generation import StopTokens
from steertui.core.model import DEMO
from steertui.core.prompt import Thinking
from steertui.core.verdict import Debias
from steertui.errors import ExperimentError
from steertui.toml_files import forbid_extra_keys, parse_toml, validate


@forbid_extra_keys
@dataclass(frozen=True)
class Experiment:
    """What to run; every field may stand in a TOML file.

    Attributes:
        models: "demo", paths of GGUF files, names of the catalogue or the hub, or
            "server:MODEL@URL" for one behind servers.
        scenarios: packs by name or path.
        conditions: names, in the order of the tables.
        conditions_file: where those names are looked up; "" for the shipped conditions, "paper"
            for the paper's.
        judges: such as "local:demo"; "none" for no judge. Where empty, the demo judges itself.
        rubric: "steertui", "paper" or the path of a TOML file.
        hide_suffix: whether the judge sees the task without its suffix.
        reasons: whether the judge is asked for a reason, too.
        debias: how a local judge corrects for the order of the labels in the rubric: "none";
            "estimate" from a sample of answers; "permute": every answer in four orders.
        samples: answers for each scenario and condition; one at temperature 0.
        temperatures: each is one more axis of the grid.
        max_tokens: new tokens at most, reasoning included.
        max_tokens_thinking: the same for models that think; 0 for no difference.
        stop_tokens: which tokens end an answer: "any" end-of-generation token known to llama.cpp,
            or only the tokenizer's own "eos".
        thinking: "template" follows the GGUF's chat template, "force" opens the reasoning in the
            prompt of every thinking model, "off" turns reasoning off where a model supports it.
        server_template: a Jinja file with the chat template by which prompts are written here for
            servers that tell none; "" to give those chat messages.
        categories: only their scenarios; all where none is named.
        limit: scenarios at the most, taken in turn from the categories; 0 for all.
        seed: base of every trial's own seed.
    """

    models: list[str] = field(default_factory=lambda: [DEMO])
    scenarios: list[str] = field(default_factory=lambda: ["starter"])
    conditions: list[str] = field(default_factory=lambda: ["baseline", "pro", "anti"])
    conditions_file: str = ""
    judges: list[str] = field(default_factory=list)
    rubric: str = "steertui"
    hide_suffix: bool = False
    reasons: bool = False
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
    server_template: str = ""
    categories: list[str] = field(default_factory=list)
    limit: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("models", "scenarios", "conditions", "temperatures"):
            values = getattr(self, name)
            if not values:
                raise ExperimentError(f"{name}: none given; name at least one")
            if len(set(values)) < len(values):
                raise ExperimentError(f"{name}: one stands there twice; name each once")
        for name, low, high in _BOUNDS:
            for value in getattr(self, name) if name == "temperatures" else [getattr(self, name)]:
                if not low <= value <= high:
                    raise ExperimentError(f"{name}: {value} is out of range; {low} to {high}")

    def to_toml(self) -> str:
        """Return the experiment as TOML that `load_experiment` reads."""
        import tomli_w

        return tomli_w.dumps(asdict(self))


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
    ("limit", 0, 1_000_000),
    ("seed", 0, 2**63 - 1),
)

DEMO_EXPERIMENT = Experiment(
    conditions=["baseline", "pro", "anti", "placebo"], max_tokens=128, reasons=True
)
"""What `--demo` runs: the shipped checkpoint on the starter pack, judged by itself."""


def parse_experiment(toml: str) -> Experiment:
    """Return the experiment of a TOML text, such as the store holds."""
    table = parse_toml(toml, ExperimentError, "experiment")
    return validate(table, Experiment, ExperimentError, "experiment")


_RENAMED_KEYS = {"end": "stop_tokens", "blind": "hide_suffix", "label_order": "debias"}

_RENAMED_VALUES: Mapping[str, Mapping[object, str]] = {
    "debias": {"rubric": "none", "sampled": "estimate", "all": "permute"},
    "thinking": {"open": "force"},
}


def rename_keys(table: Mapping[str, object]) -> dict[str, object]:
    """Return an experiment's TOML table with the old names of keys and values replaced.

    Only the migration of old databases needs it. A table with new names alone is returned equal.
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
