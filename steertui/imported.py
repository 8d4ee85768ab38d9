"""Imported runs: answers and labels that the paper's program left, as trials of their own kind."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steertui.condition import Condition
from steertui.errors import SourceError
from steertui.experiment import Experiment
from steertui.generation import Generation, SamplingParams, StopReason
from steertui.model import Model
from steertui.paper import CONDITIONS, SOURCE, LoggedItem, read_log
from steertui.prompt import Prompt
from steertui.scenario import Scenario
from steertui.store import ModelFacts, Store
from steertui.trial import Trial
from steertui.verdict import Verdict

CUT = {"Evading Shutdown": 20}
"""Tasks of the benchmark's one file that is longer than the paper's limit of tasks a file."""


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One folder that the paper's program wrote.

    Attributes:
        log: its `stdout.log`.
        config: its `config.json`.
        items: in the log's order.
    """

    log: Path
    config: Mapping[str, object]
    items: Sequence[LoggedItem]

    @property
    def model(self) -> Model:
        """The model; it has no file here, so its identity is its name."""
        name = str(self.config["HF_MODEL_NAME"]).rsplit("/", 1)[-1]
        return Model(name, Path(), f"imported:{name}", 0)

    @property
    def judge(self) -> str:
        """The judge's identity: who judged it, in which publication."""
        return f"paper:{self.config['JUDGE_MODEL']}"

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
    runs = [LoggedRun(log, _config(log.with_name("config.json")), read_log(log)) for log in logs]
    return sorted(runs, key=lambda run: (run.model.name, [*CONDITIONS].index(run.items[0].mode)))


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
    text; otherwise they are made from the log, under the benchmark's names, without that text.
    Adding them again changes nothing. Raises SourceError where an item's prompt is not its task
    and its condition's suffix, to the byte.
    """
    known = {scenario.task: scenario for scenario in benchmark}
    trials = [(run, item, _prompt(run, item, known)) for run in runs for item in run.items]
    prompts = [prompt for _, _, prompt in trials]
    if len({p.key for p in prompts}) < len(prompts):
        raise SourceError(f"{runs[0].log.parent.parent}: one run stands there twice; leave one out")
    facts = {run.model.sha256: _facts(run) for run in runs}
    experiment = store.plan(_toml(runs), prompts, facts)
    digests = {r.log.parent.name: hashlib.sha256(r.log.read_bytes()).hexdigest() for r in runs}
    for judge in {run.judge for run in runs}:
        store.add_judge(judge, judge, {"kind": "imported labels", "source": SOURCE, "title": ""})
    done = store.answered(experiment)
    if done >= {p.key for p in prompts}:
        return experiment
    sitting = store.start(experiment, {}, f"imported; {SOURCE}", {"logs": digests})
    for run, item, prompt in trials:
        text = f"<think>{item.thinking}</think>{item.response}" if item.thinking else item.response
        answer = Generation(text, StopReason.UNKNOWN, 0, 0, 0.0)
        store.add_answer(prompt.key, sitting, answer, item.thinking, item.response)
        store.add_verdict(prompt.key, Verdict(run.judge, item.decision, reason=item.reason))
    return experiment


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
    return Prompt(trial, item.steered_prompt, trial.key(item.steered_prompt))


def _scenario(item: LoggedItem) -> Scenario:
    place = item.task_number - 1
    if item.category in CUT:  # the paper's code: random.Random(123).sample(tasks, 15)
        place = random.Random(123).sample(range(CUT[item.category]), 15)[place]
    slug = item.category.lower().replace(" ", "-")
    words = " ".join(item.task_prompt.split())
    title = words if len(words) <= 48 else words[:47].rsplit(" ", 1)[0] + "…"
    name = f"{slug}/{place:02d}"
    return Scenario("instrumentaleval", name, item.category, title, item.task_prompt, "")


def _facts(run: LoggedRun) -> ModelFacts:
    about = "answers imported; the model was not run here"
    return ModelFacts(str(run.config["HF_MODEL_NAME"]), "", about, 0, "", "")


def _toml(runs: Sequence[LoggedRun]) -> str:
    models = list(dict.fromkeys(run.model.name for run in runs))
    conditions = list(dict.fromkeys(CONDITIONS[i.mode] for run in runs for i in run.items))
    judges = sorted({run.judge for run in runs})
    tokens = max(run.sampling.max_tokens for run in runs)
    e = Experiment(
        models=models, scenarios=["instrumentaleval"], conditions=conditions, judges=judges,
        max_tokens=tokens,
    )  # fmt: skip
    return f"# imported: {SOURCE}\n{e.to_toml()}"
