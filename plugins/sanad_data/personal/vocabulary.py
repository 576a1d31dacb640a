"""What a word is by the lists: a name, an English word, a place, a medicine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sanad_data.personal.wording import NamesFile, WordsFile, folded, listed, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Token", "Vocabulary", "english", "tokens"]

_WORD = re.compile(r"[^\W\d_]+(?:['’‘-][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['’‘]s?$|(?<=[sz])['’‘]$", re.IGNORECASE)
_SHORTENED = re.compile("[a-z]'(?:ve|ll|d|re|m|t)$")
_BEGINS = re.compile(r"(?:^|[.!?…\n:\"“(*•-])[\s\"“'(*•-]*$")
_ARABIC = re.compile("[\u0600-\u06ff]")
_SUFFIXES = (
    ("ies", "y"), ("es", "e"), ("es", ""), ("s", ""), ("ied", "y"), ("ed", "e"), ("ed", ""),
    ("ing", "e"), ("ing", ""), ("er", "e"), ("er", ""), ("est", "e"), ("est", ""), ("ly", ""),
    ("ily", "y"), ("in", "ing"), ("ness", ""), ("less", ""), ("ful", ""), ("y", ""), ("ish", ""),
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST = 3  # letters of a word that may be a name because nothing else is known of it


class Token(NamedTuple):
    """A word of a text.

    Args:
        start: of its first code point.
        end: after its last; a possessive ending is left out.
        text: the word as it is written.
        word: the word as words are compared.
        capital: it begins with a capital, and not only because a sentence begins with it.
        first: a sentence begins with it, with a capital.
        owns: a possessive ending follows.
    """

    start: int
    end: int
    text: str
    word: str
    capital: bool
    first: bool
    owns: bool


def tokens(text: str) -> list[Token]:
    """The words of a text. Where all is in capitals, capitals tell nothing."""
    letters = [c for c in text if c.isalpha()]
    shouted = len(letters) > 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters)
    return [_token(found, text, shouted) for found in _WORD.finditer(text)]


def _token(found: re.Match[str], text: str, shouted: bool) -> Token:
    word = found[0]
    ending = _POSSESSIVE.search(word)
    if ending is not None and ending.start() > 0:
        word = word[: ending.start()]
    upper = word[0].isupper() and not shouted
    first = upper and _BEGINS.search(text, max(0, found.start() - 12), found.start()) is not None
    start = found.start()
    return Token(
        start,
        start + len(word),
        word,
        folded(word),
        upper and not first,
        first,
        ending is not None or text.startswith(("'s", "’s"), start + len(word)),
    )


class Vocabulary:
    """The lists of names.yml and words.yml.

    Args:
        dictionary: English base forms, lower case.
        exceptions: irregular forms.
        common: words that are in every text.
    """

    def __init__(
        self, dictionary: frozenset[str], exceptions: frozenset[str], common: frozenset[str]
    ) -> None:
        names = read("names.yml", NamesFile)
        words = read("words.yml", WordsFile)
        self._dictionary = dictionary | exceptions
        self.plain = _set(words.plain) | {folded(word) for word in common}
        self.given = {
            name for part in names.given.values() for name in _set(part)
        } - self.plain  # fmt: skip
        self.family = _set(names.family) - self.plain
        self.words = _set(names.words)
        self.surnames = _set(names.surnames)
        self._beginnings = tuple(_set(names.beginnings))
        self._endings = tuple(_set(names.endings))
        self.particles = _set(words.particles)
        self.kin = _set(words.kin)
        self.titles = _set(words.titles)
        self.pets = _set(words.pets)
        self.places = _set(words.places)
        self.known = _set(words.known)
        self.famous = _set(words.famous)
        self.medicines = _set(words.medicines)
        self.things = _set(words.things)
        self.employers = _set(words.employers)

    def is_plain(self, word: str) -> bool:
        """Whether a folded word is never a name: a pronoun, a day, a short form of chats."""
        return word in self.plain or _SHORTENED.search(word) is not None

    def is_word(self, word: str) -> bool:
        """Whether a folded word is English, in one of its forms, or what people write in chats."""
        if self.is_plain(word) or word in self._dictionary:
            return True
        if _ARABIC.match(word):
            return True  # no dictionary here; Arabic names are those of the list
        return any(
            word.endswith(end) and self._stem(word[: len(word) - len(end)], more)
            for end, more in _SUFFIXES
        )

    def _stem(self, stem: str, more: str) -> bool:
        doubled = len(stem) > 3 and stem[-1] == stem[-2]
        found = stem + more in self._dictionary or (doubled and stem[:-1] in self._dictionary)
        return len(stem) > 1 and found

    def is_strange(self, word: str) -> bool:
        """Whether nothing is known of a word, so that it may well be a name."""
        apart = re.split("['-]", word)
        return (
            len(word) >= SHORTEST
            and not self.is_word(word)
            and word not in self.medicines
            and word not in self.things
            and word not in self.places
            and not all(self.is_word(part) for part in apart if part)
            and re.search(r"(.)\1\1", word) is None  # "sooo", "aaargh"
            and re.search("[aeiouyáéíóú]", word) is not None
        )

    def is_typo(self, word: str) -> bool:
        """Whether an English word of five letters or more is one slip away from an unknown word."""
        if len(word) < 5:
            return False
        cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
        dropped = (a + b[1:] for a, b in cuts if b)
        swapped = (a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1)
        changed = (a + c + b[1:] for a, b in cuts if b for c in _LETTERS)
        added = (a + c + b for a, b in cuts for c in _LETTERS)
        return any(map(self.is_word, (*dropped, *swapped, *changed, *added)))

    def is_shaped(self, word: str) -> bool:
        """Whether an unknown word begins or ends as names of some languages do."""
        long = len(word) >= 6 and self.is_strange(word)
        return long and (word.startswith(self._beginnings) or word.endswith(self._endings))

    def recased(self, text: str, words: Sequence[Token]) -> str:
        """A text in small letters with capitals where names and unknown words are."""
        letters = list(text)
        for token in words:
            name = token.word in self.given or token.word in self.family
            if name or token.word in self.places or self.is_strange(token.word):
                upper = letters[token.start].upper()
                letters[token.start] = upper if len(upper) == 1 else letters[token.start]
        return "".join(letters)

    def is_thing(self, word: str) -> bool:
        """Whether a word is a medicine, a service or a figure that everybody knows."""
        return word in self.medicines or word in self.things or word in self.known


def _set(text: str) -> frozenset[str]:
    return frozenset(folded(item) for item in listed(text))


def english(
    tables: Mapping[str, Mapping[str, Iterable[str]]],
) -> tuple[frozenset[str], frozenset[str]]:
    """The dictionary of spaCy's lemmatizer, which is WordNet's: base forms, and irregular ones."""
    parts = ("noun", "verb", "adj", "adv")
    base = frozenset(word for part in parts for word in tables["lemma_index"].get(part, ()))
    other = frozenset(word for part in parts for word in tables["lemma_exc"].get(part, ()))
    return base, other
