"""A plan and its progress in words: what will be done, how fast it goes, what is left."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from steertui.analysis.sentences import minimum_gap_sentence
from steertui.analysis.summary import STAND_IN_WARNING
from steertui.analysis.table import compared_pairs
from steertui.core.generation import distinct_samples
from steertui.core.prompt import Prompt
from steertui.core.shard import WHOLE
from steertui.engine.context import ContextParams
from steertui.engine.events import EngineLost, EngineRestarted, RequestFailed
from steertui.judge.price import estimate_tokens, list_price
from steertui.planning.plan import Plan
from steertui.run import (
    BatchProgress,
    EngineProgress,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    ModelLoaded,
    ServerFound,
    ServerLost,
    ServerModelStopped,
    ServerProgress,
)
from steertui.server.address import KEY, is_openai_host, key_for
from steertui.server.model import ServerModel
from steertui.units import clock

STAGES = {"generate": "answers", "judge": "verdicts"}


class ThroughputMeter:
    """Speed and time left of a stage."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin to count."""
        self._begin = time.monotonic()

    def leave_out(self, seconds: float) -> None:
        """Do not count a pause."""
        self._begin += seconds

    def text(self, event: EngineProgress) -> str:
        """Return "412 new tokens/s, 2:10 left"; a judge's prompt tokens count as "tokens"."""
        seconds = max(time.monotonic() - self._begin, 1e-6)
        seen = event.snapshot()
        pace = f"{seen.written / seconds:,.0f} new tokens/s"
        if event.stage == "judge":
            pace = f"{(seen.written + seen.prefilled) / seconds:,.0f} tokens/s"
        return f"{pace}, {self.left_text(event) or clock(seconds)}"

    def left_text(self, event: EngineProgress) -> str:
        """Return "2:10 left"; "" before anything is done, and at the end."""
        if not event.done or event.done == event.total:
            return ""
        seconds = time.monotonic() - self._begin
        return f"{clock(seconds * (event.total - event.done) / event.done)} left"


def loaded_line(event: ModelLoaded) -> str:
    """Say what was loaded, in what shape."""
    first, *others = event.shapes
    what = {"generate": "Answering with", "judge": "Judging by"}[event.stage]
    todo = f"{what} {event.name}: {event.total} {STAGES[event.stage]} to do"
    if all(replace(s, devices=first.devices) == first for s in others):
        engines = f"{len(event.shapes)} engines, each of " if others else ""
        on = ", ".join(map(device_names, event.shapes))
        return f"{todo}; {engines}{_size(first)}, on {on}"
    return "; ".join([todo, *(f"{_size(s)}, on {device_names(s)}" for s in event.shapes)])


def _size(s: ContextParams) -> str:
    cells = f"{s.slot_tokens}" + (f" (at need {s.longest})" if s.longest > s.slot_tokens else "")
    layers = "" if s.gpu_layers < 0 else f", {s.gpu_layers} layers offloaded"
    cache = f"{'unified' if s.unified else 'split'} {s.kv_type} KV cache"
    flash = f"flash attention {'on' if s.flash else 'off'}"
    threads = f"{s.threads} thread{'s' * (s.threads > 1)}"
    slots = f"{s.slots} slot{'s' * (s.slots > 1)}"
    return f"{slots} of {cells} tokens, {cache}, {flash}, {threads}{layers}"


def device_names(shape: ContextParams) -> str:
    """Return "CUDA0+CUDA1"."""
    return "+".join(shape.devices)


def plan_lines(plan: Plan, db: Path) -> list[str]:
    """Say what a run will do, and the smallest gap that it can show."""
    d, e = plan.design, plan.design.experiment
    names = ", ".join(c.name for c in d.conditions)
    temperatures = ", ".join(f"{t:g}" for t in e.temperatures)
    todo = len(plan.missing_here)
    tests = len(compared_pairs([c.name for c in d.conditions]))
    samples = distinct_samples(e.samples, min(e.temperatures))
    lines = [
        f"Plan    {len(d.scenarios)} scenarios × {len(d.conditions)} conditions ({names})",
        f"Models  {', '.join(m.name for m in d.models)} at temperature {temperatures}, "
        f"{samples} sample{'s' * (samples > 1)}, {e.max_tokens} new tokens at most",
        f"Trials  {len(plan.prompts)}: {len(plan.answered)} answered before, {todo} to do",
    ]
    for model in d.models:
        if isinstance(model, ServerModel):
            lines += [
                f"Server  {model.name}: {model.description}",
                *_bill(model, plan.missing(model)),
            ]
    if d.shard != WHOLE:
        own = len(d.own_scenarios)
        lines.append(f"Shard   {d.shard}: {own} scenarios are run here; `steertui merge` joins all")
    for judge, missing, cost in zip(plan.judges, plan.unjudged, plan.dollars, strict=True):
        lines.append(judge_plan_line(judge.name, missing, cost))
    if not plan.judges:
        lines.append("Judge   none: answers are stored and not labelled; --judge labels them")
    lines += [
        f"Store   {db}",
        f"        {minimum_gap_sentence(len(d.scenarios), samples, tests)}.",
    ]
    if plan.is_stand_in:
        lines.append(f"        {STAND_IN_WARNING}")
    return lines


