"""Texts as they were meant: wrong decodings undone, HTML taken out, space made even."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from sanad_core.errors import ContentError, MissingExtra
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml

__all__ = ["CleaningFile", "mended", "rules"]

FILE = Path(__file__).parent / "cleaning.yml"
ESCAPED = 3  # how often a text was escaped at most: `&amp;amp;`
# The joiners of emoji and of Persian (U+200C, U+200D) are hidden too, and meant.
_HIDDEN = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff"
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]"
)
_SPACES = re.compile("[ \t\u00a0\u2000-\u200a\u202f\u3000]+")
_LINES = re.compile(r" ?(?:\r\n?|\n|\u2028|\u2029) ?")
_EMPTY = re.compile(r"\n{3,}")


class CleaningFile(Strict):
    """What is taken out of texts, and which texts are no conversation."""

    cleaning: Literal[1]
    dropped: list[str] = Field(description="elements whose content goes with them")
    breaks: list[str] = Field(description="elements that a line ends with")
    inline: list[str] = Field(description="elements that are only taken out")
    markers: list[str] = Field(description="expressions of what stands where a text was")
    words: list[str] = Field(description="expressions of what stands for nothing, if alone")


@cache
def rules() -> CleaningFile:
    """The data file.

    Raises:
        ContentError: it is wrong.
    """
    content, problems = validate(read_yaml(FILE, ContentError), CleaningFile)
    if content is None:
        raise ContentError(problems)
    return content


def mended(text: str) -> str:
    """A text without what went wrong on its way: entities, tags, mojibake, hidden characters.

    Only elements of HTML are taken for tags, so `<3` and `<my brother>` stay.

    Args:
        text: as it came.

    Raises:
        MissingExtra: ftfy is not installed.
    """
    try:
        from ftfy import TextFixerConfig, fix_text
    except ImportError:
        raise MissingExtra("data clean", "data") from None
    text = _untagged(_unescaped(text))
    text = fix_text(text, TextFixerConfig(unescape_html=False, uncurl_quotes=False))
    text = _LINES.sub("\n", _SPACES.sub(" ", _HIDDEN.sub("", text)))
    return _EMPTY.sub("\n\n", text).strip()


def _unescaped(text: str) -> str:
    for _ in range(ESCAPED):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def _untagged(text: str) -> str:
    if "<" not in text:
        return text
    dropped, breaks, inline = _tags()
    return inline.sub("", breaks.sub("\n", dropped.sub(" ", text)))


@cache
def _tags() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    file = rules()
    end = r"(?:\s[^<>]{0,2000})?/?>"
    return (
        re.compile(
            rf"<({'|'.join(file.dropped)}){end}.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL
        ),
        re.compile(rf"</?(?:{'|'.join(file.breaks)}){end}", re.IGNORECASE),
        re.compile(rf"</?(?:{'|'.join(file.inline)}){end}", re.IGNORECASE),
    )
