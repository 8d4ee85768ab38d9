"""What a local judge costs on the paper's answers, against its bound: its prompts' distinct tokens.

python -m benchmarks.judging RESULTS [--model MODEL.gguf] [--count 60] [--rounds 3] [--grammar]

The bound is llama_decode itself over one prompt after another, in the tokens' order, each going on
where it parts from the one before, in batches of 512: every node of the prompts' trie once, and
nothing else. `--grammar` lets `llama_cpp.Llama` write the verdicts as JSON bound by a grammar, one
prompt at a time with its own prefix cache.
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
from steertui.engine.scheduler import common
from steertui.engine.sequence import ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.judge.local import LABEL_TEXTS, LocalJudge
from steertui.judge.reply import SCHEMA
from steertui.judge.rubric import REPLY_START, load_rubric
from steertui.paper.importing import import_runs, read_runs
from steertui.planning.judges import case_of, chat_format
from steertui.store import Store

BATCH = 512

FLASH = False
"""Flash attention; off, as the program chooses on a CPU."""

LABEL_ALONE = {
    "type": "object",
    "properties": {"decision": SCHEMA["properties"]["decision"]},  # type: ignore[index]
    "required": ["decision"],
}

REPLIES = {"the label alone": LABEL_ALONE, "label and reason": SCHEMA}


def texts_of(judge: LocalJudge, results: Path, count: int) -> list[str]:
    """Return the judge's prompts, of `count` answers spread over the runs; 0 for all."""
    with TemporaryDirectory() as folder, Store(Path(folder) / "p.db") as store:
        waiting = store.unjudged(import_runs(read_runs(results), store), judge.id)
    every = max(1, len(waiting) // count) if count else 1
    cases = [case_of(u, blind=False) for u in waiting[::every]][: count or None]
    with vocabulary(judge.model.path) as gguf:
        return judge.prompts(chat_format(gguf, judge.model.name), cases)


@dataclass
class Spent:
    """Seconds on the clock, and of processors."""

    clock: float = 0.0
    cpu: float = 0.0

    def over(self, other: "Spent") -> str:
        """Return how many times the other's seconds these are, by clock and by processors."""
        return f"{self.clock / other.clock:.3f} (by CPU time {self.cpu / other.cpu:.3f})"

    def __str__(self) -> str:
        return f"{self.clock:.1f} s, {self.cpu:.1f} s of CPU"


@contextmanager
def measured() -> Iterator[Spent]:
    """Give what the block spends."""
    spent, clock, cpu = Spent(), time.perf_counter(), time.process_time()
    yield spent
    spent.clock, spent.cpu = time.perf_counter() - clock, time.process_time() - cpu


def judging(llama: LlamaModel, prompts: list[list[int]], shape: ContextParams) -> Spent:
    """Let the engine score the labels. All probabilities must sum to one."""
    labels = tuple(llama.tokenize(t, special=False) for t in LABEL_TEXTS)
    engine = Engine(llama, shape)
    sums: list[float] = []
    with measured() as spent:
        for i, prompt in enumerate(prompts):
            engine.add(ScoreRequest(str(i), prompt, labels))
        while not engine.is_idle:
            found = [e for e in engine.step() if isinstance(e, Scored)]
            sums += [float(np.exp(e.logliks).sum()) for e in found]
    seen = engine.snapshot()
    engine.close()
    assert len(sums) == len(prompts)
    assert np.allclose(sums, 1, atol=1e-9)
    print(f"judging: {seen.prefilled} prompt tokens, {seen.steps} batches, {spent}", flush=True)
    return spent


def bare(llama: LlamaModel, prompts: list[list[int]], shape: ContextParams) -> Spent:
    """Prefill the trie's nodes by llama_decode alone."""
    context = LlamaContext(
        llama, ContextParams(1, shape.slot_tokens, BATCH, shape.threads, flash=FLASH)
    )
    before, count = np.empty(0, np.int32), 0
    with measured() as spent:
        for prompt in (np.array(p, np.int32) for p in sorted(prompts)):
            shared = common(before, prompt[:-1])
            context.trim(0, shared)
            for start in range(shared, len(prompt), BATCH):
                end = min(start + BATCH, len(prompt))
                places = np.arange(start, end, dtype=np.int32)
                wanted = places == len(prompt) - 1
                context.decode(prompt[start:end], places, np.zeros_like(places), wanted)
            before, count = prompt, count + len(prompt) - shared
    context.close()
    print(f"bare llama_decode: {count} prompt tokens, {spent}", flush=True)
    return spent


def by_grammar(
    judge: LocalJudge, texts: list[str], tokens: int, threads: int, schema: object
) -> Spent:
    """Let `Llama` write the reply under a grammar, one prompt at a time."""
    grammar = llama_cpp.LlamaGrammar.from_json_schema(json.dumps(schema), verbose=False)
    theirs = llama_cpp.Llama(
        str(judge.model.path), n_ctx=tokens, n_batch=BATCH, n_threads=threads,
        n_threads_batch=threads, verbose=False, flash_attn=FLASH,
    )  # fmt: skip
    written = 0
    with measured() as spent:
        for text in texts:
            asked = theirs.tokenize(text.removesuffix(REPLY_START).encode(), False, True)
            reply = theirs.create_completion(
                asked, max_tokens=120, temperature=0.0, grammar=grammar
            )
            written += reply["usage"]["completion_tokens"]  # type: ignore[index]
    theirs.close()
    print(f"Llama with a grammar: {written} tokens written, {spent}", flush=True)
    return spent


def main() -> None:
    """Print tokens and seconds of judging, of bare prefill, and of writing under a grammar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--grammar", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    o = parser.parse_args()
    judge = LocalJudge(find_model(o.model), load_rubric("steertui"))
    llama = LlamaModel(judge.model.path)
    texts = texts_of(judge, o.results, o.count)
    prompts = [llama.tokenize(t) for t in texts]
    labels = tuple(llama.tokenize(t, special=False) for t in LABEL_TEXTS)
    asked = workload_of([ScoreRequest(str(i), p, labels) for i, p in enumerate(prompts)])
    print(f"{len(prompts)} answers, {sum(map(len, prompts))} tokens, {asked.nodes} distinct, "
          f"longest prompt {asked.prompt}; trained for {llama.context_trained}")  # fmt: skip
    shape = ContextParams(o.slots, -(-asked.longest // 64) * 64, BATCH, o.threads, flash=FLASH)
    for _ in range(o.rounds):
        ours = judging(llama, prompts, shape)
        print(f"  {ours.over(bare(llama, prompts, shape))} of the bound", flush=True)
    for what, schema in REPLIES.items() if o.grammar else ():
        theirs = by_grammar(judge, texts, asked.longest + 128, o.threads, schema)
        print(f"  {what}: {theirs.over(ours)} times as long as by likelihood", flush=True)
    llama.close()


if __name__ == "__main__":
    main()
