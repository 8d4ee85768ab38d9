"""Hidden states of the demo checkpoint, compared with llama.cpp's own embeddings."""

import os
import signal
from pathlib import Path

import llama_cpp.llama_cpp as ll
import numpy as np
import psutil
import pytest
from gguf import GGUFReader
from numpy.typing import NDArray

from steertui.core.model import demo_path
from steertui.engine.hidden_states import HiddenStates, fitted_job
from steertui.engine.hidden_states_child import StatesJob, StatesRequest
from steertui.engine.llama import LlamaModel
from steertui.errors import EngineError, ModelError

TOKENS = list(range(5, 600))
LAST = StatesRequest(TOKENS, len(TOKENS) - 1)


def read(*requests: StatesRequest) -> list[NDArray[np.float32]]:
    job = fitted_job(StatesJob(demo_path(), 0, 1), requests)
    with HiddenStates(job) as states:
        return list(states.read(requests))


def distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return the largest distance of two states of a layer, relative to their norm."""
    return float(np.max(np.linalg.norm(a - b, axis=1) / np.linalg.norm(b, axis=1)))


def embedding(tokens: list[int]) -> NDArray[np.float32]:
    """Return llama.cpp's embedding of the last token: its state after the final norm."""
    model = LlamaModel(demo_path())
    params = ll.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 1024
    params.n_threads = params.n_threads_batch = 1
    params.embeddings = True
    params.pooling_type = ll.LLAMA_POOLING_TYPE_NONE
    context = ll.llama_init_from_model(model.handle, params)
    array = (ll.llama_token * len(tokens))(*tokens)
    assert ll.llama_decode(context, ll.llama_batch_get_one(array, len(tokens))) == 0
    width = ll.llama_model_n_embd(model.handle)
    values = ll.llama_get_embeddings_ith(context, -1)
    found = np.ctypeslib.as_array(values, shape=(width,)).copy()
    ll.llama_free(context)
    model.close()
    return found


def test_the_last_blocks_state_is_llamas_embedding_before_the_final_norm() -> None:
    (states,) = read(LAST)
    assert states.shape == (4, 192)
    (weight,) = (t.data for t in GGUFReader(demo_path()).tensors if t.name == "output_norm.weight")
    last = states[-1].astype(np.float64)
    normed = last / np.sqrt((last**2).mean() + 1e-6) * weight
    expected = embedding(TOKENS)
    assert np.allclose(normed, expected, atol=2e-2 * np.abs(expected).max())
    assert np.dot(normed, expected) > 0.9999 * np.linalg.norm(normed) * np.linalg.norm(expected)


def test_the_mean_over_positions_is_the_mean_of_single_states() -> None:
    tokens = TOKENS[:100]
    (mean,) = read(StatesRequest(tokens, 60))
    single = read(*(StatesRequest(tokens[: i + 1], i) for i in range(60, 100)))
    assert distance(mean, np.mean(single, axis=0)) < 0.01
    assert distance(mean, single[-1]) > 0.1


def test_shared_tokens_give_the_states_of_a_whole_pass() -> None:
    other = [*TOKENS[:300], *range(700, 760)]
    whole, _, shared = read(
        StatesRequest(other, len(other) - 1), LAST, StatesRequest(other, len(other) - 1, 300)
    )
    assert distance(whole, shared) < 0.01
    assert distance(whole, read(LAST)[0]) > 0.1


def test_memory_does_not_grow_with_the_number_of_texts() -> None:
    tokens = TOKENS[:120]
    with HiddenStates(StatesJob(demo_path(), 128, 1)) as states:
        process = psutil.Process(states.pid)
        used = []
        for _ in range(3):
            for _ in states.read([StatesRequest(tokens, 40)] * 40):
                pass
            used.append(process.memory_info().rss)
    assert used[2] - used[0] < 2_000_000


def test_a_killed_child_is_one_sentence() -> None:
    with HiddenStates(StatesJob(demo_path(), 640, 1)) as states:
        next(iter(states.read([LAST])))
        os.kill(states.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"stopped while it read hidden states \(SIGKILL"):
            list(states.read([LAST]))


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(demo_path().read_bytes()[:5000])
    job = fitted_job(StatesJob(path, 0, 1), [LAST])
    with HiddenStates(job) as states, pytest.raises(ModelError, match="cannot load it"):
        list(states.read([LAST]))
