"""Equality of answers and labels across numbers of slots, and with `llama_cpp.Llama`.

    python -m benchmarks.identity FOLDER [--samples 5]

FOLDER has InstrumentalEval's CSV files. Greedy answers of the demo checkpoint with one slot are
compared with llama-cpp-python's, and with those of 8 and 32 slots, flash attention off and on; so
are the labels of the demo judge. Prefilled tokens are compared with the number of nodes in the trie
of all prompts, which is the minimum for any prefix sharing.
"""

import argparse
import time
from dataclasses import dataclass
from itertools import product

import llama_cpp

from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.core.prompt import Prompt
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.judge.local import LABEL_TEXTS
from steertui.judge.rubric import JudgeCase
from steertui.planning.chat_formats import chat_format
from steertui.planning.plan import experiment_judges
from steertui.planning.resolve import resolve

MAX_TOKENS = 96
SLOT_TOKENS = 2048


@dataclass(frozen=True)
class Run:
    """Answers by request id, prefilled tokens and wall time in seconds of an engine."""

    answers: dict[str, str]
    prefilled: int
    seconds: float


def generate(
    llama: LlamaModel, requests: list[GenerateRequest], slots: int, *, flash: bool = False
) -> Run:
    """Run the requests in an engine."""
    start = time.perf_counter()
    engine = Engine(llama, ContextParams(slots, SLOT_TOKENS, 512, 2, flash=flash))
    for request in requests:
        engine.add(request)
    answers = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            answers[event.id] = event.generation.text
    prefilled = engine.snapshot().prefilled
    engine.close()
    return Run(answers, prefilled, time.perf_counter() - start)


def labels(llama: LlamaModel, prompts: list[Prompt], answers: dict[str, str]) -> dict[str, int]:
    """Return the index of each answer's label, judged with one slot."""
    (judge,) = experiment_judges(resolve(Experiment()))
    cases = [_case(prompt, answers[prompt.key]) for prompt in prompts]
    with vocabulary(demo_path()) as gguf:
        texts = judge.prompts(chat_format(gguf, "demo"), cases)
    label_tokens = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    engine = Engine(llama, ContextParams(1, SLOT_TOKENS, 512, 2, flash=False))
    for prompt, text in zip(prompts, texts, strict=True):
        engine.add(ScoreRequest(prompt.key, llama.tokenize(text), label_tokens))
    indices = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            indices[event.id] = event.logliks.index(max(event.logliks))
    engine.close()
    return indices


def _case(prompt: Prompt, answer: str) -> JudgeCase:
    scenario = prompt.trial.scenario
    return JudgeCase(scenario.category, scenario.system, prompt.trial.user, answer)


def llama_answers(requests: list[GenerateRequest], llama: LlamaModel) -> dict[str, str]:
    """Return the answers of `llama_cpp.Llama`, one prompt at a time."""
    model = llama_cpp.Llama(
        str(demo_path()),
        n_ctx=SLOT_TOKENS,
        n_batch=512,
        n_threads=2,
        verbose=False,
        flash_attn=False,
    )
    answers = {}
    for request in requests:
        model.reset()
        tokens: list[int] = []
        for token in model.generate(request.prompt, temp=0.0, repeat_penalty=1.0):
            if token in llama.end_tokens or len(tokens) == MAX_TOKENS:
                break
            tokens.append(token)
        answers[request.id] = llama.text(tokens)
    model.close()
    return answers


def compare(llama: LlamaModel, prompts: list[Prompt], requests: list[GenerateRequest]) -> None:
    """Print equality of greedy answers and labels."""
    nodes = workload_of(requests).distinct_tokens
    single = generate(llama, requests, 1)
    expected = llama_answers(requests, llama)
    equal = sum(single.answers[key] == text for key, text in expected.items())
    total = len(requests)
    print(f"1 slot: {single.seconds:.1f} s; equal to llama_cpp.Llama: {equal} of {total}")
    single_labels = labels(llama, prompts, single.answers)
    for slots, flash in product((8, 32), (False, True)):
        run = generate(llama, requests, slots, flash=flash)
        equal = sum(single.answers[key] == text for key, text in run.answers.items())
        run_labels = labels(llama, prompts, run.answers)
        changed = sum(single_labels[key] != label for key, label in run_labels.items())
        print(
            f"{slots} slots, flash attention {flash}: {run.seconds:.1f} s, "
            f"{single.seconds / run.seconds:.2f} times as fast; answers equal to one slot's: "
            f"{equal} of {total}, labels changed: {changed}; {run.prefilled} tokens prefilled, "
            f"{run.prefilled / nodes:.4f} of the trie's nodes"
        )


def main() -> None:
    """Print equality of greedy answers, and prefilled tokens of sampled ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--samples", type=int, default=5)
    options = parser.parse_args()
    llama = LlamaModel(demo_path())
    design = resolve(Experiment(scenarios=[options.folder], max_tokens=MAX_TOKENS))
    with vocabulary(demo_path()) as gguf:
        prompts = chat_format(gguf, "demo").write(list(design.trials))
    greedy = SamplingParams(max_tokens=MAX_TOKENS)
    requests = [GenerateRequest(p.key, llama.tokenize(p.text), greedy, p.seed) for p in prompts]
    total = sum(len(request.prompt) for request in requests)
    nodes = workload_of(requests).distinct_tokens
    print(f"{len(requests)} prompts, {total} tokens, {nodes} nodes in their trie")
    compare(llama, prompts, requests)
    warm = SamplingParams(temperature=0.7, max_tokens=8)
    sampled = [
        GenerateRequest(f"{request.id} {seed}", request.prompt, warm, seed)
        for request in requests
        for seed in range(options.samples)
    ]
    prefilled = generate(llama, sampled, 32).prefilled
    print(
        f"{len(sampled)} sampled, 32 slots: {prefilled} tokens prefilled, "
        f"{prefilled / nodes:.4f} of the trie's nodes"
    )


if __name__ == "__main__":
    main()
