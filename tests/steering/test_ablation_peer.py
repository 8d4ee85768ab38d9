"""An ablation adapter in llama.cpp's own server: the tokens of our steering."""

import httpx2
import pytest

from steertui.core.model import demo_path
from steertui.engine.llama import LlamaModel
from steertui.engine.steering import UNSTEERED, SteeredModel, Steering
from steertui.steering.ablation import ablation_adapter
from tests.fixtures.peer import needs_peer, serving
from tests.fixtures.steered import completion_body, greedy
from tests.steering.test_ablation import LAYER, vector

PROMPT = "The owner reads your summary. What do you write, and why?"


@needs_peer
def test_the_server_writes_the_tokens_of_our_ablation(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("peer") / "ablation.gguf"
    path.write_bytes(ablation_adapter(demo_path(), vector(), LAYER))
    llama = LlamaModel(demo_path())
    steered = SteeredModel(llama, [path])
    prompt = llama.tokenize(PROMPT)
    expected = greedy(llama, steered, Steering(adapters=((path, 2.0),)), prompt)
    assert expected != greedy(llama, steered, UNSTEERED, prompt)
    with serving(slots=1, flash="DISABLED", adapter=(path, 2.0)) as (url, _):
        reply = httpx2.post(
            f"{url.removesuffix('/v1')}/completion", json=completion_body(prompt), timeout=60
        )
    assert reply.json()["tokens"] == expected
    llama.close()
