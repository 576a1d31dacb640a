"""Rules that a string can show: numbers outside the registry, and wordings of the data file."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from sanad_core.errors import ContentError
from sanad_core.helplines import normal_number
from sanad_core.replies import Reviewer
from sanad_core.schema import Name, Strict, validate
from sanad_core.types import Verdict
from sanad_core.yamlfile import read_yaml

__all__ = ["PHRASES", "Rules"]

PHRASES = Path(__file__).parent / "phrases.yml"
# Digits that a person would dial: five or more with the usual separators, or a short number that
# the words around it tell them to call or text.
_NUMBER = re.compile(r"\+?\d[\d \t\u00a0().\-/\u2010-\u2015]{3,}\d")
_HOURS = re.compile(r"\(?24 ?/ ?7\)?")  # no number, and none goes on over it
_SHORT = re.compile(r"(?:call|dial|text|ring|phone|اتصل|اتصال)\D{1,15}(\d{3,6})\b", re.IGNORECASE)
# Five or more digits in words, as somebody who knows the rule would write a number.
_DIGIT = "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_SPELT = re.compile(
    rf"\b(?:(?:double|triple)\s+)?{_DIGIT}(?:[\s,.\-–]+{_DIGIT}){{4,}}\b", re.IGNORECASE
)
_YEARS = re.compile(r"(19|20)\d\d([-–/]\d{2,4})*")


class PhraseRule(Strict):
    """Wordings that a reply must not have."""

    rule: Name
    why: str = Field(min_length=1)
    phrases: list[str] = Field(default_factory=list)


class PhrasesFile(Strict):
    """The guard's wordings."""

    guard: Literal[1]
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    safety: list[str] = Field(min_length=1, description="words of which a reply at risk has one")
    help: list[str] = Field(min_length=1, description="wordings that offer a resource")
    rules: list[PhraseRule] = Field(min_length=1)


class Rules:
    """Checks drafts by their wording."""

    def __init__(self, numbers: frozenset[str]) -> None:
        """Read the wordings.

        Args:
            numbers: those of the helpline registry, digits only; a draft may hold no other.

        Raises:
            ContentError: the data file is wrong.
        """
        content, problems = validate(read_yaml(PHRASES, ContentError), PhrasesFile)
        if content is None:
            raise ContentError(problems)
        self._numbers = numbers
        self.why = {rule.rule: rule.why for rule in content.rules}
        self._rules = tuple(
            (r.rule, r.why, _pattern(r.phrases)) for r in content.rules if r.phrases
        )
        self._help = _pattern(content.help)
        self._safety = _pattern(content.safety)

    def check(self, text: str) -> list[Verdict]:
        """Violations that the wording of a draft shows."""
        found = [
            Verdict(rule=rule, start=match.start(), end=match.end(), why=why)
            for rule, why, pattern in self._rules
            for match in pattern.finditer(text)
        ]
        return found[:50] + self._invented(text)[:50]

    def misses(self, text: str) -> bool:
        """Whether a draft has no word at all on safety or on help."""
        return self._safety.search(text) is None and not self.helps(text)

    def helps(self, text: str) -> bool:
        """Whether a draft plainly offers a resource: a helpline, a number of the registry."""
        numbers = (normal_number(match[0]) for match in re.finditer(r"\d[\d \-]*\d", text))
        return (
            "{{helpline" in text
            or self._help.search(text) is not None
            or any(number in self._numbers for number in numbers)
        )

    def _invented(self, text: str) -> list[Verdict]:
        text = _HOURS.sub(lambda hours: "," * len(hours[0]), text)
        spans = [(match.start(), match.end()) for match in _NUMBER.finditer(text)]
        spans += [(match.start(1), match.end(1)) for match in _SHORT.finditer(text)]
        spans += [(match.start(), match.end()) for match in _SPELT.finditer(text)]
        return [
            Verdict(
                rule="invented_phone_number",
                start=start,
                end=end,
                why="a number that the helpline registry does not hold",
            )
            for start, end in dict.fromkeys(spans)
            if not _YEARS.fullmatch(text[start:end].strip())
            and not _counts_down(text[start:end])
            and normal_number(text[start:end]) not in self._numbers
        ]


def _counts_down(text: str) -> bool:
    """Whether single figures fall by one, as in the exercise 5-4-3-2-1."""
    figures = [int(figure) for figure in re.split(r"\D+", text.strip()) if figure]
    falls = all(a - b == 1 for a, b in itertools.pairwise(figures))
    return falls and len(figures) > 2 and max(figures) < 10


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    """Whole words, any spacing and apostrophe, upper or lower case; no part that could explode."""
    ways = (r"\s+".join(map(re.escape, phrase.split())).replace("'", "['’]?") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)", re.IGNORECASE)
