"""Cost of policies for slots and queue order: simulation with real prompts and answer lengths.

    python -m benchmarks.slot_policies RUNS --vocabulary FILE.gguf

RUNS is the folder of the paper's runs. The prompts of each model and the lengths of its answers are
those of its three logged runs, in tokens of --vocabulary, truncated at --tokens. The engine's
scheduler forms the batches; llama.cpp splits them into passes as in `split_equal`
(llama-batch.cpp). A pass costs what benchmarks/rows.py measured on a CPU ("CPU"), or the same for
any number of rows up to 200, as on an accelerator that is limited by its memory ("constant").
Attention is left out. Prints the costs relative to the engine's policy.
"""

import argparse
from bisect import insort
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from pathlib import Path

import numpy as np

from steertui.core.generation import SamplingParams
from steertui.engine.scheduler import Chunk, Scheduler
from steertui.engine.sequence import GenerateRequest, Sequence
from steertui.engine.vocabulary import vocabulary
from steertui.paper.run_log import read_log

MODELS = ("Qwen3-4B-Base", "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507")

CPU_ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 28, 32, 512)
CPU_MS = (21, 42, 61, 84, 121, 142, 178, 201, 260, 300, 342, 359, 2_460)
"""Milliseconds of a pass by rows (RESULTS, "Sequences in a step"); 512: prefill, 2.4 s for 500."""

COMPUTE_BOUND_ROWS = 200
"""Rows from which a pass of the model "constant" is limited by operations: its time is linear."""

Pass = tuple[int, int]
"""Sequences in the pass, and tokens of each."""


class PolicyScheduler(Scheduler):
    """Scheduler whose queue is sorted by `key`, and whose batches and moves may be the old ones."""

    def __init__(
        self, slots: int, key: Callable[[Sequence], tuple[object, ...]], *, is_compact: bool
    ) -> None:
        super().__init__(slots, 512, share=True)
        self._key = key
        self._is_compact = is_compact

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence; the last in the order of `key` is admitted first."""
        insort(self.queue, sequence, key=self._key)

    def next_chunks(self) -> list[Chunk]:
        """Return the next batch, after moves if the policy has them."""
        while self._is_compact and self.close_gap():
            pass
        chunks = self.next_batch()
        if not self._is_compact:
            chunks.sort(key=lambda c: (c.sequence.uncached > 1, c.slot.last_admission))
        return chunks


def passes(chunks: Iterable[Chunk]) -> list[Pass]:
    """Return llama.cpp's passes over a batch of several streams."""
    left = {chunk.slot.number: chunk.end - chunk.start for chunk in chunks}
    found: list[Pass] = []
    while left:
        taken: list[int] = []
        for slot in left:
            if not taken or slot == taken[-1] + 1:
                taken.append(slot)
        tokens = min(left[slot] for slot in taken)
        found.append((len(taken), tokens))
        for slot in taken:
            left[slot] -= tokens
        left = {slot: count for slot, count in left.items() if count}
    return found


def cost_cpu(rows: int) -> float:
    """Return the measured milliseconds of a pass."""
    return float(np.interp(rows, CPU_ROWS, CPU_MS))


def cost_constant(rows: int) -> float:
    """Return the cost of a pass that is limited by reading the weights."""
    return max(1.0, rows / COMPUTE_BOUND_ROWS)


def simulate(
    scheduler: PolicyScheduler, answers: Many[tuple[list[int], int]]
) -> tuple[int, int, float, float]:
    """Return steps, passes and both costs of all answers: (prompt, new tokens)."""
    for prompt, length in answers:
        sampling = SamplingParams(max_tokens=length)
        scheduler.add(Sequence(GenerateRequest("", prompt, sampling)))
    steps = 0
    found: list[Pass] = []
    while scheduler.unfinished:
        while admission := scheduler.admit():
            assert admission.slot.sequence
            admission.slot.sequence.start()
        chunks = scheduler.next_chunks()
        steps += 1
        found += passes(chunks)
        for chunk in chunks:
            advance(scheduler, chunk)
    rows = [sequences * tokens for sequences, tokens in found]
    return steps, len(found), sum(map(cost_cpu, rows)), sum(map(cost_constant, rows))


