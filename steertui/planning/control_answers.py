"""Control set in a database: stored as answers with known labels, and what a judge has left."""

from collections import Counter
from pathlib import Path

from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.generation import Generation, SamplingParams, StopReason
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import CONTROL_PREFIX, Model, demo_path
from steertui.core.prompt import Prompt, RenderedPrompt
from steertui.core.scenario import load_pack
from steertui.core.trial import Trial
from steertui.core.verdict import Verdict
from steertui.judge.control import ControlSet
from steertui.judge.local import LocalJudge
from steertui.planning.judges import Judge
from steertui.store import AnswerParts, ModelFacts, Store, UnjudgedAnswer
from steertui.store.control_queries import control_experiment
from steertui.store.plan_queries import labelled_keys

CONTROL_JUDGE = f"{JudgeKind.CONTROL.prefix}labels"
"""Id of the judge whose labels are the known ones."""

REREAD_INTERVAL = 200
"""Answers after which a judge on a server reads some control answers again."""

REREADS_PER_LABEL = 3
"""Control answers of each label in one rereading."""


def control_prompts(control_set: ControlSet) -> tuple[Prompt, ...]:
    """Return the trials of a control set, in the set's order.

    The model stands for the set, so another set has other trials.
    """
    scenarios = {scenario.id: scenario for scenario in load_pack(control_set.pack)}
    conditions = load_conditions()
    model = Model("control set", Path(), f"{CONTROL_PREFIX}{control_set.sha256}", 0)
    samples: Counter[tuple[str, str]] = Counter()
    prompts = []
    for item in control_set.answer:
        cell = (item.scenario, item.condition)
        trial = Trial(
            model=model,
            scenario=scenarios[item.scenario],
            condition=conditions[item.condition],
            sampling=SamplingParams(),
            sample=samples[cell],
        )
        samples[cell] += 1
        prompts.append(Prompt(trial, RenderedPrompt(trial.user), trial.key(trial.user)))
    return tuple(prompts)


def store_control_set(store: Store, control_set: ControlSet) -> str:
    """Add the control set to the store, unless it is there; return its experiment's id."""
    prompts = control_prompts(control_set)
    model = prompts[0].trial.model
    known = control_experiment(store, prompts[0].key)
    if known and len(store.answered_keys(known)) == len(prompts):
        return known
    facts = ModelFacts(
        title="control set",
        architecture="",
        description="answers with known labels, which judges are measured on",
        parameters=0,
        template="",
        template_sha256="",
    )
    experiment = Experiment(
        models=[model.name], scenarios=[control_set.pack], judges=[CONTROL_JUDGE]
    )
    identity = store.add_experiment(experiment.to_toml(), prompts, {model.sha256: facts})
    settings = {"kind": "known labels", "title": ""}
    store.add_judge(CONTROL_JUDGE, CONTROL_JUDGE, settings)
    stored = store.answered_keys(identity)
    missing = [
        (prompt, item)
        for prompt, item in zip(prompts, control_set.answer, strict=True)
        if prompt.key not in stored
    ]
    if missing:
        run = store.add_run(identity, {}, "control set", {"sha256": control_set.sha256})
        for prompt, item in missing:
            verdict = Verdict(CONTROL_JUDGE, item.label, reason=item.reason)
            generation = Generation(item.answer, StopReason.STOP, 0, 0, 0.0)
            parts = AnswerParts("", item.answer)
            store.add_labelled(prompt.key, run, generation, parts, verdicts=[verdict])
    return identity


def control_answers(control_set: ControlSet) -> list[UnjudgedAnswer]:
    """Return what a judge is shown of each control answer, in the set's order."""
    return [
        UnjudgedAnswer(
            key=prompt.key,
            category=prompt.trial.scenario.category,
            context=prompt.trial.scenario.system,
            task=prompt.trial.scenario.task,
            user=prompt.trial.user,
            answer=item.answer,
        )
        for prompt, item in zip(control_prompts(control_set), control_set.answer, strict=True)
    ]


def pending_control(
    store: Store | None, control_set: ControlSet | None, judge: Judge
) -> list[UnjudgedAnswer]:
    """Return the control answers that a judge has not labelled; all of them without a store.

    There are none without a control set, and for the demo checkpoint, whose labels were written
    into its training text: what it is worth as a judge is known.
    """
    if control_set is None or is_demo_judge(judge):
        return []
    answers = control_answers(control_set)
    labelled = labelled_keys(store, [a.key for a in answers], judge.id) if store else frozenset()
    return [answer for answer in answers if answer.key not in labelled]


def is_demo_judge(judge: Judge) -> bool:
    """Whether a judge is the shipped demo checkpoint."""
    return isinstance(judge, LocalJudge) and judge.model.path == demo_path()
