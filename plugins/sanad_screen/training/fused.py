"""An encoder's layer written so that it exports to the runtime's fused operations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FusedLayer", "fuse"]


class _Attention(torch.autograd.Function):
    """Self-attention: computed in plain steps here, one operation in the exported file."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, mask: Tensor, heads: int
    ) -> Tensor:
        """States after attention; what `mask` leaves out is not looked at."""
        rows, tokens, width = hidden.shape
        parts = (hidden @ weight + bias).view(rows, tokens, 3, heads, width // heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) / (width // heads) ** 0.5
        scores = scores + (1.0 - mask[:, None, None, :].float()) * -1e4
        return (scores.softmax(-1) @ value).transpose(1, 2).reshape(rows, tokens, width)

    @staticmethod
    def symbolic(graph: Any, hidden: Any, weight: Any, bias: Any, mask: Any, heads: int) -> Any:
        """The operation of ONNX Runtime that it becomes."""
        given = graph.op("com.microsoft::Attention", hidden, weight, bias, mask, num_heads_i=heads)
        return given.setType(hidden.type())


class FusedLayer(nn.Module):
    """One layer of BERT with the weights of another, for export.

    Args:
        layer: a layer of transformers' BERT.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        own = layer.attention.self
        parts = (own.query, own.key, own.value)
        self.heads = int(own.num_attention_heads)
        self.weight = nn.Parameter(torch.cat([part.weight.T for part in parts], dim=1))
        self.bias = nn.Parameter(torch.cat([part.bias for part in parts]))
        self.joined, self.first = layer.attention.output.dense, layer.attention.output.LayerNorm
        self.wider, self.narrower = layer.intermediate.dense, layer.output.dense
        self.second = layer.output.LayerNorm

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """States after the layer."""
        seen = _Attention.apply(hidden, self.weight, self.bias, mask, self.heads)
        hidden = self.first(self.joined(seen) + hidden)
        between = torch.nn.functional.gelu(self.wider(hidden))
        given: Tensor = self.second(self.narrower(between) + hidden)
        return given


class FusedLayers(nn.Module):
    """Some layers, one after the other."""

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList([FusedLayer(layer) for layer in layers])

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """States after the layers."""
        whole = mask.int()
        for layer in self.layers:
            hidden = layer(hidden, whole)
        return hidden


def fuse(layers: Any) -> FusedLayers:
    """Layers of transformers' BERT in the form that exports well; they share the weights."""
    return FusedLayers(layers.layers)
