"""Real models (see `benchmarks/real_models.py`); run by `make real`, which fetches them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import pytest

from benchmarks.real_models import MODELS, is_fetched
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest
from steertui.engine.vocabulary import vocabulary
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import resolve
from tests.fixtures.database import select
from tests.fixtures.program import call, records

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600)]

GREEDY = SamplingParams(max_tokens=24)
SUBJECTS = ("smollm2-135m", "qwen2.5-coder-0.5b")
WINDOWED = "gemma-3-270m"
JUDGE = "qwen2.5-coder-1.5b"
WINDOW = 512
"""Tokens of the sliding window of Gemma 3 270M."""


def weights(name: str) -> Path:
    if not is_fetched(MODELS[name]):
        pytest.skip(f"{name} is not fetched; run `make real`")
    return MODELS[name].path


@pytest.fixture(params=[*SUBJECTS, WINDOWED])
def model(request: pytest.FixtureRequest) -> Iterator[tuple[LlamaModel, list[str]]]:
    """A model, and prompts; those of the model with sliding windows are longer than a window."""
    path = weights(request.param)
    llama = LlamaModel(path)
    if request.param == WINDOWED:
        story = "The harbour keeps a log of every ship, and the clerk signs each line. "
        prompts = [story * 36 + ending for ending in ("Today the", "The storm", "The clerk")]
        assert all(len(llama.tokenize(prompt)) > WINDOW for prompt in prompts)
    else:
        with vocabulary(path) as gguf:
            trials = list(resolve(Experiment(models=["demo"], limit=1)).trials)
            prompts = [prompt.text for prompt in chat_format(gguf, request.param).write(trials)]
    yield llama, prompts
    llama.close()


def answers(llama: LlamaModel, prompts: list[str], slots: int) -> list[list[int]]:
    """Return the tokens of the greedy answers, in the order of the prompts."""
    engine = Engine(llama, ContextParams(slots, 1536, 512, 2, unified=True, flash=False))
    for number, prompt in enumerate(prompts):
        engine.add(GenerateRequest(str(number), llama.tokenize(prompt), GREEDY))
    found: dict[str, list[int]] = {}
    while not engine.is_idle:
        for event in engine.step():
            assert isinstance(event, Completed)
            found[event.id] = llama.tokenize(event.generation.text, special=False)
    engine.close()
    return [found[str(number)] for number in range(len(prompts))]


def reference(llama: LlamaModel, prompts: list[str]) -> list[list[int]]:
    """Return the tokens of the answers of `llama_cpp.Llama`."""
    theirs: Any = llama_cpp.Llama(
        str(llama.path), n_ctx=1536, n_batch=512, n_threads=2, verbose=False, flash_attn=False
    )
    found = []
    for prompt in prompts:
        theirs.reset()
        written: list[int] = []
        for token in theirs.generate(llama.tokenize(prompt), temp=0.0, repeat_penalty=1.0):
            if token in llama.end_tokens or len(written) == GREEDY.max_tokens:
                break
            written.append(token)
        found.append(llama.tokenize(llama.text(written), special=False))
    theirs.close()
    return found


def test_greedy_tokens_are_those_of_llama(model: tuple[LlamaModel, list[str]]) -> None:
    llama, prompts = model
    expected = reference(llama, prompts)
    assert all(expected)
    assert answers(llama, prompts, 1) == expected


def test_shared_prefixes_change_no_first_token(model: tuple[LlamaModel, list[str]]) -> None:
    llama, prompts = model
    shared = answers(llama, prompts, 3)
    assert [tokens[0] for tokens in shared] == [t[0] for t in answers(llama, prompts, 1)]


def test_a_run_with_a_judge_labels_or_explains_every_trial(tmp_path: Path) -> None:
    models = [option for name in SUBJECTS for option in ("--model", str(weights(name)))]
    judge = f"local:{weights(JUDGE)}"
    judging = ("--judge", judge, "--no-control")
    options = ("--batch", *models, "--limit", "6", "--max-tokens", "96", *judging)
    code, out, err = call(*options, "--db", "a.db", "--json", cwd=tmp_path, seconds=3600)
    assert code == 0, err
    (trials,) = select(tmp_path / "a.db", "SELECT count(*) FROM trials")[0]
    assert trials == 36
    answered = "SELECT count(*) FROM generations WHERE tokens > 0 AND length(answer) > 0"
    assert select(tmp_path / "a.db", answered) == [(trials,)]
    ended = "SELECT count(*) FROM verdicts WHERE label IS NOT NULL OR failure <> ''"
    assert select(tmp_path / "a.db", ended) == [(trials,)]
    total = "abs(p_convergence + p_no_convergence + p_safety_refusal + p_nonsensical - 1)"
    assert select(tmp_path / "a.db", f"SELECT count(*) FROM verdicts WHERE {total} > 1e-6") == [
        (0,)
    ]
    rates = "SELECT min(convergence_percent), max(convergence_percent), count(*) FROM rates"
    low, high, count = select(tmp_path / "a.db", rates)[0]
    assert count == 2 * 3
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert 0 <= low <= high <= 100
    assert records(out)[-1]["event"] == "results"
