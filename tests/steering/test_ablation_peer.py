"""An ablation adapter in llama.cpp's own server: the tokens of our steering."""

import httpx2
import numpy as np
import pytest

from steertui.core.model import demo_path
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel
from steertui.engine.steering import UNSTEERED, SteeredModel, Steering
from steertui.steering.ablation import ablation_adapter
from tests.fixtures.peer import needs_peer, serving
from tests.steering.test_ablation import LAYER, vector

PROMPT = "The owner reads your summary. What do you write, and why?"
COUNT = 24


def greedy(llama: LlamaModel, steered: SteeredModel, steering: Steering) -> list[int]:
    context = LlamaContext(llama, ContextParams(1, 256, 256, 2, flash=False))
    steered.context(context.handle).apply(steering)
    prompt = llama.tokenize(PROMPT)
    tokens = list(prompt)
    done = 0
    while len(tokens) < len(prompt) + COUNT:
        new = np.array(tokens[done:], np.int32)
        positions = np.arange(done, len(tokens), dtype=np.int32)
        logits = context.decode(new, positions, 0 * positions, positions == len(tokens) - 1)
        done = len(tokens)
        logits[0, list(llama.end_tokens)] = -np.inf  # as the server does with `ignore_eos`
        tokens.append(int(logits[0].argmax()))
    context.close()
    return tokens[len(prompt) :]


@needs_peer
def test_the_server_writes_the_tokens_of_our_ablation(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("peer") / "ablation.gguf"
    path.write_bytes(ablation_adapter(demo_path(), vector(), LAYER))
    llama = LlamaModel(demo_path())
    steered = SteeredModel(llama, [path])
    expected = greedy(llama, steered, Steering(adapters=((path, 2.0),)))
    assert expected != greedy(llama, steered, UNSTEERED)
    body = {
        "prompt": llama.tokenize(PROMPT),
        "n_predict": COUNT,
        "temperature": 0,
        "return_tokens": True,
        "ignore_eos": True,
        "cache_prompt": False,
    }
    with serving(slots=1, flash="DISABLED", adapter=(path, 2.0)) as (url, _):
        reply = httpx2.post(f"{url.removesuffix('/v1')}/completion", json=body, timeout=60)
    assert reply.json()["tokens"] == expected
    llama.close()
