"""Export of the trained network as a GGUF: `python -m models.demo.export`."""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, quants

from models.demo.chat import CONTROL, END, SPECIAL, TEMPLATE
from models.demo.model import Shape

TITLE = "steertui demo (scripted stand-in)"
ABOUT = (
    "A tiny checkpoint trained on scripted text: its labels were written into its training text, "
    "so its rates show that steertui runs and mean nothing about real models."
)
NAMES = {
    "attn_norm.weight": "attn_norm",
    "attn.q.weight": "attn_q",
    "attn.k.weight": "attn_k",
    "attn.v.weight": "attn_v",
    "attn.output.weight": "attn_output",
    "attn.q_norm.weight": "attn_q_norm",
    "attn.k_norm.weight": "attn_k_norm",
    "ffn_norm.weight": "ffn_norm",
    "gate.weight": "ffn_gate",
    "up.weight": "ffn_up",
    "down.weight": "ffn_down",
}


def export(folder: Path, target: Path) -> None:
    """Write the folder's model.pt and tokenizer.json as one Q8_0 GGUF."""
    shape = Shape()
    writer = GGUFWriter(str(target), "qwen3")
    _describe(writer, shape)
    _vocabulary(writer, json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")), shape)
    for name, weight in torch.load(folder / "model.pt", map_location="cpu").items():
        _tensor(writer, _gguf_name(name), weight.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_name(TITLE)
    writer.add_description(ABOUT)
    writer.add_license("apache-2.0")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_freq_base(shape.base)
    writer.add_layer_norm_rms_eps(shape.eps)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _vocabulary(writer: GGUFWriter, tokenizer: dict, shape: Shape) -> None:
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    ids = dict(tokenizer["model"]["vocab"]) | added
    by_id = {number: token for token, number in ids.items()}
    tokens = [by_id.get(i, f"[unused{i}]") for i in range(shape.vocabulary)]
    types = [_token_type(by_id.get(i)) for i in range(shape.vocabulary)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(ids[END])
    writer.add_pad_token_id(ids["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _token_type(token: str | None) -> TokenType:
    if token is None:
        return TokenType.UNUSED
    if token in CONTROL:
        return TokenType.CONTROL
    return TokenType.USER_DEFINED if token in SPECIAL else TokenType.NORMAL


def _gguf_name(name: str) -> str:
    if name == "embed.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, number, rest = name.split(".", 2)
    return f"blk.{number}.{NAMES[rest]}.weight"


def _tensor(writer: GGUFWriter, name: str, weight: np.ndarray) -> None:
    if weight.ndim == 1:  # norms are not quantised
        writer.add_tensor(name, weight.astype(np.float32))
        return
    kind = GGMLQuantizationType.Q8_0
    writer.add_tensor(name, quants.quantize(weight, kind), raw_dtype=kind)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/demo-training"))
    parser.add_argument("--target", type=Path, default=Path(__file__).parent / "demo.gguf")
    options = parser.parse_args()
    export(options.folder, options.target)
