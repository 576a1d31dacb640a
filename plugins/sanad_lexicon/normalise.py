"""Turns a message into plain words with their places: one spelling for what people write in many.

Everything here is one pass over the text. Characters are folded one for one (case, accents,
look-alike letters, Arabic letter forms), so that a word's place in the text stays known; words are
then respelled (leetspeak, stretched and spaced letters, common misspellings) only where that gives
a word that the lexicon knows.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sanad_core.text import ALIKE, Turned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["STOP", "STOPS", "Spelling", "Tokens", "Words", "fold", "plain_words", "tokens_of"]

STOP = "."  # stands for the end of a sentence among the words
STOPS = ".?!;\n؟؛…"
GONE = "\x01"  # stands for a character that does not count: a vowel sign, a zero-width joiner

# Letters that look like Latin ones, and Arabic letters written in several ways.
_ALIKE = ALIKE | dict(zip("أإآٱىةؤئیکھہۀ", "اااايهوييكههه", strict=True))
_LEET = str.maketrans("@$0134578!+", "asoieastbit")
_LEET_L = str.maketrans("@$0134578!+", "asoleastblt")
_SYMBOLS = re.compile(r"[@$!+]")
_STRETCHED = re.compile(r"(.)\1{2,}")
_MEASURE = re.compile(r"[1-9]\d*[a-z]{1,2}")  # 3d, 4k, 2nd: no leetspeak
_TOKEN = re.compile(
    # a word, with leetspeak inside
    r"[^\W_]++(?:(?:[\x01'’@$!+*](?=[^\W_\x01*]|\x01|\*)|\*(?=\w))[^\W_]*+)*+"
    r"|[.?!;\n؟؛…]+"  # the end of a sentence
    r"|[\U0001F300-\U0001FAFF\u2600-\u27BF]"  # an emoji
)
_QUOTED = re.compile(r"\"[^\"\n]{3,400}\"|“[^“”\n]{3,400}”|«[^«»\n]{3,400}»")
MOST_SPACED = 24  # letters
MOST_EFFORT = 6000  # new tokens of one message that are looked at; odd ones count as several


def _folded(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf") or char == "ـ":
        return GONE
    base = unicodedata.normalize("NFKD", char)
    base = "".join(c for c in base if unicodedata.category(c) != "Mn") or char
    low = (base[0] if len(base) > 1 else base).lower()[:1] or char
    low = _ALIKE.get(char) or _ALIKE.get(low, low)
    return str(unicodedata.decimal(low)) if category == "Nd" else low


_FOLD = Turned(_folded)


def fold(text: str) -> str:
    """The text with every character folded; as long as it was."""
    return text.translate(_FOLD)


@dataclass(frozen=True)
class Tokens:
    """What a message is written of, the same for every language.

    Args:
        folded: the message, folded.
        raw: each token: a word, the marks that end a sentence, an emoji.
    """

    folded: str
    raw: list[str]

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Where each token begins and ends in the message; most messages are never asked."""
        return [found.span() for found in _TOKEN.finditer(self.folded)]

    @cached_property
    def quotes(self) -> list[tuple[int, int]]:
        """Where quotations begin and end, marks included; one that is all there is, is none."""
        length = len(self.folded.strip())
        spans = (found.span() for found in _QUOTED.finditer(self.folded))
        return [(begin, end) for begin, end in spans if end - begin < length]


@dataclass(frozen=True, slots=True)
class Words:
    """A message in plain words of one language.

    Args:
        words: the words; STOP where a sentence ends.
        firsts: for each word, the token that it begins in.
        lasts: for each word, the token that it ends in.
        tokens: the message.
        complete: whether every token was looked at for what it may stand for; from MOST_EFFORT on
            the rest stands as it is written.
    """

    words: list[str]
    firsts: list[int]
    lasts: list[int]
    tokens: Tokens
    complete: bool

    def start(self, word: int) -> int:
        """Where a word begins in the message, in code points."""
        return self.tokens.places[self.firsts[word]][0]

    def end(self, word: int) -> int:
        """One past where it ends."""
        return self.tokens.places[self.lasts[word]][1]

    def quoted(self, word: int) -> bool:
        """Whether a word stands between quotation marks, and others outside of them."""
        quotes = self.tokens.quotes
        if not quotes:
            return False
        start = self.start(word)
        begin, end = quotes[bisect_right(quotes, (start, len(self.tokens.folded))) - 1]
        return begin <= start < end


