"""The data files: names, words and patterns, read strictly."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import BaseModel, Field

from sanad_core.errors import ContentError
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml
from sanad_data.personal.spans import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NamesFile", "PatternsFile", "Rule", "WordsFile", "expanded", "folded", "listed", "read"]

FOLDER = Path(__file__).parent
_ITEM = re.compile(r'"([^"]+)"|(\S+)')
_PART = re.compile(r"<<(\w+)>>")
_MARKS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "ı": "i", "’": "'"})
DEEPEST = 8  # parts within parts


class NamesFile(Strict):
    """Names of people."""

    names: Literal[1]
    given: dict[str, str]
    family: str
    surnames: str
    words: str
    beginnings: str
    endings: str


class WordsFile(Strict):
    """Words around names, and words that are none."""

    words: Literal[1]
    kin: str
    kinds: str
    titles: str
    sure_titles: str
    pets: str
    particles: str
    plain: str
    medicines: str
    things: str
    famous: str
    known: str
    places: str
    countries: str
    employers: str
    called: str
    self: str


class Rule(Strict):
    """A pattern, and what it finds."""

    type: Kind
    find: str
    sure: Literal[1, 2, 3]
    cased: bool = False
    upper: bool = False
    coined: bool = False
    strange: bool = False
    grow: bool = False
    firm: bool = False
    check: Literal["ip", "iban"] | None = None


class PatternsFile(Strict):
    """What personal data looks like."""

    patterns: Literal[1]
    parts: dict[str, str | list[str]]
    rules: list[Rule] = Field(min_length=1)
    cues: dict[Literal["PHONE", "ID", "MRN", "BANK", "HELP", "NONE"], list[str]]
    former: list[str]
    presidio: dict[str, Kind]


Model = TypeVar("Model", bound=BaseModel)


@cache
def read(name: str, model: type[Model]) -> Model:
    """One of the data files.

    Args:
        name: such as `names.yml`.
        model: what it must be.

    Raises:
        ContentError: it is wrong.
    """
    content, problems = validate(read_yaml(FOLDER / name, ContentError), model)
    if content is None:
        raise ContentError(problems)
    return content


def listed(text: str) -> list[str]:
    """The items of a list that is written as words with spaces between; phrases are in quotes."""
    return [phrase or word for phrase, word in _ITEM.findall(text)]


def folded(text: str) -> str:
    """A word as words are compared: in lower case, without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_MARKS))
    return "".join(c for c in apart if not unicodedata.combining(c))


def either(items: Iterable[str]) -> str:
    """An expression for any of some phrases, the longest first; spaces match any space."""
    ranked = sorted(set(items), key=lambda item: (-len(item), item))
    return "|".join(re.escape(item).replace(r"\ ", r"\s") for item in ranked)


def expanded(find: str, parts: dict[str, str | list[str]]) -> str:
    """An expression with its parts put in.

    Raises:
        ContentError: a part is not known, or parts hold each other.
    """

    def part(found: re.Match[str]) -> str:
        name = found[1]
        value = parts.get(name, parts.get(name.lower()))
        if value is None:
            raise ContentError.about(FOLDER / "patterns.yml", f"no part is named '{name}'")
        if isinstance(value, str):
            return value
        capital = name[:1].isupper()
        return either(form for item in value for form in (_forms(item) if capital else [item]))

    for _ in range(DEEPEST):
        if not _PART.search(find):
            return find
        find = _PART.sub(part, find)
    raise ContentError.about(FOLDER / "patterns.yml", "parts hold each other without end")


def _forms(item: str) -> list[str]:
    """How an item is written as a proper name."""
    capitals = " ".join(word[:1].upper() + word[1:] for word in item.split(" "))
    return [capitals, item.upper()]
