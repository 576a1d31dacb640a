"""The guard's network: an encoder whose upper layers are trained, and linear heads by sentence."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sanad_guard.drafts import RULES
from sanad_screen.training.network import Layers, Trunk

__all__ = ["OUTPUTS", "Network"]

OUTPUTS = len(RULES) + 1  # each rule, and whether any is broken


class Network(nn.Module):
    """Reads a draft with its context; says what each of its sentences breaks, and the whole of it.

    Args:
        encoder: a BERT of transformers.
        frozen: how many of its first layers stay as they are, with the embeddings.
    """

    def __init__(self, encoder: Any, frozen: int) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.trunk = Trunk(encoder, frozen).eval()
        self.upper = Layers([copy.deepcopy(layer) for layer in encoder.encoder.layer[frozen:]])
        self.drop = nn.Dropout(0.1)
        self.weigh = nn.Linear(width, 1)
        self.sentence = nn.Linear(width, OUTPUTS)
        self.about = nn.Linear(2 * width, OUTPUTS)
        self.whole = nn.Linear(2 * width, OUTPUTS)

    def forward(
        self, ids: Tensor, types: Tensor, mask: Tensor, parts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits of each sentence, and of the whole.

        Args:
            ids: token numbers.
            types: 0 for the draft, 1 for the context.
            mask: 1 for tokens.
            parts: each sentence's weights of the tokens, adding up to one.
        """
        with torch.no_grad():
            states = self.trunk(ids, types, mask)
        tokens, about, whole = self.logits(self.drop(self.upper(states, mask)), types, mask)
        return parts @ tokens + about[:, None], whole

    def logits(self, hidden: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What each token adds to its sentence, what the draft adds to all, and the whole's own."""
        seen = mask.float()
        even = seen / seen.sum(1, keepdim=True)
        own = seen * (1.0 - types.float())
        scores = self.weigh(hidden).squeeze(-1) + (1.0 - own) * -1e4
        both = torch.stack((even, torch.softmax(scores, dim=1)), dim=1) @ hidden
        pooled = both.flatten(1)
        return self.sentence(hidden), self.about(pooled), self.whole(pooled)
