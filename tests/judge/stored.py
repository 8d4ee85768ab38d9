"""Stored answers for judges to read: the paper's, imported, and a few of our own."""

from pathlib import Path

from steertui.condition import Condition
from steertui.generation import Generation, SamplingParams, StopReason
from steertui.imported import import_runs, read_runs
from steertui.model import Model
from steertui.prompt import Prompt
from steertui.scenario import Scenario
from steertui.store import ModelFacts, Store
from steertui.trial import Trial
from tests.real import RUNS


def paper(db: Path) -> str:
    """Import the paper's nine runs; return the experiment's id."""
    with Store(db) as store:
        return import_runs(read_runs(RUNS), store)


def made_up(db: Path, answers: list[str]) -> str:
    """Store an answer each to tasks under pro and anti in turn; return the experiment's id."""
    model = Model("made-up", Path(), "made-up", 0)
    prompts = []
    for i, _ in enumerate(answers):
        scenario = Scenario("p", f"s/{i:03d}", "Evading Shutdown", f"s{i}", f"Task {i}.", "About.")
        condition = Condition(("pro", "anti")[i % 2], ("Go on.", "Stop.")[i % 2])
        trial = Trial(model, scenario, condition, SamplingParams())
        prompts.append(Prompt(trial, trial.user, trial.key(trial.user)))
    facts = {"made-up": ModelFacts("made-up", "", "", 0, "", "")}
    with Store(db) as store:
        experiment = store.plan("", prompts, facts)
        run = store.start(experiment, {}, "", {})
        for prompt, answer in zip(prompts, answers, strict=True):
            store.add_generation(prompt.key, run, Generation(answer, StopReason.STOP, 1, 1, 0.0))
    return experiment
