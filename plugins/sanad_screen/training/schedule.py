"""How fast weights are learned: two rates that rise, and fall along a cosine."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["optimiser_of"]


def optimiser_of(
    layers: Iterable[Tensor], heads: Iterable[Tensor], recipe: Any, total: int
) -> tuple[Any, Any]:
    """An optimiser, and the schedule of its rates.

    Args:
        layers: weights that were learned before.
        heads: weights that begin from nothing.
        recipe: with `rate`, `head_rate`, `decay` and `warmup`.
        total: steps of the run.
    """
    groups = [
        {"params": list(layers), "lr": recipe.rate},
        {"params": list(heads), "lr": recipe.head_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.decay)
    rising = max(1, int(recipe.warmup * total))

    def rate(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return max(0.0, 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising))))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
