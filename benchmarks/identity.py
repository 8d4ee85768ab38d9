"""Are answers the same at any load? `python -m benchmarks.identity FOLDER [--samples 5]`

FOLDER holds InstrumentalEval's CSV files. Greedy answers of the demo checkpoint with one slot are
compared with llama-cpp-python's own, and with those at 8 and 32 slots, flash attention off and on;
so are the labels that the demo judge gives them. The prompt tokens that were computed are compared
with the nodes of the prompts' trie, the least that any sharing of prefixes can do.
"""

import argparse
import time
from itertools import product

import llama_cpp

from steertui.core.experiment import Experiment, resolve
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
from steertui.planning.judges import chat_format
from steertui.planning.plan import experiment_judges

TOKENS = 96
SLOT = 2048


def answers(
    llama: LlamaModel, requests: list[GenerateRequest], slots: int, flash: bool = False
) -> tuple[dict[str, str], int]:
    """Return every text, and the prompt tokens computed."""
    engine = Engine(llama, ContextParams(slots, SLOT, 512, 2, False, flash))
    for request in requests:
        engine.add(request)
    found = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            found[event.id] = event.generation.text
    prefilled = engine.snapshot().prefilled
    engine.close()
    return found, prefilled


def labels(llama: LlamaModel, prompts: list[Prompt], texts: dict[str, str]) -> dict[str, int]:
    """Return the place of each answer's label, judged in one slot."""
    (judge,) = experiment_judges(resolve(Experiment()))
    with vocabulary(demo_path()) as gguf:
        asked = judge.prompts(chat_format(gguf, "demo"), [_case(p, texts[p.key]) for p in prompts])
    wanted = tuple(llama.tokenize(text, special=False) for text in LABEL_TEXTS)
    engine = Engine(llama, ContextParams(1, SLOT, 512, 2, False, False))
    for p, text in zip(prompts, asked, strict=True):
        engine.add(ScoreRequest(p.key, llama.tokenize(text), wanted))
    found = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            found[event.id] = event.logliks.index(max(event.logliks))
    engine.close()
    return found


def _case(prompt: Prompt, answer: str) -> JudgeCase:
    scenario = prompt.trial.scenario
    return JudgeCase(scenario.category, scenario.system, prompt.trial.user, answer)


def theirs(requests: list[GenerateRequest], llama: LlamaModel) -> dict[str, str]:
    """Return what llama-cpp-python's own loop writes."""
    model = llama_cpp.Llama(
        str(demo_path()), n_ctx=SLOT, n_batch=512, n_threads=2, verbose=False, flash_attn=False
    )
    found = {}
    for request in requests:
        model.reset()
        written: list[int] = []
        for token in model.generate(request.prompt, temp=0.0, repeat_penalty=1.0):
            if token in llama.end_tokens or len(written) == TOKENS:
                break
            written.append(token)
        found[request.id] = llama.text(written)
    model.close()
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--samples", type=int, default=5)
    options = parser.parse_args()
    llama = LlamaModel(demo_path())
    plan = resolve(Experiment(scenarios=[options.folder], max_tokens=TOKENS))
    with vocabulary(demo_path()) as gguf:
        prompts = chat_format(gguf, "demo").write(list(plan.trials))
    greedy = SamplingParams(max_tokens=TOKENS)
    requests = [GenerateRequest(p.key, llama.tokenize(p.text), greedy, p.seed) for p in prompts]
    total, least = sum(len(r.prompt) for r in requests), workload_of(requests).nodes
    print(f"{len(requests)} prompts, {total} tokens, {least} nodes in their trie")
    begin = time.perf_counter()
    one, _ = answers(llama, requests, 1)
    alone = time.perf_counter() - begin
    same = sum(one[k] == text for k, text in theirs(requests, llama).items())
    print(f"1 slot: {alone:.1f} s; equal to llama_cpp.Llama: {same} of {len(one)}")
    judged = labels(llama, prompts, one)
    for slots, flash in product((8, 32), (False, True)):
        begin = time.perf_counter()
        many, prefilled = answers(llama, requests, slots, flash)
        seconds = time.perf_counter() - begin
        equal = sum(one[k] == many[k] for k in one)
        moved = sum(judged[k] != label for k, label in labels(llama, prompts, many).items())
        print(
            f"{slots} slots, flash attention {flash}: {seconds:.1f} s, "
            f"{alone / seconds:.2f} times as fast; answers equal "
            f"to one slot's: {equal} of {len(one)}, labels changed: {moved}; prompt tokens "
            f"computed {prefilled}, {prefilled / least:.4f} of the trie's nodes"
        )
    again = [
        GenerateRequest(f"{r.id} {i}", r.prompt, SamplingParams(temperature=0.7, max_tokens=8), i)
        for r in requests
        for i in range(options.samples)
    ]
    _, prefilled = answers(llama, again, 32)
    print(
        f"{len(again)} sampled, 32 slots: {prefilled} computed, {prefilled / least:.4f} of the trie"
    )


if __name__ == "__main__":
    main()
