"""Words that look like a name and are none there: a town somebody moved to, a film, a country."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from sanad_data.personal.wording import WordsFile, either, listed, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_data.personal.passage import Passage
    from sanad_data.personal.vocabulary import Token

__all__ = ["is_elsewhere", "is_towards"]

# What is said before a town and hardly ever before a person.
_TOWARDS = re.compile(
    r"\b(?:(?:mov(?:ed?|es|ing)|relocat(?:ed?|ing)|emigrat(?:ed?|ing)|fl(?:y|ew|ies|ying|own)|"
    r"travel(?:s|l?ed|l?ing)?|return(?:s|ed|ing)?|trip|train|bus|flights?)\s(?:(?:back|here|there|"
    r"down|up|over|out)\s){0,2}(?:to|from)|originally\sfrom|(?:grew|growing)\sup\s(?:in|near)|"
    r"arriv(?:es?|ed|ing)\s(?:in|at)|(?:born|raised|based|located|situated|liv(?:es?|ed|ing)|"
    r"i[’']?m|am|are|was|is|were|holiday|home\s(?:town|city))\sin|"
    r"(?<!believe\s)(?<!believed\s)(?<!trust\s)(?<!faith\s)(?<!confide\s)(?<!confided\s)"
    r"(?<!interested\s)\b(?:in|via))\s(?:the\s)?$",
    re.IGNORECASE,
)
# What is said of a work, a place or a thing.
_WORK = re.compile(
    r"[\"”’']?\s(?:is|was)\s(?:an?|the|my\sfavou?rite)\s(?:[\w-]{1,20}\s){0,4}(?:[\w-]{1,20}-)?"
    r"(?:film|movie|song|band|album|book|novel|sitcom|podcast|app|website|city|town|village|"
    r"country|island|drug|medication|medicine|comedy|documentary)\b"
    r"(?!\s(?:member|teacher|designer|developer|writer|critic|fan|leader|manager|student|director|"
    r"maker|dealer|addict|user|boy|girl|kid|worker|nurse|shop|club))",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:^|\n)[>|*•? ]*$")  # what stands before a line's first word


@cache
def _land() -> re.Pattern[str]:
    """A country on the next line, or on this one at its end."""
    lands = either(listed(read("words.yml", WordsFile).countries))
    return re.compile(
        rf"(?:\s?,)?\s?\n[>|*•?\s]{{0,6}}(?:{lands})\b|,\s(?:{lands})\b", re.IGNORECASE
    )


def is_towards(text: str, start: int) -> bool:
    """Whether the words before a place in a text say that a town follows."""
    return _TOWARDS.search(text[max(0, start - 48) : start]) is not None


def is_elsewhere(passage: Passage, words: Sequence[Token]) -> bool:
    """Whether words that are on no list of names are a place or a work, by what stands around.

    Args:
        passage: they are of.
        words: that follow each other.
    """
    if any(token.word in passage.lists.given for token in words):
        return False
    if is_towards(passage.text, _begun(passage, words[0]).start) and not words[-1].owns:
        return True
    if _WORK.match(passage.text, words[-1].end) is not None:
        return True
    lined = _LINE.search(passage.before(words[0], 12)) is not None
    return lined and _land().match(passage.text, words[-1].end) is not None


def _begun(passage: Passage, token: Token) -> Token:
    """The first of the words with a capital that a word goes on with: "Store" of "Store Vika"."""
    place = passage.at[token.start]
    while place > 0:
        one = passage.words[place - 1]
        if not one.capital or passage.text[one.end : passage.words[place].start] != " ":
            break
        place -= 1
    return passage.words[place]
