"""What belongs to an address beside its street: a flat before it, town and post code after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sanad_data.personal.vocabulary import tokens
from sanad_data.personal.wording import expanded

if TYPE_CHECKING:
    from sanad_data.personal.vocabulary import Vocabulary

__all__ = ["Streets"]

_BEFORE = r"(?<!\w)(?:<<unit>>\s?[,/]?\s?(?:(?:[A-ZÀ-Þ][\w'’-]+\s?){1,4},\s?){0,2})+$"
# Mail that is quoted has a mark before each line.
_SPACE = r"(?:\.?[\s,]{1,8}(?:(?<=\n)[>|*•?]{1,3}\s{0,3})?|\s[-–]\s)"
_CODE = (
    r"(?:<<ukcode>>|<<cacode>>|<<eircode>>|\d{5}-\d{3,4}|\d{3}-\d{4}|\d{2}-\d{3}|"
    r"[A-Z]{1,3}[- ]\d{3,5}|\d{4}\s?[A-Z]{2}\b|\d{3}\s\d{2,3}|\d{4,7})"
)
# Each is tried where the last ended; `town` must be followed by something, or be a known place.
_PIECES = (
    rf"{_SPACE}(?:<<unit>>)",
    rf"\s\d{{1,4}}[a-z]?(?=\s?[,\n]|{_SPACE}<<unit>>)",
    rf"{_SPACE}(?:(?:<<state>>|(?-i:[A-Z]{{2,4}}))\b\.?,?\s)?{_CODE}"
    r"(?![\w-]|[ .-]?\d|\s?(?:am|pm|mg|years?|hours?|minutes?|days?)\b)",
    rf"{_SPACE}<<state>>(?![\w'’])",
    rf"{_SPACE}(?:<<countries>>)\b",
)
_TOWN = (
    r"(?:[\s,]{1,4}(?:(?<=\n)[>|*•?]{1,3}\s{0,3})?|\s-\s)"
    r"(?P<town>[^\W\d_][\w'’.-]*(?:[ -][^\W\d_][\w'’.-]*){0,3})"
)
_AFTER_TOWN = rf"(?={_SPACE}(?:(?:<<state>>|(?-i:[A-Z]{{2,4}}))\b\.?,?\s)?{_CODE}(?![\w-]))"
_OF_TOWNS = ("st", "on", "of", "the")  # plain words that towns have in their names
# Words of places that are called after people.
_LANDS = {
    "island", "city", "town", "estate", "heights", "park", "village", "beach", "gardens", "hill",
    "bay", "point", "springs", "valley", "creek", "falls", "county", "district", "garden", "square",
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.,/$£€:-])(#?\d{1,5}[a-z]?,?\s)$", re.IGNORECASE)
_PLACE = re.compile(
    r"(?:\s?,\s{0,2}|\s?\n(?:[>|*•?]{1,3})?\s{0,2}|(?<=\d)\s)((?:[A-ZÀ-ÞŁŚŻŠČĽŽ][\w'’.-]*)"
    r"(?:[ -](?:(?:de|del|la|las|los|do|da|dos|di|am|an der|im|den|sur|sous|le|les|nad|upon|on|of|"
    r"van|y|e)[ -]){0,2}"
    r"(?:[A-ZÀ-ÞŁŚŻŠČĽŽ][\w'’-]*|\d{1,4}[A-Za-z]?)){0,4})(?=\s?[,.;!?\n)]|\s?$|\s[a-zà-ÿ]|\s\d)"
)
MOST = 8  # pieces after a street


class Streets:
    """Grows a street into a whole address.

    Args:
        parts: of patterns.yml.
        vocabulary: knows places and names.
    """

    def __init__(self, parts: dict[str, str | list[str]], vocabulary: Vocabulary) -> None:
        self._before = re.compile(expanded(_BEFORE, parts), re.IGNORECASE)
        self._pieces = [re.compile(expanded(piece, parts), re.IGNORECASE) for piece in _PIECES]
        # A state's two letters are words too ("in", "or", "me") unless they are capitals.
        self._pieces[3] = re.compile(expanded(_PIECES[3], parts))
        self._coded = re.compile(expanded(_TOWN + _AFTER_TOWN, parts), re.IGNORECASE)
        self._town = re.compile(_TOWN)
        self._vocabulary = vocabulary

    def whole(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Where the address stands whose street stands between `start` and `end`."""
        before = self._before.search(text, max(0, start - 80), start)
        if before is not None and before.end() == start:
            start = before.start()
        number = _NUMBER.search(text, max(0, start - 8), start)
        if number is not None:
            start = number.start(1)
        for _ in range(MOST):
            grown = self._next(text, end)
            if grown == end:
                break
            end = grown
        return start, end

    def _next(self, text: str, end: int) -> int:
        for piece in self._pieces:
            found = piece.match(text, end)
            if found is not None:
                return found.end()
        found = self._coded.match(text, end)
        if found is not None and self._is_town(text, found.start("town"), found.end("town")):
            return found.end("town")
        return self._place(text, end)

    def _is_town(self, text: str, start: int, end: int) -> bool:
        """Whether words before a post code are a town, and no part of the sentence."""
        words = tokens(text[start:end])
        plain = any(self._vocabulary.is_plain(w.word) for w in words if w.word not in _OF_TOWNS)
        return bool(words) and not plain

    def _place(self, text: str, end: int) -> int:
        """The end of a capitalised place after a comma, as far as it is one."""
        found = _PLACE.match(text, end)
        if found is not None:
            words = [token.word for token in tokens(found[1])]
            if text.startswith(":", found.end(1)):
                return end  # "Mobile:" of the next line
            people = any(w in self._vocabulary.given for w in words) and not _LANDS & {*words}
            if not people and words and not self._vocabulary.is_plain(words[0]):
                return found.end(1)
        return self._known(text, end)

    def _known(self, text: str, end: int) -> int:
        """The end of a known place, in whatever case."""
        found = self._town.match(text, end)
        if found is None or text.startswith(":", found.end("town")):
            return end
        words = tokens(text[found.start("town") : found.end("town")])
        for count in (2, 1):
            if " ".join(word.word for word in words[:count]) in self._vocabulary.places:
                return found.start("town") + words[min(count, len(words)) - 1].end
        return end
