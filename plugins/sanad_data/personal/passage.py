"""A text as its names are looked for: its words, what stands around each, and whole names."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from sanad_data.personal.spans import Span
from sanad_data.personal.wording import WordsFile, either, listed, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_data.personal.vocabulary import Token, Vocabulary

__all__ = ["LONGEST", "MINE", "Passage"]

AROUND = 7  # words on each side that tell whether a text is English there
LONGEST = 5  # words of a name
# Before a word for a relative, a friend or an animal.
MINE = r"(?:my|his|her|their|our|your|ur|me|mi|mein|meine|ma|mon|mio|mia|meu|minha|the|a|an)"
_JOINS = re.compile(r"[ \u00a0]{1,2}|-|\. | \.|\.")  # between the parts of a name
_PLACED = re.compile(
    r"\b(?:in|to|from|near|around|at|of|via|visit(?:ing|ed)?|called)\s$", re.IGNORECASE
)
_NUMBERED = re.compile(r"\s?[.:#]{0,2}\s?\d")
_GLUED = set("@#_/")  # what stands before a part of a handle or an address


@cache
def _pet() -> re.Pattern[str]:
    pets = either(listed(read("words.yml", WordsFile).pets))
    return re.compile(
        rf"\b{MINE}\s(?:\w+\s)?(?:{pets})(?:\s(?:called|named|is))?,?\s$", re.IGNORECASE
    )


class Passage:
    """A text.

    Args:
        text: it.
        words: of it.
        doc: spaCy's document of it.
        lists: what words are.
    """

    def __init__(self, text: str, words: Sequence[Token], doc: Any, lists: Vocabulary) -> None:
        self.text = text
        self.words = words
        self.lists = lists
        self.at = {token.start: place for place, token in enumerate(words)}
        self.ending = {token.end: place for place, token in enumerate(words)}
        self._tags = {token.idx: token.tag_ for token in doc}
        self._labels = {token.idx: entity.label_ for entity in doc.ents for token in entity}

    def tag(self, token: Token) -> str:
        """The part of speech that spaCy gives a word."""
        return str(self._tags.get(token.start, ""))

    def label(self, token: Token) -> str:
        """The type of the entity that spaCy sees a word in; empty: of none."""
        return str(self._labels.get(token.start, ""))

    def before(self, token: Token, count: int = 14) -> str:
        """The characters before a word."""
        return self.text[max(0, token.start - count) : token.start]

    def is_placed(self, token: Token) -> bool:
        """Whether the word before says that a place follows."""
        return _PLACED.search(self.before(token)) is not None

    def is_pet(self, token: Token) -> bool:
        """Whether a word is the name of an animal."""
        return _pet().search(self.before(token, 40)) is not None

    def is_famous(self, token: Token) -> bool:
        """Whether a word is part of a known person's whole name."""
        place = self.at[token.start]
        for count in (2, 3, 4):
            for first in range(max(0, place - count + 1), place + 1):
                words = self.words[first : first + count]
                if " ".join(word.word for word in words) in self.lists.famous:
                    return True
        return False

    def is_foreign(self, token: Token) -> bool:
        """Whether most words around are no English, so that the model only guesses."""
        place = self.at[token.start]
        near = self.words[max(0, place - AROUND) : place + AROUND + 1]
        capital = token.text[:1].isupper()
        # Names are no English words either, but words in small letters tell.
        around = [t for t in near if not (capital and t.capital)]
        known = sum(self.lists.is_word(t.word) or t.word in self.lists.given for t in around)
        return known < (0.55 if capital else 0.75) * len(around)

    def is_free(self, token: Token) -> bool:
        """Whether a listed name is not a place, a figure, an animal or part of a handle here."""
        place = token.word in self.lists.places and self.is_placed(token)
        known = token.word in self.lists.known and not self._has_kin(token)
        glued = self.text[token.start - 1 : token.start] in _GLUED
        return not (place or known or glued or self.is_famous(token) or self.is_pet(token))

    def _has_kin(self, token: Token) -> bool:
        before = self.before(token, 24).lower()
        return any(before.endswith(f" {kin} ") for kin in self.lists.kin)

    def acts(self, token: Token) -> bool:
        """Whether a verb follows a word."""
        place = self.at[token.start] + 1
        return place < len(self.words) and self.tag(self.words[place]).startswith(
            ("VBD", "VBZ", "MD")
        )

    def name(self, place: int, sure: int) -> Span:
        """The whole name that begins with a word."""
        last = place
        for following in range(place + 1, min(place + LONGEST, len(self.words))):
            gap = self.text[self.words[following - 1].end : self.words[following].start]
            if self.words[following - 1].owns or _JOINS.fullmatch(gap) is None:
                break
            if self.goes_on(place, following):
                last = following
            elif self.words[following].word not in self.lists.particles:
                break
        return Span(self.words[place].start, self.words[last].end, "PERSON", sure)

    def goes_on(self, place: int, following: int) -> bool:
        """Whether a word goes on with the name before it."""
        first, token, lists = self.words[place], self.words[following], self.lists
        if len(token.text) == 1 and token.text.isupper() and token.text != "I":
            return True
        gap = self.text[self.words[following - 1].end : token.start]
        if "." in gap and len(self.words[following - 1].text) > 2:
            return False
        if _NUMBERED.match(self.text, token.end) and lists.is_word(token.word):
            return False  # "Ann Lee Suite 4", "Ann Lee Phone: 3"
        if lists.is_plain(token.word) or lists.is_thing(token.word) or token.word in lists.kin:
            return False
        capital = token.text[:1].isupper()
        if first.text[:1].isupper():
            return capital and token.word not in lists.titles
        named = token.word in lists.family or token.word in lists.given
        return named or (lists.is_strange(token.word) and not capital and not self._is_said(token))

    def _is_said(self, token: Token) -> bool:
        """Whether an unknown word in small letters is rather part of the sentence."""
        return self.tag(token).startswith(("VB", "RB", "MD", "IN", "JJ"))
