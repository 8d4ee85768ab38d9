"""Import of the paper's runs: answers and labels of its program, stored as trials."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.assets.paper_texts import RUNS
from steertui.assets.sources import find_source
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import Generation, SamplingParams, StopReason
from steertui.core.instrumentaleval import PACK, benchmark_id, scenario_id
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import BATCH_MARK, IMPORTED_PREFIX, Model, imported_identity
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario, first_words
from steertui.core.trial import Trial
from steertui.core.verdict import Verdict
from steertui.errors import SourceError
from steertui.paper.published import CONDITIONS, SOURCE
from steertui.paper.run_log import LoggedItem, read_log
from steertui.store import AnswerParts, ModelFacts, Store
from steertui.toml_files import read_text, require_own


def is_published_run(identity: str) -> bool:
    """Whether a model identity is that of the paper's published runs, to the byte."""
    return identity.startswith(IMPORTED_PREFIX) and BATCH_MARK not in identity


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One folder written by the paper's program.

    Attributes:
        log: path of its `stdout.log`.
        sha256: of the log.
        config: content of its `config.json`.
        items: the log's items, in its order.
        batch: "" for a published run, else a digest of all runs of the model read with it. It is
            part of the model's identity, so that runs imported at different times are different
            models.
    """

    log: Path
    sha256: str
    config: Mapping[str, object]
    items: Sequence[LoggedItem]
    batch: str = ""

    @property
    def name(self) -> str:
        """The model's name without its owner."""
        return str(self.config["HF_MODEL_NAME"]).rsplit("/", 1)[-1]

    @property
    def model(self) -> Model:
        """The model. There is no file; the identity is made of name and batch."""
        identity = imported_identity(self.name, self.batch)
        return Model(name=self.name, path=Path(), sha256=identity, size=0)

    @property
    def judge(self) -> str:
        """The judge's id."""
        return f"{JudgeKind.PAPER.prefix}{self.config['JUDGE_MODEL']}"

    @property
    def sampling(self) -> SamplingParams:
        """The sampling parameters of the answers."""
        temperature = float(str(self.config["TEMPERATURE_TEST"]))
        tokens = int(str(self.config["MAX_NEW_TOKENS_TEST"]))
        return SamplingParams(temperature=temperature, max_tokens=tokens)


def read_runs(folder: Path) -> list[LoggedRun]:
    """Return the runs in the folder and its subfolders.

    Raises SourceError naming file and remedy.
    """
    logs = sorted(folder.rglob("stdout.log"))
    if not logs:
        raise SourceError(f"{folder}: no run (no stdout.log); give the paper's results folder")
    configs = [log.with_name("config.json") for log in logs]
    require_own(folder, [*logs, *(config for config in configs if config.exists())], SourceError)
    runs = [_read_run(log) for log in logs]
    published = {file.sha256 for file in find_source(RUNS).files}
    unpublished = [run for run in runs if run.sha256 not in published]
    batches = {}
    for name in dict.fromkeys(run.name for run in unpublished):
        digests = sorted(run.sha256 for run in unpublished if run.name == name)
        batches[name] = _digest(" ".join(digests).encode())[:8]
    runs = [replace(run, batch=batches[run.name]) if run in unpublished else run for run in runs]
    return sorted(runs, key=lambda run: (run.name, [*CONDITIONS].index(run.items[0].mode)))


def _read_run(log: Path) -> LoggedRun:
    return LoggedRun(
        log=log,
        sha256=_digest(log.read_bytes()),
        config=_read_config(log.with_name("config.json")),
        items=read_log(log),
    )


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _read_config(path: Path) -> Mapping[str, object]:
    required = ("HF_MODEL_NAME", "JUDGE_MODEL", "TEMPERATURE_TEST", "MAX_NEW_TOKENS_TEST")
    try:
        config = json.loads(read_text(path, SourceError))
        missing = [key for key in required if key not in config]
    except (OSError, ValueError, TypeError, RecursionError) as exc:
        raise SourceError(f"{path}: cannot be read ({exc}); download the run again") from None
    if missing:
        raise SourceError(f"{path}: key {missing[0]} is missing; download the run again")
    return dict(config)


