"""Sizing: slots and layers follow free memory and workload."""

from typing import Any

import psutil
import pytest

from steertui.core.generation import SamplingParams
from steertui.core.model import demo_path
from steertui.engine import sizing
from steertui.engine.device_groups import Memory
from steertui.engine.devices import Device
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest
from steertui.engine.sizing import (
    GIB,
    Overrides,
    choose_shapes,
    kv_bytes_per_token,
    slots_and_layers,
)
from steertui.engine.workload import Workload, is_unified_faster, workload_of
from steertui.errors import EngineError


def workload(count: int, prompt: int, new: int) -> Workload:
    sampling = SamplingParams(max_tokens=new)
    return workload_of([GenerateRequest(str(i), [i + 1] * prompt, sampling) for i in range(count)])


def test_kv_bytes_follow_the_model_metadata() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    assert kv_bytes_per_token(llama) == 4 * 2 * (32 + 32) * 2
    llama.close()


def test_slots_hold_the_longest_request_and_do_not_exceed_the_requests() -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    (shape,) = choose_shapes(llama, 2_000_000, workload(5, 400, 100), Overrides())
    assert (shape.slots, shape.slot_tokens, shape.longest) == (5, 512, 512)
    (many,) = choose_shapes(llama, 2_000_000, workload(500, 400, 100), Overrides())
    assert many.slots == 32
    (few,) = choose_shapes(llama, 2_000_000, workload(5, 400, 100), Overrides(slots=3, threads=1))
    assert (few.slots, few.devices, few.flash) == (3, ("CPU",), False)
    (exact,) = choose_shapes(llama, 2_000_000, workload(5, 400, 100), Overrides(deterministic=True))
    assert (exact.slots, exact.flash, exact.unified) == (1, False, False)
    llama.close()


def test_slots_are_shorter_if_the_longest_answers_do_not_fit_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    token = kv_bytes_per_token(llama)
    # Memory for four slots of the longest request, 8000 tokens.
    monkeypatch.setattr(sizing, "free_memory", lambda: Memory(0, int(4 * 8000 * token / 0.8)))
    (shape,) = choose_shapes(llama, 0, workload(64, 500, 7500), Overrides())
    least = 500 + 7500 // 4
    assert shape.longest == 8000
    assert least <= shape.slot_tokens < least + 64
    assert 12 <= shape.slots <= 4 * 8000 // least
    assert (
        shape.with_longer_slots().slots * shape.with_longer_slots().slot_tokens
        <= shape.slots * shape.slot_tokens
    )
    llama.close()


def test_two_engines_share_requests_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: 8)
    shapes = choose_shapes(llama, 2_000_000, workload(5, 400, 100), Overrides(devices="cpu,CPU"))
    assert [(s.slots, s.threads, s.devices) for s in shapes] == [(3, 4, ("CPU",))] * 2
    (single,) = choose_shapes(llama, 2_000_000, workload(1, 400, 100), Overrides(devices="cpu,cpu"))
    assert (single.slots, single.threads) == (1, 8)
    llama.close()


def test_unified_kv_cache_is_chosen_if_most_prompt_tokens_are_shared() -> None:
    many_samples = Workload(500, 1100, 1000, 2000, shared=998, unshared=2, new=60)
    three_conditions = Workload(228, 1100, 850, 40_000, shared=304, unshared=178, new=256)
    assert is_unified_faster(many_samples, 32)
    assert not is_unified_faster(three_conditions, 32)


def test_contradictory_overrides_are_errors() -> None:
    with pytest.raises(EngineError, match="--deterministic uses one slot"):
        Overrides(deterministic=True, slots=8)
    with pytest.raises(EngineError, match="q8_0 needs flash attention"):
        Overrides(kv_type="q8_0", flash=False)
    with pytest.raises(EngineError, match=r"--devices tpu: this build of llama\.cpp has CPU"):
        Overrides(devices="cpu,tpu")


@pytest.mark.parametrize(
    ("gpu", "host", "weights", "slot", "expected"),
    [
        (0, 10, 4, 1, (4, -1)),  # (0.8 × 10 − 4) / 1
        (24, 64, 3, 1, (16, -1)),  # all layers on the GPU: (19.2 − 3) / 1
        (10, 60, 18, 2, (19, 14)),  # 36 layers × 8 / 20 on the GPU
    ],
)
def test_slots_and_layers_that_fit(
    gpu: int, host: int, weights: int, slot: int, expected: tuple[int, int]
) -> None:
    assert (
        slots_and_layers(Memory(gpu * GIB, host * GIB), weights * GIB, slot * GIB, 36) == expected
    )


def test_model_that_does_not_fit_is_an_error_before_loading() -> None:
    with pytest.raises(EngineError, match=r"18\.0 GiB and one slot 1\.0 GiB, but only 8\.0"):
        slots_and_layers(Memory(0, 8 * GIB), 18 * GIB, GIB, 48)


def gpu(free: int, *, integrated: bool = False) -> Device:
    return Device("CUDA0", "CUDA", "", free, free, is_accelerator=True, is_integrated=integrated)


@pytest.mark.parametrize(
    ("device", "cores", "requests", "overrides", "expected"),
    [
        (gpu(80 * GIB), 16, 500, {}, [64] * 4),
        (gpu(80 * GIB), 16, 500, {"deterministic": True}, [1] * 4),
        (gpu(80 * GIB), 16, 20, {}, [10] * 2),  # at least 8 requests each
        (gpu(80 * GIB), 4, 500, {}, [64] * 2),  # two cores each
        (gpu(11 * GIB), 16, 500, {}, [64] * 2),  # memory for two
        (gpu(80 * GIB), 16, 500, {"slots": 64}, [64]),
        (gpu(80 * GIB), 16, 500, {"devices": "CUDA0"}, [128]),
        (gpu(80 * GIB, integrated=True), 16, 500, {}, [128]),
    ],
)
def test_several_engines_share_a_large_accelerator(
    monkeypatch: pytest.MonkeyPatch,
    device: Device,
    cores: int,
    requests: int,
    overrides: dict[str, Any],
    expected: list[int],
) -> None:
    llama = LlamaModel(demo_path(), vocab_only=True)
    host = Device("CPU", "CPU", "", 64 * GIB, 64 * GIB, is_accelerator=False)
    monkeypatch.setattr(sizing, "devices", lambda: [device, host])
    monkeypatch.setattr(sizing, "free_memory", lambda: Memory(device.free, host.free))
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: cores)
    shapes = choose_shapes(llama, 3 * GIB, workload(requests, 400, 100), Overrides(**overrides))
    assert [shape.slots for shape in shapes] == expected
    assert {shape.devices for shape in shapes} == {("CUDA0",)}
    llama.close()
