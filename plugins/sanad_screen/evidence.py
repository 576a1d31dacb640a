"""The words that moved a score: each token's share of the logit, joined to words of the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanad_core.types import Evidence

if TYPE_CHECKING:
    from sanad_screen.tokens import Tokens

__all__ = ["spans_of"]

MOST = 8  # words shown
LEAST = 0.35  # of the strongest word's share


def spans_of(row: Tokens, shares: Any, text: str) -> tuple[Evidence, ...]:
    """The words that spoke most for risk, neighbours joined.

    The model's heads are linear on a weighted mean of the tokens, so what a token adds to the
    logit is exact; what the layers below carried into a token from its neighbours is in it too.

    Args:
        row: the tokens that were read.
        shares: what each added to the logit of any risk.
        text: the message; empty spans are not of it.
    """
    words: list[tuple[int, int, float]] = []
    for (start, end), share in zip(row.spans, shares, strict=False):
        if end <= start:
            continue
        if words and words[-1][1] == start:  # a word's next piece
            first, _, before = words.pop()
            words.append((first, end, before + float(share)))
        else:
            words.append((start, end, float(share)))
    top = max((share for *_, share in words), default=0.0)
    if top <= 0:
        return ()
    ranked = sorted(words, key=lambda word: -word[2])[:MOST]
    spans: list[tuple[int, int]] = []
    for start, end, share in sorted(ranked):
        if share < LEAST * top:
            continue
        if spans and start - spans[-1][1] <= 1:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(Evidence(start=a, end=b, why="weighs most") for a, b in spans)
