"""Time of sampling alone, compared with sorting every row, as version 1 of the sampler did.

    python -m benchmarks.sampling --model FILE.gguf [--rows 32 128]

The logits are those of a real model after each of the last tokens of prompts of the starter pack;
"flat" logits, normally distributed with a standard deviation of 0.5, are the worst case. Every
sequence has --behind tokens. Prints milliseconds of CPU time per row: the mean over the rows of the
least of --rounds rounds, in which both samplers alternate row by row.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel
from steertui.engine.sampler import Sampler
from steertui.engine.sequence import GenerateRequest, Sequence
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

WARM = SamplingParams(temperature=0.7)

SAMPLINGS = {
    "greedy": SamplingParams(),
    "no filter": WARM,
    "top-p 0.95": SamplingParams(temperature=0.7, top_p=0.95),
    "min-p 0.05": SamplingParams(temperature=0.7, min_p=0.05),
    "top-k 20, top-p 0.8": SamplingParams(temperature=0.7, top_p=0.8, top_k=20),
    "repetition penalty 1.1": SamplingParams(temperature=0.7, repetition_penalty=1.1),
}

RECOMMENDED = {
    "SmolLM2": SamplingParams(temperature=0.2, top_p=0.9),
    "Qwen2.5-Coder": SamplingParams(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.1),
}
"""Sampling that the model card, or `generation_config.json`, of a model recommends."""

Draw = Callable[[np.ndarray, list[Sequence]], object]


def main() -> None:
    """Print a table per kind of logits and number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--behind", type=int, default=2_000, help="tokens of each sequence")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    for rows in options.rows:
        real = real_logits(options.model, rows)
        random = np.random.default_rng(0)
        flat = random.normal(0, 0.5, real.shape).astype(np.float32)
        for name, logits in (("real", real), ("flat", flat)):
            print(f"| {rows} rows × {logits.shape[1]:,}, {name} logits | before | after | ratio |")
            print("| --- | ---: | ---: | ---: |")
            for label, sampling in SAMPLINGS.items():
                before, after = compare(logits, sampling, options.behind, options.rounds)
                print(
                    f"| {label} | {1e3 * before:.3f} ms | {1e3 * after:.3f} ms "
                    f"| {before / after:.0f} |",
                    flush=True,
                )


def compare(
    logits: np.ndarray, sampling: SamplingParams, behind: int, rounds: int
) -> tuple[float, float]:
    """Return the CPU seconds per row of the sorting sampler and of the engine's."""
    sampler = Sampler(logits.shape[1])
    draws: tuple[Draw, Draw] = (sample_by_sorting, sampler.sample)
    best = np.full((2, len(logits)), np.inf)
    sequences = [started(sampling, behind, seed, logits.shape[1]) for seed in range(len(logits))]
    for _ in range(rounds):
        for row, sequence in enumerate(sequences):
            for i, draw in enumerate(draws):
                start = time.thread_time()
                draw(logits[row : row + 1], [sequence])
                best[i, row] = min(best[i, row], time.thread_time() - start)
    before, after = best.mean(axis=1)
    return float(before), float(after)


def started(sampling: SamplingParams, behind: int, seed: int, size: int) -> Sequence:
    """Return a sequence of `behind` random tokens."""
    tokens = np.random.default_rng(seed).integers(0, size, behind).tolist()
    sequence = Sequence(GenerateRequest("", tokens, sampling, seed))
    sequence.start()
    return sequence


def real_logits(model: Path, rows: int) -> np.ndarray:
    """Return the logits after each of the last four tokens of prompts; (rows, vocabulary)."""
    trials = resolve(Experiment()).trials
    with vocabulary(model) as gguf:
        prompts = gguf.tokenize([prompt.text for prompt in chat_format(gguf, "").write(trials)])
    llama = LlamaModel(model)
    longest = max(map(len, prompts))
    context = LlamaContext(llama, ContextParams(1, longest, longest, 2))
    taken = []
    for prompt in prompts[: rows // 4]:
        context.trim(0, 0)
        positions = np.arange(len(prompt), dtype=np.int32)
        slots = np.zeros(len(prompt), np.int32)
        is_last = positions >= len(prompt) - 4
        taken.append(context.decode(np.array(prompt, np.int32), positions, slots, is_last).copy())
    context.close()
    llama.close()
    return np.concatenate(taken)


def sample_by_sorting(logits: np.ndarray, sequences: list[Sequence]) -> list[int]:
    """Return the next tokens as version 1 of the sampler did."""
    greedy = logits[list(range(len(logits)))].argmax(axis=1)
    return [
        int(token) if s.request.sampling == SamplingParams() else _draw(row, s)
        for row, s, token in zip(logits, sequences, greedy, strict=True)
    ]


def _draw(logits: np.ndarray, sequence: Sequence) -> int:
    params = sequence.request.sampling
    if params.repetition_penalty != 1:
        logits = logits.copy()
        seen = np.unique(sequence.tokens)
        values = logits[seen]
        divided = values / params.repetition_penalty
        logits[seen] = np.where(values > 0, divided, values * params.repetition_penalty)
    if params.top_k:
        tokens = np.argpartition(logits, -params.top_k)[-params.top_k :]
        tokens = tokens[np.lexsort((tokens, -logits[tokens]))]
    else:
        tokens = np.argsort(-logits, kind="stable")
    ordered = logits[tokens].astype(np.float64)
    probabilities = _softmax(ordered)
    kept = len(tokens)
    if params.top_p < 1:
        kept = int(np.searchsorted(probabilities.cumsum(), params.top_p)) + 1
    if params.min_p > 0:
        kept = min(kept, int((probabilities >= params.min_p * probabilities[0]).sum()))
    probabilities = _softmax(ordered[:kept] / params.temperature)
    threshold = sequence.random.random() * probabilities.sum()
    index = int(np.searchsorted(probabilities.cumsum(), threshold))
    return int(tokens[min(index, kept - 1)])


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


if __name__ == "__main__":
    main()
