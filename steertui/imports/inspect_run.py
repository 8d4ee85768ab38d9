"""Runs of inspect_ai: model, sampling parameters, condition and samples of each log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from steertui.core.generation import SamplingParams
from steertui.core.model import Model, imported_identity, inspect_batch, is_stand_in
from steertui.errors import SourceError, shorten
from steertui.imports.inspect_sample import Sample, parse_sample
from steertui.imports.log_file import LogFile, log_paths, open_log
from steertui.paths import exists
from steertui.units import list_text, quantity
from steertui.untrusted import count, table_of, text_of

_STATED = ("max_tokens", "top_p", "top_k", "seed")
"""Settings of inspect_ai that a trial stores besides the temperature and the penalty."""

_NOT_STORED = (
    "frequency_penalty",
    "stop_seqs",
    "logit_bias",
    "reasoning_effort",
    "reasoning_tokens",
    "response_schema",
    "system_message",
    "extra_body",
)
"""Settings of inspect_ai that change answers and are no setting of a trial."""


@dataclass(frozen=True, slots=True)
class InspectRun:
    """One log.

    Attributes:
        log: the file.
        samples: its samples.
        condition: name that the user gave; "" for none.
        temperature: temperature that the user gave for logs that state none; None for none.
        batch: digest of all logs of the model that are imported together.
    """

    log: LogFile
    samples: Sequence[Sample]
    condition: str
    temperature: float | None
    batch: str = ""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The log's `eval`."""
        return table_of(self.log.header.get("eval"))

    @property
    def name(self) -> str:
        """The model's name with its provider, such as "openai/gpt-4o-mini"."""
        return shorten(text_of(self.spec.get("model")).replace("#", "_"), 200)

    @property
    def title(self) -> str:
        """The model's name; the stated title if the model is the demo checkpoint."""
        stated = shorten(text_of(table_of(self.spec.get("model_args")).get("title")), 100)
        return stated if is_stand_in(stated) else self.name

    @property
    def task(self) -> str:
        """The task's name without its package."""
        return shorten(text_of(self.spec.get("task")).rpartition("/")[2], 100) or "inspect_ai"

    @property
    def model(self) -> Model:
        """The model. There is no file; the identity is made of its name and its logs."""
        return Model(self.name, Path(), imported_identity(self.name, self.batch), size=0)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of generation that the log states."""
        of_model = table_of(self.spec.get("model_generate_config"))
        of_plan = table_of(table_of(self.log.header.get("plan")).get("config"))
        return {k: v for k, v in (of_model | of_plan).items() if v is not None}

    @property
    def sampling(self) -> SamplingParams:
        """The sampling parameters; one that the log lacks is neutral, a limit of tokens is 0.

        Raises SourceError for a log without a temperature.
        """
        config = self.config
        temperature = _number(config.get("temperature", self.temperature))
        if temperature is None:
            raise SourceError(
                f"{self.log.path}: states no temperature; give it with --temperature if you know it"
            )
        top_p = _number(config.get("top_p"))
        return SamplingParams(
            temperature=temperature,
            top_k=count(config.get("top_k")),
            top_p=1.0 if top_p is None else top_p,
            presence_penalty=_number(config.get("presence_penalty")) or 0.0,
            max_tokens=count(config.get("max_tokens")),
            seed=count(config.get("seed")),
        )

    def notes(self) -> Iterator[str]:
        """Yield what the log lacks or has no place in a trial, without full stops."""
        config = self.config
        yield "the log holds chat messages; the chat template and the rendered prompts are unknown"
        if "temperature" not in config:
            yield f"the log states no temperature; {self.temperature:g} is the user's statement"
        missing = [name for name in _STATED if name not in config]
        if missing:
            yield f"the log does not state {list_text(missing)}; the provider's values held"
        extra = [name for name in _NOT_STORED if config.get(name)]
        if extra:
            yield f"the log sets {list_text(extra)}, which trials do not store"
        status = text_of(self.log.header.get("status"))
        if status != "success":
            held = quantity(len(self.samples), "sample")
            yield (
                f"the run of {self.log.path.name} has the status {shorten(status)!r}, and its log "
                f"holds {held}; those that are missing are not trials"
            )


def _number(value: object) -> float | None:
    """Return a finite number; None for another value."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) else None  # type: ignore[arg-type]


def read_runs(logs: Sequence[str], temperature: float | None = None) -> list[InspectRun]:
    """Return the runs of logs or folders of logs, each written LOG or CONDITION=LOG.

    Raises SourceError naming file and remedy.
    """
    runs = []
    for text in logs:
        condition, path = _split(text)
        for file in log_paths(path):
            log = open_log(file)
            samples = [parse_sample(record) for record in log.samples()]
            if not samples:
                raise SourceError(f"{file}: has no samples; give a log with --log-samples")
            runs.append(InspectRun(log, samples, condition, temperature))
    return [_with_batch(run, runs) for run in runs]


def _split(text: str) -> tuple[str, Path]:
    """Return condition and path of an argument; an existing path is never split."""
    condition, equals, path = text.partition("=")
    if exists(Path(text)) or not equals:
        return "", Path(text)
    return condition, Path(path)


def _with_batch(run: InspectRun, runs: Sequence[InspectRun]) -> InspectRun:
    digests = sorted(other.log.sha256 for other in runs if other.name == run.name)
    batch = inspect_batch(sha256(" ".join(digests).encode()).hexdigest()[:8])
    return InspectRun(run.log, run.samples, run.condition, run.temperature, batch)
