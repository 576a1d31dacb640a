"""Where personal data stands in a text, and which finding wins where two overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TYPES", "Kind", "Span", "settled"]

Kind: TypeAlias = Literal[
    "PERSON", "PHONE", "EMAIL", "ADDRESS", "ID", "DOB", "AGE", "URL", "HANDLE", "ORG", "MRN",
    "BANK", "IP", "GEO",
]  # fmt: skip
TYPES: tuple[Kind, ...] = get_args(Kind)

# Of equally sure findings the earlier type wins: what has a form of its own before what has none.
_ORDER: tuple[Kind, ...] = (
    "EMAIL", "URL", "IP", "GEO", "DOB", "BANK", "MRN", "ID", "ADDRESS", "PHONE", "AGE", "HANDLE",
    "ORG", "PERSON",
)  # fmt: skip
_RANK = {kind: place for place, kind in enumerate(_ORDER)}
_EDGES = " \t\r\n\u00a0.,;:!?\"“”«»()[]{}<>*_~`'’‘،؛؟-–—/|"
_OPENING = {"PHONE": "(+", "HANDLE": "_", "GEO": "-/", "ADDRESS": "#(", "BANK": "", "ID": ""}
_CLOSING = {"HANDLE": "_", "URL": "/_-", "EMAIL": "_-", "ADDRESS": ")", "PHONE": ")"}
_WORDS: tuple[Kind, ...] = ("PERSON", "ORG")  # which are of letters, not of digits
_FEWEST = {"ADDRESS": 1}  # digits of a rest, at least; of the other types 5


class Span(NamedTuple):
    """A finding.

    Args:
        start: of its first code point.
        end: after its last.
        type: what it is.
        sure: 3 where nothing else looks like it or a cue names it, 2 a telling form, 1 likely.
    """

    start: int
    end: int
    type: Kind
    sure: int = 1


def settled(spans: Iterable[Span], text: str) -> list[Span]:
    """The findings without overlaps, in order; of two the surer wins, then the longer.

    Args:
        spans: as the recognisers gave them.
        text: what they are of; space and marks at their ends are left out.
    """
    kept: list[Span] = []
    for span in sorted(map(_Trim(text), spans), key=_weight):
        over = [other for other in kept if other.start < span.end and span.start < other.end]
        if not over:
            if span.start < span.end:
                kept.append(span)
        elif all(other.type == span.type for other in over):
            kept = [other for other in kept if other not in over]
            kept.append(_joined([span, *over]))
        else:
            kept += _rest(span, over, text)
    return sorted(kept)


def _weight(span: Span) -> tuple[int, int, int, int]:
    return (-span.sure, span.start - span.end, _RANK[span.type], span.start)


class _Trim:
    """Leaves out what stands at a finding's ends and is no part of it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, span: Span) -> Span:
        opening, closing = _OPENING.get(span.type, ""), _CLOSING.get(span.type, "")
        start, end = span.start, span.end
        while start < end and self._text[start] in _EDGES and self._text[start] not in opening:
            start += 1
        while start < end and self._text[end - 1] in _EDGES and self._text[end - 1] not in closing:
            end -= 1
        return span._replace(start=start, end=end)


def _joined(spans: list[Span]) -> Span:
    first = spans[0]
    return Span(
        min(span.start for span in spans),
        max(span.end for span in spans),
        first.type,
        max(span.sure for span in spans),
    )


def _rest(span: Span, over: list[Span], text: str) -> list[Span]:
    """What others leave of a finding, where that is still a word."""
    pieces, start = [], span.start
    for other in [*sorted(over), Span(span.end, span.end, span.type)]:
        if other.start > start:
            piece = _Trim(text)(span._replace(start=start, end=other.start))
            rest = text[piece.start : piece.end]
            letters, digits = sum(map(str.isalpha, rest)), sum(map(str.isdigit, rest))
            if letters > 1 if span.type in _WORDS else digits >= _FEWEST.get(span.type, 5):
                pieces.append(piece)
        start = max(start, other.end)
    return pieces
