"""The network: a frozen trunk, a branch that keeps the sentence embedding, one that screens."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sanad_screen.labels import OUTPUTS

__all__ = ["Branch", "NotBert", "Plain", "Pool", "Trunk", "halved", "load_encoder"]

STATE = ("condition", "sentiment", "emotion")  # heads that read the second pool


class NotBert(ValueError):
    """An encoder of another architecture."""


def load_encoder(name: str) -> tuple[Any, Any]:
    """A BERT encoder and its tokenizer.

    Args:
        name: a folder, or a model's id on the hub; any sentence-transformers model over BERT.

    Raises:
        OSError: there is no such folder, and the hub cannot give it.
        NotBert: it is of another architecture.
    """
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    # The plain attention exports to operations that the runtime's optimiser knows how to fuse.
    encoder = AutoModel.from_pretrained(name, attn_implementation="eager").eval()
    if encoder.config.model_type != "bert":
        raise NotBert(f"'{name}' is a {encoder.config.model_type} model; BERT is needed")
    return encoder, AutoTokenizer.from_pretrained(name)


def halved() -> Any:
    """A context in which the layers compute in bfloat16, where this processor is built for it.

    It halves the time of a training step on such a CPU; weights and gradients stay in full.
    """
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(known()))


def _blocked(mask: Tensor) -> Tensor:
    """What is added to attention scores: nothing for tokens, a large negative for padding."""
    return (1.0 - mask[:, None, None, :].float()) * -1e4


class Layers(nn.Module):
    """Some of an encoder's layers, one after the other."""

    def __init__(self, layers: list[Any]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Hidden states after the layers."""
        blocked = _blocked(mask)
        for layer in self.layers:
            given = layer(hidden, blocked)
            hidden = given[0] if isinstance(given, tuple) else given
        return hidden


class Trunk(nn.Module):
    """The embeddings and the first layers; never trained, so what it gives can be kept."""

    def __init__(self, encoder: Any, frozen: int) -> None:
        super().__init__()
        self.embeddings = copy.deepcopy(encoder.embeddings)
        self.lower = Layers([copy.deepcopy(layer) for layer in encoder.encoder.layer[:frozen]])
        self.requires_grad_(False)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Hidden states of each token."""
        return self.lower(self.embeddings(input_ids=ids, token_type_ids=types), mask)


class Pool(nn.Module):
    """A message as the mean of its tokens beside a weighted mean whose weights are learned.

    Heads on it are linear, so a head's output is a sum over tokens: that sum is the evidence.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = nn.Linear(width, 1)

    def weights(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The two weights of each token, each adding up to one."""
        seen = mask.float()
        even = seen / seen.sum(1, keepdim=True)
        scores = self.weigh(hidden).squeeze(-1) + (1.0 - seen) * -1e4
        return even, torch.softmax(scores, dim=1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Both means, side by side."""
        even, learned = self.weights(hidden, mask)
        both = torch.stack((even, learned), dim=1) @ hidden
        return both.flatten(1)


class Branch(nn.Module):
    """The upper layers and the heads that screen."""

    def __init__(self, encoder: Any, frozen: int) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.upper = Layers([copy.deepcopy(layer) for layer in encoder.encoder.layer[frozen:]])
        self.risk_pool = Pool(width)
        self.state_pool = Pool(width)
        self.drop = nn.Dropout(0.1)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * width, n) for name, n in OUTPUTS.items()})

    def forward(self, hidden: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """The logits of every head."""
        return self.logits(self.upper(hidden, mask), mask)

    def logits(self, hidden: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """The logits of every head, from the last layer's states."""
        risk = self.drop(self.risk_pool(hidden, mask))
        state = self.drop(self.state_pool(hidden, mask))
        return {name: head(state if name in STATE else risk) for name, head in self.heads.items()}

    def evidence(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """What each token adds to the logit of "any risk"; linear, so the sum is exact."""
        weight = self.heads["level"].weight[0]
        width = weight.shape[0] // 2
        even, learned = self.risk_pool.weights(hidden, mask)
        return even * (hidden @ weight[:width]) + learned * (hidden @ weight[width:])


class Plain(nn.Module):
    """The upper layers as they were, and the sentence embedding that they end in."""

    def __init__(self, encoder: Any, frozen: int) -> None:
        super().__init__()
        self.heads = int(encoder.config.num_attention_heads)
        self.upper = Layers([copy.deepcopy(layer) for layer in encoder.encoder.layer[frozen:]])
        self.requires_grad_(False)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The mean of the tokens' states, of length one."""
        states = self.upper(hidden, mask)
        seen = mask.float().unsqueeze(-1)
        mean = (states * seen).sum(1) / seen.sum(1)
        return mean / mean.norm(dim=1, keepdim=True)
