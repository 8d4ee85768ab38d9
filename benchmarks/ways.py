"""The ways to generate that benchmarks/throughput.py compares: each answers the same job."""

import json
import queue
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp
import numpy as np

from benchmarks.card import used
from steertui.core.experiment import Experiment, resolve
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.engine import Engine
from steertui.engine.events import Completed
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.judges import chat_format


@dataclass(frozen=True)
class Job:
    """The same for every way."""

    model: Path
    tokens: int
    threads: int
    is_unified: bool
    flash: bool
    scenarios: int
    copies: int = 1

    def prompts(self) -> list[list[int]]:
        """Return the tokens of every prompt: scenarios × baseline, pro, anti × copies."""
        trials = list(resolve(Experiment(limit=self.scenarios)).trials)
        with vocabulary(self.model) as gguf:
            written = chat_format(gguf, "").write(trials)
            return gguf.tokenize([prompt.text for prompt in written]) * self.copies

    def shape(self, slots: int, longest: int) -> ContextParams:
        """Return the context's shape."""
        cells = -(-(longest + self.tokens) // 64) * 64
        return ContextParams(slots, cells, 512, self.threads, self.is_unified, self.flash)


@dataclass
class Measured:
    """Seconds of wall time, model loading left out; tokens generated; and what else is known."""

    seconds: float
    tokens: int
    more: dict[str, object] = field(default_factory=dict)


def engine(job: Job, slots: int) -> Measured:
    """This engine, in this process."""
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    found = Engine(llama, job.shape(slots, max(map(len, prompts))))
    begin = time.perf_counter()
    for i, prompt in enumerate(prompts):
        found.add(
            GenerateRequest(str(i), prompt, SamplingParams(max_tokens=job.tokens), past_end=True)
        )
    tokens = 0
    while not found.is_idle:
        for event in found.step():
            assert isinstance(event, Completed)
            tokens += event.generation.tokens
    seconds = time.perf_counter() - begin
    shot = found.snapshot()
    outside = 1 - shot.seconds_decoding / seconds
    found.close()
    more = {"prefilled": shot.prefilled, "steps": shot.steps, "outside": round(outside, 4)}
    return Measured(seconds, tokens, {"prompts": len(prompts), **more})


def machine(job: Job, found: Measured) -> str:
    """Say what the engine's job asked of the machine."""
    parameters = LlamaModel(job.model, vocab_only=True).parameters
    steps, prefilled = int(str(found.more["steps"])), int(str(found.more["prefilled"]))
    tokens = prefilled + found.tokens
    return used(job.model.stat().st_size, parameters, steps, tokens, found.seconds)


def ceiling(job: Job, slots: int) -> Measured:
    """Bare llama_decode of the same batches: no sampling, no bookkeeping, logits not looked at.

    Sizes, positions and slots are the scheduler's own, from a run in which nothing is computed;
    prefixes are forked by the same copies, since they are computation of llama.cpp's, too.
    """
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    batches = _schedule(job, llama, prompts, shape)
    context = LlamaContext(llama, shape)
    tokens = 0
    begin = time.perf_counter()
    for forks, batch in batches:
        for source, slot, shared in forks:
            if source == slot:
                context.trim(slot, shared)
            else:
                context.fork(source, slot, shared)
        context.decode(*batch)
        tokens += int(batch[3].sum())
    seconds = time.perf_counter() - begin
    context.close()
    return Measured(seconds, tokens)


Fork = tuple[int, int, int]


def _schedule(
    job: Job, llama: LlamaModel, prompts: list[list[int]], shape: ContextParams
) -> list[tuple[list[Fork], tuple[np.ndarray, ...]]]:
    """Return the engine's batches and forks, with nothing computed: logits are all zero."""
    found = Engine(llama, shape)
    batches: list[tuple[list[Fork], tuple[np.ndarray, ...]]] = []
    forks: list[Fork] = []
    blank = np.zeros((shape.slots, llama.n_vocab), np.float32)
    blank[:, 400] = 1.0  # an ordinary token, never the end

    def decode(*batch: np.ndarray) -> np.ndarray:
        batches.append((list(forks), batch))
        forks.clear()
        return blank[: int(batch[3].sum())]

    context = found._context
    context.decode = decode  # type: ignore[method-assign]
    context.fork = lambda *fork: forks.append(fork)  # type: ignore[method-assign]
    context.trim = lambda slot, n: forks.append((slot, slot, n))  # type: ignore[method-assign]
    for i, prompt in enumerate(prompts):
        found.add(
            GenerateRequest(str(i), prompt, SamplingParams(max_tokens=job.tokens), past_end=True)
        )
    while not found.is_idle:
        found.step()
    found.close()
    return batches


def loop(job: Job) -> Measured:
    """A plain loop over `Llama.generate`, its prompt cache (the longest common prefix) at work."""
    prompts = job.prompts()
    model = llama_cpp.Llama(
        str(job.model), n_ctx=4096, n_batch=512, n_threads=job.threads,
        n_threads_batch=job.threads, flash_attn=job.flash, verbose=False, n_gpu_layers=-1,
    )  # fmt: skip
    tokens = 0
    begin = time.perf_counter()
    for prompt in prompts:
        drawn = model.generate(prompt, temp=0.0, repeat_penalty=1.0)
        tokens += sum(1 for _, _ in zip(range(job.tokens), drawn, strict=False))
    return Measured(time.perf_counter() - begin, tokens)


def server(job: Job, slots: int) -> Measured:
    """llama-server, prompts as tokens, a client thread a slot, its prompt cache on."""
    import xllamacpp

    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    params = xllamacpp.CommonParams()
    params.model.path = str(job.model)
    params.n_ctx = shape.slots * shape.slot_tokens
    params.n_parallel = slots
    params.n_batch = params.n_ubatch = 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = job.threads
    params.n_gpu_layers = -1
    params.kv_unified = job.is_unified
    params.flash_attn_type = xllamacpp.llama_flash_attn_type(1 if job.flash else 0)
    params.cont_batching = True
    params.warmup = False
    params.verbosity = 0
    running = xllamacpp.Server(params)
    waiting: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    for prompt in prompts:
        waiting.put(prompt)
    counts: list[int] = []

    def work() -> None:
        while True:
            try:
                prompt = waiting.get_nowait()
            except queue.Empty:
                return
            ask = {"prompt": prompt, "n_predict": job.tokens, "temperature": 0, "ignore_eos": True}
            counts.append(_ask(running.listening_address, ask | {"cache_prompt": True}))

    begin = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(slots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Measured(time.perf_counter() - begin, sum(counts))


def _ask(address: str, body: dict[str, object]) -> int:
    request = urllib.request.Request(
        f"{address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return int(json.load(reply)["tokens_predicted"])
