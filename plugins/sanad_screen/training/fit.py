"""Fits the branch: mixed batches, one loss per head, early stopping on held-out rows."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as loss

from sanad_screen.labels import OUTPUTS
from sanad_screen.training.network import Branch, halved
from sanad_screen.training.schedule import optimiser_of
from sanad_screen.training.tensors import UNKNOWN, Batch, Batches, Example

__all__ = ["Fitted", "Recipe", "fit", "held_losses", "logits_of"]

# How much each head counts. The level decides what happens to a person.
WEIGHTS = {
    "level": 1.0, "kind": 0.4, "subject": 0.4, "time": 0.2,
    "condition": 1.5, "sentiment": 0.3, "emotion": 1.0,
}  # fmt: skip
_ONE_OF = ("kind", "subject", "sentiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train.

    Args:
        frozen: how many of the encoder's first layers are left as they are.
        epochs: at most.
        patience: epochs without a better held-out loss before it stops.
        tokens: padded tokens a batch.
        rate: learning rate of the layers.
        head_rate: learning rate of the heads and pools.
        warmup: share of the steps over which the rates rise.
        decay: weight decay.
        seed: of everything that is drawn.
    """

    frozen: int = 3
    epochs: int = 3
    patience: int = 2
    tokens: int = 2048
    rate: float = 3e-4
    head_rate: float = 1e-3
    warmup: float = 0.06
    decay: float = 0.02
    seed: int = 13


@dataclass(slots=True, kw_only=True)
class Fitted:
    """What a fit gave: the branch at its best epoch, and the losses on the way."""

    branch: Branch
    losses: list[dict[str, float]] = field(default_factory=list)
    best: int = 0


def fit(
    branch: Branch,
    recipe: Recipe,
    epoch: Callable[[Random], Sequence[Example]],
    dev: Sequence[Example],
    told: Callable[[int, int], Any],
    heard: Callable[[int, dict[str, float]], Any],
) -> Fitted:
    """Train a branch.

    Args:
        branch: trained in place.
        recipe: how.
        epoch: gives the examples of one epoch.
        dev: held-out examples; the epoch with the lowest level loss on them is kept.
        told: called after each batch with the step and the number of steps.
        heard: called after each epoch with its number and its losses.
    """
    chance = Random(recipe.seed)
    first = Batches(epoch(chance), recipe.tokens, chance)
    total = len(first) * recipe.epochs
    optimiser, schedule = _optimiser(branch, recipe, total)
    fitted = Fitted(branch=branch)
    best, kept = math.inf, copy.deepcopy(branch.state_dict())
    step = 0
    for number in range(recipe.epochs):
        branch.train()
        groups = first if number == 0 else Batches(epoch(chance), recipe.tokens, chance)
        running = 0.0
        for batch in groups:
            with halved():
                found = branch(batch.states, batch.mask)
            lost = _loss({name: logits.float() for name, logits in found.items()}, batch)
            optimiser.zero_grad(set_to_none=True)
            lost.backward()
            torch.nn.utils.clip_grad_norm_(branch.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            running += float(lost.detach())
            step += 1
            told(min(step, total), total)
        held = held_losses(branch, dev)
        fitted.losses.append({"train": running / max(len(groups), 1), **held})
        heard(number + 1, fitted.losses[-1])
        if held["level"] < best:
            best, kept, fitted.best = held["level"], copy.deepcopy(branch.state_dict()), number
        elif number - fitted.best >= recipe.patience:
            break
    branch.load_state_dict(kept)
    branch.eval()
    return fitted


def _optimiser(branch: Branch, recipe: Recipe, total: int) -> tuple[Any, Any]:
    heads: list[Tensor] = []
    layers: list[Tensor] = []
    for name, weight in branch.named_parameters():
        (layers if name.startswith("upper.") else heads).append(weight)
    return optimiser_of(layers, heads, recipe, total)


def _loss(logits: dict[str, Tensor], batch: Batch) -> Tensor:
    parts = _losses(logits, batch)
    return sum((WEIGHTS[name] * value for name, value in parts.items()), torch.zeros(()))


def _losses(logits: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """The mean loss of each head over the rows that say something about it."""
    found = {}
    for name in OUTPUTS:
        goal = batch.targets[name]
        known = goal[:, 0] != UNKNOWN
        if not bool(known.any()):
            continue
        given, goal = logits[name][known], goal[known]
        if name in _ONE_OF:
            found[name] = loss.cross_entropy(given, goal.argmax(1))
        else:
            each = loss.binary_cross_entropy_with_logits(given, goal, reduction="none")
            found[name] = each.sum(1).mean() if name == "level" else each.mean() * 4
    return found


@torch.inference_mode()
def held_losses(branch: Branch, dev: Sequence[Example]) -> dict[str, float]:
    """The mean loss of each head over held-out examples."""
    branch.eval()
    sums = dict.fromkeys(OUTPUTS, 0.0)
    counts = dict.fromkeys(OUTPUTS, 0)
    for batch in Batches(dev, 8192):
        for name, value in _losses(branch(batch.states, batch.mask), batch).items():
            known = int((batch.targets[name][:, 0] != UNKNOWN).sum())
            sums[name] += float(value) * known
            counts[name] += known
    return {name: sums[name] / counts[name] for name in OUTPUTS if counts[name]}


@torch.inference_mode()
def logits_of(branch: Branch, found: Sequence[Example]) -> dict[str, Tensor]:
    """Each head's logits for examples, in their order."""
    branch.eval()
    order = sorted(range(len(found)), key=lambda at: len(found[at].states))
    parts: dict[str, list[Tensor]] = {name: [] for name in OUTPUTS}
    for batch in Batches(found, 8192):
        for name, value in branch(batch.states, batch.mask).items():
            parts[name].append(value)
    back = torch.tensor(order).argsort()
    return {name: torch.cat(values)[back] for name, values in parts.items()}
