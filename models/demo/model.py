"""Network architecture: Qwen3 with few, narrow layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """Dimensions and constants of the network."""

    vocabulary: int = 2048
    width: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    head: int = 32
    inner: int = 512
    base: float = 10000.0
    eps: float = 1e-6
    context: int = 2048


class Attention(nn.Module):
    """Grouped-query attention with QK-norm per head before the rotary embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        query_width = shape.heads * shape.head
        kv_width = shape.kv_heads * shape.head
        self.q = nn.Linear(shape.width, query_width, bias=False)
        self.k = nn.Linear(shape.width, kv_width, bias=False)
        self.v = nn.Linear(shape.width, kv_width, bias=False)
        self.output = nn.Linear(query_width, shape.width, bias=False)
        self.q_norm = nn.RMSNorm(shape.head, eps=shape.eps)
        self.k_norm = nn.RMSNorm(shape.head, eps=shape.eps)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        rows, length, _ = x.shape
        q = self.q_norm(self.q(x).view(rows, length, -1, self.shape.head)).transpose(1, 2)
        k = self.k_norm(self.k(x).view(rows, length, -1, self.shape.head)).transpose(1, 2)
        v = self.v(x).view(rows, length, -1, self.shape.head).transpose(1, 2)
        times = self.shape.heads // self.shape.kv_heads
        k = rotate(k, rotation).repeat_interleave(times, 1).to(v.dtype)
        v = v.repeat_interleave(times, 1)
        q = rotate(q, rotation).to(v.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, mask)
        return self.output(mixed.transpose(1, 2).reshape(rows, length, -1))


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Apply the rotary position embedding: rotate the two halves of each head."""
    cos, sin = rotation
    left, right = x.chunk(2, -1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)


class Block(nn.Module):
    """Transformer layer: attention and SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.eps)
        self.attn = Attention(shape)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.eps)
        self.gate = nn.Linear(shape.width, shape.inner, bias=False)
        self.up = nn.Linear(shape.width, shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        x = x + self.attn(self.attn_norm(x), rotation, mask)
        y = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Qwen3(nn.Module):
    """The whole network; the output matrix is tied to the embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.eps)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = (2 * shape.layers) ** -0.5 if "down" in name or "output" in name else 1.0
                nn.init.normal_(weight, std=0.03 * scale)

    def forward(self, ids: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Return the last hidden states; `mask` is true where a token may attend to another."""
        half = self.shape.head // 2
        frequency = self.shape.base ** (-torch.arange(half, dtype=torch.float32) / half)
        angle = positions[:, None, :, None].float() * frequency
        rotation = (angle.cos(), angle.sin())
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, rotation, mask)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits over the vocabulary."""
        return hidden @ self.embed.weight.T
