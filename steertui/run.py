"""A run: a generator of events that fills in whatever the store lacks."""

import platform
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version

from steertui.engine.context import ContextParams
from steertui.engine.devices import devices
from steertui.engine.engine import Engine, Scored, Snapshot, Written
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import Score, Write
from steertui.engine.sizing import Overrides, fit
from steertui.generation import Generation, SamplingParams
from steertui.judge.local import LABEL_TEXTS, LocalJudge, read_reason, reason_prompt
from steertui.model import Model
from steertui.plan import Plan, chat_format
from steertui.prompt import Prompt
from steertui.store import Store, Unjudged
from steertui.verdict import Verdict

REASON = SamplingParams(max_tokens=80)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model is in memory, for "generate" or "judge"; `total` requests wait for it."""

    stage: str
    name: str
    shape: ContextParams
    total: int


@dataclass(frozen=True, slots=True)
class Generated:
    """A trial was answered, and the answer stored."""

    prompt: Prompt
    generation: Generation


@dataclass(frozen=True, slots=True)
class Judged:
    """A judge read an answer, and its verdict was stored."""

    key: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Stepped:
    """The engine computed a batch; `done` of `total` requests of this stage are complete."""

    stage: str
    engine: Engine
    done: int
    total: int

    def snapshot(self) -> Snapshot:
        """Return what the slots are doing; ask ten times a second at most."""
        return self.engine.snapshot()


Event = Loaded | Generated | Judged | Stepped


def run(plan: Plan, store: Store, wish: Overrides) -> Generator[Event, None, None]:
    """Generate, then judge, what is missing; close the generator to stop.

    Every answer and verdict is stored before its event is given out.
    """
    for model in plan.design.models:
        missing = plan.missing(model)
        if missing:
            yield from _generate(plan, store, model, missing, wish)
    for judge in plan.judges:
        waiting = store.unjudged(plan.id, judge.id)
        if waiting:
            yield from _judge(store, judge, waiting, wish, reasons=plan.design.experiment.reasons)


def versions() -> dict[str, str]:
    """Return the versions that an answer may depend on."""
    names = ("steertui", "llama-cpp-python", "numpy", "jinja2")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def device() -> str:
    """Return what computes: "CPU: AMD EPYC; CUDA0: NVIDIA H200"."""
    return "; ".join(f"{d.name}: {d.description}" for d in devices())


@contextmanager
def _loaded(model: Model) -> Iterator[LlamaModel]:
    llama = LlamaModel(model.path)
    try:
        yield llama
    finally:
        llama.close()


@contextmanager
def _engine(llama: LlamaModel, shape: ContextParams) -> Iterator[Engine]:
    engine = Engine(llama, shape)
    try:
        yield engine
    finally:
        engine.close()


def _generate(
    plan: Plan, store: Store, model: Model, prompts: Sequence[Prompt], wish: Overrides
) -> Iterator[Event]:
    with ExitStack() as stack:
        llama = stack.enter_context(_loaded(model))
        requests = [Write(p.key, llama.tokenize(p.text), p.trial.sampling, p.seed) for p in prompts]
        longest = max(len(r.prompt) + r.sampling.max_tokens for r in requests)
        shape = fit(llama, longest, len(requests), wish)
        engine = stack.enter_context(_engine(llama, shape))
        run_id = store.start(plan.id, versions(), device(), asdict(shape))
        yield Loaded("generate", model.name, shape, len(requests))
        by_key = {p.key: p for p in prompts}
        for event in _drive(engine, "generate", requests):
            if isinstance(event, Written):
                store.add_generation(event.id, run_id, event.generation)
                yield Generated(by_key[event.id], event.generation)
            elif isinstance(event, Stepped):
                yield event


def _judge(
    store: Store, judge: LocalJudge, waiting: Sequence[Unjudged], wish: Overrides, *, reasons: bool
) -> Iterator[Event]:
    with ExitStack() as stack:
        llama = stack.enter_context(_loaded(judge.model))
        chat = chat_format(llama, judge.model.name)
        prompts = {u.key: judge.prompt(chat, u.category, u.task, u.user, u.answer) for u in waiting}
        labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
        requests, judgeable = [], llama.context_trained - max(map(len, labels)) - REASON.max_tokens
        for key, text in prompts.items():
            tokens = llama.tokenize(text)
            if len(tokens) > judgeable:
                yield _fail(store, judge, key, f"prompt of {len(tokens)} tokens does not fit")
                continue
            requests.append(Score(key, tokens, labels))
        if not requests:
            return
        longest = max(len(r.prompt) for r in requests) + max(map(len, labels)) + REASON.max_tokens
        shape = fit(llama, longest, len(requests), wish)
        engine = stack.enter_context(_engine(llama, shape))
        yield Loaded("judge", judge.name, shape, len(requests))
        found: dict[str, Verdict] = {}
        for event in _drive(engine, "judge", requests):
            if isinstance(event, Stepped):
                yield event
                continue
            if isinstance(event, Scored):
                verdict = judge.verdict(event.logliks, event.seconds)
                if reasons and verdict.label:
                    found[event.id] = verdict
                    text = reason_prompt(prompts[event.id], verdict.label)
                    engine.add(Write(event.id, llama.tokenize(text), REASON))
                    continue
            else:
                verdict = found.pop(event.id)
                verdict = _with_reason(verdict, read_reason(event.generation.text))
            store.add_verdict(event.id, verdict)
            yield Judged(event.id, verdict)


def _fail(store: Store, judge: LocalJudge, key: str, reason: str) -> Judged:
    verdict = Verdict(judge.id, None, failure=reason)
    store.add_verdict(key, verdict)
    return Judged(key, verdict)


def _with_reason(verdict: Verdict, reason: str) -> Verdict:
    v = verdict
    return Verdict(v.judge, v.label, v.failure, v.probabilities, reason, v.seconds)


def _drive(
    engine: Engine, stage: str, requests: Sequence[Write | Score]
) -> Iterator[Written | Scored | Stepped]:
    for request in requests:
        engine.add(request)
    while not engine.is_idle:
        yield from engine.step()
        # What was just finished may have been added again, for the judge's reason.
        yield Stepped(stage, engine, len(requests) - engine.unfinished, len(requests))
