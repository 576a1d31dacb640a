"""Turns a message into plain words with their places: one spelling for what people write in many.

Everything here is one pass over the text. Characters are folded one for one (case, accents,
look-alike letters, Arabic letter forms), so that a word's place in the text stays known; words are
then respelled (leetspeak, stretched and spaced letters, common misspellings) only where that gives
a word that the lexicon knows.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["STOP", "Spelling", "Words", "fold", "plain_words"]

STOP = "."  # stands for the end of a sentence among the words
GONE = "\x01"  # stands for a character that does not count: a vowel sign, a zero-width joiner

# Letters that look like Latin ones (Cyrillic, Greek), and Arabic letters written in several ways.
_ALIKE = dict(zip("аеіорсухѕјԁɡһӏνοαρτκιυ", "aeiopcyxsjdghlvoaptkiu", strict=True))
_ALIKE |= dict(zip("أإآٱىةؤئیکھہۀ", "اااايهوييكههه", strict=True))
_LEET = str.maketrans("@$0134578!+", "asoieastbit")
_LEET_L = str.maketrans("@$0134578!+", "asoleastblt")
_SYMBOLS = re.compile(r"[@$!+]")
_STRETCHED = re.compile(r"(.)\1{2,}")
_TOKEN = re.compile(
    # a word, with leetspeak inside
    r"[^\W_](?:[^\W_]|[\x01'’@$!+*](?=[^\W_\x01*]|\x01|\*)|\*(?=\w))*"
    r"|[.?!;\n؟؛…]+"  # the end of a sentence
    r"|[\U0001F300-\U0001FAFF\u2600-\u27BF]"  # an emoji
)
MOST_SPACED = 40


class _Fold(dict[int, str]):
    """Folds one character to one character; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < 4096:
            self[code] = folded
        return folded


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf") or char == "ـ":
        return GONE
    base = unicodedata.normalize("NFKD", char)
    base = "".join(c for c in base if unicodedata.category(c) != "Mn") or char
    low = (base[0] if len(base) > 1 else base).lower()[:1] or char
    low = _ALIKE.get(low, _ALIKE.get(char, low))
    return str(unicodedata.decimal(low)) if category == "Nd" else low


_FOLD = _Fold()


def fold(text: str) -> str:
    """The text with every character folded; as long as it was."""
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class Words:
    """A message in plain words.

    Args:
        words: the words; STOP where a sentence ends.
        starts: where each word begins in the message.
        ends: one past where it ends.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a language's lexicon knows of spelling.

    Args:
        known: words that stand in the lexicon.
        respell: a word as people write it, and the words that it stands for.
        joined: two words that people write for one, and that one.
    """

    known: frozenset[str]
    respell: Mapping[str, tuple[str, ...]]
    joined: Mapping[tuple[str, str], str] = field(default_factory=dict)
    cache: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def plain(self, word: str) -> tuple[str, ...]:
        """The plain words that a written word stands for."""
        found = self.cache.get(word)
        if found is None:
            found = self._plain(word)
            if len(self.cache) < 20_000:
                self.cache[word] = found
        return found

    def _plain(self, word: str) -> tuple[str, ...]:
        for written in self._spellings(word):
            if written in self.respell:
                return self.respell[written]
            if written in self.known:
                return (written,)
        parts = [part for part in _SYMBOLS.split(word) if part]
        if len(parts) > 1:
            return tuple(plain for part in parts for plain in self._plain(part))
        return (word.replace("'", ""),)

    def _spellings(self, word: str) -> Iterator[str]:
        bare = word.replace("'", "")
        yield word
        yield bare
        if not bare.isalpha() and any(c.isalpha() for c in bare):
            yield bare.translate(_LEET)
            yield bare.translate(_LEET_L)
        if _STRETCHED.search(bare):
            yield _STRETCHED.sub(r"\1\1", bare)
            yield _STRETCHED.sub(r"\1", bare)
            yield _STRETCHED.sub(r"\1", bare.translate(_LEET))


def plain_words(text: str, spelling: Spelling) -> Words:
    """The words of a message.

    Args:
        text: the message.
        spelling: the language's.
    """
    out = Words([], [], [])
    spaced: list[tuple[str, int, int]] = []
    for found in _TOKEN.finditer(fold(text)):
        word, start, end = found[0], found.start(), found.end()
        if len(word) == 1 and word.isalpha():
            spaced.append((word, start, end))
            continue
        if word[0] in ".?!;\n؟؛…":
            # "k.i.l.l" and "k i l l" are one word; a dot between single letters ends nothing.
            if not (spaced and len(word) == 1 and word != "\n"):
                _spell_out(out, spaced, spelling)
                _add(out, STOP, start, end)
            continue
        _spell_out(out, spaced, spelling)
        word = word.replace(GONE, "").replace("’", "'").replace("*", "")
        for plain in spelling.plain(word):
            before = spelling.joined.get((out.words[-1], plain)) if out.words else None
            if before is None:
                _add(out, plain, start, end)
            else:
                out.words[-1], out.ends[-1] = before, end
    _spell_out(out, spaced, spelling)
    return out


def _add(out: Words, word: str, start: int, end: int) -> None:
    out.words.append(word)
    out.starts.append(start)
    out.ends.append(end)


def _spell_out(out: Words, spaced: list[tuple[str, int, int]], spelling: Spelling) -> None:
    """Add single letters: as the words they spell if they spell known ones, else one by one."""
    if not spaced:
        return
    letters = "".join(letter for letter, _, _ in spaced)
    joined = _segmented(letters, spelling) if 3 <= len(letters) <= MOST_SPACED else None
    if joined is None:
        for letter, start, end in spaced:
            for plain in spelling.plain(letter):
                _add(out, plain, start, end)
    else:
        place = 0
        for word in joined:
            start, end = spaced[place][1], spaced[place + len(word) - 1][2]
            for plain in spelling.plain(word):
                _add(out, plain, start, end)
            place += len(word)
    spaced.clear()


def _segmented(letters: str, spelling: Spelling) -> list[str] | None:
    """The fewest known words that spell the letters, at least one of them three letters long."""
    best: list[list[str] | None] = [[]] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - 14), end):
            word, before = letters[start:end], best[start]
            if before is None or not (word in spelling.known or word in spelling.respell):
                continue
            here = best[end]
            if here is None or len(before) + 1 < len(here):
                best[end] = [*before, word]
    found = best[-1]
    return found if found and any(len(word) > 2 for word in found) else None
