"""The fields of an experiment as the Plan screen shows and changes them."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from steertui.borrowed import BENCHMARK, PAPER, SUBSET
from steertui.catalogue import catalogue
from steertui.condition import load_conditions
from steertui.errors import ExperimentError, SteertuiError
from steertui.experiment import Experiment, texts_of
from steertui.model import DEMO
from steertui.server.address import is_server
from steertui.tomlfile import check

Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in the experiment, its title, a sentence, and what it may be.

    Attributes:
        choices: what can be ticked, for a field of several names; None for one that is typed.
        hint: what may be typed.
    """

    name: str
    title: str
    about: str
    choices: Callable[[Experiment], Options] | None = None
    hint: str = ""

    def shown(self, value: object) -> str:
        """Return a value as it is read and typed."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in value]
            return ", ".join(texts) or ("all" if self.name == "categories" else "not chosen")
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
    return check(asdict(experiment) | {name: value}, Experiment, ExperimentError, "experiment")


def _models(_: Experiment) -> Options:
    from steertui.weights import locate

    found = [(DEMO, "demo (shipped: means nothing about real models)")]
    for model in catalogue():
        for weights in model.weights:
            name = f"{model.name}:{weights.quant}"
            here = "here" if locate(name) else "to be fetched"
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
        scenarios, _ = texts_of(replace(experiment, categories=[], limit=0))
    except SteertuiError:
        return []
    return [(name, name) for name in dict.fromkeys(s.category for s in scenarios)]


def _judges(experiment: Experiment) -> Options:
    names = dict.fromkeys([DEMO, *(m for m in experiment.models if not is_server(m))])
    return [("none", "none"), *((f"local:{m}", f"local:{m}") for m in names)]


FIELDS = (
    Field("models", "models", "what answers; each is an axis", _models,
          "others: a GGUF file, owner/repository:QUANT, server:MODEL@URL"),
    Field("scenarios", "scenario packs", "by name or path", _packs,
          "others: a TOML file, or a folder of CSV files"),
    Field("categories", "categories", "only their scenarios; none ticked is all", _categories),
    Field("limit", "scenarios at most", "taken in turn from the categories; 0 is all"),
    Field("conditions", "conditions", "how a prompt is steered", _conditions),
    Field("conditions_file", "conditions from", "a TOML file, paper, or nothing for the shipped"),
    Field("judges", "judges", "who labels; none chosen: the demo judges itself only", _judges,
          "others, by name"),
    Field("rubric", "rubric", "what a judge is told: steertui, paper or a TOML file"),
    Field("blind", "blind judge", "whether the judge sees the task without its suffix"),
    Field("reasons", "reasons", "whether the judge is asked for a reason, too"),
    Field("samples", "samples", "answers for each scenario and condition; one at temperature 0"),
    Field("temperatures", "temperatures", "0 is greedy; several, with commas, are an axis"),
    Field("max_tokens", "new tokens", "at most, reasoning included"),
    Field("max_tokens_thinking", "when thinking", "the same for models that think; 0 is no other"),
    Field("end", "an answer ends", "any of llama.cpp's end tokens: any; the tokenizer's own: eos"),
    Field("thinking", "thinking", "template: as the model has it; open begins it, off asks not to"),
    Field("server_template", "server template", "a Jinja file that writes servers' prompts"),
    Field("top_k", "top k", "draw from the k likeliest tokens; 0 from all"),
    Field("top_p", "top p", "draw from the nucleus of this probability; 1 is off"),
    Field("min_p", "min p", "leave out tokens below this share of the likeliest; 0 is off"),
    Field("repetition_penalty", "repetition penalty", "1 is off"),
    Field("presence_penalty", "presence penalty", "0 is off"),
    Field("seed", "seed", "base of every trial's own seed"),
)  # fmt: skip
