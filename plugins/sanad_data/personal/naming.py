"""Whether a word names a person: by what it is, and how much the words around it say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_data.personal.passage import Passage
    from sanad_data.personal.vocabulary import Token

__all__ = [
    "HUMAN",
    "NAMED",
    "Strength",
    "is_called",
    "is_edge",
    "is_person",
    "is_proper",
    "is_told",
    "may_be",
]

# How much the words before a word say that it is a name: "my name is", "my sister", "I told".
Strength: TypeAlias = Literal["sure", "beside", "weak"]

# What follows a person's name and hardly anything else.
HUMAN = re.compile(
    r"\s(?:said|says|told|and\s(?:i|me)\b|died|called|calls|texted|asked|thinks|hates|loves|hit|"
    r"dumped|cheated|left\sme|ghosted|keeps|never\s(?:calls|texts|listens)|wants\sme)\b",
    re.IGNORECASE,
)
# A modal verb is a name where a verb follows it: "will said", not "will say".
NAMED = re.compile(
    r"\s(?:is|was|has|had|said|says|told|did|does|died|left|went|came|and\s(?:i|me)|keeps|thinks|"
    r"hates|loves|got|took|hit|broke|started|wants)\b|['’]s\b",
    re.IGNORECASE,
)
_VERBS = (
    "will", "may", "mark", "drew", "chase", "grant", "sue", "pat", "skip", "rob", "pierce",
)  # fmt: skip
_WITHIN = re.compile(r"\b(?:in|from|near|around|at|via)\s$", re.IGNORECASE)
_AGAIN = re.compile(r"\s(?:here|again|speaking|x+)\b", re.IGNORECASE)
# Two words without the space between: "PatternsA", but not "McDonald" or "DeShawn".
_GLUED = re.compile(r"(?!(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O['’])[A-Z])\w*[a-z][A-Z]")
_QUOTE = r"[,:]?\s[\"'“‘(]?"
_INTRODUCED = re.compile(rf"(?:i['’]m|im|i\sam|it['’]s|its|this\sis){_QUOTE}", re.IGNORECASE)
_TO = re.compile(
    r"(?:told|tell|asked|ask|texted|text|messaged|message|dating|married|met|dumped|visited|see|"
    rf"saw|seeing|phoned|rang|kissed|hugged|blamed){_QUOTE}",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"\s?(?:[,.;:!?)]|$)|\s(?:here|and\si|again|\d)", re.IGNORECASE)
SHORT = 6  # letters; a shorter word in capitals is an abbreviation


def is_proper(passage: Passage, place: int) -> bool:
    """Whether a word of which nothing is known is a name, by its capital and what follows."""
    token, lists = passage.words[place], passage.lists
    strange = lists.is_strange(token.word) and not lists.is_thing(token.word)
    if not strange or passage.is_foreign(token) or passage.is_famous(token):
        return False
    if token.capital or token.first:
        return _is_capital(passage, place)
    return token.owns and passage.tag(token).startswith("NNP")


def _is_capital(passage: Passage, place: int) -> bool:
    """Whether an unknown word with a capital is one; where a sentence begins, it needs more."""
    token = passage.words[place]
    label = passage.label(token)
    if _is_short(token) or _GLUED.match(token.text):
        return False
    if _WITHIN.search(passage.before(token)) is not None or label in ("NORP", "LANGUAGE"):
        return False
    if HUMAN.match(passage.text, token.end) is not None or token.owns or passage.acts(token):
        return True
    if label in ("GPE", "LOC") and (token.first or passage.is_placed(token)):
        return False
    pair = place + 1 < len(passage.words) and passage.goes_on(place, place + 1)
    proper = passage.tag(token).startswith("NNP") and len(token.text) > 3
    return token.capital or pair or proper or label in ("PERSON", "ORG")


def _is_short(token: Token) -> bool:
    return token.text.isupper() and len(token.text) < SHORT


def is_told(passage: Passage, place: int, cue: str) -> bool:
    """Whether a name that is a word too is one after a cue: `i'm jordan, 24`, `i told grace`."""
    token = passage.words[place]
    if token.word in ("will", "may") and NAMED.match(passage.text, token.end) is None:
        return False
    pause = _PAUSE.match(passage.text, token.end) is not None
    introduced = _INTRODUCED.fullmatch(cue) is not None and pause
    return token.word in passage.lists.words and (introduced or _TO.fullmatch(cue) is not None)


def may_be(passage: Passage, place: int, strength: Strength) -> bool:
    """Whether a word is a name, given how much the words before it say so."""
    token, lists = passage.words[place], passage.lists
    if lists.is_thing(token.word) or token.word in lists.titles or token.word in lists.kin:
        return False
    if lists.is_plain(token.word) and token.word not in lists.words:
        return False
    if passage.is_famous(token) or passage.is_pet(token):
        return False
    if token.word in lists.given:
        return passage.is_free(token)
    if token.word in lists.particles and strength != "weak":
        return passage.name(place, 1).end > token.end
    if token.capital:
        return _is_capital_name(passage, token, strength)
    if token.word in lists.words:
        verb = token.word in _VERBS and not token.first
        named = not verb or NAMED.match(passage.text, token.end) is not None
        return strength != "weak" and named
    return _is_strange_name(passage, token, strength)


def is_called(passage: Passage, place: int) -> bool:
    """Whether a word with a capital is a name after "Ms." or "name is", English as it may be."""
    token, lists = passage.words[place], passage.lists
    apart = lists.is_plain(token.word) or lists.is_thing(token.word)
    kin = token.word in lists.kin or token.word in lists.titles
    capital = token.text[0].isupper() and not token.text.isupper() and len(token.text) > 2
    return capital and not apart and not kin and passage.is_free(token)


def _is_capital_name(passage: Passage, token: Token, strength: Strength) -> bool:
    lists = passage.lists
    if token.word in lists.places:
        return strength == "sure" and token.word in lists.words
    known = lists.is_word(token.word) and token.word not in lists.words
    if strength == "weak":
        name = token.word in lists.words or lists.is_strange(token.word)
        return name and not known and not _is_short(token) and not passage.is_foreign(token)
    beside = strength == "beside" and len(token.text) > 2
    return not known or token.word in lists.family or beside


def _is_strange_name(passage: Passage, token: Token, strength: Strength) -> bool:
    lists, tag = passage.lists, passage.tag(token)
    if strength == "sure":
        if token.word in lists.family:
            return not tag.startswith("VB")
        return not lists.is_word(token.word) or (
            tag.startswith("NN") and token.word in lists.surnames
        )
    if not lists.is_strange(token.word):
        return False
    if strength == "beside":
        return not tag.startswith(("VB", "RB", "MD", "IN")) or passage.acts(token)
    again = _AGAIN.match(passage.text, token.end) is not None
    noun = tag.startswith("NN") and not lists.is_typo(token.word)
    return (lists.is_shaped(token.word) or noun or again) and not passage.is_foreign(token)


def is_edge(passage: Passage, token: Token) -> bool:
    """Whether a word at the edge of an entity is no part of a name."""
    lists = passage.lists
    other = token.word in lists.titles or token.word in lists.kin or lists.is_plain(token.word)
    name = token.word in lists.words and token.text[:1].isupper()
    if "-" in token.text and token.text[0].islower():
        return True  # "ex-boss Lindgren"
    return other and token.word not in lists.given and not name


def is_person(passage: Passage, words: Sequence[Token]) -> bool:
    """Whether the words of an entity that spaCy takes for a person's name can be one."""
    lists = passage.lists
    whole = " ".join(token.word for token in words)
    if whole in lists.famous | lists.places | lists.employers or passage.is_pet(words[0]):
        return False
    if any(lists.is_thing(token.word) for token in words):
        return False
    if any(_is_listed(passage, token) for token in words):
        return True
    if passage.is_foreign(words[0]):
        return False
    if all(token.text[:1].isupper() for token in words):
        known = all(lists.is_word(t.word) or t.word in lists.places for t in words)
        return not known and not all(map(_is_short, words))
    ends = (words[0].word, words[-1].word)
    strange = any(lists.is_strange(token.word) for token in words)
    return strange and not any(lists.is_plain(w) or w in lists.particles for w in ends)


def _is_listed(passage: Passage, token: Token) -> bool:
    lists = passage.lists
    capital = token.text[:1].isupper() and token.word in lists.words
    return token.word in lists.given or capital or (token.word in lists.family and token.capital)
