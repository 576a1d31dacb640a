"""Text as it comes in: cleaned code points, durations, and the script it is written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta

__all__ = [
    "ALIKE",
    "Turned",
    "clean",
    "complete",
    "detect_script",
    "duration",
    "plain_letters",
    "sentences",
    "spoken",
]

# Cyrillic and Greek letters that look like Latin ones; a capital may look like another letter.
ALIKE = dict(zip("аеіорсухѕјԁɡһӏνοαρτκιυ", "aeiopcyxsjdghlvoaptkiu", strict=True))
ALIKE |= dict(zip("АВЕЅІЈКМНОРСТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abesijkmhopctxyabezhikmnoptyx", strict=True))

_UNSAFE = re.compile("[\ud800-\udfff\x00]")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)\Z")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


def clean(text: str) -> str:
    """Replace lone surrogates and NULs by U+FFFD, one for one, so that offsets stay true."""
    return _UNSAFE.sub("\ufffd", text)


class Turned(dict[int, str]):
    """A table for `str.translate`, filled as characters are met.

    Args:
        turn: what one character becomes: one character.
    """

    def __init__(self, turn: Callable[[str], str]) -> None:
        self._turn = turn

    def __missing__(self, code: int) -> str:
        turned = self._turn(chr(code))
        if len(self) < 4096:
            self[code] = turned
        return turned


def _plain(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) == 1 and plain.isascii():
        return plain
    return ALIKE.get(char) or ALIKE.get(char.lower(), char)


_PLAIN = Turned(_plain)


def plain_letters(text: str) -> str:
    """Full-width, styled and look-alike letters as Latin ones; the text stays as long as it was."""
    return text if text.isascii() else text.translate(_PLAIN)


# A sentence has ended where space follows its mark, and whatever closes with it.
_ENDED = re.compile(r"[.!?\u2026\u061f\u06d4]+[\"'\u2019\u201d)\]*]*(?=\s)|(?<=\S)(?=\s*\n)")


def complete(text: str, start: int = 0) -> int:
    """Where the last complete sentence of a growing text ends, its following space not counted.

    Args:
        text: as far as it has come.
        start: where earlier sentences ended.

    Returns:
        The end, or `start` where no further sentence is complete.
    """
    ends = [found.end() for found in _ENDED.finditer(text, start)]
    # What stands in braces is filled in as a whole.
    whole = (end for end in reversed(ends) if text.count("{{", 0, end) == text.count("}}", 0, end))
    return next(whole, start)


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a text stands, the space between them left out."""
    found = []
    start = 0
    for end in [*(found.end() for found in _ENDED.finditer(text)), len(text)]:
        body = text[start:end]
        if body.strip():
            found.append((start + len(body) - len(body.lstrip()), start + len(body.rstrip())))
        start = max(start, end)
    return found


def duration(text: str) -> timedelta:
    """Read a duration such as `500ms`, `2s`, `10m`, `24h` or `7d`.

    Raises:
        ValueError: it is not a number and a unit, or it is zero or longer than ten years.
    """
    found = _DURATION.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not a duration; write a number and ms, s, m, h or d: '24h'")
    seconds = float(found[1]) * _UNITS[found[2]]
    if not 0 < seconds <= 3650 * 86400:
        raise ValueError(f"'{text}' must be more than nothing and at most ten years")
    return timedelta(seconds=seconds)


def spoken(length: timedelta) -> str:
    """A duration as it is written in a policy: `24h`, `90s`, `500ms`."""
    milliseconds = round(length.total_seconds() * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0 and (unit != "d" or milliseconds > 2 * size):
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def detect_script(text: str) -> str | None:
    """`arabic` or `latin`, whichever has more letters in the first 2,000 characters; else None."""
    head = unicodedata.normalize("NFKC", text[:2000])
    arabic, latin = len(_ARABIC.findall(head)), len(_LATIN.findall(head))
    if arabic == latin == 0:
        return None
    return "arabic" if arabic >= latin else "latin"
