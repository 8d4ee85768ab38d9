"""GGUF files of real models' shapes with random weights: as slow as the real ones, and free.

`python -m benchmarks.shapes qwen3-0.6b FILE.gguf` writes one. Every tensor has the type that
llama.cpp's Q4_K_M gives it, filled with random blocks; tokenizer and chat template are the demo
checkpoint's, its vocabulary padded with unused tokens. What such a model writes means nothing.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter, TokenType

from steertui.core.model import demo_path

BLOCK = 256
BYTES = {Type.Q4_K: 144, Type.Q6_K: 210}
"""Of one block of 256 weights (ggml-common.h)."""


@dataclass(frozen=True)
class Shape:
    """A Qwen3's dimensions, from its config.json; `experts` 0 for a dense one."""

    architecture: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    experts: int = 0
    used: int = 0
    is_tied: bool = True
    head: int = 128
    vocabulary: int = 151_936


SHAPES = {
    "qwen3-0.6b": Shape("qwen3", 1024, 28, 16, 8, 3072),
    "qwen3-4b": Shape("qwen3", 2560, 36, 32, 8, 9728),
    "qwen3-30b-a3b": Shape("qwen3moe", 2048, 48, 32, 4, 768, 128, 8, is_tied=False),
}


def write(name: str, target: Path) -> Path:
    """Write the model unless it is there already; return its path."""
    if target.is_file():
        return target
    shape = SHAPES[name]
    with TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / "model.gguf"
        _write(part, name, shape)
        return part.rename(target)


def _write(part: Path, name: str, shape: Shape) -> None:
    writer = GGUFWriter(str(part), shape.architecture)
    _describe(writer, name, shape)
    _vocabulary(writer, shape)
    random = np.random.default_rng(0)
    for tensor, sizes, kind in tensors(shape):
        if kind is Type.F32:
            writer.add_tensor(tensor, np.ones(sizes, np.float32))
        else:
            writer.add_tensor(tensor, blocks(random, sizes, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors(shape: Shape) -> Iterator[tuple[str, tuple[int, ...], Type]]:
    """Yield each tensor's name, sizes (rows before columns) and type under Q4_K_M.

    The rule for `attn_v` and `ffn_down` is llama.cpp's (llama-quant.cpp, use_more_bits).
    """
    s = shape
    yield "token_embd.weight", (s.vocabulary, s.width), Type.Q6_K if s.is_tied else Type.Q4_K
    yield "output_norm.weight", (s.width,), Type.F32
    if not s.is_tied:
        yield "output.weight", (s.vocabulary, s.width), Type.Q6_K
    for i in range(s.layers):
        eighth = s.layers // 8
        more = i < eighth or i >= 7 * s.layers // 8 or (i - eighth) % 3 == 2
        wide = Type.Q6_K if more else Type.Q4_K
        block = f"blk.{i}."
        for norm, size in (("attn_norm", s.width), ("ffn_norm", s.width)):
            yield f"{block}{norm}.weight", (size,), Type.F32
        for norm in ("attn_q_norm", "attn_k_norm"):
            yield f"{block}{norm}.weight", (s.head,), Type.F32
        yield f"{block}attn_q.weight", (s.heads * s.head, s.width), Type.Q4_K
        yield f"{block}attn_k.weight", (s.kv_heads * s.head, s.width), Type.Q4_K
        yield f"{block}attn_v.weight", (s.kv_heads * s.head, s.width), wide
        yield f"{block}attn_output.weight", (s.width, s.heads * s.head), Type.Q4_K
        lead = (s.experts,) if s.experts else ()
        ending = "_exps.weight" if s.experts else ".weight"
        if s.experts:
            yield f"{block}ffn_gate_inp.weight", (s.experts, s.width), Type.F32
        yield f"{block}ffn_gate{ending}", (*lead, s.inner, s.width), Type.Q4_K
        yield f"{block}ffn_up{ending}", (*lead, s.inner, s.width), Type.Q4_K
        yield f"{block}ffn_down{ending}", (*lead, s.width, s.inner), wide


def blocks(random: np.random.Generator, sizes: tuple[int, ...], kind: Type) -> np.ndarray:
    """Return random quantised blocks, rows × bytes, of weights about 0.02 wide around zero."""
    count = int(np.prod(sizes)) // BLOCK
    raw = random.integers(0, 256, (count, BYTES[kind]), np.uint8)
    if kind is Type.Q4_K:  # d and dmin first; weights are d·scale·q − dmin·min
        scales = np.array([1e-4, 7.5e-4], np.float16)
        raw[:, :4] = scales.view(np.uint8)
    else:  # d last; weights are d·scale·(q − 32)
        raw[:, -2:] = np.array([1.5e-5], np.float16).view(np.uint8)
    return raw.reshape(*sizes[:-1], -1)


def _describe(writer: GGUFWriter, name: str, shape: Shape) -> None:
    writer.add_name(f"steertui demo of speed: random weights in the shape of {name}")
    writer.add_context_length(40_960)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.used)
        writer.add_expert_feed_forward_length(shape.inner)


def _vocabulary(writer: GGUFWriter, shape: Shape) -> None:
    demo = GGUFReader(demo_path())

    def told(key: str) -> list:
        return demo.get_field(f"tokenizer.{key}").contents()

    tokens, kinds = told("ggml.tokens"), told("ggml.token_type")
    tokens += [f"[unused{i}]" for i in range(len(tokens), shape.vocabulary)]
    kinds += [TokenType.UNUSED] * (shape.vocabulary - len(kinds))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(told("ggml.merges"))
    writer.add_eos_token_id(told("ggml.eos_token_id"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(told("chat_template"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    print(write(options.shape, options.target))
