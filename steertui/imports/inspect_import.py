"""Import of inspect_ai runs: answers and scores, stored as trials and verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.experiment import Experiment
from steertui.core.generation import Generation
from steertui.core.prompt import Prompt
from steertui.core.verdict import Label, Verdict
from steertui.errors import shorten
from steertui.imports.inspect_run import InspectRun
from steertui.imports.inspect_sample import Sample
from steertui.imports.inspect_trials import (
    NO_TEXT,
    Entry,
    conditions_of,
    entries_of,
    prompts_of,
    scenarios_of,
)
from steertui.imports.score_labels import ScorerJudge, scorer_judges
from steertui.store import AnswerParts, ModelFacts, Store
from steertui.store.progress_queries import failure_reasons
from steertui.units import quantity

ORIGIN = "imported from inspect_ai logs"
"""The device of such a run, as stored."""


Judges = Mapping[str, Mapping[str, ScorerJudge]]
"""Imported scorers by name, by the log's sha256."""


@dataclass(frozen=True, slots=True)
class PreparedImport:
    """Trials and judges of runs, ready to be stored.

    Attributes:
        runs: the logs.
        trials: the samples with their prompts, in planned order.
        mapping: labels by a scorer's value, as the user gave them.
        judges: the imported scorers.
        facts: metadata by the model's identity.
        notes: what the logs lack or what is not imported, without full stops.
    """

    runs: Sequence[InspectRun]
    trials: Sequence[tuple[Entry, Prompt]]
    mapping: Mapping[str, Label]
    judges: Judges
    facts: Mapping[str, ModelFacts]
    notes: Sequence[str]

    @property
    def answers(self) -> int:
        """Number of answers in the logs."""
        return sum(not entry.sample.failure for entry, _ in self.trials)

    @property
    def labels(self) -> int:
        """Number of labels in the logs."""
        found = (v for entry, _ in self.trials for v in self.verdicts(entry))
        return sum(verdict.label is not None for verdict in found)

    def verdicts(self, entry: Entry) -> Iterator[Verdict]:
        """Yield the imported verdicts on a sample; none without an answer."""
        for scorer, judge in self.judges[entry.run.log.sha256].items():
            if scorer in entry.sample.scores and not entry.sample.failure:
                yield judge.verdict(entry.sample, self.mapping)


def prepare_import(runs: Sequence[InspectRun], mapping: Mapping[str, Label]) -> PreparedImport:
    """Return the trials and judges of the runs.

    `mapping` gives labels by a scorer's value. Raises SourceError for logs that cannot be trials.
    """
    entries = entries_of(runs)
    scenarios = scenarios_of(entries)
    conditions = conditions_of(entries, scenarios)
    ranks = {name: index for index, name in enumerate(scenarios)}
    places = {name: index for index, name in enumerate(conditions)}
    entries.sort(key=lambda entry: (ranks[entry.scenario], places[entry.condition]))
    prompts = prompts_of(entries, scenarios, conditions)
    scorers = {r.log.sha256: [*scorer_judges(r.spec, r.samples, mapping)] for r in runs}
    merged = _merged([judge for found in scorers.values() for judge in found])
    imported = {judge.id for judge in merged if judge.is_imported(mapping)}
    unknown = [f"condition {c.name}: {c.about}" for c in conditions.values() if c.about == NO_TEXT]
    problems = (judge.problem(mapping) for judge in merged)
    return PreparedImport(
        runs=runs,
        trials=[*zip(entries, prompts, strict=True)],
        mapping=mapping,
        judges={
            log: {judge.scorer: judge for judge in found if judge.id in imported}
            for log, found in scorers.items()
        },
        facts={run.model.sha256: _facts(run, runs, unknown) for run in runs},
        notes=[*_notes(runs, unknown), *filter(None, problems), *_failures(entries)],
    )


