"""Time of a local judge on the paper's answers, compared with prefill of its distinct tokens.

    python -m benchmarks.judging RESULTS [--model MODEL.gguf] [--count 60] [--rounds 3] [--grammar]

The lower bound is llama_decode on one prompt after another, sorted by tokens, each continuing after
the common prefix with the previous one, in batches of 512: each node of the prompts' trie once, and
nothing else. `--grammar` also lets `llama_cpp.Llama` generate the verdicts as JSON under a grammar,
one prompt at a time with its own prefix cache.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import llama_cpp
import numpy as np

from steertui.assets.weights import find_model
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.engine import Engine
from steertui.engine.events import Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.scheduler import common_prefix
from steertui.engine.sequence import ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.judge.local import LABEL_TEXTS, LocalJudge
from steertui.judge.reply import SCHEMA
from steertui.judge.rubric import REPLY_START, load_rubric
from steertui.paper.importing import import_runs, read_runs
from steertui.planning.chat_formats import chat_format
from steertui.planning.judges import judge_case
from steertui.store import Store

BATCH = 512
"""Tokens per decode batch."""

FLASH = False
"""Flash attention; off, as the program chooses on a CPU."""

LABEL_SCHEMA = {
    "type": "object",
    "properties": {"decision": SCHEMA["properties"]["decision"]},  # type: ignore[index]
    "required": ["decision"],
}

REPLY_SCHEMAS = {"label only": LABEL_SCHEMA, "label and reason": SCHEMA}


def judge_prompts(judge: LocalJudge, results: Path, count: int) -> list[str]:
    """Return the judge's prompts for `count` answers spread over the runs; 0 for all."""
    with TemporaryDirectory() as folder, Store(Path(folder) / "p.db") as store:
        answers = store.unjudged_answers(import_runs(read_runs(results), store), judge.id)
    every = max(1, len(answers) // count) if count else 1
    cases = [judge_case(answer, hide_suffix=False) for answer in answers[::every]][: count or None]
    with vocabulary(judge.model.path) as gguf:
        return judge.prompts(chat_format(gguf, judge.model.name), cases)


@dataclass
class Duration:
    """Wall and CPU time in seconds."""

    wall: float = 0.0
    cpu: float = 0.0

    def relative_to(self, other: "Duration") -> str:
        """Return the ratio to another duration, by wall time and by CPU time."""
        return f"{self.wall / other.wall:.3f} (by CPU time {self.cpu / other.cpu:.3f})"

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, {self.cpu:.1f} s of CPU"


@contextmanager
def measured() -> Iterator[Duration]:
    """Yield a duration that is filled in when the block ends."""
    duration = Duration()
    wall = time.perf_counter()
    cpu = time.process_time()
    yield duration
    duration.wall = time.perf_counter() - wall
    duration.cpu = time.process_time() - cpu


def score(llama: LlamaModel, prompts: list[list[int]], shape: ContextParams) -> Duration:
    """Score the labels with the engine, and check that probabilities sum to one."""
    labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    engine = Engine(llama, shape)
    sums: list[float] = []
    with measured() as duration:
        for i, prompt in enumerate(prompts):
            engine.add(ScoreRequest(str(i), prompt, labels))
        while not engine.is_idle:
            scored = [event for event in engine.step() if isinstance(event, Scored)]
            sums += [float(np.exp(event.logliks).sum()) for event in scored]
    snapshot = engine.snapshot()
    engine.close()
    assert len(sums) == len(prompts)
    assert np.allclose(sums, 1, atol=1e-9)
    print(
        f"judging: {snapshot.prefilled} prompt tokens, {snapshot.steps} batches, {duration}",
        flush=True,
    )
    return duration


def prefill(llama: LlamaModel, prompts: list[list[int]], shape: ContextParams) -> Duration:
    """Decode the nodes of the prompts' trie with llama_decode alone."""
    context = LlamaContext(
        llama, ContextParams(1, shape.slot_tokens, BATCH, shape.threads, flash=FLASH)
    )
    previous = np.empty(0, np.int32)
    count = 0
    with measured() as duration:
        for prompt in (np.array(p, np.int32) for p in sorted(prompts)):
            shared = common_prefix(previous, prompt[:-1])
            context.trim(0, shared)
            for start in range(shared, len(prompt), BATCH):
                end = min(start + BATCH, len(prompt))
                positions = np.arange(start, end, dtype=np.int32)
                needs_logits = positions == len(prompt) - 1
                slots = np.zeros_like(positions)
                context.decode(prompt[start:end], positions, slots, needs_logits)
            previous = prompt
            count += len(prompt) - shared
    context.close()
    print(f"llama_decode alone: {count} prompt tokens, {duration}", flush=True)
    return duration


def generate_with_grammar(
    judge: LocalJudge, prompts: list[str], context: int, threads: int, schema: object
) -> Duration:
    """Generate the replies with `llama_cpp.Llama` under a grammar, one prompt at a time."""
    grammar = llama_cpp.LlamaGrammar.from_json_schema(json.dumps(schema), verbose=False)
    llama = llama_cpp.Llama(
        str(judge.model.path),
        n_ctx=context,
        n_batch=BATCH,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
        flash_attn=FLASH,
    )
    tokens = 0
    with measured() as duration:
        for text in prompts:
            prompt = llama.tokenize(text.removesuffix(REPLY_START).encode(), False, True)
            reply = llama.create_completion(
                prompt, max_tokens=120, temperature=0.0, grammar=grammar
            )
            tokens += reply["usage"]["completion_tokens"]  # type: ignore[index]
    llama.close()
    print(f"Llama with a grammar: {tokens} new tokens, {duration}", flush=True)
    return duration


def main() -> None:
    """Print tokens and seconds of judging, of prefill alone, and of generation with a grammar."""
    options = _options()
    judge = LocalJudge(find_model(options.model), load_rubric("steertui"))
    llama = LlamaModel(judge.model.path)
    texts = judge_prompts(judge, options.results, options.count)
    prompts = [llama.tokenize(text) for text in texts]
    labels = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    workload = workload_of([ScoreRequest(str(i), p, labels) for i, p in enumerate(prompts)])
    print(
        f"{len(prompts)} answers, {sum(map(len, prompts))} tokens, "
        f"{workload.distinct_tokens} distinct, longest prompt {workload.longest_prompt}; "
        f"training context {llama.context_trained}"
    )
    slot_tokens = -(-workload.longest // 64) * 64
    shape = ContextParams(options.slots, slot_tokens, BATCH, options.threads, flash=FLASH)
    for _ in range(options.rounds):
        judging = score(llama, prompts, shape)
        bound = prefill(llama, prompts, shape)
        print(f"  {judging.relative_to(bound)} of the lower bound", flush=True)
    if options.grammar:
        context = workload.longest + 128
        for name, schema in REPLY_SCHEMAS.items():
            generating = generate_with_grammar(judge, texts, context, options.threads, schema)
            print(
                f"  {name}: {generating.relative_to(judging)} times the time of scoring", flush=True
            )
    llama.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of the paper's runs")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=0, help="number of answers; 0 for all")
    parser.add_argument("--grammar", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
