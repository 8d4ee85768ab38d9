"""The fields of an experiment as the Plan screen shows and changes them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from steertui.assets.catalogue import catalogue
from steertui.assets.paper_texts import BENCHMARK, PAPER, SUBSET
from steertui.core.condition import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.model import DEMO, is_server
from steertui.errors import ExperimentError, SteertuiError
from steertui.judge.price import list_price
from steertui.planning.presets import JUDGE
from steertui.planning.resolve import resolve_texts
from steertui.toml_files import validate

Options = list[tuple[str, str]]

PAPERS_JUDGE = JUDGE.removeprefix("openai:")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the experiment, its title, a sentence, and what it may be.

    Attributes:
        choices: what can be ticked, for a field of several names; None for one that is typed.
        hint: what may be typed.
        off: a value that switches it off, and what that is called: (0, "all").
    """

    name: str
    title: str
    about: str
    choices: Callable[[Experiment], Options] | None = None
    hint: str = ""
    off: tuple[object, str] | None = None

    def format(self, value: object) -> str:
        """Return a value as it is read."""
        if self.off and value == self.off[0]:
            return self.off[1]
        if isinstance(value, bool):
            return "yes" if value else "no"
        return self.typed(value)

    @staticmethod
    def typed(value: object) -> str:
        """Return a value as it is typed."""
        if isinstance(value, list):
            return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
        return f"{value:g}" if isinstance(value, float) else str(value)


def parse(old: object, typed: str) -> object | None:
    """Return what was typed in the field's own type; None where it is no number."""
    try:
        if isinstance(old, list):
            return [float(part) for part in typed.split(",") if part.strip()]
        if isinstance(old, int):
            return int(typed)
        return float(typed) if isinstance(old, float) else typed.strip()
    except ValueError:
        return None


def with_field(experiment: Experiment, name: str, value: object) -> Experiment:
    """Return the experiment with one field changed; raises ExperimentError where it cannot be."""
    return validate(asdict(experiment) | {name: value}, Experiment, ExperimentError, "experiment")


def _models(_: Experiment) -> Options:
    from steertui.assets.weights import locate_weights

    found = [(DEMO, "demo (shipped: means nothing about real models)")]
    for model in catalogue():
        for weights in model.weights:
            name = f"{model.name}:{weights.quant}"
            here = "here" if locate_weights(name) else "to be fetched"
            size = f"{weights.size / 1e9:.1f} GB, " if weights.size else ""
            found.append((name, f"{name}  {size}{here}"))
    return found


def _packs(_: Experiment) -> Options:
    return [
        ("starter", "starter: 36 scenarios of our own"),
        (SUBSET, f"{SUBSET}: the 71 scenarios of the paper's runs, fetched"),
        (BENCHMARK, f"{BENCHMARK}: all 76 of the benchmark, fetched"),
    ]


def _conditions(experiment: Experiment) -> Options:
    file = experiment.conditions_file
    if file == PAPER:
        return [(name, name) for name in ("baseline", "pro", "anti")]
    found = load_conditions(Path(file) if file else None)
    return [(c.name, f"{c.name}: {c.about}") for c in found.values()]


def _categories(experiment: Experiment) -> Options:
    try:
        scenarios, _ = resolve_texts(replace(experiment, categories=[], limit=0))
    except SteertuiError:
        return []
    return [(name, name) for name in dict.fromkeys(s.category for s in scenarios)]


def _judges(experiment: Experiment) -> Options:
    local = dict.fromkeys([DEMO, *(m for m in experiment.models if not is_server(m))])
    price = list_price(PAPERS_JUDGE)
    cost = f", ${price.input:g} and ${price.output:g} a million tokens" if price else ""
    return [
        ("none", "none: answers are stored and stay unlabelled"),
        *((f"local:{m}", f"local:{m}  reads on this machine") for m in local),
        (f"openai:{PAPERS_JUDGE}", f"openai:{PAPERS_JUDGE}  the paper's judge{cost}"),
    ]


GROUPS: Mapping[str, tuple[Field, ...]] = MappingProxyType({
    "what answers": (
        Field("models", "models", "what answers; each is an axis of the grid", _models,
              "others: a GGUF file, owner/repository:QUANT, server:MODEL@URL"),
    ),
    "what is asked": (
        Field("scenarios", "scenario packs", "by name or path", _packs,
              "others: a TOML file, or a folder of CSV files"),
        Field("categories", "categories", "only their scenarios; none ticked is all", _categories,
              off=([], "all")),
        Field("limit", "scenarios at most", "taken in turn from the categories; 0 is all",
              off=(0, "all")),
        Field("conditions", "conditions", "how a prompt is steered", _conditions),
        Field("conditions_file", "conditions from", "a TOML file, or paper; empty: the shipped",
              off=("", "shipped with steertui")),
    ),
    "who labels": (
        Field("judges", "judges", "who labels; none chosen: the demo judges itself only", _judges,
              "others: openai:MODEL, openai:MODEL@http://HOST:PORT/v1, local:FILE.gguf",
              off=([], "not chosen")),
        Field("rubric", "rubric", "what a judge is told: steertui, paper or a TOML file"),
        Field("hide_suffix", "hide suffix", "whether the judge sees the task without its suffix"),
        Field("reasons", "reasons", "whether the judge is asked for a reason, too"),
        Field("debias", "debiasing", "label order: none, estimate from a sample, permute all"),
    ),
    "how it is drawn": (
        Field("samples", "samples", "answers a scenario and condition; one at temperature 0"),
        Field("temperatures", "temperatures", "0 is greedy; several, with commas, are an axis",
              off=([0.0], "0, greedy")),
        Field("max_tokens", "new tokens", "at most, reasoning included"),
        Field("max_tokens_thinking", "when thinking", "the same for models that think; 0: the same",
              off=(0, "the same")),
        Field("stop_tokens", "stop tokens", "any of llama.cpp's, or the tokenizer's eos"),
        Field("thinking", "thinking", "template: as the model has it; force or off"),
        Field("server_template", "server template", "a Jinja file that writes servers' prompts",
              off=("", "none")),
        Field("top_k", "top k", "draw from the k likeliest tokens; 0 from all", off=(0, "all")),
        Field("top_p", "top p", "draw from the nucleus of this probability; 1 is off",
              off=(1.0, "off")),
        Field("min_p", "min p", "leave out tokens below this share of the likeliest; 0 is off",
              off=(0.0, "off")),
        Field("repetition_penalty", "repetition penalty", "1 is off", off=(1.0, "off")),
        Field("presence_penalty", "presence penalty", "0 is off", off=(0.0, "off")),
        Field("seed", "seed", "base of every trial's own seed"),
    ),
})  # fmt: skip
"""The fields under the headings that say what they decide."""

FIELDS: Mapping[str, Field] = MappingProxyType(
    {field.name: field for fields in GROUPS.values() for field in fields}
)
"""By name."""