def _bill(model: ServerModel, missing: Sequence[Prompt]) -> Iterator[str]:
    """Yield what a model may cost at a server that gets a key; one without can charge nobody."""
    urls = model.address.urls
    if not missing or not any(key_for(url, KEY) for url in urls):
        return
    read = int(estimate_tokens(*(prompt.text for prompt in missing)))
    most = sum(prompt.trial.sampling.max_tokens for prompt in missing)
    price = list_price(model.address.model) if all(map(is_openai_host, urls)) else None
    dollars = f", ${price.of(read, 0, most):.2f} in all" if price else ""
    yield (
        f"Cost    {model.name}: about {read:,} tokens to read, and at the most {most:,} to write"
        f"{dollars}; --max-cost does not cover it"
    )


def judge_plan_line(name: str, missing: int, cost: float | None) -> str:
    """Say what a judge will do, and about what it will cost."""
    about = f", about ${cost:.2f}" if cost else ""
    return f"Judge   {name}: {missing} verdicts to do{about}"


def judge_line(event: JudgeReady | JudgeProgress | BatchProgress) -> str:
    """Say how a judge behind a server is asked, or how far it is and what it has cost."""
    if isinstance(event, JudgeReady):
        doubt = "" if event.is_right else "; WRONG about the known answer: do not trust it unseen"
        return f"Judging by {event.judge}: {event.way}{doubt}"
    if isinstance(event, BatchProgress):
        return f"{event.judge}: batch {event.id} {event.status}, {event.done} of {event.total}"
    failed = f", {event.failed} failed" if event.failed else ""
    return f"{event.judge}: {event.done}/{event.total} verdicts{failed}{dollars(event.dollars)}"


def dollars(amount: float | None) -> str:
    """Return ", $0.21"; "" for what is free or unknown."""
    if not amount:
        return ""
    return f", ${amount:.2f}" if amount >= 0.995 else f", ${amount:.4f}"


def served_line(event: ServerProgress) -> str:
    """Say how far a model behind servers is, how fast, and how long it will take."""
    failed = f", {event.failed} failed" if event.failed else ""
    done, seconds = event.done + event.failed, max(event.seconds, 1e-6)
    up = f"{event.at_once} at once to {event.up} of {event.servers} servers"
    left = clock(seconds)
    if 0 < done < event.total:
        left = f"{clock(seconds * (event.total - done) / done)} left"
    pace = f"{event.tokens / seconds:,.0f} new tokens/s"
    return f"{event.model}: {event.done}/{event.total} answers{failed}, {pace}, {up}, {left}"


Trouble = (
    RequestFailed
    | EngineLost
    | EngineRestarted
    | JudgeStopped
    | ServerLost
    | ServerFound
    | ServerModelStopped
)


def trouble_line(event: Trouble) -> str:
    """Say that a request failed, that the engine died and runs again, that a judge was stopped,
    that a server is away or back."""
    if isinstance(event, ServerLost):
        then = "it is asked no more" if event.for_good else "waiting for it to come back"
        return f"! {event.model}: {event.url} is lost ({event.reason}); {then}"
    if isinstance(event, ServerFound):
        return f"{event.model}: {event.url} is back"
    if isinstance(event, ServerModelStopped):
        return (
            f"! {event.model} was stopped: {event.reason}; {event.left} prompts are left "
            "unanswered, the same command asks them again"
        )
    if isinstance(event, JudgeStopped):
        return (
            f"! {event.judge} was stopped: {event.reason}; {event.left} answers are left unjudged, "
            "the same command asks for them again"
        )
    if isinstance(event, RequestFailed):
        return f"! failed: {event.id[:12]}: {event.reason}"
    on = device_names(event.shape)
    if isinstance(event, EngineLost):
        return f"! {on} is given up ({event.reason}); {event.left} engines go on with its requests"
    slots = event.shape.slots
    return f"! the engine on {on} died ({event.reason}); it runs again with {slots} slots"
