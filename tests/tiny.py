"""Tiny GGUF files of other kinds of models: random weights, the demo checkpoint's vocabulary."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter, TokenType

from steertui.model import demo_path

WIDTH, INNER, LAYERS, HEADS = 64, 128, 2, 4
CONV, STATE, RANK = 4, 16, 8

Tensors = Iterator[tuple[str, tuple[int, ...]]]


def write(architecture: str, target: Path, control: tuple[str, ...] = ()) -> Path:
    """Write a model: "mamba" is all state, "lfm2" state and attention in turn, "bert" encodes.

    `control` are control tokens more than the demo's.
    """
    writer = GGUFWriter(str(target), architecture)
    vocabulary = _vocabulary(writer, control)
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_layer_norm_rms_eps(1e-6)
    random = np.random.default_rng(0)
    for name, sizes in (*_ends(vocabulary), *KINDS[architecture](writer)):
        writer.add_tensor(name, _weights(random, name, sizes))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _weights(random: np.random.Generator, name: str, sizes: tuple[int, ...]) -> np.ndarray:
    if "norm" in name or name.endswith("ssm_d"):
        return np.ones(sizes, np.float32)
    if name.endswith("ssm_a"):
        return np.full(sizes, -0.05, np.float32)
    return random.normal(0, 1.5 / np.sqrt(sizes[-1]), sizes).astype(np.float32)


def _ends(vocabulary: int) -> Tensors:
    yield "token_embd.weight", (vocabulary, WIDTH)
    yield "output.weight", (vocabulary, WIDTH)


def _mamba(writer: GGUFWriter) -> Tensors:
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
    yield "output_norm.weight", (WIDTH,)
    for block in (f"blk.{i}." for i in range(LAYERS)):
        yield f"{block}attn_norm.weight", (WIDTH,)
        yield f"{block}ssm_in.weight", (2 * INNER, WIDTH)
        yield f"{block}ssm_conv1d.weight", (INNER, CONV)
        yield f"{block}ssm_conv1d.bias", (INNER,)
        yield f"{block}ssm_x.weight", (RANK + 2 * STATE, INNER)
        yield f"{block}ssm_dt.weight", (INNER, RANK)
        yield f"{block}ssm_dt.bias", (INNER,)
        yield f"{block}ssm_a", (INNER, STATE)
        yield f"{block}ssm_d", (INNER,)
        yield f"{block}ssm_out.weight", (WIDTH, INNER)


def _lfm2(writer: GGUFWriter) -> Tensors:
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv([0, 2])
    writer.add_rope_freq_base(1e4)
    writer.add_vocab_size(1)
    writer.add_shortconv_l_cache(3)
    yield "token_embd_norm.weight", (WIDTH,)
    for block in (f"blk.{i}." for i in range(LAYERS)):
        yield f"{block}attn_norm.weight", (WIDTH,)
        yield f"{block}ffn_norm.weight", (WIDTH,)
        yield f"{block}ffn_gate.weight", (INNER, WIDTH)
        yield f"{block}ffn_up.weight", (INNER, WIDTH)
        yield f"{block}ffn_down.weight", (WIDTH, INNER)
    yield "blk.0.shortconv.conv.weight", (WIDTH, 3)
    yield "blk.0.shortconv.in_proj.weight", (3 * WIDTH, WIDTH)
    yield "blk.0.shortconv.out_proj.weight", (WIDTH, WIDTH)
    head = WIDTH // HEADS
    yield "blk.1.attn_q.weight", (WIDTH, WIDTH)
    yield "blk.1.attn_k.weight", (2 * head, WIDTH)
    yield "blk.1.attn_v.weight", (2 * head, WIDTH)
    yield "blk.1.attn_output.weight", (WIDTH, WIDTH)
    yield "blk.1.attn_q_norm.weight", (head,)
    yield "blk.1.attn_k_norm.weight", (head,)


def _bert(writer: GGUFWriter) -> Tensors:
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-6)
    writer.add_causal_attention(False)
    yield "output_norm.weight", (WIDTH,)


KINDS = {"mamba": _mamba, "lfm2": _lfm2, "bert": _bert}


def _vocabulary(writer: GGUFWriter, control: tuple[str, ...]) -> int:
    """Copy the demo checkpoint's tokenizer and chat template; return how many tokens there are."""
    fields = GGUFReader(demo_path()).fields
    told = {key: field.contents() for key, field in fields.items() if key.startswith("tokenizer.")}
    tokens = told["tokenizer.ggml.tokens"] = [*told["tokenizer.ggml.tokens"], *control]
    told["tokenizer.ggml.token_type"] += [TokenType.CONTROL] * len(control)
    for key, value in told.items():
        kinds = fields[key].types
        writer.add_key_value(key, value, kinds[0], sub_type=kinds[-1] if kinds[1:] else None)
    return len(tokens)
