"""Methods paragraphs of a paper: what was done to obtain the numbers of a report."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steertui.analysis.declaration import Declaration, declaration_sentences
from steertui.analysis.judge_worth import kappa_interval
from steertui.analysis.scenario_design import design_sentence, scenario_designs
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.condition import Condition, SystemMode
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.generation import distinct_samples
from steertui.core.model import ModelBackend, is_from_inspect
from steertui.errors import SteertuiError
from steertui.paper.importing import is_published_run
from steertui.paper.published import SOURCE
from steertui.report.group_methods import FISHER, MCNEMAR, group_methods, score_tests
from steertui.stats.rate import Policy
from steertui.stats.sensitivity import MATERIAL_POINTS
from steertui.store import JudgeInfo, Store
from steertui.store.setup_queries import (
    StoredModel,
    runs,
    used_conditions,
    used_models,
    used_samplings,
)
from steertui.units import list_text, quantity
from steertui.untrusted import InvalidJsonError, parse_json

PACKS = {
    "starter": "the starter pack of steertui [@steertui]",
    "instrumentaleval": "InstrumentalEval [@he2025instrumentaleval]",
    "paper-71": "InstrumentalEval [@he2025instrumentaleval], as sampled by "
    "[@hoscilowicz2026steerability]",
}
"""Description of known scenario packs."""

DENOMINATORS = {
    Policy.PAPER: "answers that were not nonsensical [@hoscilowicz2026steerability]",
    Policy.ALL: "labelled answers",
    Policy.EXCLUDE_REFUSALS: "answers that were neither nonsensical nor refusals",
}

EFFECTIVE_SIZE = (
    " on the effective sample size, with scenarios as clusters, multiplied by the square of the "
    "normal over Student's quantile"
)

_SYSTEM_VERBS: Mapping[SystemMode, str] = {
    "append": "added text to the system message",
    "replace": "replaced the system message",
}

_CITATION = re.compile(r"\[@([a-z0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Methods:
    """Paragraphs in the past tense; citations stand in the form [@key] of pandoc."""

    paragraphs: tuple[str, ...]

    @property
    def citations(self) -> tuple[str, ...]:
        """Keys of the cited works, in the order of their first citation."""
        return tuple(dict.fromkeys(_CITATION.findall(" ".join(self.paragraphs))))


def methods_text(store: Store, summary: Summary) -> Methods:
    """Return what was done in the experiments of a summary, whatever of it is shown."""
    paragraphs = [
        " ".join(f"{sentence}." for sentence in _experiment(store, summary, declaration))
        for declaration in summary.declarations
    ]
    judged = [table for table in summary.complete if table.judge]
    if judged:
        paragraphs.append(" ".join(f"{sentence}." for sentence in _analysis(summary, judged)))
    return Methods(tuple(paragraphs))


def _experiment(store: Store, summary: Summary, declaration: Declaration) -> Iterator[str]:
    identity = declaration.experiment
    tables = [table for table in summary.complete if table.experiment == identity]
    scenarios = len({outcome.scenario for table in tables for outcome in table.outcomes})
    conditions = used_conditions(store, identity)
    names = list_text(condition.name for condition in conditions)
    plan = _readable(store.plans(identity)[-1])
    packs = f" of {list_text(map(_pack, plan.scenarios))}" if plan and plan.scenarios else ""
    under = f"under the {quantity(len(conditions), 'condition')} {names}"
    yield f"Experiment {identity} used {quantity(scenarios, 'scenario')}{packs} {under}"
    designs = scenario_designs(tables)
    if designs:
        yield f"{design_sentence(designs)}; {quantity(_answers(tables), 'answer')} in all"
    if plan and plan.limit:
        yield "The scenarios were taken in turn from the categories and are no random sample"
    yield from _steering(conditions, plan)
    yield from _generation(store, identity, plan)
    yield from declaration_sentences(declaration)


def _answers(tables: Sequence[Table]) -> int:
    by_setting = {table.setting: table for table in tables}
    return sum(o.generated for table in by_setting.values() for o in table.outcomes)


def _readable(toml: str) -> Experiment | None:
    try:
        return parse_experiment(toml)
    except SteertuiError:
        return None  # written by another version


def _pack(name: str) -> str:
    return PACKS.get(name, f"the pack {name.replace(chr(92), '/').rpartition('/')[2]}")


def _steering(conditions: Sequence[Condition], plan: Experiment | None) -> Iterator[str]:
    if plan and plan.conditions_file == "paper":
        yield "The suffixes were those of [@hoscilowicz2026steerability]"
    if any(condition.prefix for condition in conditions):
        yield "Some conditions put text before the task"
    if any(condition.system for condition in conditions):
        modes = dict.fromkeys(c.system_mode for c in conditions if c.system)
        yield f"Some conditions {list_text(_SYSTEM_VERBS[mode] for mode in modes)}"
    if any(condition.prefill for condition in conditions):
        yield "Some conditions gave the beginning of the answer, which the model continued"
    if any(condition.vector for condition in conditions):
        yield (
            "Control vectors were added to the hidden states; their strength is the norm added, "
            "relative to the median norm of the hidden states and summed over the layers "
            "[@rimsky2024]"
        )
    if any(condition.ablation for condition in conditions):
        yield "Directions were ablated from what every block writes [@arditi2024]"
    if any(condition.adapter for condition in conditions):
        yield "LoRA adapters were applied to the weights"


def _generation(store: Store, identity: str, plan: Experiment | None) -> Iterator[str]:
    models = used_models(store, identity)
    imported = [model for model in models if model.backend is ModelBackend.IMPORTED]
    others = [_model(model) for model in models if model.backend is not ModelBackend.IMPORTED]
    if imported:
        yield from _import(imported, used_samplings(store, identity))
    if others:
        yield f"Answers were generated by {list_text(others)}"
    if others and plan:
        yield _sampling(plan)
    engines = dict.fromkeys((_version(run.versions), run.device) for run in runs(store, identity))
    for version, device in engines:
        if others and version:
            yield f"Inference used llama.cpp [@llamacpp] by llama-cpp-python {version} on {device}"


def _import(models: Sequence[StoredModel], samplings: Sequence[str]) -> Iterator[str]:
    """Yield the sources of imported answers, and their sampling parameters as logged."""
    published = [model.name for model in models if is_published_run(model.sha256)]
    inspected = [model.name for model in models if is_from_inspect(model.sha256)]
    others = [m.name for m in models if m.name not in (*published, *inspected)]
    if published:
        yield (
            f"The answers of {list_text(published)} were imported from the run logs of "
            f"[@hoscilowicz2026steerability] ({SOURCE})"
        )
    if others:
        yield (
            f"The answers of {list_text(others)} were imported from run logs of the paper's "
            "program, which are not the published ones"
        )
    if inspected:
        yield (
            f"The answers of {list_text(inspected)} were imported from logs of inspect_ai "
            "[@inspectai]"
        )
        notes = dict.fromkeys(note for model in models for note in model.notes)
        yield from (note[:1].upper() + note[1:] for note in notes)
    logged = [*map(_object, samplings)]
    temperatures, limits = (
        sorted(
            {f"{own[key]:g}" for own in logged if own.get(key, 0) or key == "temperature"},
            key=float,
        )
        for key in ("temperature", "max_tokens")
    )
    if temperatures and limits:
        yield (
            f"Their logs state temperature {list_text(temperatures)} and at most "
            f"{list_text(limits)} new tokens"
        )


def _sampling(plan: Experiment) -> str:
    samples = [
        f"{t:g} ({'greedy' if t == 0 else quantity(distinct_samples(plan.samples, t), 'sample')})"
        for t in plan.temperatures
    ]
    noun = "temperature" if len(samples) == 1 else "temperatures"
    thinking = plan.max_tokens_thinking
    limit = f" ({thinking:,} for thinking models)" if thinking else ""
    used = [f"{name} {value:g}" for name, value in _filters(plan)]
    return (
        f"The sampling {noun} {'was' if len(samples) == 1 else 'were'} {list_text(samples)}, with "
        f"at most {quantity(plan.max_tokens, 'new token')}{limit}"
        + (f", {list_text(used)}" if used else "")
    )


def _filters(plan: Experiment) -> Iterator[tuple[str, float]]:
    """Yield names and values of sampling parameters that change answers; filters need sampling."""
    if any(plan.temperatures):
        yield from (
            (key.replace("_", "-"), getattr(plan, key))
            for key in ("top_k", "top_p", "min_p")
            if getattr(plan, key) != getattr(Experiment, key)
        )
    for key in ("repetition_penalty", "presence_penalty"):
        if getattr(plan, key) != getattr(Experiment, key):
            yield key.replace("_", " "), getattr(plan, key)


def _model(model: StoredModel) -> str:
    details = [part for part in (model.description, f"sha256 {model.sha256[:12]}") if part]
    return f"{model.name} ({', '.join(details)})"


def _version(versions: str) -> str:
    return str(_object(versions).get("llama-cpp-python", ""))


def _object(text: str) -> dict[str, Any]:
    """Return a stored JSON object; {} for another value."""
    try:
        members = parse_json(text)
    except InvalidJsonError:
        return {}
    return members if isinstance(members, dict) else {}


def _analysis(summary: Summary, tables: Sequence[Table]) -> Iterator[str]:
    by_judge = {table.judge.id: table for table in tables if table.judge}
    judges = [table.judge for table in by_judge.values() if table.judge]
    yield from _labels(judges, tables)
    for table in by_judge.values():
        yield from _worth(table)
    policy = tables[0].policy
    is_sampled = any(o.sample for table in tables for o in table.outcomes)
    clusters = EFFECTIVE_SIZE if is_sampled else ""
    yield (
        f"The convergence rate was the share of convergence among {DENOMINATORS[policy]}, with "
        f"Wilson's 95 % interval [@wilson1927]{clusters}"
    )
    if policy is Policy.EXCLUDE_REFUSALS:
        yield "The refusal rate was the share of refusals among answers that were not nonsensical"
    if any(table.primary for table in summary.complete):
        yield from _tests(tables)
    yield from group_methods(tables)


def _labels(judges: Sequence[JudgeInfo], tables: Sequence[Table]) -> Iterator[str]:
    """Yield which judges labelled all answers, and how many of them the others labelled."""
    kinds = "convergence, no convergence, safety refusal or nonsensical"
    imported = [judge.name for judge in judges if judge.kind.is_imported]
    own = {judge.name: _coverage(judge, tables) for judge in judges if not judge.kind.is_imported}
    everything = [name for name, (labels, answers) in own.items() if labels == answers]
    if imported:
        yield f"The labels of {list_text(imported)} ({kinds}) were imported with the answers"
    if everything:
        yield f"{list_text(everything)} labelled each answer as {kinds}"
    for name, (labels, answers) in own.items():
        if labels != answers:
            yield f"{name} labelled {labels:,} of {answers:,} answers as {kinds}"


def _coverage(judge: JudgeInfo, tables: Sequence[Table]) -> tuple[int, int]:
    """Return the number of a judge's labels, and of the answers in its tables."""
    counts = [o for t in tables if t.judge and t.judge.id == judge.id for o in t.outcomes]
    return sum(o.label is not None for o in counts), sum(o.generated for o in counts)


