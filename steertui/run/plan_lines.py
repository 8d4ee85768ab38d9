"""Lines that describe a plan before it is run: sizes, work to do, cost, smallest gap."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from steertui.analysis.sentences import minimum_gap_sentence
from steertui.analysis.summary import STAND_IN_WARNING
from steertui.analysis.table import compared_pairs
from steertui.core.generation import distinct_samples
from steertui.core.prompt import Prompt
from steertui.core.shard import WHOLE
from steertui.judge.price import estimate_tokens, list_price
from steertui.planning.plan import Plan
from steertui.server.address import KEY, is_openai_host, key_for
from steertui.server.model import ServerModel


def plan_lines(plan: Plan, db: Path) -> list[str]:
    """Return what a run will do, and the smallest gap that it can detect, one fact per line."""
    design = plan.design
    experiment = design.experiment
    conditions = [c.name for c in design.conditions]
    temperatures = ", ".join(f"{t:g}" for t in experiment.temperatures)
    samples = distinct_samples(experiment.samples, min(experiment.temperatures))
    gap = minimum_gap_sentence(len(design.scenarios), samples, len(compared_pairs(conditions)))
    lines = [
        f"Plan    {len(design.scenarios)} scenarios × {len(conditions)} conditions "
        f"({', '.join(conditions)})",
        f"Models  {', '.join(m.name for m in design.models)} at temperature {temperatures}, "
        f"{samples} sample{'s' * (samples > 1)}, {experiment.max_tokens} new tokens at most",
        f"Trials  {len(plan.prompts)}: {len(plan.answered)} answered before, "
        f"{len(plan.missing_here)} to do",
        *_server_lines(plan),
    ]
    if design.shard != WHOLE:
        lines.append(
            f"Shard   {design.shard}: {len(design.own_scenarios)} scenarios are run here; "
            "`steertui merge` joins all shards"
        )
    lines += _judge_lines(plan)
    lines += [f"Store   {db}", f"        {gap}."]
    if plan.is_stand_in:
        lines.append(f"        {STAND_IN_WARNING}")
    return lines


def _server_lines(plan: Plan) -> Iterator[str]:
    for model in plan.design.models:
        if isinstance(model, ServerModel):
            yield f"Server  {model.name}: {model.description}"
            yield from _cost_line(model, plan.missing(model))


def _judge_lines(plan: Plan) -> Iterator[str]:
    for judge, missing, cost in zip(plan.judges, plan.unjudged, plan.dollars, strict=True):
        yield judge_plan_line(judge.name, missing, cost)
    if not plan.judges:
        yield "Judge   none: answers are stored without labels; --judge labels them later"


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


def judge_plan_line(name: str, missing: int, cost: float | None) -> str:
    """Return how many verdicts a judge will give, and the estimated cost in dollars."""
    estimate = f", about ${cost:.2f}" if cost else ""
    return f"Judge   {name}: {missing} verdicts to do{estimate}"
