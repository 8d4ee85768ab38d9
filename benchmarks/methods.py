"""Methods of generation that benchmarks/throughput.py compares, each for the same job."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from pathlib import Path

import llama_cpp
import numpy as np

from benchmarks.card import utilisation
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.devices import default_accelerators, devices
from steertui.engine.engine import Engine
from steertui.engine.events import Completed
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

PENALTY_TOKENS = 4096
"""Tokens that the penalties of llama.cpp's samplers look back on: more than any sequence has."""


@dataclass(frozen=True)
class Job:
    """Prompts and settings, the same for every method.

    Attributes:
        model: GGUF file.
        sampling: sampling parameters; its `max_tokens` is the maximum number of new tokens.
        is_natural: whether an end token ends an answer; otherwise all have `max_tokens` tokens.
        threads: CPU threads.
        is_unified: one KV cache for all slots.
        flash: flash attention.
        pack: scenario pack, in three conditions.
        prompts_limit: maximum number of prompts; 0 for all.
        copies: copies of each prompt.
        batch: maximum tokens per call of llama_decode.
        program: llama-server; None for the one in xllamacpp.
    """

    model: Path
    sampling: SamplingParams
    is_natural: bool
    threads: int
    is_unified: bool
    flash: bool
    pack: str
    prompts_limit: int
    copies: int = 1
    batch: int = 512
    program: Path | None = None

    @property
    def clock(self) -> Callable[[], float]:
        """CPU time of the process if one thread computes, as other load hardly changes it."""
        return time.process_time if self.threads == 1 else time.perf_counter

    def prompts(self) -> list[list[int]]:
        """Return the tokens of all prompts: scenarios × conditions, at most the limit, × copies."""
        trials = list(resolve(Experiment(scenarios=[self.pack])).trials)
        trials = trials[: self.prompts_limit or None]
        with vocabulary(self.model) as gguf:
            prompts = chat_format(gguf, "").write(trials)
            return gguf.tokenize([prompt.text for prompt in prompts]) * self.copies

    def shape(self, slots: int, longest_prompt: int) -> ContextParams:
        """Return context parameters for `slots` slots."""
        return ContextParams(
            slots=slots,
            slot_tokens=-(-(longest_prompt + self.sampling.max_tokens) // 64) * 64,
            batch=self.batch,
            threads=self.threads,
            unified=self.is_unified,
            flash=self.flash,
        )

    def requests(self, prompts: list[list[int]]) -> list[GenerateRequest]:
        """Return one request per prompt, each with its own seed."""
        return [
            GenerateRequest(str(i), prompt, self.sampling, i, ignore_end=not self.is_natural)
            for i, prompt in enumerate(prompts)
        ]


@dataclass
class Measurement:
    """Result of one method.

    Attributes:
        seconds: by the job's clock, without loading the model.
        tokens: new tokens.
        details: further figures by name.
    """

    seconds: float
    tokens: int
    details: dict[str, object] = field(default_factory=dict)


class TimedContext:
    """Adds up the time of `LlamaContext.decode`."""

    def __init__(self, context: LlamaContext, clock: Callable[[], float]) -> None:
        self.seconds = 0.0
        self._clock = clock
        self._decode = context.decode
        context.decode = self  # type: ignore[method-assign]

    def __call__(self, *batch: np.ndarray) -> np.ndarray:
        """Decode a batch."""
        start = self._clock()
        logits = self._decode(*batch)
        self.seconds += self._clock() - start
        return logits


def engine(job: Job, slots: int) -> Measurement:
    """Measure the engine in this process."""
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    engine = Engine(llama, job.shape(slots, max(map(len, prompts))))
    timed = TimedContext(engine.context, job.clock)
    start = job.clock()
    for request in job.requests(prompts):
        engine.add(request)
    tokens = 0
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            tokens += event.generation.tokens
    seconds = job.clock() - start
    snapshot = engine.snapshot()
    engine.close()
    details: dict[str, object] = {
        "prompts": len(prompts),
        "prefilled": snapshot.prefilled,
        "steps": snapshot.steps,
        "outside": round(1 - timed.seconds / seconds, 4),
    }
    return Measurement(seconds, tokens, details)


def pool(job: Job, engines: int, slots: int) -> Measurement:
    """Measure `engines` processes of `slots` slots each on the first accelerator, or the CPU."""
    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    shape = replace(shape, devices=tuple(d.name for d in default_accelerators(devices())[:1]))
    tokens = 0
    with Pool(job.model, [shape] * engines) as running:
        for _ in running.load():
            pass
        start = job.clock()
        for request in job.requests(prompts):
            running.add(request)
        while not running.is_idle:
            completed = [e for e in running.step() if isinstance(e, Completed)]
            tokens += sum(event.generation.tokens for event in completed)
        seconds = job.clock() - start
    return Measurement(seconds, tokens)


def machine(job: Job, measurement: Measurement) -> str:
    """Return the achieved memory bandwidth and operations per second."""
    return utilisation(
        weights=job.model.stat().st_size,
        parameters=LlamaModel(job.model, vocab_only=True).parameters,
        steps=int(str(measurement.details["steps"])),
        tokens=int(str(measurement.details["prefilled"])) + measurement.tokens,
        seconds=measurement.seconds,
    )


def ceiling(job: Job, slots: int) -> Measurement:
    """Measure llama_decode alone with the engine's batches: no sampling, no scheduling.

    Tokens, positions and slots are recorded in a run of the engine before. If all answers have the
    same length, that run computes nothing. Prefixes are forked by the same copies, since these are
    also part of llama.cpp's work.
    """
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    batches = _schedule(job, llama, prompts, shape)
    context = LlamaContext(llama, shape)
    tokens = 0
    start = job.clock()
    for forks, batch in batches:
        for source, slot, shared in forks:
            if source == slot:
                context.trim(slot, shared)
            else:
                context.fork(source, slot, shared)
        context.decode(*batch)
        tokens += int(batch[3].sum())
    seconds = job.clock() - start
    context.close()
    return Measurement(seconds, tokens)


Fork = tuple[int, int, int]
"""Source slot, target slot, shared tokens."""


def _schedule(
    job: Job, llama: LlamaModel, prompts: list[list[int]], shape: ContextParams
) -> list[tuple[list[Fork], tuple[np.ndarray, ...]]]:
    """Return the engine's batches and forks; computed only if answers have natural lengths."""
    engine = Engine(llama, shape)
    recorder = Recorder(engine.context, llama.n_vocab, is_computed=job.is_natural)
    for request in job.requests(prompts):
        engine.add(request)
    while not engine.is_idle:
        engine.step()
    engine.close()
    return recorder.batches


class Recorder:
    """Records the batches and forks of a context.

    Attributes:
        batches: of each call of `decode`, the forks before it and its arguments.
    """

    def __init__(self, context: LlamaContext, n_vocab: int, *, is_computed: bool) -> None:
        """Replace the methods of `context`; the logits are constant if nothing is computed."""
        self.batches: list[tuple[list[Fork], tuple[np.ndarray, ...]]] = []
        self._forks: list[Fork] = []
        self._computed = (context.decode, context.fork, context.trim) if is_computed else None
        self._logits = np.zeros(n_vocab, np.float32)
        self._logits[400] = 1.0  # an ordinary token, not an end token
        context.decode = self._decode  # type: ignore[method-assign]
        context.fork = self._fork  # type: ignore[method-assign]
        context.trim = self._trim  # type: ignore[method-assign]

    def _decode(self, *batch: np.ndarray) -> np.ndarray:
        self.batches.append((self._forks, batch))
        self._forks = []
        if self._computed:
            return self._computed[0](*batch)
        return np.broadcast_to(self._logits, (int(batch[3].sum()), len(self._logits)))

    def _fork(self, source: int, slot: int, shared: int) -> None:
        self._forks.append((source, slot, shared))
        if self._computed:
            self._computed[1](source, slot, shared)

    def _trim(self, slot: int, length: int) -> None:
        self._forks.append((slot, slot, length))
        if self._computed:
            self._computed[2](slot, length)


def loop(job: Job) -> Measurement:
    """Measure a loop over `Llama.generate` with its prompt cache (the longest common prefix)."""
    prompts = job.prompts()
    model = llama_cpp.Llama(
        str(job.model),
        n_ctx=4096,
        n_batch=job.batch,
        n_threads=job.threads,
        n_threads_batch=job.threads,
        flash_attn=job.flash,
        verbose=False,
        n_gpu_layers=-1,
        last_n_tokens_size=PENALTY_TOKENS,
    )
    end_tokens = LlamaModel(job.model, vocab_only=True).end_tokens if job.is_natural else ()
    sampling = job.sampling
    tokens = 0
    start = job.clock()
    for prompt in prompts:
        generated = model.generate(
            prompt,
            temp=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            min_p=sampling.min_p,
            repeat_penalty=sampling.repetition_penalty,
        )
        limited = islice(generated, sampling.max_tokens)
        tokens += sum(1 for _ in takewhile(lambda token: token not in end_tokens, limited))
    return Measurement(job.clock() - start, tokens)
