"""Lines that describe a plan before it is run: sizes, work to do, cost, smallest gap."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from steertui.analysis.sentences import minimum_gap_sentence
from steertui.analysis.summary import STAND_IN_WARNING
from steertui.core.condition import Condition
from steertui.core.contest import contest_sides
from steertui.core.experiment import Experiment
from steertui.core.grouping import Access
from steertui.core.prompt import Prompt
from steertui.core.shard import WHOLE
from steertui.execution.judge_worths import with_worths
from steertui.execution.progress import dollars
from steertui.judge.price import estimate_tokens, list_price
from steertui.planning.estimate import Estimate, GridSize
from steertui.planning.example_prompt import ExamplePrompt
from steertui.planning.judge_estimate import JudgeEstimate
from steertui.planning.plan import Plan
from steertui.planning.rates import SecondsPerAnswer
from steertui.planning.reach import Sizes, is_offline
from steertui.planning.supply import parts_of
from steertui.server.address import KEY, is_openai_host, key_for
from steertui.server.model import ServerModel
from steertui.units import clock, quantity, size_text, verb

EXAMPLE_LINES = 30
"""Lines of a prompt that the plan shows."""

EXAMPLE_COLUMNS = 1000
"""Characters of a line of this prompt that the plan shows."""


def plan_lines(plan: Plan, db: Path) -> list[str]:
    """Return what a run will do, and the smallest gap that it can detect, one fact per line."""
    design = plan.design
    experiment = design.experiment
    conditions = [c.name for c in design.conditions]
    temperatures = ", ".join(f"{t:g}" for t in experiment.temperatures)
    time = time_text(plan.estimate, len(plan.missing_here))
    lines = [
        *([f"Name    {experiment.name}"] if experiment.name else []),
        f"Plan    {quantity(len(design.scenarios), 'scenario')} × "
        f"{quantity(len(conditions), 'condition')} ({', '.join(_collapsed(design.conditions))})",
        *_side_lines(design.conditions),
        f"Models  {', '.join(m.name for m in design.models)} at temperature {temperatures}, "
        f"{samples_text(plan.estimate.size)}, {experiment.max_tokens} new tokens at most",
        f"Trials  {len(plan.prompts)}: {len(plan.answered)} answered before"
        f"{reused_text(plan.reused)}, {len(plan.missing_here)} to do",
        *([f"Time    {time}"] if time else []),
        *_server_lines(plan),
    ]
    if design.shard != WHOLE:
        lines.append(
            f"Shard   {design.shard}: {quantity(len(design.own_scenarios), 'scenario')} "
            f"{verb(len(design.own_scenarios), 'is', 'are')} run here; "
            "`steertui merge` joins all shards"
        )
    lines += _score_lines(plan.estimate)
    lines += _judge_lines(plan, db)
    lines += map(note_line, plan.notes)
    lines += [f"Store   {db}", f"        {gap_text(plan.estimate)}."]
    if plan.is_stand_in:
        lines.append(f"        {STAND_IN_WARNING}")
    return lines


def estimate_lines(estimate: Estimate, experiment: Experiment) -> list[str]:
    """Return what an experiment would fetch and do, before any of it is done."""
    size = estimate.size
    left_out = {left.name for left in estimate.left_out}
    lines = [f"Models  {', '.join(n for n in experiment.models if n not in left_out)}"]
    lines += [f"Without {left.name}: {left.reason}" for left in estimate.left_out]
    if estimate.downloads:
        lines.append(f"Fetch   {missing_text(estimate.downloads, experiment)}")
        if is_offline():
            lines.append("        HF_HUB_OFFLINE is set: a run downloads no weights")
    if not size.trials:
        return [*lines, "Trials  unknown before these texts are on this machine"]
    lines.append(
        f"Trials  {size.trials:,} = {quantity(size.models, 'model')} × "
        f"{quantity(size.scenarios, 'scenario')} × {quantity(size.conditions, 'condition')} × "
        f"{samples_text(size)}: {answered_text(estimate)}"
        f"{estimate.unanswered:,} to do"
    )
    lines += [
        f"        {count:,}: {reason}" if count else f"        {reason}"
        for reason, count in estimate.reasons
    ]
    time = time_text(estimate, estimate.unanswered)
    lines += [f"Time    {time}"] if time else []
    return [*lines, *map(judge_plan_line, estimate.judges)]


def samples_text(size: GridSize) -> str:
    """Return the samples of each prompt, such as "2 samples".

    Those of several temperatures are named: "4 samples (1 at temperature 0, 3 at 1)".
    """
    (first, count), *others = size.samples_by_temperature
    parts = [f"{count} at temperature {first:g}", *(f"{n} at {t:g}" for t, n in others)]
    return quantity(size.samples, "sample") + (f" ({', '.join(parts)})" if others else "")


def missing_text(files: Sizes, experiment: Experiment) -> str:
    """Return the total size of missing files, and each with what needs it and its size."""
    parts = parts_of(experiment)
    each = (
        f"{name} ({parts[name]}, {size_text(size) if size else 'size unknown'})"
        for name, size in files
    )
    total = sum(size for _, size in files)
    return (f"{size_text(total)}: " if total else "") + ", ".join(each)


def example_lines(example: ExamplePrompt) -> list[str]:
    """Return a prompt with its line breaks, indented; the middle of a long one is left out."""
    text = shorten_middle(example.text.rstrip("\n").split("\n"))
    return [
        f"Prompt  {example.scenario} under {example.condition}, as {example.model} gets it:",
        *(f"        {line}".rstrip() for line in text),
    ]


def shorten_middle(lines: Sequence[str]) -> list[str]:
    """Return at most `EXAMPLE_LINES` lines of at most `EXAMPLE_COLUMNS` characters each."""
    side = EXAMPLE_COLUMNS // 2
    short = [
        f"{line[:side]} … {line[-side:]}" if len(line) > EXAMPLE_COLUMNS else line for line in lines
    ]
    if len(short) <= EXAMPLE_LINES:
        return short
    first = EXAMPLE_LINES // 2
    last = EXAMPLE_LINES - first - 1
    left_out = quantity(len(short) - first - last, "line")
    return [*short[:first], f"[… {left_out} left out …]", *short[-last:]]


def _collapsed(conditions: Sequence[Condition]) -> list[str]:
    """Return the conditions' names, with a dose axis or a contest as one item."""
    sizes = Counter(group for condition in conditions for group in condition.groups)
    names = []
    for condition in conditions:
        if condition.cell:
            group = condition.cell.contest
            names.append(f"contest {group}: {quantity(sizes[group], 'cell')}")
        elif condition.step:
            group = condition.step.axis
            names.append(f"axis {group}: {quantity(sizes[group], 'dose')}")
        else:
            names.append(condition.name)
    return list(dict.fromkeys(names))


