"""Engine on the demo checkpoint, compared with `llama_cpp.Llama`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

from steertui.core.condition_files import load_conditions
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams, StopReason
from steertui.core.model import demo_path
from steertui.core.prompt import Prompt
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.errors import EngineError, ModelError
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve

GREEDY = SamplingParams(max_tokens=48)


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaModel]:
    model = LlamaModel(demo_path())
    yield model
    model.close()


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    with vocabulary(demo_path()) as gguf:
        return chat_format(gguf, "demo").write(list(resolve(Experiment(limit=8)).trials))


def answers(
    llama: LlamaModel, prompts: list[Prompt], slots: int, sampling: SamplingParams = GREEDY
) -> tuple[dict[str, Completed], int]:
    """Return the answers by request, and the number of prefilled tokens."""
    engine = Engine(llama, ContextParams(slots, 768, 256, 1, flash=False))
    for prompt in prompts:
        engine.add(GenerateRequest(prompt.key, llama.tokenize(prompt.text), sampling, prompt.seed))
    results = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            assert event.id not in results
            results[event.id] = event
    prefilled = engine.snapshot().prefilled
    engine.close()
    return results, prefilled


def test_one_slot_gives_the_answers_of_llama(llama: LlamaModel, prompts: list[Prompt]) -> None:
    results, _ = answers(llama, prompts, 1)
    theirs: Any = llama_cpp.Llama(
        str(demo_path()), n_ctx=768, n_batch=256, n_threads=1, verbose=False, flash_attn=False
    )
    for prompt in prompts:
        tokens = llama.tokenize(prompt.text)
        assert tokens == theirs.tokenize(prompt.text.encode(), add_bos=False, special=True)
        theirs.reset()
        written: list[int] = []
        for token in theirs.generate(tokens, temp=0.0, repeat_penalty=1.0):
            if token in llama.end_tokens or len(written) == GREEDY.max_tokens:
                break
            written.append(token)
        assert llama.text(written) == results[prompt.key].generation.text
        assert len(written) == results[prompt.key].generation.tokens
    theirs.close()


def test_many_slots_answer_each_prompt_once_and_prefill_shared_prefixes_once(
    llama: LlamaModel, prompts: list[Prompt]
) -> None:
    results, prefilled = answers(llama, prompts, 8)
    aeos_only, _ = answers(llama, prompts, 1)
    assert {k: w.generation.text for k, w in results.items()} == {
        k: w.generation.text for k, w in aeos_only.items()
    }
    nodes = {
        tuple(tokens[: i + 1])
        for tokens in (llama.tokenize(p.text) for p in prompts)
        for i in range(len(tokens))
    }
    assert len(nodes) <= prefilled <= 1.02 * len(nodes)


def test_seed_determines_the_draws_in_any_slot_and_order(
    llama: LlamaModel, prompts: list[Prompt]
) -> None:
    warm = SamplingParams(temperature=0.9, top_k=40, top_p=0.95, max_tokens=24)
    one, _ = answers(llama, prompts, 4, warm)
    two, _ = answers(llama, prompts[::-1], 4, warm)
    assert {k: w.generation.text for k, w in one.items()} == {
        k: w.generation.text for k, w in two.items()
    }


def scores(
    llama: LlamaModel,
    prompts: list[Prompt],
    continuations: tuple[list[int], ...],
    *,
    full_vocabulary: bool,
) -> dict[str, tuple[float, ...]]:
    """Return the log-likelihoods of the continuations by prompt."""
    engine = Engine(llama, ContextParams(4, 768, 256, 1, unified=False, flash=False))
    for prompt in prompts:
        engine.add(
            ScoreRequest(prompt.key, llama.tokenize(prompt.text), continuations, full_vocabulary)
        )
    results = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Scored)
            results[event.id] = event.logliks
    engine.close()
    return results


def log_probabilities(theirs: Any, tokens: list[int], after: list[int]) -> np.ndarray:
    """Return llama-cpp-python's log-probabilities of every next token, shape (rows, vocabulary).

    The rows are the end of the prompt `tokens` and the position after each token of `after`.
    """
    theirs.reset()
    theirs.eval(tokens + after)
    rows = theirs.scores[len(tokens) - 1 : len(tokens) + len(after)].astype(np.float64)
    tops = rows.max(1, keepdims=True)
    return np.asarray(rows - tops - np.log(np.exp(rows - tops).sum(1, keepdims=True)))


def test_scores_are_the_log_likelihoods_of_llama(llama: LlamaModel, prompts: list[Prompt]) -> None:
    labels = ("convergence", "no_convergence", "safety_refusal", "x")
    wanted = tuple(llama.tokenize(text, special=False) for text in labels)
    results = scores(llama, prompts[:6], wanted, full_vocabulary=True)
    theirs: Any = llama_cpp.Llama(
        str(demo_path()), n_ctx=768, n_threads=1, logits_all=True, verbose=False, flash_attn=False
    )
    for prompt in prompts[:6]:
        for continuation, ours in zip(wanted, results[prompt.key], strict=True):
            rows = log_probabilities(theirs, llama.tokenize(prompt.text), continuation)
            direct = sum(rows[i, t] for i, t in enumerate(continuation))
            assert ours == pytest.approx(direct, abs=1e-3)
    theirs.close()


def test_scores_among_the_continuations_are_those_under_a_grammar(
    llama: LlamaModel, prompts: list[Prompt]
) -> None:
    a, b, c, d = (llama.tokenize(text, special=False)[0] for text in ("no", "safety", "we", "I"))
    wanted = ([a, b, c, d], [a, b, d], [a, d, c], [b, c], [c])
    results = scores(llama, prompts[:6], wanted, full_vocabulary=False)
    theirs: Any = llama_cpp.Llama(
        str(demo_path()), n_ctx=768, n_threads=1, logits_all=True, verbose=False, flash_attn=False
    )
    for prompt in prompts[:6]:
        rows = np.exp(log_probabilities(theirs, llama.tokenize(prompt.text), [a, b]))
        first, second, third = (
            dict(zip(ways, row[ways] / row[ways].sum(), strict=True))
            for row, ways in zip(rows, ([a, b, c], [b, d], [c, d]), strict=True)
        )
        expected = (
            first[a] * second[b] * third[c],
            first[a] * second[b] * third[d],
            first[a] * second[d],
            first[b],
            first[c],
        )
        assert np.exp(results[prompt.key]) == pytest.approx(expected, rel=1e-3)
        assert np.exp(results[prompt.key]).sum() == pytest.approx(1, abs=1e-12)
    theirs.close()


def test_token_limit_is_a_stop_reason_of_its_own(llama: LlamaModel, prompts: list[Prompt]) -> None:
    results, _ = answers(llama, prompts[:2], 2, SamplingParams(max_tokens=3))
    assert {w.generation.stop for w in results.values()} == {StopReason.LENGTH}
    assert {w.generation.tokens for w in results.values()} == {3}


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_preempted_sequences_continue_in_longer_slots_with_the_same_answers(
    llama: LlamaModel, prompts: list[Prompt], temperature: float
) -> None:
    sampling = SamplingParams(temperature=temperature, max_tokens=96)
    requests = [GenerateRequest(p.key, llama.tokenize(p.text), sampling, p.seed) for p in prompts]
    longest = max(len(r.prompt) for r in requests)

    def texts(shape: ContextParams) -> tuple[dict[str, str], int]:
        engine = Engine(llama, shape)
        for request in requests:
            engine.add(request)
        results = {}
        while not engine.is_idle:
            for event in engine.step():
                assert isinstance(event, Completed)
                assert event.id not in results
                results[event.id] = event.generation.text
        slots = engine.shape.slots
        engine.close()
        return results, slots

    whole, _ = texts(ContextParams(8, longest + 96, 256, 1, flash=False))
    short = ContextParams(8, longest + 8, 256, 1, flash=False, longest=longest + 96)
    preempted, slots = texts(short)
    assert slots < 8
    assert preempted == whole


def test_prompt_that_fits_no_slot_is_an_error_that_names_it(llama: LlamaModel) -> None:
    engine = Engine(llama, ContextParams(2, 64, 64, 1))
    with pytest.raises(EngineError, match="long one: needs 110 tokens, but a slot has at most 64"):
        engine.add(GenerateRequest("long one", [5] * 100, SamplingParams(max_tokens=10)))
    engine.close()


def test_every_condition_reaches_the_prompt(prompts: list[Prompt]) -> None:
    suffix = load_conditions()["pro"].suffix.strip()
    steered = [p for p in prompts if p.trial.condition.name == "pro"]
    assert steered
    assert all(suffix in p.text for p in steered)
    assert not any(suffix in p.text for p in prompts if p.trial.condition.name != "pro")


def test_truncated_gguf_is_an_error_with_the_reason(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(demo_path().read_bytes()[:200_000])
    with pytest.raises(ModelError, match=r"cut\.gguf: llama\.cpp cannot load it"):
        LlamaModel(cut)


def as_base(folder: Path) -> Path:
    """Return a copy of the demo with another end-of-sequence token, as in GGUFs of base models."""
    raw = bytearray(demo_path().read_bytes())
    name = b"tokenizer.ggml.eos_token_id"
    start = raw.index(name) + len(name) + 4  # the value follows the name and its type
    raw[start : start + 4] = (0).to_bytes(4, "little")
    path = folder / "base.gguf"
    path.write_bytes(raw)
    return path


def test_end_eos_continues_past_the_end_of_turn_token(
    llama: LlamaModel, prompts: list[Prompt], tmp_path: Path
) -> None:
    base = LlamaModel(as_base(tmp_path))
    usual, _ = answers(base, prompts[:6], 2)
    eos_only, _ = answers(base, prompts[:6], 2, SamplingParams(max_tokens=48, stop_tokens="eos"))
    assert base.eos_tokens < base.end_tokens
    ended = [key for key, w in usual.items() if w.generation.stop == StopReason.STOP]
    assert ended
    for key in ended:
        assert eos_only[key].generation.text.startswith(usual[key].generation.text)
        assert eos_only[key].generation.tokens > usual[key].generation.tokens
    same, _ = answers(llama, prompts[:6], 2, SamplingParams(max_tokens=48, stop_tokens="eos"))
    assert {k: w.generation.text for k, w in same.items()} == {
        k: w.generation.text for k, w in answers(llama, prompts[:6], 2)[0].items()
    }
    base.close()
