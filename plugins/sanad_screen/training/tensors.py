"""Rows as tensors: tokens through the frozen trunk once, and the labels with what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from sanad_screen.labels import (
    CONDITIONS,
    EMOTIONS,
    KINDS,
    LEVELS,
    OUTPUTS,
    SENTIMENTS,
    SUBJECTS,
    TIMES,
)
from sanad_screen.rows import Row
from sanad_screen.tokens import Reader, Tokens
from sanad_screen.training.network import Trunk

__all__ = ["UNKNOWN", "Batch", "Batches", "Example", "examples", "inputs", "tokens_of"]

UNKNOWN = -1.0  # a target that no loss is taken on
AT_ONCE = 4096  # tokens through the trunk at the same time


@dataclass(frozen=True, slots=True)
class Example:
    """One row: the trunk's states of its tokens in half precision, and its targets by head."""

    states: Tensor
    targets: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples of about the same length, padded."""

    states: Tensor
    mask: Tensor
    targets: dict[str, Tensor]


def targets(row: Row) -> dict[str, Tensor]:
    """The targets of a row, one vector a head; UNKNOWN where the row does not say."""
    unknown = {name: [UNKNOWN] * width for name, width in OUTPUTS.items()}
    if row.risk is not None:
        rank = LEVELS.index(row.risk)
        unknown["level"] = [float(rank > step) for step in range(OUTPUTS["level"])]
        if rank == 0:
            unknown["subject"] = _one(SUBJECTS, "none")
    if row.risk_kind is not None:
        unknown["kind"] = _one(KINDS, row.risk_kind)
    if row.subject is not None:
        unknown["subject"] = _one(SUBJECTS, row.subject)
    if row.time is not None:
        unknown["time"] = [float(TIMES.index(row.time))]
    if row.conditions is not None:
        unknown["condition"] = [float(name in row.conditions) for name in CONDITIONS]
    if row.sentiment is not None:
        unknown["sentiment"] = _one(SENTIMENTS, row.sentiment)
    if row.emotions is not None:
        unknown["emotion"] = [float(name in row.emotions) for name in EMOTIONS]
    return {name: torch.tensor(values) for name, values in unknown.items()}


def _one(names: Sequence[str], name: str) -> list[float]:
    return [float(other == name) for other in names]


def tokens_of(row: Row, reader: Reader) -> Tokens:
    """A row as it is read when the model is used."""
    return reader.pair(row.text, [(said.role, said.text) for said in row.context])


def inputs(rows: Sequence[Tokens], reader: Reader) -> dict[str, Tensor]:
    """What the trunk takes of some rows: `ids`, `types` and `mask`."""
    arrays = zip(("ids", "types", "mask"), reader.padded(rows), strict=True)
    return {name: torch.from_numpy(array) for name, array in arrays}


@torch.inference_mode()
def examples(
    rows: Sequence[Row], reader: Reader, trunk: Trunk, advance: Callable[[int], Any]
) -> list[Example]:
    """Each row's tokens sent through the trunk, once for all epochs.

    Args:
        rows: what to read.
        reader: turns messages into tokens, as it will when the model is used.
        trunk: the frozen layers.
        advance: told how many rows were done.
    """
    read = [tokens_of(row, reader) for row in rows]
    order = sorted(range(len(rows)), key=lambda at: len(read[at].ids))
    made: dict[int, Example] = {}
    for group in _grouped(order, [len(tokens.ids) for tokens in read], AT_ONCE):
        states = trunk(**inputs([read[at] for at in group], reader)).half()
        for place, at in enumerate(group):
            made[at] = Example(states[place, : len(read[at].ids)].clone(), targets(rows[at]))
        advance(len(group))
    return [made[at] for at in range(len(rows))]


def _grouped(order: Sequence[int], lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places in order, in groups whose padded size is at most so many tokens."""
    group: list[int] = []
    longest = 0
    for at in order:
        longest = max(longest, lengths[at])
        if group and longest * (len(group) + 1) > most:
            yield group
            group, longest = [], lengths[at]
        group.append(at)
    if group:
        yield group


class Batches:
    """Examples of like length together, padded one batch at a time: all at once take gigabytes.

    Args:
        found: the examples.
        tokens: padded size of a batch.
        chance: shuffles; None: in order of length.
    """

    def __init__(self, found: Sequence[Example], tokens: int, chance: Random | None = None) -> None:
        lengths = [len(example.states) for example in found]
        # A little chance in the order, so that the same examples do not always meet.
        noise = [chance.uniform(0, 6) if chance is not None else 0.0 for _ in found]
        order = sorted(range(len(found)), key=lambda at: lengths[at] + noise[at])
        self._found = found
        self._groups = list(_grouped(order, lengths, tokens))
        if chance is not None:
            chance.shuffle(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Batch]:
        return (_batch([self._found[at] for at in group]) for group in self._groups)


def _batch(group: Sequence[Example]) -> Batch:
    states = torch.nn.utils.rnn.pad_sequence([e.states for e in group], batch_first=True)
    mask = torch.zeros(states.shape[:2], dtype=torch.long)
    for place, example in enumerate(group):
        mask[place, : len(example.states)] = 1
    stacked = {name: torch.stack([e.targets[name] for e in group]) for name in OUTPUTS}
    return Batch(states.float(), mask, stacked)
