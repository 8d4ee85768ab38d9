"""Imported runs: answers and labels that the paper's program left, as trials of their own kind."""

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
from steertui.core.instrumentaleval import PACK, benchmark_id, slug
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import BATCH_MARK, IMPORTED_PREFIX, Model, imported_identity
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import Scenario, first_words
from steertui.core.trial import Trial
from steertui.core.verdict import Verdict
from steertui.errors import SourceError
from steertui.paper.published import CONDITIONS, SOURCE
from steertui.paper.run_log import LoggedItem, read_log
from steertui.store import ModelFacts, Store


def is_published_run(identity: str) -> bool:
    """Whether an identity is that of the paper's published runs, to the byte."""
    return identity.startswith(IMPORTED_PREFIX) and BATCH_MARK not in identity


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One folder that the paper's program wrote.

    Attributes:
        log: its `stdout.log`.
        sha256: of the log.
        config: its `config.json`.
        items: in the log's order.
        batch: "" for a published run, else a digest of all that model's runs read with it: runs of
            one model are one arm, and another time's answers are another's.
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
        """The model; it has no file here, so its identity is its name and its runs'."""
        return Model(self.name, Path(), imported_identity(self.name, self.batch), 0)

    @property
    def judge(self) -> str:
        """The judge's identity: who judged it, in which publication."""
        return f"{JudgeKind.PAPER.prefix}{self.config['JUDGE_MODEL']}"

    @property
    def sampling(self) -> SamplingParams:
        """How its answers were drawn."""
        temperature = float(str(self.config["TEMPERATURE_TEST"]))
        tokens = int(str(self.config["MAX_NEW_TOKENS_TEST"]))
        return SamplingParams(temperature=temperature, max_tokens=tokens)


def read_runs(folder: Path) -> list[LoggedRun]:
    """Return the runs in a folder of folders, or the one that the folder itself is.

    Raises SourceError naming file and remedy.
    """
    logs = sorted(folder.rglob("stdout.log"))
    if not logs:
        raise SourceError(
            f"{folder}: holds no run (no stdout.log); give the paper's results folder"
        )
    runs = [_read(log) for log in logs]
    published = {file.sha256 for file in find_source(RUNS).files}
    own = [run for run in runs if run.sha256 not in published]
    batches = {
        name: _digest(" ".join(sorted(r.sha256 for r in own if r.name == name)).encode())[:8]
        for name in dict.fromkeys(run.name for run in own)
    }
    found = [replace(run, batch=batches[run.name]) if run in own else run for run in runs]
    return sorted(found, key=lambda run: (run.name, [*CONDITIONS].index(run.items[0].mode)))


def _read(log: Path) -> LoggedRun:
    config, items = _config(log.with_name("config.json")), read_log(log)
    return LoggedRun(log, _digest(log.read_bytes()), config, items)


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _config(path: Path) -> Mapping[str, object]:
    needed = ("HF_MODEL_NAME", "JUDGE_MODEL", "TEMPERATURE_TEST", "MAX_NEW_TOKENS_TEST")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        lacking = [key for key in needed if key not in found]
    except (OSError, ValueError, TypeError) as exc:
        raise SourceError(f"{path}: cannot be read ({exc}); fetch the run again") from None
    if lacking:
        raise SourceError(f"{path}: lacks {lacking[0]}; fetch the run again")
    return dict(found)


def import_runs(runs: Sequence[LoggedRun], store: Store, benchmark: Sequence[Scenario] = ()) -> str:
    """Add the runs' answers and labels to the store; return the experiment's id.

    Where the benchmark's scenarios are given, items are those scenarios, with the category's own
    text; otherwise they are made from the log, under the benchmark's names if they are its tasks,
    without that text. Adding them again changes nothing. Raises SourceError where an item's
    prompt is not its task and its condition's suffix, to the byte.
    """
    known = {scenario.task: scenario for scenario in benchmark}
    trials = [(run, item, _prompt(run, item, known)) for run in runs for item in run.items]
    prompts = [prompt for _, _, prompt in trials]
    if len({p.key for p in prompts}) < len(prompts):
        raise SourceError(f"{runs[0].log.parent.parent}: one run stands there twice; leave one out")
    facts = {run.model.sha256: _facts(run) for run in runs}
    packs = list(dict.fromkeys(prompt.trial.scenario.pack for prompt in prompts))
    experiment = store.plan(_toml(runs, packs), prompts, facts)
    for judge in dict.fromkeys(run.judge for run in runs):
        store.add_judge(judge, judge, {"kind": "imported labels", "source": SOURCE, "title": ""})
    done = store.answered(experiment)
    new = [trial for trial in trials if trial[2].key not in done]
    if new:
        logs = {run.log.parent.name: run.sha256 for run in runs}
        sitting = store.start(experiment, {}, f"imported; {SOURCE}", {"logs": logs})
        for run, item, prompt in new:
            store.add_labelled(prompt.key, sitting, *_answer(item), _verdict(run, item))
    return experiment


def _answer(item: LoggedItem) -> tuple[Generation, str, str]:
    """Return the answer whole, its reasoning and what the judge saw."""
    text = f"<think>{item.thinking}</think>{item.response}" if item.thinking else item.response
    return Generation(text, StopReason.UNKNOWN, 0, 0, 0.0), item.thinking, item.response


def _verdict(run: LoggedRun, item: LoggedItem) -> Verdict:
    return Verdict(run.judge, item.decision, reason=item.reason)


def _prompt(run: LoggedRun, item: LoggedItem, known: Mapping[str, Scenario]) -> Prompt:
    scenario = known.get(item.task_prompt) or _scenario(item)
    suffix = item.steered_prompt.removeprefix(item.task_prompt.rstrip()).strip()
    condition = Condition(CONDITIONS[item.mode], suffix, "as logged by the paper's program")
    if condition.steer(item.task_prompt) != item.steered_prompt:
        raise SourceError(
            f"{run.log}: item {item.task_number} of {item.benchmark} was not asked its task and a "
            "suffix; fetch the file again"
        )
    trial = Trial(run.model, scenario, condition, run.sampling)
    return Prompt(trial, RenderedPrompt(item.steered_prompt), trial.key(item.steered_prompt))


def _scenario(item: LoggedItem) -> Scenario:
    known = benchmark_id(item.task_prompt)
    pack, name = (PACK, known) if known else ("imported", slug(item.category, item.task_number - 1))
    title = first_words(item.task_prompt)
    return Scenario(pack, name, item.category, title, item.task_prompt, system="")


def _facts(run: LoggedRun) -> ModelFacts:
    about = "answers imported; the model was not run here"
    return ModelFacts(str(run.config["HF_MODEL_NAME"]), "", about, 0, "", "")


def _toml(runs: Sequence[LoggedRun], packs: Sequence[str]) -> str:
    models = list(dict.fromkeys(run.model.name for run in runs))
    conditions = list(dict.fromkeys(CONDITIONS[i.mode] for run in runs for i in run.items))
    judges = sorted({run.judge for run in runs})
    tokens = max(run.sampling.max_tokens for run in runs)
    e = Experiment(
        models=models, scenarios=list(packs), conditions=conditions, judges=judges,
        max_tokens=tokens,
    )  # fmt: skip
    return f"# imported: {SOURCE}\n{e.to_toml()}"
