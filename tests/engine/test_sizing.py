"""Slots and layers are what the memory holds."""

import pytest

from steertui.engine.llama import LlamaModel
from steertui.engine.sizing import GIB, Memory, Overrides, fit, kv_bytes_per_token, share
from steertui.errors import EngineError
from steertui.model import demo_path


def test_the_kv_cache_of_a_token_is_counted_from_the_models_shape() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    assert kv_bytes_per_token(llama) == 4 * 2 * (32 + 32) * 2
    llama.close()


def test_a_slot_holds_the_longest_request_and_there_are_no_more_slots_than_requests() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    shape = fit(llama, 2_000_000, 500, 5, Overrides())
    assert (shape.slots, shape.slot_tokens) == (5, 512)
    assert fit(llama, 2_000_000, 500, 500, Overrides()).slots == 32
    assert fit(llama, 2_000_000, 500, 5, Overrides(slots=3, threads=1)).slots == 3
    llama.close()


@pytest.mark.parametrize(
    ("card", "host", "weights", "slot", "expected"),
    [
        (0, 10, 4, 1, (4, -1)),  # (0.8 × 10 − 4) / 1
        (24, 64, 3, 1, (16, -1)),  # all on the card: (19.2 − 3) / 1
        (10, 60, 18, 2, (19, 14)),  # 36 layers × 8 / 20 on the card
    ],
)
def test_what_fits_is_shared_out(
    card: int, host: int, weights: int, slot: int, expected: tuple[int, int]
) -> None:
    assert share(Memory(card * GIB, host * GIB), weights * GIB, slot * GIB, 36) == expected


def test_what_cannot_fit_is_refused_before_it_is_loaded() -> None:
    with pytest.raises(EngineError, match=r"18\.0 GiB and one slot's 1\.0 GiB do not fit the 8\.0"):
        share(Memory(0, 8 * GIB), 18 * GIB, GIB, 48)
