"""Preregistration of an experiment in Markdown: what is declared before the first answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from steertui.analysis.declaration import Declaration, comparisons_sentence, read_declaration
from steertui.analysis.formatting import POLICY_DESCRIPTIONS
from steertui.core.generation import distinct_samples
from steertui.execution.plan_lines import gap_text
from steertui.output_files import text_output
from steertui.planning.plan import Plan
from steertui.report.markdown_tables import escape
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.units import quantity

REGISTRATION = "registration"
"""Kind of the output file."""


def write_registration(store: Store, plan: Plan, path: Path) -> str:
    """Write the preregistration of a stored plan; return the plan's digest.

    Raises OutputError if the file cannot be written or must not be replaced.
    """
    declaration = read_declaration(store, plan.id)
    digest = store.plan_digest(plan.id, plan.design.experiment.to_toml())
    with text_output(path, REGISTRATION, [store.path]) as file:
        file.write("\n".join(_lines(plan, declaration, digest)) + "\n")
    return digest


def _lines(plan: Plan, declaration: Declaration, digest: str) -> Iterator[str]:
    answered = len(plan.answered)
    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield "# Preregistration\n"
    yield f"Written on {written} by steertui {version('steertui')}.\n"
    if answered:
        yield (
            f"**{quantity(answered, 'answer')} of this experiment had been stored by then: for "
            "them this is no preregistration.**\n"
        )
    yield f"- experiment: `{plan.id}`"
    yield f"- plan: `{digest}` (sha256 of the trials' keys and of the file below)"
    yield f"- stored with this analysis: {declaration.planned_at}\n"
    yield from question_lines(declaration)
    yield from _design(plan)
    yield from file_lines(plan.design.experiment.to_toml())


def file_lines(toml: str) -> Iterator[str]:
    """Yield the part with an experiment file."""
    yield "## Experiment file\n"
    yield f"~~~~toml\n{toml}~~~~"


def question_lines(declaration: Declaration) -> Iterator[str]:
    """Yield the part on the question and its analysis."""
    comparisons = declaration.comparisons
    yield "## Question and analysis\n"
    if comparisons.primary:
        first, second = map(escape, comparisons.primary)
        yield (
            f"Do answers converge more or less often under {first} than under {second}? "
            "Convergence rates are compared over the same scenarios by an exact test, "
            "two-sided.\n"
        )
    yield f"{escape(comparisons_sentence(comparisons))}.\n"
    yield from (f"{escape(sentence)}.\n" for sentence in declaration.groups)
    yield f"{POLICY_DESCRIPTIONS[Policy.PAPER]} (policy `{Policy.PAPER}`).\n"
    if comparisons.secondary:
        yield "| comparison | test |\n| --- | --- |"
        if comparisons.primary:
            yield f"| {_pair(comparisons.primary)} | primary, 5 % |"
        holm = f"secondary, Holm over {len(comparisons.secondary)}"
        yield from (f"| {_pair(pair)} | {holm} |" for pair in comparisons.secondary)
        yield ""
    yield (
        f"Margin of equivalence: {comparisons.margin:g} points. Two conditions are called "
        "equivalent if two one-sided score tests at 5 % show that their gap over the scenarios "
        "valid under both is within it, with Holm's correction over the family, and the printed "
        "gap is within it.\n"
    )
    yield "All other comparisons are exploratory.\n"


def _pair(pair: tuple[str, str]) -> str:
    return " − ".join(map(escape, pair))


def _design(plan: Plan) -> Iterator[str]:
    design = plan.design
    experiment = design.experiment
    temperatures = ", ".join(
        f"{t:g} ({quantity(distinct_samples(experiment.samples, t), 'sample')})"
        for t in experiment.temperatures
    )
    yield "## Design\n"
    yield f"- scenarios: {len(design.scenarios)} of {escape(', '.join(experiment.scenarios))}"
    if experiment.limit:
        yield "  (a limit takes them in turn from the categories; they are no random sample)"
    yield f"- temperatures: {temperatures}; at most {experiment.max_tokens} new tokens"
    yield f"- trials: {len(plan.prompts)}"
    yield f"- {escape(gap_text(plan.estimate))}.\n"
    yield "| condition | text |\n| --- | --- |"
    for condition in design.conditions:
        yield f"| {escape(condition.name)} | {escape(condition.text or '(nothing added)')} |"
    yield "\n| model | identity |\n| --- | --- |"
    for model in design.models:
        yield f"| {escape(model.name)} | `{model.sha256}` |"
    yield "\n| judge | identity |\n| --- | --- |"
    for judge in plan.judges:
        yield f"| {escape(judge.name)} | `{judge.id}` |"
    if not plan.judges:
        yield "| none | |"
    yield ""
    yield from (f"- {escape(note)}." for note in plan.notes)
    yield ""