def advance(scheduler: Scheduler, chunk: Chunk) -> None:
    """Note a chunk as decoded: append a token, or release the slot of a complete answer."""
    sequence = chunk.sequence
    sequence.cached = chunk.slot.cached = chunk.end
    if not sequence.uncached:
        sequence.tokens.append(0)
        if len(sequence.tokens) >= sequence.max_tokens:
            scheduler.release(chunk.slot)


def logged_answers(
    runs: Path, gguf_path: Path, longest: int
) -> dict[str, list[tuple[list[int], int]]]:
    """Return prompt and number of new tokens of every logged answer, by model."""
    found: dict[str, list[tuple[list[int], int]]] = {}
    with vocabulary(gguf_path) as gguf:
        for model in MODELS:
            items = [i for log in sorted(runs.glob(f"{model}_*/stdout.log")) for i in read_log(log)]
            prompts = gguf.tokenize([item.steered_prompt for item in items])
            texts = gguf.tokenize([item.thinking + item.response + "." for item in items])
            lengths = (min(len(text), longest) for text in texts)
            found[model] = list(zip(prompts, lengths, strict=True))
    return found


def by_tokens(sequence: Sequence) -> tuple[object, ...]:
    """The engine's order: neighbours share the longest prefixes."""
    return (sequence.context_tokens,)


def by_prompt_length(sequence: Sequence) -> tuple[object, ...]:
    """The longest prompts first."""
    return (len(sequence.context_tokens), sequence.context_tokens)


def by_answer_length(sequence: Sequence) -> tuple[object, ...]:
    """The longest answers first: a bound, since lengths are not known before."""
    return (sequence.max_tokens, sequence.context_tokens)


def even_slots(count: int, slots: int) -> int:
    """Return the slots with which `count` equal answers come in equal waves."""
    waves = -(-count // slots)
    return -(-count // waves)


def main() -> None:
    """Print a table per model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=1_024)
    parser.add_argument("--slots", type=int, default=32)
    options = parser.parse_args()
    logged = logged_answers(options.runs, options.vocabulary, options.tokens)
    equal = [(prompt, 256) for prompt, _ in logged["Qwen3-4B-Instruct-2507"]]
    for name, answers in {**logged, "equal lengths": equal[:84]}.items():
        lengths = [length for _, length in answers]
        print(
            f"\n{name}: {len(answers)} answers, mean {np.mean(lengths):.0f} tokens, "
            f"{lengths.count(options.tokens)} of {options.tokens}"
        )
        print_policies(answers, options.slots)


def print_policies(answers: Many[tuple[list[int], int]], slots: int) -> None:
    """Print the costs of each policy relative to the engine's."""
    even = even_slots(len(answers), slots)
    policies = {
        f"{slots} slots, order of admission, no moves": (slots, by_tokens, False),
        f"{slots} slots, order of slots, moves: the engine": (slots, by_tokens, True),
        f"{even} slots, even waves": (even, by_tokens, True),
        f"{slots} slots, longest prompts first": (slots, by_prompt_length, True),
        f"{slots} slots, longest answers first (a bound)": (slots, by_answer_length, True),
    }
    results = {
        name: simulate(PolicyScheduler(count, key, is_compact=is_compact), answers)
        for name, (count, key, is_compact) in policies.items()
    }
    *_, cpu, constant = next(r for name, r in results.items() if name.endswith("the engine"))
    print("| policy | steps | passes | cost, CPU | cost, constant |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (steps, count, on_cpu, on_constant) in results.items():
        print(
            f"| {name} | {steps:,} | {count:,} | {on_cpu / cpu:.3f} "
            f"| {on_constant / constant:.3f} |"
        )


if __name__ == "__main__":
    main()
