"""A draft and its context as tokens, and which tokens stand in which of its sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.text import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_screen.tokens import Reader, Tokens

__all__ = ["Reading", "read"]

CONTEXT = 56  # tokens of the context
DRAFT = 220  # tokens of a draft that are read at a time
PIECE = 700  # characters of it, which mostly make no more tokens than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A draft as the model reads it.

    Args:
        row: its tokens, the context behind it.
        spans: where each sentence stands in the draft.
        places: the tokens of each sentence, the first and one past the last.
    """

    row: Tokens
    spans: tuple[tuple[int, int], ...]
    places: tuple[tuple[int, int], ...]


def read(
    reader: Reader,
    text: str,
    context: Sequence[tuple[str, str]],
    risk: str,
    start: int = 0,
) -> list[Reading]:
    """A draft in pieces of whole sentences that the model can hold, each with the context.

    Args:
        reader: turns text into tokens.
        text: the draft.
        context: who said what before it (`person` or `bot`), oldest first.
        risk: level and kind of the person's last message, such as `high suicide`; empty: unknown.
        start: characters that have left already; of them only the last sentence is read again.
    """
    before = _with_risk(context, risk)
    found = [part for span in sentences(text) for part in _cut(span)]
    if start:
        fresh = next((place for place, (_, end) in enumerate(found) if end > start), len(found))
        found = found[max(0, fresh - 1) :]
    return [_reading(reader, text, group, before) for group in _groups(found)]


def _with_risk(context: Sequence[tuple[str, str]], risk: str) -> list[tuple[str, str]]:
    if not context:
        return [("person", f"({risk})")] if risk else []
    *earlier, (role, said) = context
    return [*earlier[-3:], (role, f"{said} ({risk})" if risk else said)]


def _cut(span: tuple[int, int]) -> list[tuple[int, int]]:
    """A sentence, in parts where it is longer than a piece may be."""
    start, end = span
    return [(at, min(at + PIECE, end)) for at in range(start, end, PIECE)]


def _groups(found: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Sentences in runs that fit into one piece."""
    group: list[tuple[int, int]] = []
    for span in found:
        if group and span[1] - group[0][0] > PIECE:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _reading(
    reader: Reader, text: str, group: list[tuple[int, int]], before: list[tuple[str, str]]
) -> Reading:
    origin, end = group[0][0], group[-1][1]
    row = reader.pair(text[origin:end], before, DRAFT, CONTEXT)
    own = [
        (place, a + origin, b + origin)
        for place, ((a, b), kind) in enumerate(zip(row.spans, row.types, strict=True))
        if kind == 0 and b > a
    ]
    places = []
    for start, stop in group:
        inside = [place for place, a, b in own if a >= start and b <= stop]
        places.append((inside[0], inside[-1] + 1) if inside else (0, 1))
    return Reading(row=row, spans=tuple(group), places=tuple(places))