@dataclass(frozen=True)
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

    @cached_property
    def seconds(self) -> frozenset[str]:
        """Words that can be the second of two that stand for one."""
        return frozenset(second for _, second in self.joined)

    def plain(self, raw: str) -> tuple[str, ...]:
        """The plain words that a token stands for."""
        found = self.cache.get(raw)
        if found is None:
            if raw[0] in STOPS:
                found = (STOP,)
            else:
                found = self._plain(raw.replace(GONE, "").replace("’", "'").replace("*", ""))
            if len(self.cache) < 20_000:
                self.cache[raw] = found
        return found

    def _plain(self, word: str) -> tuple[str, ...]:
        if word in self.respell:
            return self.respell[word]
        if word in self.known or (word.isalpha() and not _STRETCHED.search(word)):
            return (word,)
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
        yield bare
        letters = any(c.isalpha() for c in bare)
        if letters and not bare.isalpha() and not _MEASURE.fullmatch(bare):
            yield bare.translate(_LEET)
            yield bare.translate(_LEET_L)
        if _STRETCHED.search(bare):
            yield _STRETCHED.sub(r"\1\1", bare)
            yield _STRETCHED.sub(r"\1", bare)
            yield _STRETCHED.sub(r"\1", bare.translate(_LEET))


def tokens_of(text: str) -> Tokens:
    """The tokens of a message."""
    folded = fold(text)
    return Tokens(folded, _TOKEN.findall(folded))


def plain_words(tokens: Tokens, spelling: Spelling) -> Words:
    """A message's words in one language.

    Args:
        tokens: the message.
        spelling: the language's.
    """
    met = _met_before(tokens, spelling)
    if met is not None:
        return met
    raw, cache, seconds = tokens.raw, spelling.cache, spelling.seconds
    words: list[str] = []
    firsts: list[int] = []
    lasts: list[int] = []
    place, end, effort = 0, len(raw), 0
    while place < end:
        token = raw[place]
        if place + 1 < end and _spaced(token, raw[place + 1]) and effort <= MOST_EFFORT:
            spelt, following = _spelt_out(raw, place, spelling)
            for word, first, last in spelt:
                words.append(word)
                firsts.append(first)
                lasts.append(last)
            effort += following - place
            place = following
            continue
        plain = cache.get(token)
        if plain is None:
            effort += 1 if token.isalpha() else 4
            plain = spelling.plain(token) if effort <= MOST_EFFORT else (token,)
        for word in plain:
            if word in seconds and words and (words[-1], word) in spelling.joined:
                words[-1], lasts[-1] = spelling.joined[words[-1], word], place
            else:
                words.append(word)
                firsts.append(place)
                lasts.append(place)
        place += 1
    return Words(words, firsts, lasts, tokens, complete=effort <= MOST_EFFORT)


def _met_before(tokens: Tokens, spelling: Spelling) -> Words | None:
    """The words, where every token is known, none is spelt out and no two stand for one: mostly."""
    plains = [spelling.cache.get(token) for token in tokens.raw]
    if None in plains or any(map(_spaced, tokens.raw, tokens.raw[1:])):
        return None
    words = [word for plain in plains for word in plain or ()]
    if not spelling.seconds.isdisjoint(words):
        return None
    places = [place for place, plain in enumerate(plains) for _ in plain or ()]
    return Words(words, places, places, tokens, complete=True)


def _spaced(token: str, following: str) -> bool:
    """Whether a token is a letter that may be one of a word's, written apart: "k i l l", "k.i"."""
    if len(token) != 1 or len(following) != 1 or not token.isalpha():
        return False
    return following == STOP or following.isalpha()


def _spelt_out(
    raw: Sequence[str], place: int, spelling: Spelling
) -> tuple[list[tuple[str, int, int]], int]:
    """Letters written apart: the words they spell if those are known, else one by one.

    Returns:
        Each word with its first and last token, and the first token after all of them. A dot
        between letters ends nothing.
    """
    letters = [place]
    place += 1
    while place < len(raw) and len(raw[place]) == 1:
        if raw[place].isalpha():
            letters.append(place)
        elif not (raw[place] == STOP and raw[place - 1] != STOP):
            break
        place += 1
    if len(letters) == 1:
        place = letters[0] + 1
    written = "".join(raw[letter] for letter in letters)
    joined = _segmented(written, spelling) if 3 <= len(written) <= MOST_SPACED else None
    out: list[tuple[str, int, int]] = []
    begin = 0
    for word in joined or written:
        first, last = letters[begin], letters[begin + len(word) - 1]
        out += [(plain, first, last) for plain in spelling.plain(word)]
        begin += len(word)
    return out, place


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
