"""Practices, employers and schools that the entity recogniser names, as far as they can be one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sanad_data.personal.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_data.personal.vocabulary import Token, Vocabulary

__all__ = ["firms"]

_SHORT = re.compile(r"[A-Z][A-Z0-9&.-]{0,5}s?")  # abbreviations of the field more often than firms
_PLACED = re.compile(r"\b(?:at|for|from)\s(?:the\s)?$", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|a|an|my|our|this|that)\s+", re.IGNORECASE)


def firms(text: str, words: Sequence[Token], doc: Any, lists: Vocabulary) -> Iterator[Span]:
    """The organisations that spaCy names.

    Args:
        text: it.
        words: of it.
        doc: spaCy's document of it.
        lists: what is none.
    """
    for entity in doc.ents:
        if entity.label_ not in ("ORG", "FAC"):
            continue
        article = _ARTICLE.match(text, entity.start_char, entity.end_char)
        start = article.end() if article is not None else entity.start_char
        inside = [token for token in words if start <= token.start < entity.end_char]
        placed = _PLACED.search(text, 0, start) is not None
        if inside and _is_firm(text[start : entity.end_char], inside, lists, placed=placed):
            yield Span(inside[0].start, max(inside[-1].end, inside[0].end), "ORG", 1)


def _is_firm(name: str, inside: Sequence[Token], lists: Vocabulary, *, placed: bool) -> bool:
    if "@" in name or _SHORT.fullmatch(name):
        known = lists.is_plain(name.lower()) or lists.is_thing(name.lower())
        return name.lower() in lists.employers or (placed and len(name) > 2 and not known)
    whole = " ".join(token.word for token in inside)
    if whole in lists.employers:
        return True
    if whole in lists.famous or any(
        lists.is_thing(token.word) or token.word in lists.given for token in inside
    ):
        return False
    if all(token.word in lists.places or lists.is_word(token.word) for token in inside):
        return len(inside) > 1 and all(t.text[:1].isupper() for t in (inside[0], inside[-1]))
    # A strange word by itself is a person's name more often than a firm's.
    return inside[0].text[:1].isupper() and (placed or len(inside) > 2 or "&" in name)
