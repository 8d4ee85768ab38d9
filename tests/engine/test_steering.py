"""Control vectors and adapters on the demo checkpoint, compared with plain llama.cpp calls."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llama_cpp
import llama_cpp.llama_cpp as ll
import numpy as np
import pytest
from numpy.typing import NDArray

from steertui.core.model import demo_path
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel
from steertui.engine.steering import (
    UNSTEERED,
    SteeredContext,
    SteeredModel,
    Steering,
    control_vector,
    require_vector_effect,
)
from steertui.errors import EngineError, ModelError
from tests.fixtures import tiny_models
from tests.fixtures.gguf_files import lora, write_adapter

PROMPT = list(range(20, 60))
SHAPE = ContextParams(slots=1, slot_tokens=256, batch=256, threads=1, flash=False)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapter") / "lora.gguf"
    return write_adapter(path, lora("blk.1.ffn_down.weight") | lora("blk.2.attn_output.weight"))


class Steered:
    """The demo checkpoint with one context."""

    def __init__(self, *adapters: Path) -> None:
        self._llama = LlamaModel(demo_path())
        self.model = SteeredModel(self._llama, adapters)
        self._context = LlamaContext(self._llama, SHAPE)
        self.steering: SteeredContext = self.model.context(self._context.handle)

    def rows(self, scale: float = 1.0) -> NDArray[np.float32]:
        random = np.random.default_rng(1)
        rows = random.normal(0, scale, (self.model.layers, self.model.width)).astype(np.float32)
        rows[0] = 0
        return rows

    def logits(self, steering: Steering) -> NDArray[np.float32]:
        self.steering.apply(steering)
        return self._decode(PROMPT, 0)

    def greedy(self, steering: Steering, count: int = 24) -> list[int]:
        logits = self.logits(steering)
        written: list[int] = []
        for i in range(count):
            written.append(int(logits.argmax()))
            logits = self._decode(written[-1:], len(PROMPT) + i)
        return written

    def _decode(self, tokens: list[int], start: int) -> NDArray[np.float32]:
        if not start:
            self._context.trim(0, 0)
        count = len(tokens)
        rows = self._context.decode(
            np.array(tokens, np.int32),
            np.arange(start, start + count, dtype=np.int32),
            np.zeros(count, np.int32),
            np.arange(count) == count - 1,
        )
        return rows[-1:].copy()

    def close(self) -> None:
        self._context.close()
        self._llama.close()


@pytest.fixture
def steered(adapter: Path) -> Iterator[Steered]:
    made = Steered(adapter)
    yield made
    made.close()


def test_strength_zero_and_scale_zero_give_the_unsteered_logits_bit_for_bit(
    steered: Steered, adapter: Path
) -> None:
    before = steered.logits(UNSTEERED)
    zero = np.zeros((steered.model.layers - 1, steered.model.width), np.float32).tobytes()
    for steering in (
        Steering(zero),
        Steering(control_vector(0 * steered.rows())),
        Steering(adapters=((adapter, 0.0),)),
    ):
        assert np.array_equal(steered.logits(steering), before)
    assert not np.array_equal(steered.logits(Steering(control_vector(steered.rows()))), before)
    assert not np.array_equal(steered.logits(Steering(adapters=((adapter, 1.0),))), before)
    assert np.array_equal(steered.logits(UNSTEERED), before)


def test_a_vector_of_few_layers_leaves_nothing_of_the_former_one(steered: Steered) -> None:
    early, late = steered.rows(), steered.rows()
    early[2:] = 0
    late[:2] = 0
    alone = steered.logits(Steering(control_vector(early)))
    steered.logits(Steering(control_vector(late)))
    assert np.array_equal(steered.logits(Steering(control_vector(early))), alone)


def test_a_vector_of_another_size_is_rejected(steered: Steered) -> None:
    with pytest.raises(EngineError, match=r"control vector of 7 values does not fit"):
        steered.steering.apply(Steering(np.ones(7, np.float32).tobytes()))


def test_layer_zero_is_rejected_since_llama_cannot_reach_it(steered: Steered) -> None:
    rows = steered.rows()
    rows[0, 0] = 1
    with pytest.raises(ModelError, match="layer 0"):
        control_vector(rows)


def plain_llama() -> Any:
    return llama_cpp.Llama(
        str(demo_path()), n_ctx=256, n_batch=256, n_threads=1, verbose=False, flash_attn=False
    )


def plain_greedy(theirs: Any, count: int = 24) -> list[int]:
    theirs.reset()
    theirs.eval(PROMPT)
    written: list[int] = []
    while len(written) < count:
        logits = ll.llama_get_logits_ith(theirs.ctx, -1)
        written.append(int(np.ctypeslib.as_array(logits, shape=(theirs.n_vocab(),)).argmax()))
        theirs.eval(written[-1:])
    return written


def test_a_vector_gives_the_tokens_of_plain_llama_calls(steered: Steered) -> None:
    rows = steered.rows(0.5)
    theirs = plain_llama()
    unsteered = plain_greedy(theirs)
    data = rows[1:].ravel()
    pointer = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    assert not ll.llama_set_adapter_cvec(
        theirs.ctx, pointer, data.size, rows.shape[1], 1, len(rows) - 1
    )
    expected = plain_greedy(theirs)
    theirs.close()
    assert expected != unsteered
    assert steered.greedy(UNSTEERED) == unsteered
    assert steered.greedy(Steering(control_vector(rows))) == expected


def test_an_adapter_gives_the_tokens_of_llama_with_this_lora(
    steered: Steered, adapter: Path
) -> None:
    theirs = llama_cpp.Llama(
        str(demo_path()),
        n_ctx=256,
        n_batch=256,
        n_threads=1,
        verbose=False,
        flash_attn=False,
        lora_path=str(adapter),
        lora_scale=2.0,
    )
    expected = plain_greedy(theirs)
    theirs.close()
    assert expected != steered.greedy(UNSTEERED)
    assert steered.greedy(Steering(adapters=((adapter, 2.0),))) == expected


def test_an_adapter_that_was_not_loaded_is_rejected(steered: Steered) -> None:
    with pytest.raises(EngineError, match="not loaded"):
        steered.steering.apply(Steering(adapters=((Path("other.gguf"), 1.0),)))


def test_a_vector_changes_the_logits_of_the_demo(steered: Steered) -> None:
    llama = LlamaModel(demo_path())
    require_vector_effect(llama)
    llama.close()


def test_a_model_that_no_vector_reaches_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_models, "LAYERS", 1)  # llama.cpp cannot reach the first block
    llama = LlamaModel(tiny_models.write("chatglm", tmp_path / "model.gguf"))
    with pytest.raises(EngineError, match="ignores control vectors for the architecture chatglm"):
        require_vector_effect(llama)
    llama.close()
