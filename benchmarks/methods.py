"""Methods of generation that benchmarks/throughput.py compares, each for the same job."""

import json
import queue
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from benchmarks.card import utilisation
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.engine import Engine
from steertui.engine.events import Completed
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest
from steertui.engine.stopwatch import Phase
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve


@dataclass(frozen=True)
class Job:
    """Prompts and settings, the same for every method.

    Attributes:
        model: GGUF file.
        tokens: new tokens per answer.
        threads: CPU threads.
        is_unified: one KV cache for all slots.
        flash: flash attention.
        scenarios: scenarios of the starter pack, in three conditions each.
        copies: copies of each prompt.
    """

    model: Path
    tokens: int
    threads: int
    is_unified: bool
    flash: bool
    scenarios: int
    copies: int = 1

    def prompts(self) -> list[list[int]]:
        """Return the tokens of all prompts: scenarios × conditions × copies."""
        trials = list(resolve(Experiment(limit=self.scenarios)).trials)
        with vocabulary(self.model) as gguf:
            prompts = chat_format(gguf, "").write(trials)
            return gguf.tokenize([prompt.text for prompt in prompts]) * self.copies

    def shape(self, slots: int, longest_prompt: int) -> ContextParams:
        """Return context parameters for `slots` slots."""
        return ContextParams(
            slots=slots,
            slot_tokens=-(-(longest_prompt + self.tokens) // 64) * 64,
            batch=512,
            threads=self.threads,
            unified=self.is_unified,
            flash=self.flash,
        )

    def requests(self, prompts: list[list[int]]) -> list[GenerateRequest]:
        """Return one request per prompt, each with the full number of new tokens."""
        sampling = SamplingParams(max_tokens=self.tokens)
        return [
            GenerateRequest(str(i), prompt, sampling, ignore_end=True)
            for i, prompt in enumerate(prompts)
        ]


@dataclass
class Measurement:
    """Result of one method.

    Attributes:
        seconds: wall time without loading the model.
        tokens: new tokens.
        details: further figures by name.
    """

    seconds: float
    tokens: int
    details: dict[str, object] = field(default_factory=dict)


def engine(job: Job, slots: int) -> Measurement:
    """Measure the engine in this process."""
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    engine = Engine(llama, job.shape(slots, max(map(len, prompts))))
    start = time.perf_counter()
    for request in job.requests(prompts):
        engine.add(request)
    tokens = 0
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            tokens += event.generation.tokens
    seconds = time.perf_counter() - start
    snapshot = engine.snapshot()
    engine.close()
    details: dict[str, object] = {
        "prompts": len(prompts),
        "prefilled": snapshot.prefilled,
        "steps": snapshot.steps,
        "outside": round(1 - snapshot.seconds[Phase.DECODING] / seconds, 4),
    }
    return Measurement(seconds, tokens, details)


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

    Sizes, positions and slots are recorded from the scheduler in a run without computation.
    Prefixes are forked by the same copies, since these are also part of llama.cpp's work.
    """
    llama = LlamaModel(job.model)
    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    batches = _schedule(job, llama, prompts, shape)
    context = LlamaContext(llama, shape)
    tokens = 0
    start = time.perf_counter()
    for forks, batch in batches:
        for source, slot, shared in forks:
            if source == slot:
                context.trim(slot, shared)
            else:
                context.fork(source, slot, shared)
        context.decode(*batch)
        tokens += int(batch[3].sum())
    seconds = time.perf_counter() - start
    context.close()
    return Measurement(seconds, tokens)


Fork = tuple[int, int, int]
"""Source slot, target slot, shared tokens."""


def _schedule(
    job: Job, llama: LlamaModel, prompts: list[list[int]], shape: ContextParams
) -> list[tuple[list[Fork], tuple[np.ndarray, ...]]]:
    """Return the engine's batches and forks, recorded with constant logits."""
    engine = Engine(llama, shape)
    batches: list[tuple[list[Fork], tuple[np.ndarray, ...]]] = []
    forks: list[Fork] = []
    constant = np.zeros((shape.slots, llama.n_vocab), np.float32)
    constant[:, 400] = 1.0  # an ordinary token, not an end token

    def decode(*batch: np.ndarray) -> np.ndarray:
        batches.append((list(forks), batch))
        forks.clear()
        return constant[: int(batch[3].sum())]

    context = engine.context
    context.decode = decode  # type: ignore[method-assign]
    context.fork = lambda *fork: forks.append(fork)  # type: ignore[method-assign]
    context.trim = lambda slot, n: forks.append((slot, slot, n))  # type: ignore[method-assign]
    for request in job.requests(prompts):
        engine.add(request)
    while not engine.is_idle:
        engine.step()
    engine.close()
    return batches


def loop(job: Job) -> Measurement:
    """Measure a loop over `Llama.generate` with its prompt cache (the longest common prefix)."""
    prompts = job.prompts()
    model = llama_cpp.Llama(
        str(job.model),
        n_ctx=4096,
        n_batch=512,
        n_threads=job.threads,
        n_threads_batch=job.threads,
        flash_attn=job.flash,
        verbose=False,
        n_gpu_layers=-1,
    )
    tokens = 0
    start = time.perf_counter()
    for prompt in prompts:
        generated = model.generate(prompt, temp=0.0, repeat_penalty=1.0)
        tokens += sum(1 for _ in islice(generated, job.tokens))
    return Measurement(time.perf_counter() - start, tokens)


def _server_params(job: Job, shape: ContextParams) -> Any:
    """Return llama-server's parameters for the same model and context."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(job.model)
    params.n_ctx = shape.slots * shape.slot_tokens
    params.n_parallel = shape.slots
    params.n_batch = 512
    params.n_ubatch = 512
    params.cpuparams.n_threads = job.threads
    params.cpuparams_batch.n_threads = job.threads
    params.n_gpu_layers = -1
    params.kv_unified = job.is_unified
    params.flash_attn_type = xllamacpp.llama_flash_attn_type(1 if job.flash else 0)
    params.cont_batching = True
    params.warmup = False
    params.verbosity = 0
    return params


def server(job: Job, slots: int) -> Measurement:
    """Measure llama-server: prompts as tokens, one client thread per slot, prompt cache on."""
    import xllamacpp

    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    running = xllamacpp.Server(_server_params(job, shape))
    pending: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    for prompt in prompts:
        pending.put(prompt)
    counts: list[int] = []

    def work() -> None:
        while True:
            try:
                prompt = pending.get_nowait()
            except queue.Empty:
                return
            body: dict[str, object] = {
                "prompt": prompt,
                "n_predict": job.tokens,
                "temperature": 0,
                "ignore_eos": True,
                "cache_prompt": True,
            }
            counts.append(_post(running.listening_address, body))

    start = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(slots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Measurement(time.perf_counter() - start, sum(counts))


def _post(address: str, body: dict[str, object]) -> int:
    request = urllib.request.Request(
        f"{address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        return int(json.load(reply)["tokens_predicted"])
