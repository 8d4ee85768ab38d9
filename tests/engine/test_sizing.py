"""Slots and layers are what the memory holds."""

import psutil
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine import sizing
from steertui.engine.device_groups import Memory
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest
from steertui.engine.sizing import GIB, Overrides, fit, kv_bytes_per_token, share
from steertui.engine.workload import Workload, is_better_unified, workload_of
from steertui.errors import EngineError


def asking(count: int, prompt: int, new: int) -> Workload:
    sampling = SamplingParams(max_tokens=new)
    return workload_of([GenerateRequest(str(i), [i + 1] * prompt, sampling) for i in range(count)])


def test_the_kv_cache_of_a_token_is_counted_from_the_models_shape() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    assert kv_bytes_per_token(llama) == 4 * 2 * (32 + 32) * 2
    llama.close()


def test_a_slot_holds_the_longest_request_and_there_are_no_more_slots_than_requests() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    (shape,) = fit(llama, 2_000_000, asking(5, 400, 100), Overrides())
    assert (shape.slots, shape.slot_tokens, shape.longest) == (5, 512, 512)
    (many,) = fit(llama, 2_000_000, asking(500, 400, 100), Overrides())
    assert many.slots == 32
    (few,) = fit(llama, 2_000_000, asking(5, 400, 100), Overrides(slots=3, threads=1))
    assert (few.slots, few.devices, few.flash) == (3, ("CPU",), False)
    (exact,) = fit(llama, 2_000_000, asking(5, 400, 100), Overrides(exact=True))
    assert (exact.slots, exact.flash, exact.unified) == (1, False, False)
    llama.close()


def test_where_the_longest_answers_do_not_fit_together_slots_are_shorter_not_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    token = kv_bytes_per_token(llama)
    # Room for four slots of the longest request, 8000 tokens, after the share that is left free.
    monkeypatch.setattr(sizing, "free_memory", lambda: Memory(0, int(4 * 8000 * token / 0.8)))
    (shape,) = fit(llama, 0, asking(64, 500, 7500), Overrides())
    least = 500 + 7500 // 4
    assert shape.longest == 8000
    assert least <= shape.slot_tokens < least + 64
    assert 12 <= shape.slots <= 4 * 8000 // least
    assert shape.longer.slots * shape.longer.slot_tokens <= shape.slots * shape.slot_tokens
    llama.close()


def test_two_engines_share_requests_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: 8)
    shapes = fit(llama, 2_000_000, asking(5, 400, 100), Overrides(devices="cpu,CPU"))
    assert [(s.slots, s.threads, s.devices) for s in shapes] == [(3, 4, ("CPU",))] * 2
    (lone,) = fit(llama, 2_000_000, asking(1, 400, 100), Overrides(devices="cpu,cpu"))
    assert (lone.slots, lone.threads) == (1, 8)
    llama.close()


def test_one_kv_cache_is_chosen_where_nearly_all_is_shared() -> None:
    many_samples = Workload(500, 1100, 1000, 2000, shared=998, own=2, new=60)
    three_conditions = Workload(228, 1100, 850, 40_000, shared=304, own=178, new=256)
    assert is_better_unified(many_samples, 32)
    assert not is_better_unified(three_conditions, 32)


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(EngineError, match="exact is one slot"):
        Overrides(exact=True, slots=8)
    with pytest.raises(EngineError, match="q8_0 needs flash attention"):
        Overrides(kv_type="q8_0", flash=False)
    with pytest.raises(EngineError, match=r"--devices tpu: this build of llama\.cpp sees CPU"):
        Overrides(devices="cpu,tpu")


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