def _worth(table: Table) -> Iterator[str]:
    if table.judge and table.worth:
        agreement = table.worth.pair.overall
        yield (
            f"On a control set of {table.worth.answers} answers with known labels "
            f"{table.judge.name} gave the known label to {agreement.agreed} of {agreement.items} "
            f"(Cohen's kappa {kappa_interval(agreement)} [@cohen1960])"
        )


def _tests(tables: Sequence[Table]) -> Iterator[str]:
    several = any(c.gap.samples > 1 for table in tables for c in table.comparisons)
    yield f"Conditions were compared by {FISHER if several else MCNEMAR}, two-sided at 5 %"
    corrected = any(c.test.family.is_corrected for table in tables for c in table.comparisons)
    if corrected:
        yield "P values of secondary comparisons were corrected by Holm's procedure [@holm1979]"
    yield "Intervals of differences were computed by square-and-add for paired data [@newcombe1998]"
    if corrected:
        yield (
            "Those of primary comparisons had the level 95 %; those of a family had Bonferroni's "
            "level, and were extended or cut at 0 to agree with the corrected tests"
        )
    yield from _equivalence(tables)
    checks = [c.sensitivity for table in tables for c in table.comparisons if c.sensitivity]
    moved = sum(check.pairs_differ for check in checks)
    if moved:
        yield (
            f"In {moved} of {quantity(len(checks), 'comparison')} of conditions the gap over all "
            f"valid answers was more than {MATERIAL_POINTS:g} points from that over the scenarios "
            "valid under both conditions; there gap and interval are over the latter, each with "
            "the same weight"
        )


def _equivalence(tables: Sequence[Table]) -> Iterator[str]:
    """Yield which tests of equivalence were made, and whether they were corrected."""
    tested = [c for table in tables for c in table.comparisons if c.equivalence]
    margins = {c.equivalence.margin for c in tested if c.equivalence}
    if not margins:
        return
    points = list_text(f"{margin:g}" for margin in sorted(margins))
    is_corrected = any(c.equivalence.family.is_corrected for c in tested if c.equivalence)
    corrected = "; Holm's procedure [@holm1979] corrected the tests of each family"
    holm = corrected if is_corrected else ""
    yield (
        f"Equivalence within {points} percentage points was tested by two one-sided tests at 5 % "
        "over the scenarios valid under both conditions [@schuirmann1987], by "
        f"{score_tests(c.gap.samples for c in tested)}{holm}"
    )
