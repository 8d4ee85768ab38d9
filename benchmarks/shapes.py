"""GGUF files with the shapes of real models and random weights, for measurements of speed.

    python -m benchmarks.shapes qwen3-0.6b FILE.gguf

Each tensor has the type of llama.cpp's Q4_K_M and random blocks. Tokenizer and chat template are
those of the demo checkpoint, with the vocabulary padded by unused tokens. The output of such a
model is meaningless; its speed is that of the real model.
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
"""Weights per block."""

BLOCK_BYTES = {Type.Q4_K: 144, Type.Q6_K: 210}
"""Bytes per block (ggml-common.h)."""


@dataclass(frozen=True)
class Shape:
    """Dimensions of a Qwen3 model, from its config.json.

    Attributes:
        architecture: GGUF architecture.
        width: embedding length.
        layers: number of layers.
        heads: attention heads.
        kv_heads: KV heads.
        inner: feed-forward length.
        experts: number of experts; 0 for a dense model.
        experts_used: experts per token.
        is_tied: whether output and embedding share their weights.
        head_length: key and value length of a head.
        vocabulary: number of tokens.
    """

    architecture: str
    width: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    experts: int = 0
    experts_used: int = 0
    is_tied: bool = True
    head_length: int = 128
    vocabulary: int = 151_936


SHAPES = {
    "qwen3-0.6b": Shape("qwen3", 1024, 28, 16, kv_heads=8, inner=3072),
    "qwen3-4b": Shape("qwen3", 2560, 36, 32, kv_heads=8, inner=9728),
    "qwen3-30b-a3b": Shape(
        "qwen3moe",
        2048,
        48,
        32,
        kv_heads=4,
        inner=768,
        experts=128,
        experts_used=8,
        is_tied=False,
    ),
}


def write(name: str, target: Path) -> Path:
    """Write the model unless the file exists; return its path."""
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
    """Yield name, shape (rows before columns) and Q4_K_M type of each tensor.

    The rule for `attn_v` and `ffn_down` is `use_more_bits` in llama.cpp's llama-quant.cpp.
    """
    s = shape
    yield "token_embd.weight", (s.vocabulary, s.width), Type.Q6_K if s.is_tied else Type.Q4_K
    yield "output_norm.weight", (s.width,), Type.F32
    if not s.is_tied:
        yield "output.weight", (s.vocabulary, s.width), Type.Q6_K
    for i in range(s.layers):
        eighth = s.layers // 8
        has_more_bits = i < eighth or i >= 7 * s.layers // 8 or (i - eighth) % 3 == 2
        mixed = Type.Q6_K if has_more_bits else Type.Q4_K
        block = f"blk.{i}."
        for norm, size in (("attn_norm", s.width), ("ffn_norm", s.width)):
            yield f"{block}{norm}.weight", (size,), Type.F32
        for norm in ("attn_q_norm", "attn_k_norm"):
            yield f"{block}{norm}.weight", (s.head_length,), Type.F32
        yield f"{block}attn_q.weight", (s.heads * s.head_length, s.width), Type.Q4_K
        yield f"{block}attn_k.weight", (s.kv_heads * s.head_length, s.width), Type.Q4_K
        yield f"{block}attn_v.weight", (s.kv_heads * s.head_length, s.width), mixed
        yield f"{block}attn_output.weight", (s.width, s.heads * s.head_length), Type.Q4_K
        lead = (s.experts,) if s.experts else ()
        ending = "_exps.weight" if s.experts else ".weight"
        if s.experts:
            yield f"{block}ffn_gate_inp.weight", (s.experts, s.width), Type.F32
        yield f"{block}ffn_gate{ending}", (*lead, s.inner, s.width), Type.Q4_K
        yield f"{block}ffn_up{ending}", (*lead, s.inner, s.width), Type.Q4_K
        yield f"{block}ffn_down{ending}", (*lead, s.width, s.inner), mixed


def blocks(random: np.random.Generator, sizes: tuple[int, ...], kind: Type) -> np.ndarray:
    """Return random quantised blocks, shape (rows, bytes); weights are about ±0.02."""
    count = int(np.prod(sizes)) // BLOCK
    raw = random.integers(0, 256, (count, BLOCK_BYTES[kind]), np.uint8)
    if kind is Type.Q4_K:  # d and dmin come first; a weight is d·scale·q − dmin·min
        scales = np.array([1e-4, 7.5e-4], np.float16)
        raw[:, :4] = scales.view(np.uint8)
    else:  # d comes last; a weight is d·scale·(q − 32)
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
    writer.add_key_length(shape.head_length)
    writer.add_value_length(shape.head_length)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.experts_used)
        writer.add_expert_feed_forward_length(shape.inner)


def _vocabulary(writer: GGUFWriter, shape: Shape) -> None:
    demo = GGUFReader(demo_path())

    def field(key: str) -> list:
        return demo.get_field(f"tokenizer.{key}").contents()

    tokens = field("ggml.tokens")
    kinds = field("ggml.token_type")
    tokens += [f"[unused{i}]" for i in range(len(tokens), shape.vocabulary)]
    kinds += [TokenType.UNUSED] * (shape.vocabulary - len(kinds))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(field("ggml.merges"))
    writer.add_eos_token_id(field("ggml.eos_token_id"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(field("chat_template"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    print(write(options.shape, options.target))
