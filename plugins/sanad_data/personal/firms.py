"""Practices, employers and schools that the entity recogniser names, as far as they can be one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sanad_data.personal.elsewhere import is_towards
from sanad_data.personal.spans import Span
from sanad_data.personal.vocabulary import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_data.personal.vocabulary import Token, Vocabulary

__all__ = ["firms", "letterheads"]

_STREETS = ("street", "road", "avenue", "lane", "drive", "close", "crescent", "terrace")
_SHORT = re.compile(r"[A-Z][A-Z0-9&.-]{0,5}s?")  # abbreviations of the field more often than firms
_PLACED = re.compile(r"\b(?:at|for|from)\s(?:the\s)?$", re.IGNORECASE)
_MARK = r"(?m:^[>|*•? ]*)"
_NAME = r"[^\W\d_a-z][\w'’-]{1,30}"
# Three family names on a line, or before what a firm has: "Hale, Okoro and Lindqvist".
_PARTNERS = re.compile(
    rf"(?:{_MARK}|\bthe\s)(?P<it>{_NAME}, {_NAME},? (?:and|&) {_NAME})"
    r"(?=[ ]?$|[ ]?\n|\s(?:is|are|has|have)\s(?:an?|the)\s|[’']s\s(?:office|lawyer|website)|:)"
)
# The second or third line of a letterhead or a card: after a name, before a street.
_CARD = re.compile(
    rf"{_MARK}(?P<who>{_NAME}(?:[ ][^\W\d_][\w.'’-]*){{1,3}})[ ]?\n"
    r"(?:[A-Z][a-z]+(?:,?[ ][a-z]+){0,5}\n)?"
    r"[>|*•? ]*(?P<it>[^\W\d_a-z][\w&.,'’ -]{2,50})\n+"
    r"[>|*•? ]*(?=(?:\d{1,5}[ ]){1,2}[^\W\d_]|PSC[ ]|Unit[ ]|P\.?O\.?[ ]?Box|the[ ]corner)"
)
_ARTICLE = re.compile(r"(?:the|a|an|my|our|this|that)\s+", re.IGNORECASE)


def firms(text: str, words: Sequence[Token], doc: Any, lists: Vocabulary) -> Iterator[Span]:
    """The organisations that spaCy names.

    Args:
        text: it.
        words: of it.
        doc: spaCy's document of it.
        lists: what is none.
    """
    yield from _employers(words, lists)
    for entity in doc.ents:
        if entity.label_ in ("ORG", "FAC"):
            span = _entity(text, words, entity, lists)
            if span is not None:
                yield span


def _entity(text: str, words: Sequence[Token], entity: Any, lists: Vocabulary) -> Span | None:
    start, end = entity.start_char, entity.end_char
    article = _ARTICLE.match(text, start, end)
    start = article.end() if article is not None else start
    line = text.find("\n", start, end)  # the model runs on into the next line
    end = line if line > start else end
    start = firm_start(text, start, end, lists)
    inside = [token for token in words if start <= token.start < end]
    if not inside or (len(inside) < 3 and is_towards(text, start)):
        return None
    placed = _PLACED.search(text, 0, start) is not None
    if not _is_firm(text[start:end], inside, lists, placed=placed):
        return None
    return Span(inside[0].start, max(inside[-1].end, inside[0].end), "ORG", 1)


def firm_start(text: str, start: int, end: int, lists: Vocabulary) -> int:
    """Where a firm's name begins: not on the line before, nor with somebody "of" the firm.

    Args:
        text: it.
        start: where it was found.
        end: where its last line ends.
        lists: which names are people's.
    """
    start = max(start, text.rfind("\n", start, end) + 1)
    person, of, _ = text[start:end].partition(" of ")
    words = [token.word for token in tokens(person)]
    named = len(words) > 1 and any(w in lists.given or lists.is_strange(w) for w in words)
    return start + len(person + of) if of and named else start


def _employers(words: Sequence[Token], lists: Vocabulary) -> Iterator[Span]:
    """Employers of two words or three that everybody knows, with capitals."""
    for place in range(len(words) - 1):
        for count in (3, 2):
            run = words[place : place + count]
            known = " ".join(token.word for token in run) in lists.employers
            if known and all(t.text[0].isupper() for t in (run[0], run[-1])):
                yield Span(run[0].start, run[-1].end, "ORG", 3)


def letterheads(text: str, lists: Vocabulary) -> Iterator[Span]:
    """The firms of partners, and those of letterheads and cards.

    Args:
        text: it.
        lists: which names are people's.
    """
    for find, holds in ((_PARTNERS, _are_partners), (_CARD, _is_on_card)):
        for found in find.finditer(text):
            words = [token.word for token in tokens(found["it"])]
            if words and holds(text, found["it"], words, lists):
                yield Span(found.start("it"), found.end("it"), "ORG", 3)


def _are_partners(_: str, __: str, words: Sequence[str], lists: Vocabulary) -> bool:
    """Whether names in a row are family names, and neither first names, places nor things."""
    names = [word for word in words if word != "and"]
    listed = lists.family | lists.surnames
    family = sum(word in listed or lists.is_strange(word) for word in names)
    given = sum(word in lists.given for word in names)
    return (
        family > 1
        and given < 2
        and not any(lists.is_thing(word) or word in lists.places for word in names)
    )


def _is_on_card(text: str, name: str, words: Sequence[str], lists: Vocabulary) -> bool:
    """Whether a line between a name and a street is a firm's, and not one more person's."""
    person = any(word in lists.given or word in lists.places for word in words)
    again = text.count(name) > 1 or re.search(r"\b[A-Z]\b", name) is not None
    return not person and not again and not lists.is_plain(words[0])


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
    if inside[-1].word in _STREETS:
        return False
    if all(token.word in lists.places or lists.is_word(token.word) for token in inside):
        return len(inside) > 1 and all(t.text[:1].isupper() for t in (inside[0], inside[-1]))
    # A strange word by itself is a person's name more often than a firm's.
    return inside[0].text[:1].isupper() and (placed or len(inside) > 2 or "&" in name)