def store_import(prepared: PreparedImport, store: Store) -> str:
    """Add trials, answers and verdicts to the store; return the experiment's id.

    The same logs again add nothing but the labels of scorers that were not imported before.
    """
    prompts = [prompt for _, prompt in prepared.trials]
    toml = _experiment_toml(prompts, prepared.judges)
    experiment = store.add_experiment(toml, prompts, dict(prepared.facts))
    known = {judge.id for judge in store.judges(experiment)}
    for judge in {j.id: j for found in prepared.judges.values() for j in found.values()}.values():
        store.add_judge(judge.id, judge.name, judge.record)
    answered = store.answered_keys(experiment)
    failed = failure_reasons(store, experiment).keys()
    new = [t for t in prepared.trials if t[1].key not in (answered | failed)]
    run = _add_run(prepared, store, experiment) if new else 0
    for entry, prompt in new:
        if entry.sample.failure:
            store.add_failure(prompt.key, run, entry.sample.failure)
        else:
            verdicts = [*prepared.verdicts(entry)]
            store.add_labelled(prompt.key, run, *_answer(entry.sample), verdicts=verdicts)
    for entry, prompt in prepared.trials:
        for verdict in prepared.verdicts(entry) if prompt.key in answered else ():
            if verdict.judge not in known:
                store.add_verdict(prompt.key, verdict)
    return experiment


def _add_run(prepared: PreparedImport, store: Store, experiment: str) -> int:
    logs = {run.log.path.name: run.log.sha256 for run in prepared.runs}
    return store.add_run(experiment, {}, ORIGIN, {"logs": logs})


def _failures(entries: Sequence[Entry]) -> Iterator[str]:
    failed = [entry.sample.failure for entry in entries if entry.sample.failure]
    if failed:
        yield f"{quantity(len(failed), 'sample')} without an answer: {shorten(failed[0])}"


def _merged(judges: Sequence[ScorerJudge]) -> list[ScorerJudge]:
    """Return the scorers of all logs, each once, with the values of all its scores."""
    merged: dict[str, ScorerJudge] = {}
    for judge in judges:
        own = merged.setdefault(judge.id, ScorerJudge(judge.scorer, judge.settings, judge.title))
        own.values.update(judge.values)
    return [*merged.values()]


def _answer(sample: Sample) -> tuple[Generation, AnswerParts]:
    """Return the generation, its reasoning and the answer that the scorer saw."""
    thought = f"<think>{sample.reasoning}</think>" if sample.reasoning else ""
    generation = Generation(
        text=thought + sample.answer,
        stop=sample.stop,
        prompt_tokens=sample.prompt_tokens,
        tokens=sample.tokens,
        seconds=sample.seconds,
    )
    if thought:
        return generation, AnswerParts(sample.reasoning, sample.answer)
    return generation, AnswerParts(generation.reasoning, generation.answer)


def _notes(runs: Sequence[InspectRun], unknown: Sequence[str]) -> list[str]:
    return [*dict.fromkeys(note for run in runs for note in run.notes()), *unknown]


def _facts(run: InspectRun, runs: Sequence[InspectRun], unknown: Sequence[str]) -> ModelFacts:
    own = [other for other in runs if other.name == run.name]
    return ModelFacts(
        title=run.title,
        architecture="",
        description="answers imported from inspect_ai logs; the model was not run here",
        parameters=0,
        template="",
        template_sha256="",
        notes=tuple(_notes(own, unknown)),
    )


def _experiment_toml(prompts: Sequence[Prompt], judges: Judges) -> str:
    trials = [prompt.trial for prompt in prompts]
    default = Experiment.max_tokens
    experiment = Experiment(
        models=[*dict.fromkeys(trial.model.name for trial in trials)],
        scenarios=[*dict.fromkeys(trial.scenario.pack for trial in trials)],
        conditions=[*dict.fromkeys(trial.condition.name for trial in trials)],
        judges=sorted({judge.id for found in judges.values() for judge in found.values()}),
        samples=max(trial.sample for trial in trials) + 1,
        temperatures=sorted({trial.sampling.temperature for trial in trials}),
        max_tokens=max(trial.sampling.max_tokens for trial in trials) or default,
    )
    return f"# {ORIGIN}\n{experiment.to_toml()}"