def import_runs(runs: Sequence[LoggedRun], store: Store, benchmark: Sequence[Scenario] = ()) -> str:
    """Add the runs' answers and labels to the store; return the experiment's id.

    With the benchmark's scenarios given, the items are those scenarios, including the category's
    text. Otherwise scenarios are made from the log, without that text; they have the benchmark's
    names if their tasks are the benchmark's. Importing the same runs again changes nothing.
    Raises SourceError if an item's prompt is not its task and its condition's suffix, to the byte.
    """
    scenarios = {scenario.task: scenario for scenario in benchmark}
    trials = [(run, item, _prompt(run, item, scenarios)) for run in runs for item in run.items]
    prompts = [prompt for _, _, prompt in trials]
    if len({prompt.key for prompt in prompts}) < len(prompts):
        raise SourceError(
            f"{runs[0].log.parent.parent}: the folder has one run twice; remove one of them"
        )
    facts = {run.model.sha256: _model_facts(run) for run in runs}
    packs = list(dict.fromkeys(prompt.trial.scenario.pack for prompt in prompts))
    experiment = store.add_experiment(_experiment_toml(runs, packs), prompts, facts)
    for judge in dict.fromkeys(run.judge for run in runs):
        store.add_judge(judge, judge, {"kind": "imported labels", "source": SOURCE, "title": ""})
    stored = store.answered_keys(experiment)
    new = [trial for trial in trials if trial[2].key not in stored]
    if new:
        logs = {run.log.parent.name: run.sha256 for run in runs}
        run_id = store.add_run(experiment, {}, f"imported; {SOURCE}", {"logs": logs})
        for run, item, prompt in new:
            verdict = Verdict(run.judge, item.decision, reason=item.reason)
            store.add_labelled(prompt.key, run_id, *_answer(item), verdicts=[verdict])
    return experiment


def _answer(item: LoggedItem) -> tuple[Generation, AnswerParts]:
    """Return the generation, its reasoning and the answer that the judge saw."""
    text = f"<think>{item.thinking}</think>{item.response}" if item.thinking else item.response
    generation = Generation(text, StopReason.UNKNOWN, prompt_tokens=0, tokens=0, seconds=0.0)
    return generation, AnswerParts(item.thinking, item.response)


def _prompt(run: LoggedRun, item: LoggedItem, scenarios: Mapping[str, Scenario]) -> Prompt:
    scenario = scenarios.get(item.task_prompt) or _scenario(item)
    suffix = item.steered_prompt.removeprefix(item.task_prompt.rstrip()).strip()
    condition = Condition(CONDITIONS[item.mode], suffix, "as logged by the paper's program")
    if condition.steer(item.task_prompt) != item.steered_prompt:
        raise SourceError(
            f"{run.log}: the prompt of item {item.task_number} of {item.benchmark} is not its task "
            "and a suffix; download the file again"
        )
    trial = Trial(run.model, scenario, condition, run.sampling)
    return Prompt(trial, RenderedPrompt(item.steered_prompt), trial.key(item.steered_prompt))


def _scenario(item: LoggedItem) -> Scenario:
    known = benchmark_id(item.task_prompt)
    return Scenario(
        pack=PACK if known else "imported",
        id=known or scenario_id(item.category, item.task_number - 1),
        category=item.category,
        title=first_words(item.task_prompt),
        task=item.task_prompt,
        system="",
    )


def _model_facts(run: LoggedRun) -> ModelFacts:
    return ModelFacts(
        title=str(run.config["HF_MODEL_NAME"]),
        architecture="",
        description="answers imported; the model was not run here",
        parameters=0,
        template="",
        template_sha256="",
    )


def _experiment_toml(runs: Sequence[LoggedRun], packs: Sequence[str]) -> str:
    experiment = Experiment(
        models=list(dict.fromkeys(run.model.name for run in runs)),
        scenarios=list(packs),
        conditions=list(dict.fromkeys(CONDITIONS[i.mode] for run in runs for i in run.items)),
        judges=sorted({run.judge for run in runs}),
        max_tokens=max(run.sampling.max_tokens for run in runs),
    )
    return f"# imported: {SOURCE}\n{experiment.to_toml()}"
