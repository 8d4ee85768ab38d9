"""Checks on LoRA adapters before llama.cpp loads them, in a child process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steertui.core.model import demo_path
from steertui.engine.adapters import check_adapter
from steertui.errors import ModelError
from tests.fixtures.gguf_files import demo_header, lora, write_adapter, write_gguf

TARGET = "blk.1.ffn_down.weight"


def test_a_good_adapter_is_described(tmp_path: Path) -> None:
    norm = np.ones(demo_header().width, np.float32)
    tensors = lora(TARGET, rank=3) | {"blk.0.attn_norm.weight": norm}
    path = write_adapter(tmp_path / "good.gguf", tensors)
    info = check_adapter(demo_path(), path)
    assert (info.rank, info.alpha, info.targets) == (3, 8.0, (TARGET,))
    assert info.ignored == ("blk.0.attn_norm.weight",)


def transposed(path: Path) -> Path:
    tensors = {name: np.ascontiguousarray(t.T) for name, t in lora(TARGET).items()}
    return write_adapter(path, tensors)


def half(path: Path) -> Path:
    name, tensor = next(iter(lora(TARGET).items()))
    return write_adapter(path, {name: tensor})


def not_finite(path: Path) -> Path:
    tensors = lora(TARGET)
    tensors[f"{TARGET}.lora_a"][0, 0] = np.nan
    return write_adapter(path, tensors)


def huge(path: Path) -> Path:
    tensors = lora(TARGET)
    tensors[f"{TARGET}.lora_b"][0, 0] = 1e30
    return write_adapter(path, tensors)


def experts(path: Path) -> Path:
    return write_adapter(path, {name: np.stack([t, t, t]) for name, t in lora(TARGET).items()})


def unknown_target(path: Path) -> Path:
    named = {name.replace("blk.1", "blk.77"): t for name, t in lora(TARGET).items()}
    return write_adapter(path, named)


def cut_off(path: Path) -> Path:
    write_adapter(path, lora(TARGET))
    path.write_bytes(path.read_bytes()[:-64])
    return path


def damaged(path: Path) -> Path:
    write_adapter(path, lora(TARGET))
    raw = bytearray(path.read_bytes())
    raw[40:48] = b"\xff" * 8
    path.write_bytes(raw)
    return path


def text_file(path: Path) -> Path:
    path.write_text("not a GGUF", encoding="utf-8")
    return path


def empty_file(path: Path) -> Path:
    path.touch()
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "model": (lambda _: demo_path(), "not a LoRA adapter"),
    "architecture": (
        lambda p: write_adapter(p, lora(TARGET), architecture="llama"),
        "made for the architecture llama, and the model has qwen3",
    ),
    "alpha": (
        lambda p: write_adapter(p, lora(TARGET), adapter__lora__alpha=float("nan")),
        "its alpha is nan",
    ),
    "alpha type": (
        lambda p: write_adapter(p, lora(TARGET), adapter__lora__alpha=8),
        "its alpha is 8, not a float32",
    ),
    "activated": (
        lambda p: write_adapter(p, lora(TARGET), adapter__alora__invocation_tokens=[1, 2]),
        "activated LoRA",
    ),
    "embedding": (lambda p: write_adapter(p, lora("token_embd.weight")), "llama.cpp crashes"),
    "stray": (lambda p: write_adapter(p, {"x.weight": np.ones(4, np.float32)}), "no LoRA"),
    "none": (
        lambda p: write_adapter(p, {"blk.0.attn_norm.weight": np.ones(4, np.float32)}),
        "has no LoRA matrix",
    ),
    "vector": (
        lambda p: write_gguf(p, "controlvector", {"direction.1": np.ones(4, np.float32)}),
        "not a LoRA adapter",
    ),
    "transposed": (transposed, "do not fit the model's"),
    "half": (half, "one of the two LoRA matrices"),
    "nan": (not_finite, "not finite"),
    "huge": (huge, "exceed 10000"),
    "experts": (experts, "do not fit the model's"),
    "unknown": (unknown_target, "no tensor blk.77.ffn_down.weight"),
    "truncated": (cut_off, "truncated"),
    "damaged": (damaged, "damaged|truncated|unknown"),
    "text": (text_file, "does not begin with GGUF"),
    "empty": (empty_file, "it is empty"),
    "missing": (lambda p: p, "no such file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_adapter_is_one_sentence(kind: str, tmp_path: Path) -> None:
    make, reason = BAD[kind]
    path = make(tmp_path / "adapter.gguf")
    with pytest.raises(ModelError, match=reason) as caught:
        check_adapter(demo_path(), path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_rejected_embedding_adapter_would_end_the_process(tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "adapter.gguf", lora("token_embd.weight"))
    transposed_pair = {
        "token_embd.weight.lora_a": lora("token_embd.weight")["token_embd.weight.lora_b"].T.copy(),
        "token_embd.weight.lora_b": lora("token_embd.weight")["token_embd.weight.lora_a"].T.copy(),
    }
    path = write_adapter(tmp_path / "other.gguf", transposed_pair)
    program = (
        "import sys, llama_cpp;"
        "l = llama_cpp.Llama(sys.argv[1], n_ctx=64, verbose=False, lora_path=sys.argv[2]);"
        "l.eval([1, 2, 3])"
    )
    command = [sys.executable, "-c", program, str(demo_path()), str(path)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode < 0
    with pytest.raises(ModelError, match=r"llama\.cpp crashes"):
        check_adapter(demo_path(), path)
