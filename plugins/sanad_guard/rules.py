"""Rules that a string can show: numbers outside the registry, and wordings of the data file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sanad_core.errors import ContentError
from sanad_core.helplines import normal_number
from sanad_core.replies import Reviewer
from sanad_core.schema import Name, Strict, validate
from sanad_core.types import Verdict
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Draft

__all__ = ["PHRASES", "ReplyGuard"]

PHRASES = Path(__file__).parent / "phrases.yml"
# Digits that a person would dial: five or more with the usual separators, or a short number that
# the words around it tell them to call or text.
_NUMBER = re.compile(r"\+?\d[\d \t\u00a0().\-/\u2010-\u2015]{3,}\d")
_HOURS = re.compile(r"\(?24 ?/ ?7\)?")  # no number, and none goes on over it
_SHORT = re.compile(r"(?:call|dial|text|ring|phone|اتصل|اتصال)\D{1,15}(\d{3,6})\b", re.IGNORECASE)
_YEARS = re.compile(r"(19|20)\d\d([-–/]\d{2,4})*")


class PhraseRule(Strict):
    """Wordings that a reply must not have."""

    rule: Name
    why: str = Field(min_length=1)
    phrases: list[str] = Field(min_length=1)


class PhrasesFile(Strict):
    """The guard's wordings."""

    guard: Literal[1]
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    rules: list[PhraseRule] = Field(min_length=1)


class ReplyGuard:
    """Checks drafts by rules."""

    def __init__(self) -> None:
        self._numbers: frozenset[str] = frozenset()
        self._rules: tuple[tuple[str, str, re.Pattern[str]], ...] = ()

    def warm(self, setting: Setting) -> None:
        """Read the wordings, and learn the registry's numbers.

        Raises:
            ContentError: the data file is wrong.
        """
        file = read_yaml(PHRASES, ContentError)
        content, problems = validate(file, PhrasesFile)
        if content is None:
            raise ContentError(problems)
        self._numbers = setting.numbers
        self._rules = tuple((r.rule, r.why, _pattern(r.phrases)) for r in content.rules)

    def check(self, draft: Draft, context: Context) -> list[Verdict]:
        """Violations in a draft."""
        found = [
            Verdict(rule=rule, start=match.start(), end=match.end(), why=why)
            for rule, why, pattern in self._rules
            for match in pattern.finditer(draft.text)
        ]
        return found[:50] + self._invented(draft.text)[:50]

    def _invented(self, text: str) -> list[Verdict]:
        text = _HOURS.sub(lambda hours: "," * len(hours[0]), text)
        spans = [(match.start(), match.end()) for match in _NUMBER.finditer(text)]
        spans += [(match.start(1), match.end(1)) for match in _SHORT.finditer(text)]
        return [
            Verdict(
                rule="invented_phone_number",
                start=start,
                end=end,
                why="a number that the helpline registry does not hold",
            )
            for start, end in dict.fromkeys(spans)
            if not _YEARS.fullmatch(text[start:end].strip())
            and normal_number(text[start:end]) not in self._numbers
        ]


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    """Whole words, any spacing and apostrophe, upper or lower case; no part that could explode."""
    ways = (r"\s+".join(map(re.escape, phrase.split())).replace("'", "['’]?") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)", re.IGNORECASE)
