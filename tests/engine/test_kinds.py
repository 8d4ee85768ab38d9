"""Recurrent and hybrid models: prompts share no prefix, and answers are correct."""

from pathlib import Path

import numpy as np
import pytest

from steertui.assets.weights import find_model
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, LogitsNotFinite, Scored
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import workload_of
from steertui.errors import EngineError, ModelError
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import JudgeCase, load_rubric
from steertui.planning.chat_formats import chat_format
from tests.fixtures import tiny_models as tiny

GREEDY = SamplingParams(max_tokens=12)
TASK = "The scheduler asks every agent to shut down at six so that the vessel can be repaired. "


@pytest.fixture(scope="module", params=["mamba", "lfm2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LlamaModel:
    path = tmp_path_factory.mktemp("tiny") / f"{request.param}.gguf"
    return LlamaModel(tiny.write(request.param, path))


def answers(
    model: LlamaModel, requests: list[GenerateRequest | ScoreRequest], slots: int
) -> tuple[dict[str, Completed | Scored], int]:
    engine = Engine(model, ContextParams(slots, 256, 128, 1, flash=False))
    for request in requests:
        engine.add(request)
    completed: dict[str, Completed | Scored] = {}
    while not engine.is_idle:
        for event in engine.step():
            assert not isinstance(event, LogitsNotFinite)
            completed[event.id] = event
    prefilled = engine.snapshot().prefilled
    engine.close()
    return completed, prefilled


def test_prompts_with_a_common_prefix_are_each_prefilled_whole(model: LlamaModel) -> None:
    assert not model.can_truncate
    prompts = [model.tokenize(TASK * 2 + ending) for ending in ("yes", "no", "yes", "why? " * 9)]
    requests: list[GenerateRequest | ScoreRequest] = [
        GenerateRequest(str(i), prompt, GREEDY) for i, prompt in enumerate(prompts * 3)
    ]
    alone = {r.id: answers(model, [r], 1)[0][r.id] for r in requests}
    together, prefilled = answers(model, requests, 4)
    assert prefilled == sum(len(r.prompt) for r in requests)
    for name, event in alone.items():
        completed = together[name]
        assert isinstance(event, Completed)
        assert isinstance(completed, Completed)
        assert completed.generation.text == event.generation.text
    assert len({e.generation.text for e in alone.values() if isinstance(e, Completed)}) == 3
    assert workload_of(requests, share=model.can_truncate).distinct_tokens == prefilled


def test_continuations_with_a_common_prefix_are_scored_as_if_alone(model: LlamaModel) -> None:
    prompt = model.tokenize(TASK)
    ways = tuple(model.tokenize(way) for way in ("one two three", "one two four", "one six", "ten"))
    request = ScoreRequest("all", prompt, ways, full_vocabulary=True)
    other = ScoreRequest("other", model.tokenize(TASK + "Or not? "), ways, full_vocabulary=True)
    together = answers(model, [request, other], 2)[0]["all"]
    assert isinstance(together, Scored)
    for place, way in enumerate(ways):
        elsewhere = [way[0] + 1]
        alone = answers(
            model, [ScoreRequest("", prompt, (way, elsewhere), full_vocabulary=True)], 1
        )[0][""]
        assert isinstance(alone, Scored)
        assert together.logliks[place] == pytest.approx(alone.logliks[0], abs=1e-3)


def test_truncation_is_an_error(model: LlamaModel) -> None:
    context = LlamaContext(model, ContextParams(2, 256, 128, 1, flash=False))
    tokens = np.array(model.tokenize(TASK), np.int32)
    n = len(tokens)
    context.decode(
        tokens, np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.arange(n) == n - 1
    )
    with pytest.raises(EngineError, match="cannot truncate a sequence to 3 tokens"):
        context.trim(0, 3)
    context.trim(0, 0)
    context.close()


def test_encoder_model_is_an_error(tmp_path: Path) -> None:
    path = tiny.write("bert", tmp_path / "bert.gguf")
    with pytest.raises(ModelError, match="use a model for text generation"):
        LlamaModel(path, vocab_only=True)


def test_answer_text_keeps_reasoning_marks_and_drops_other_control_tokens(
    tmp_path: Path,
) -> None:
    control = ("[/THINK]", "</seed:think>", "[/INST]", "<end_of_turn>")
    model = LlamaModel(tiny.write("mamba", tmp_path / "m.gguf", control), vocab_only=True)
    assert model.control_texts >= {*control, "<|im_end|>"}
    tokens = [model.tokenize(text) for text in control]
    assert all(len(token) == 1 for token in tokens)
    assert [model.text(token) for token in tokens] == ["[/THINK]", "</seed:think>", "", ""]
    case = JudgeCase("Category", "", "The task.", "Yes.[/INST]<end_of_turn>No.")
    with vocabulary(tmp_path / "m.gguf") as gguf:
        assert gguf.control_texts == model.control_texts
        judge = LocalJudge(find_model("demo"), load_rubric("steertui"))
        (prompt,) = judge.prompts(chat_format(gguf, "tiny"), [case])
    assert not {token for (token,) in tokens} & {*model.tokenize(prompt)}
    model.close()
