"""A run: a generator of events that fills in whatever the store lacks."""

import platform
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

from steertui.engine.context import ContextParams
from steertui.engine.devices import devices
from steertui.engine.engine import Scored, Snapshot, Written
from steertui.engine.llama import LlamaModel
from steertui.engine.process import EngineProcess, Failed, News, Restarted
from steertui.engine.sequence import Score, Write
from steertui.engine.sizing import Overrides, fit
from steertui.generation import Generation, SamplingParams
from steertui.judge.local import LABEL_TEXTS, LocalJudge, read_reason, reason_prompt
from steertui.model import Model
from steertui.plan import Plan, chat_format
from steertui.prompt import Prompt
from steertui.store import Store, Unjudged
from steertui.verdict import Label, Verdict

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
    """The engine has gone on; `done` of `total` requests of this stage are complete."""

    stage: str
    engine: EngineProcess
    done: int
    total: int

    def snapshot(self) -> Snapshot:
        """Return what the slots are doing; ask ten times a second at most."""
        return self.engine.snapshot()


Event = Loaded | Generated | Judged | Failed | Restarted | Stepped


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
def _vocabulary(model: Model) -> Iterator[LlamaModel]:
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        yield llama
    finally:
        llama.close()


def _generate(
    plan: Plan, store: Store, model: Model, prompts: Sequence[Prompt], wish: Overrides
) -> Iterator[Event]:
    with _vocabulary(model) as llama:
        requests = [Write(p.key, llama.tokenize(p.text), p.trial.sampling, p.seed) for p in prompts]
        longest = max(len(r.prompt) + r.sampling.max_tokens for r in requests)
        shape = fit(llama, model.size, longest, len(requests), wish)
    with EngineProcess(model.path, shape) as engine:
        run_id = store.start(plan.id, versions(), device(), asdict(shape))
        yield Loaded("generate", model.name, shape, len(requests))
        by_key = {p.key: p for p in prompts}
        for event in _drive(engine, "generate", requests):
            if isinstance(event, Written):
                store.add_generation(event.id, run_id, event.generation)
                yield Generated(by_key[event.id], event.generation)
            elif isinstance(event, Failed):
                store.add_failure(event.id, run_id, event.reason)
                yield event
            elif not isinstance(event, Scored):
                yield event


def _judge(
    store: Store, judge: LocalJudge, waiting: Sequence[Unjudged], wish: Overrides, *, reasons: bool
) -> Iterator[Event]:
    with _vocabulary(judge.model) as llama:
        asked = _Asked(judge, llama, waiting)
        for key, reason in asked.too_long.items():
            yield _fail(store, judge, key, reason)
        if not asked.requests:
            return
        shape = fit(llama, judge.model.size, asked.longest, len(asked.requests), wish)
        with EngineProcess(judge.model.path, shape) as engine:
            yield Loaded("judge", judge.name, shape, len(asked.requests))
            found: dict[str, Verdict] = {}
            for event in _drive(engine, "judge", asked.requests):
                if isinstance(event, Scored):
                    verdict = judge.verdict(event.logliks, event.seconds)
                    if reasons and verdict.label:
                        found[event.id] = verdict
                        engine.add(asked.for_reason(event.id, verdict.label))
                        continue
                elif isinstance(event, Written):
                    verdict = found.pop(event.id)
                    verdict = replace(verdict, reason=read_reason(event.generation.text))
                elif isinstance(event, Failed) and event.id in found:
                    verdict = found.pop(event.id)  # the label stands, only its reason was lost
                elif isinstance(event, Failed):
                    yield _fail(store, judge, event.id, event.reason)
                    continue
                else:
                    yield event
                    continue
                store.add_verdict(event.id, verdict)
                yield Judged(event.id, verdict)


class _Asked:
    """What a local judge is asked about the waiting answers: a Score each, or why not."""

    def __init__(self, judge: LocalJudge, llama: LlamaModel, waiting: Sequence[Unjudged]) -> None:
        chat = chat_format(llama, judge.model.name)
        labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
        after = max(map(len, labels)) + REASON.max_tokens
        self._llama = llama
        self._prompts: dict[str, str] = {}
        self.requests: list[Score] = []
        self.too_long: dict[str, str] = {}
        self.longest = 0
        for u in waiting:
            text = judge.prompt(chat, u.category, u.context, u.task, u.user, u.answer)
            tokens = llama.tokenize(text)
            if len(tokens) + after > llama.context_trained:
                self.too_long[u.key] = f"prompt of {len(tokens)} tokens does not fit"
                continue
            self._prompts[u.key] = text
            self.requests.append(Score(u.key, tokens, labels))
            self.longest = max(self.longest, len(tokens) + after)

    def for_reason(self, key: str, label: Label) -> Write:
        """Return the request for the reason of a label that was decided."""
        return Write(key, self._llama.tokenize(reason_prompt(self._prompts[key], label)), REASON)


def _fail(store: Store, judge: LocalJudge, key: str, reason: str) -> Judged:
    verdict = Verdict(judge.id, None, failure=reason)
    store.add_verdict(key, verdict)
    return Judged(key, verdict)


def _drive(
    engine: EngineProcess, stage: str, requests: Sequence[Write | Score]
) -> Iterator[News | Stepped]:
    for request in requests:
        engine.add(request)
    while not engine.is_idle:
        yield from engine.step()
        # What was just finished may have been added again, for the judge's reason.
        yield Stepped(stage, engine, len(requests) - engine.unfinished, len(requests))
