"""Numbers that no form gives away: what they are by the words around them, else by their shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sanad_core.helplines import normal_number
from sanad_data.personal.spans import Kind, Span
from sanad_data.personal.wording import PatternsFile, either, read

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Numbers"]

_DIGITS = re.compile(
    r"(?<![\w.$£€₹#@/:–-])(?<!\d,)(?<!\d[^\S\n])[+(]{0,2}\d"
    r"(?:\d|[ .\-/()\u00a0\u2010-\u2015]{1,3}(?=[\d(])){2,40}\)?"
    r"(?![%°]|[.,:]\d|(?!x\d{2,6}\b)\w)"
)
_CODE = re.compile(
    r"(?<![\w@#.$£€/-])#?(?:(?-i:[A-Z]{1,4})\s(?=[A-Z]?\d{3}))?(?=[A-Z0-9/_.-]{0,24}\d)"
    r"[A-Z0-9]{1,40}(?:[-/_.][A-Z0-9]{1,24}|(?<=\d)\s\d{3,6}(?!\d)){0,6}(?![\w@-])",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"\s?(?:,\s?)?(?:ext(?:ension)?\b\.?|x)\s?\d{1,6}\b", re.IGNORECASE)
_YEARS = re.compile(r"(?:19|20)\d\d(?:\s?[-/–]\s?(?:(?:19|20)?\d\d))?")
_DATE = re.compile(
    r"\d{1,2}\s?([./-])\s?\d{1,2}\s?\1\s?(?:\d{4}|\d{2})|\d{4}([./-])\d{1,2}\2\d{1,2}"
)
_GAP = 40  # characters between a cue and its number
_FAR = 44  # … between a word for telephones and one
_REACH = {"NONE": 3, "PHONE": _FAR, "HELP": _FAR}
_MORE = r"\s(?:number|no|nr|num|nº|id|code)\b\.?"  # what goes on with any cue
_LEAST: dict[Kind, int] = {"PHONE": 6, "ID": 4, "MRN": 3, "BANK": 4}
_PHONE_SHAPES = re.compile(
    r"\(?\+\d[\d().\s\u2010-\u2015-]{6,}"
    r"|00\d[\d().\s-]{8,}"
    r"|\(?0\d{1,4}\)?(?:[\s.\-/]*\d{2,}){1,5}"
    r"|(?:1[\s.-]?)?\(?[2-9]\d{2}\)?[\s.-]?\d{3}[\s.-]?\d{4}"
    r"|\d{3}-\d{4}"
    r"|\(\d{2,5}\)[\s-]?\d[\d\s-]{5,}"
    r"|[6-9]\d{4}[\s-]?\d{5}"
    r"|[6-9]\d{2}[\s.]\d{3}[\s.]\d{3}"
    r"|[689]\d{3}[\s-]\d{4}"
    r"|1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}"
    r"|\d{2}[\s.-]\d{4,5}[\s.-]\d{4}"
    r"|8[\s-]?\(?9\d{2}\)?[\s-]?\d{3}[\s-]?\d{2}[\s-]?\d{2}"
    r"|\d{2}(?:[\s.]\d{2}){3,4}|\d{10}"
    r"|\(?\d{1,5}\)?(?:[\s./-]{1,2}\(?\d{1,5}\)?){1,5}"
)
_WORD = "(?:zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|plus)"
_SPOKEN = re.compile(rf"\b{_WORD}(?:[\s,-]{{1,2}}{_WORD}){{6,}}\b", re.IGNORECASE)
_OF_REGISTRY = 5  # digits of a helpline's number that may stand behind a country's code


class _Cue(NamedTuple):
    start: int
    end: int
    type: str


class Numbers:
    """Finds numbers.

    Args:
        helplines: numbers of the registry, digits only: nobody's.
    """

    def __init__(self, helplines: frozenset[str]) -> None:
        file = read("patterns.yml", PatternsFile)
        cues = file.cues
        self._helplines = helplines | frozenset(file.former)
        self._type: dict[str, str] = {}
        for kind, wordings in cues.items():
            for wording in wordings:
                self._type.setdefault(wording, kind)
        cue = rf"(?<![\w@])(?P<cue>{either(self._type)})(?:{_MORE})?(?!\w)"
        self._cue = re.compile(cue, re.IGNORECASE)
        self._owned = re.compile(
            r"[\s,(-]{1,3}(?:is|was|that[’']?s|this\sis|as|=)?\s?"
            rf"(?:my|his|her|their|our|the|for\sthe)?\s?(?P<cue>{either(self._type)})(?![\w])",
            re.IGNORECASE,
        )

    def find(self, text: str) -> Iterator[Span]:
        """The numbers of a text that are somebody's."""
        cues = [
            _Cue(found.start(), found.end(), self._type[_key(found["cue"])])
            for found in self._cue.finditer(text)
        ]
        codes = (found for found in _CODE.finditer(text) if any(map(str.isalpha, found[0])))
        for found in (*_DIGITS.finditer(text), *codes):
            head, space, _ = found[0].partition(" ")
            start = found.start() + len(head + space) * (head.lower() in self._type)
            span = self._span(text, start, found.end(), cues)
            if span is not None and not self.is_helpline(text[span.start : span.end]):
                yield span
        for found in _SPOKEN.finditer(text):
            yield Span(found.start(), found.end(), "PHONE", 2)

    def is_helpline(self, number: str) -> bool:
        """Whether a number is one of the registry's, with or without the country's code."""
        digits = normal_number(number)
        if digits in self._helplines:
            return True
        ends = (line.lstrip("0") for line in self._helplines if len(line) >= _OF_REGISTRY)
        return any(digits.endswith(end) and 0 < len(digits) - len(end) <= 4 for end in ends)

    def _span(self, text: str, start: int, end: int, cues: list[_Cue]) -> Span | None:
        span = self._told(text, start, end, cues)
        extension = _EXTENSION.match(text, end)
        if span is None or span.type != "PHONE" or extension is None:
            return span
        return span._replace(end=extension.end())

    def _told(self, text: str, start: int, end: int, cues: list[_Cue]) -> Span | None:
        what = text[start:end]
        digits = sum(map(str.isdigit, what))
        told = self._before(text, start, cues) or self._after(text, end)
        if told in ("NONE", "HELP"):
            return None
        if told is not None and not (_YEARS.fullmatch(what) and digits < 5):
            kind: Kind = told  # type: ignore[assignment]
            phone = kind == "PHONE" and any(map(str.isalpha, what))
            coded = what.isupper() and len(what) > 4 and digits > 0  # QX7LM2
            if (digits >= _LEAST[kind] or coded) and not phone:
                return Span(start, end, kind, 3)
        return _by_shape(what, start, end, digits)

    def _before(self, text: str, start: int, cues: list[_Cue]) -> str | None:
        """What the nearest cue before a number says it is."""
        near = [cue for cue in cues if _is_near(text, cue, start)]
        if not near:
            return None
        told = near[-1].type
        helps = told == "PHONE" and any(cue.type == "HELP" for cue in near)
        return "HELP" if helps else told  # "the lifeline's number is …"

    def _after(self, text: str, end: int) -> str | None:
        """What a cue right after a number says it is: `12345678 is my dni`."""
        found = self._owned.match(text, end)
        kind = None if found is None else self._type[_key(found["cue"])]
        return None if kind in ("NONE", "HELP") else kind


def _is_near(text: str, cue: _Cue, start: int) -> bool:
    """Whether a cue is said of the number that begins at `start`."""
    between = text[cue.end : start]
    far = cue.end > start or len(between) > _REACH.get(cue.type, _GAP)
    if far or re.search(r"\d|\n\n", between):
        return False
    return cue.type in ("PHONE", "HELP") or re.search(r"[.!?\n]\s", between) is None


def _by_shape(what: str, start: int, end: int, digits: int) -> Span | None:
    if any(map(str.isalpha, what)):
        long = digits >= 5 and len(what) >= 7 and what[:1].isalpha()
        return Span(start, end, "ID", 1) if long else None
    if _YEARS.fullmatch(what) or _DATE.fullmatch(what.strip("() ")):
        return None
    if 7 <= digits <= 15 and _PHONE_SHAPES.fullmatch(what.strip()):
        return Span(start, end, "PHONE", 3 if "+" in what else 1)
    return Span(start, end, "ID", 1) if digits >= 8 else None


def _key(wording: str) -> str:
    return re.sub(r"\s", " ", wording.lower())