def _side_lines(conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield what each defence and each attack of a contest changes."""
    for sides in contest_sides(conditions):
        yield f"Contest {sides.contest}: defences {_access_text(sides.defences)}"
        yield f"        attacks {_access_text(sides.attacks)}"


def _access_text(accesses: Mapping[str, Sequence[Access]]) -> str:
    return "; ".join(
        f"{name} ({', '.join(access)})" if access else name for name, access in accesses.items()
    )


def note_line(note: str) -> str:
    """Return a note on a model's prompts as a line of the plan."""
    return f"Note    {note}."


def _server_lines(plan: Plan) -> Iterator[str]:
    for model in plan.design.models:
        if isinstance(model, ServerModel):
            yield f"Server  {model.name}: {model.description}"
            yield from _cost_line(model, plan.missing(model))


def _score_lines(estimate: Estimate) -> Iterator[str]:
    if estimate.unscored:
        yield (
            f"Score   {quantity(estimate.unscored, 'answer')} by the unsteered model, as a measure "
            "of coherence, on a CPU in about half the time of generation; --coherence none leaves "
            "it out"
        )


def _judge_lines(plan: Plan, db: Path) -> Iterator[str]:
    yield from map(judge_plan_line, with_worths(plan.estimate.judges, db))
    if not plan.judges:
        yield "Judge   none: answers are stored without labels; --judge labels them later"


def cost_lines(plan: Plan) -> list[str]:
    """Return one line per judge that is paid, and per model on servers that may charge."""
    paid = [judge for judge in plan.estimate.judges if judge.labels and judge.dollars]
    models = [model for model in plan.design.models if isinstance(model, ServerModel)]
    lines = [judge_plan_line(judge) for judge in paid]
    return lines + [line for model in models for line in _cost_line(model, plan.missing(model))]


def _cost_line(model: ServerModel, missing: Sequence[Prompt]) -> Iterator[str]:
    """Yield the cost estimate of a model, if one of its servers gets a key and may charge."""
    urls = model.address.urls
    if not missing or not any(key_for(url, KEY) for url in urls):
        return
    prompt_tokens = int(estimate_tokens(*(prompt.text for prompt in missing)))
    new_tokens = sum(prompt.trial.sampling.max_tokens for prompt in missing)
    price = list_price(model.address.model) if all(map(is_openai_host, urls)) else None
    total = f", ${price.of(prompt_tokens, 0, new_tokens):.2f} in all" if price else ""
    yield (
        f"Cost    {model.name}: about {prompt_tokens:,} prompt tokens and at most {new_tokens:,} "
        f"new tokens{total}; --max-cost does not cover it"
    )


def judge_plan_line(judge: JudgeEstimate) -> str:
    """Return a judge's name, its missing labels and their estimated cost."""
    return f"Judge   {judge.name}: {judge_work_text(judge)}"


# Texts that the plan lines and the Plan screen share

UNKNOWN = "unknown until you agree to run this experiment"
"""What an estimate says of answers and times whose weights may not be opened yet."""


def reused_text(reused: int) -> str:
    """Return " (12 of them under another limit of tokens or seed)", "" for none."""
    return f" ({reused:,} of them under another limit of tokens or seed)" if reused else ""


def answered_text(estimate: Estimate) -> str:
    """Return "48 answered before, "; "" if it is unknown which trials have an answer.

    It says so where only the user's consent is missing.
    """
    if estimate.needs_consent:
        return f"answered before: {UNKNOWN}; at most "
    if estimate.answered is None:
        return ""
    basis = " in the stored plan with these settings and texts"
    return (
        f"{estimate.answered:,} answered before{reused_text(estimate.reused)}"
        f"{basis if estimate.is_as_stored else ''}, "
    )


def judge_work_text(judge: JudgeEstimate) -> str:
    """Return "144 labels pending, about 2:10, about $0.21" or "up to date", or why it cannot."""
    if judge.problem:
        return f"cannot label: {judge.problem}"
    worth = f"; {judge.worth}" if judge.worth else ""
    return f"{_pending_text(judge)}{worth}"


def _pending_text(judge: JudgeEstimate) -> str:
    if not judge.labels:
        return "up to date"
    work = "at most " if judge.is_upper_bound else ""
    work += f"{judge.unjudged:,} {'label' if judge.unjudged == 1 else 'labels'} pending"
    if judge.control:
        work += f" and {judge.control:,} control answers to read first"
    if judge.seconds_per_label:
        work += f", about {clock(judge.labels * judge.seconds_per_label)}"
    if judge.is_local:
        return work
    if judge.dollars is None:
        return f"{work}, cost unknown"
    return f"{work}, about {dollars(judge.dollars)[2:]}" if judge.dollars else f"{work}, free"


def time_text(estimate: Estimate, unanswered: int) -> str:
    """Return the estimated time for this many answers; "" for none."""
    if not unanswered:
        return ""
    if estimate.needs_consent:
        return UNKNOWN
    if estimate.seconds_per_answer is None:
        return "unknown before the first run of each model"
    range_text, limit = range_and_limit(estimate.seconds_per_answer, unanswered)
    longest = f"; {limit} if all answers have the maximum number of tokens" if limit else ""
    return f"{range_text} at the speed and answer lengths of each model's newest run{longest}"


def range_and_limit(seconds: SecondsPerAnswer, answers: int) -> tuple[str, str]:
    """Return "about 2:10" or "2:10 to 5:30", and "8:20" if all answers have the maximum length.

    The latter is "" if it is the upper bound already.
    """
    low, high, limit = (
        clock(answers * each) for each in (seconds.low, seconds.high, seconds.at_limit)
    )
    return f"{low} to {high}" if high != low else f"about {low}", limit if limit != high else ""


def gap_text(estimate: Estimate) -> str:
    """Return one sentence on the minimum detectable gap, without a full stop."""
    size = estimate.size
    if not size.has_comparison:
        return "With one condition there is no gap to detect; plan pro and anti"
    return minimum_gap_sentence(size.scenarios, size.samples_per_temperature, size.primary)
