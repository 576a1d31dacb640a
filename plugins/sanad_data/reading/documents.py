"""JSON of any size, element by element, each with its line: no more than one is in memory."""

from __future__ import annotations

import codecs
import itertools
import json
from typing import TYPE_CHECKING, Any

from sanad_data.reading.files import TOO_LONG, refuse, unpacked
from sanad_data.talks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO, NoReturn

__all__ = ["elements", "outline"]

CHUNK = 64 * 1024
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def elements(path: Path, within: str = "") -> Iterator[tuple[int, Any]]:
    """The elements of a JSON file, each with its line.

    Args:
        path: an array, or values one after another.
        within: where a value is an object, the elements of the array under this key stand for it.

    Raises:
        ContentError: it is not JSON; what stands before that has been given.
    """
    with unpacked(path) as file:
        window = _Window(file, path)
        while mark := window.next():
            if mark == "[":
                yield from window.array()
            elif mark == "{" and within:
                yield from window.member(within)
            else:
                yield window.line, window.value()


def outline(path: Path) -> dict[str, Any]:
    """What the first object of a file looks like, up to the first element of its first list.

    Raises:
        ContentError: it is not JSON.
    """
    with unpacked(path) as file:
        window = _Window(file, path)
        if window.next() == "{":
            return window.beginning()
        found = next(window.array(), (0, None))[1]
    return found if isinstance(found, dict) else {}


class _Window:
    """The part of a file that is in memory, and the place in it."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.line = 1
        self._file = file
        self._path = path
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0
        self._before = 0  # characters of the current line that are no longer in memory
        self._ended = False

    def next(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            end = self._at
            while end < len(self._text) and self._text[end] in _SPACE:
                end += 1
            self._move(end)
            if end < len(self._text):
                return self._text[end]
            if self._ended:
                return ""
            self._more(CHUNK)

    def value(self) -> Any:
        """The value that stands here."""
        while True:
            said, at = "", self._at
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as err:
                said, at = err.msg, err.pos
            except RecursionError:
                self._refuse("is nested too deep", self._at)
            except ValueError:  # a number of thousands of digits
                self._refuse("holds a number that is too long", self._at)
            if not said and (self._ended or end < len(self._text)):
                self._move(end)
                return found
            if said and self._ended:
                self._refuse(f"is not JSON: {said[:1].lower()}{said[1:]}", at)
            if len(self._text) - self._at > LONGEST:
                self._refuse(f"is not JSON, or one value of it {TOO_LONG}", self._at)
            # Each time twice as much, so that a long value is not begun anew too often.
            self._more(max(CHUNK, len(self._text) - self._at))

    def array(self) -> Iterator[tuple[int, Any]]:
        """The elements of the array that stands here."""
        self._take("[")
        if self.next() == "]":
            self._take("]")
            return
        mark = ","
        while mark == ",":
            self.next()
            yield self.line, self.value()
            mark = self._take(",]")

    def member(self, name: str) -> Iterator[tuple[int, Any]]:
        """The elements of one array of the object that stands here; the rest is passed over."""
        for key in self._keys():
            if key == name and self.next() == "[":
                yield from self.array()
            else:
                self.value()

    def beginning(self) -> dict[str, Any]:
        """The object that stands here, up to the first element of its first list."""
        found: dict[str, Any] = {}
        for key in self._keys():
            if self.next() == "[":
                found[key] = [value for _, value in itertools.islice(self.array(), 1)]
                return found
            found[key] = self.value()
        return found

    def _keys(self) -> Iterator[str]:
        self._take("{")
        if self.next() == "}":
            self._take("}")
            return
        mark = ","
        while mark == ",":
            if self.next() != '"':
                self._refuse("is not JSON: a key in quotes is expected", self._at)
            key: str = self.value()
            self._take(":")
            self.next()
            yield key
            mark = self._take(",}")

    def _take(self, marks: str) -> str:
        mark = self.next()
        if not mark or mark not in marks:
            wanted = " or ".join(f"'{wanted}'" for wanted in marks)
            self._refuse(f"is not JSON: {wanted} is expected", self._at)
        self._move(self._at + 1)
        return mark

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self, size: int) -> None:
        raw = self._file.read(size)
        self._ended = not raw
        begin = self._text.rfind("\n", 0, self._at) + 1
        self._before = self._at - begin + (0 if begin else self._before)
        try:
            self._text = self._text[self._at :] + self._decode(raw, self._ended)
        except UnicodeDecodeError as err:
            line = self.line + self._text.count("\n", self._at) + raw.count(b"\n", 0, err.start)
            refuse(self._path, "is not UTF-8; save it as UTF-8", line=line)
        self._at = 0

    def _refuse(self, message: str, at: int) -> NoReturn:
        begin = self._text.rfind("\n", 0, at) + 1
        line = self.line + self._text.count("\n", self._at, at)
        column = at - begin + 1 + (0 if begin else self._before)
        refuse(self._path, f"{message}; mend it there", line=line, column=column)
