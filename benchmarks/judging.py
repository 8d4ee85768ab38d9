"""What a local judge costs on the paper's answers, against its bound: its prompts' distinct tokens.

python -m benchmarks.judging RESULTS [MODEL.gguf [COUNT]]
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import Score, Write
from steertui.generation import SamplingParams
from steertui.imported import import_runs, read_runs
from steertui.judge.local import LABEL_TEXTS, LocalJudge
from steertui.judge.rubric import load_rubric
from steertui.panel import case_of, chat_format
from steertui.store import Store
from steertui.weights import find_model

SLOTS = 8


def nodes(prompts: list[list[int]]) -> int:
    """Return the nodes of the prompts' trie: what must be computed at the least."""
    total, before = 0, np.empty(0, np.int32)
    for prompt in (np.array(p, np.int32) for p in sorted(prompts)):
        n = min(len(before), len(prompt))
        differs = before[:n] != prompt[:n]
        total += len(prompt) - (int(differs.argmax()) if differs.any() else n)
        before = prompt
    return total


def timed(
    llama: LlamaModel, requests: list[Score | Write], shape: ContextParams
) -> tuple[float, Engine]:
    """Run requests to the end; return seconds and the engine."""
    engine = Engine(llama, shape)
    for request in requests:
        engine.add(request)
    begin, sums = time.perf_counter(), []
    while not engine.is_idle:
        for event in engine.step():
            if isinstance(event, Scored):
                powers = np.exp(np.array(event.logliks) - max(event.logliks))
                sums.append(float((powers / powers.sum()).sum()))
    assert np.allclose(sums, 1, atol=1e-12)
    return time.perf_counter() - begin, engine


def main(results: str, model: str = "demo", count: str = "0") -> None:
    """Print tokens and seconds of judging, and of prefilling the same prompts alone."""
    judge = LocalJudge(find_model(model), load_rubric("steertui"))
    llama = LlamaModel(judge.model.path)
    chat = chat_format(llama, judge.model.name)
    with TemporaryDirectory() as folder, Store(Path(folder) / "p.db") as store:
        waiting = store.unjudged(import_runs(read_runs(Path(results)), store), judge.id)
    texts = [judge.prompt(chat, case_of(u, blind=False)) for u in waiting]
    prompts = [llama.tokenize(t) for t in texts][: int(count) or None]
    labels = tuple(llama.tokenize(t, special=False) for t in LABEL_TEXTS)
    most = max(map(len, prompts)) + max(map(len, labels)) + 64
    shape = ContextParams(SLOTS, -(-most // 64) * 64, 512, 2)
    print(f"{len(prompts)} answers, {sum(map(len, prompts))} tokens, longest {most}, trained "
          f"{llama.context_trained}; distinct {nodes(prompts)}")  # fmt: skip
    scores: list[Score | Write] = [Score(str(i), p, labels) for i, p in enumerate(prompts)]
    seconds, engine = timed(llama, scores, shape)
    print(f"judging: {engine.snapshot().prefilled} prompt tokens, {seconds:.1f} s")
    engine.close()
    one = SamplingParams(max_tokens=1)
    seconds, engine = timed(llama, [Write(str(i), p, one) for i, p in enumerate(prompts)], shape)
    print(f"prefilling alone: {engine.snapshot().prefilled} prompt tokens, {seconds:.1f} s")
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
