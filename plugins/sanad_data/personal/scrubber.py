"""Finds personal data: every recogniser over a text, and what they find settled."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from sanad_core import packaged
from sanad_core.helplines import load_helplines
from sanad_core.text import clean
from sanad_data.personal.digits import Numbers
from sanad_data.personal.firms import firms, letterheads
from sanad_data.personal.names import Names
from sanad_data.personal.naming import NAMED
from sanad_data.personal.patterns import Patterns
from sanad_data.personal.pseudonyms import Pseudonyms
from sanad_data.personal.reading import Reading
from sanad_data.personal.spans import Span, settled
from sanad_data.personal.vocabulary import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_data.personal.vocabulary import Token

__all__ = ["Scrubber"]

_HELD = re.compile(r"\[[A-Z]{2,12}(?:_\d+)?\]")  # a pseudonym, of ours or of another's
LONGEST = 20_000  # characters that are read together; a longer text is read in parts


class Scrubber:
    """Finds personal data in texts.

    Raises:
        MissingExtra: Presidio or a spaCy model is not installed.
        ContentError: a data file is wrong.
    """

    def __init__(self) -> None:
        self._reading = Reading()
        self._vocabulary = self._reading.vocabulary
        registry, _ = load_helplines(packaged.policies() / "helplines.yml")
        self._numbers = Numbers(registry.numbers)
        self._sites = tuple(_host(url) for url in registry.directories)
        self._patterns = Patterns(self._vocabulary)
        self._names = Names(self._vocabulary)

    def find(self, text: str) -> list[Span]:
        """The personal data in a text, in order and without overlaps."""
        return self.find_all([text])[0]

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """The personal data in the turns of a conversation; a name found in one is known in all.

        Args:
            texts: the turns, in order.

        Returns:
            For each turn, its findings; offsets in code points of the turn.
        """
        clear = [clean(text) for text in texts]
        found = [list(self._found(text)) for text in clear]
        known = {
            token.word: token.text
            for text, spans in zip(clear, found, strict=True)
            for token in self._naming(text, settled(spans, text))
        }
        return [
            settled(_outside([*spans, *self._echoes(text, known)], text), text)
            for text, spans in zip(clear, found, strict=True)
        ]

    def scrubbed(self, text: str) -> str:
        """A text with its personal data under pseudonyms."""
        return self.conversation([text])[0][0]

    def conversation(self, texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
        """The turns of a conversation with pseudonyms that are the same in all of them.

        Args:
            texts: the turns, in order.

        Returns:
            The turns, and how many pseudonyms of each type were put in.
        """
        names = Pseudonyms()
        found = self.find_all(texts)
        counts = Counter(span.type for spans in found for span in spans)
        pairs = zip(texts, found, strict=True)
        return [names.scrubbed(clean(text), spans) for text, spans in pairs], Counter(counts)

    def _found(self, text: str) -> Iterator[Span]:
        for start, part in _parts(text):
            for span in self._read(part):
                yield span._replace(start=span.start + start, end=span.end + start)

    def _read(self, text: str) -> Iterator[Span]:
        doc, spans = self._reading.read(text)
        words = tokens(text)
        yield from (s for s in spans if not self._numbers.is_helpline(text[s.start : s.end]))
        for span in self._patterns.find(text):
            if span.type != "URL" or not self._is_public(text[span.start : span.end]):
                yield span
        yield from self._numbers.find(text)
        yield from firms(text, words, doc, self._vocabulary)
        yield from letterheads(text, self._vocabulary)
        yield from self._names.find(text, words, doc)
        if not any(token.capital and token.text != "I" for token in words):
            yield from self._recased(text, words)

    def _recased(self, text: str, words: Sequence[Token]) -> Iterator[Span]:
        """What is found in a text of small letters when its names have capitals."""
        recased = self._vocabulary.recased(text, words)
        if recased == text:
            return
        doc = self._reading.document(recased)
        yield from self._names.named(recased, tokens(recased), doc)
        for span in self._patterns.find(recased):
            if span.type == "ADDRESS":
                yield span

    def _is_public(self, url: str) -> bool:
        """Whether an address is a directory's of the helpline registry."""
        return _host(url).endswith(self._sites)

    def _naming(self, text: str, spans: Sequence[Span]) -> Iterator[Token]:
        """The words of the names in a text that name a person wherever they stand."""
        for span in spans:
            if span.type == "PERSON":
                for token in tokens(text[span.start : span.end]):
                    lists = self._vocabulary
                    if len(token.word) > 2 and token.word not in lists.particles:
                        yield token

    def _echoes(self, text: str, known: dict[str, str]) -> Iterator[Span]:
        """Where names that were found stand once more; a name that is a word too, in its case."""
        for token in tokens(text):
            if token.word in known:
                lists = self._vocabulary
                plain = lists.is_word(token.word) and token.word not in lists.given
                cased = token.text == known[token.word] and token.text[:1].isupper()
                if not plain or cased or NAMED.match(text, token.end):
                    yield Span(token.start, token.end, "PERSON", 1)


def _outside(spans: Sequence[Span], text: str) -> list[Span]:
    """The findings that do not lie in a pseudonym which stands there already."""
    held = [found.span() for found in _HELD.finditer(text)]
    return [s for s in spans if not any(a < s.end and s.start < b for a, b in held)]


def _host(url: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).split("/")[0]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """A text in parts that are short enough, cut where there is space, each with its place."""
    start = 0
    while len(text) - start > LONGEST:
        cut = max(text.rfind(mark, start + LONGEST // 2, start + LONGEST) for mark in "\n ")
        end = cut + 1 if cut > 0 else start + LONGEST
        yield start, text[start:end]
        start = end
    yield start, text[start:]
