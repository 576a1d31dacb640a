"""Rows with named columns: of CSV and its like, or a JSON object a line."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from sanad_core.problems import one_of
from sanad_data.reading.files import NOT_UTF8, is_text, refuse, text_lines
from sanad_data.records import Reject, place_in
from sanad_data.talks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sanad_data.reading.files import TextLine
    from sanad_data.records import Place

__all__ = ["Columns", "Row", "fold", "header", "missing", "objects", "rows", "showable"]

Row: TypeAlias = dict[str, str]
# What a form calls a column, and how files spell it; case, spaces and `_` make no difference.
Columns: TypeAlias = "Mapping[str, Sequence[str]]"

OPEN_QUOTE = "is not CSV: a quote is out of place here, or left open in a line before"
MOST_SHOWN = 12  # columns of a file that a message names
_NAME = re.compile(r"[\w .#-]{1,30}")  # what looks like a column's name, and like nobody's words
_DELIMITERS = (",", ";", "\t")


def fold(name: str) -> str:
    """A column's name without what spellings differ in."""
    return re.sub(r"[\W_]+", "", name).lower()


def missing(needs: Columns, found: Sequence[str]) -> list[str]:
    """The columns of a form that are not among a file's."""
    there = {fold(name) for name in found}
    return [names[0] for names in needs.values() if there.isdisjoint(map(fold, names))]


def showable(found: Sequence[str]) -> str:
    """A file's columns for a message; nothing where its first line looks like somebody's words."""
    if not found or not all(_NAME.fullmatch(name) for name in found):
        return ""
    rest = "" if len(found) <= MOST_SHOWN else " …"
    return f"; it has {', '.join(found[:MOST_SHOWN])}{rest}"


def header(path: Path) -> tuple[str, ...]:
    """The columns of a file.

    Raises:
        ContentError: it has no first line, or it is not text.
    """
    return tuple(_Reader(path).names)


def rows(
    path: Path,
    needs: Columns,
    takes: Columns | None = None,
    *,
    as_json: bool = False,
    quotes: bool = True,
) -> Iterator[tuple[Place, Row] | Reject]:
    """The rows of a file, each with its place; a column that it lacks is empty in all of them.

    Args:
        path: the file.
        needs: columns that it must have.
        takes: columns that it may have.
        as_json: whether a line is a JSON object.
        quotes: whether quotes enclose fields; where not, they are part of the text.

    Raises:
        ContentError: a column is missing.
    """
    wanted = {**needs, **(takes or {})}
    if as_json:
        yield from _json_rows(path, needs, wanted)
        return
    reader = _Reader(path, quotes=quotes)
    lacking = missing(needs, reader.names)
    if lacking:
        named = f"the column{'s' if len(lacking) > 1 else ''} {one_of(lacking)}"
        refuse(path, f"lacks {named.replace(' or ', ' and ')}{showable(reader.names)}", line=1)
    indices = {key: reader.index(names) for key, names in wanted.items()}
    for found in reader:
        if isinstance(found, Reject):
            yield found
        else:
            place, fields = found
            yield place, {key: "" if at is None else fields[at] for key, at in indices.items()}


def objects(path: Path) -> Iterator[tuple[Place, dict[str, Any]] | Reject]:
    """The JSON objects of a file, one a line, each with its place."""
    for line in text_lines(path):
        place = place_in(path, line.number)
        if not line.problem and not line.text.strip():
            continue
        found = line.problem or _object(line.text)
        yield Reject(place=place, reason=found) if isinstance(found, str) else (place, found)


def _object(text: str) -> dict[str, Any] | str:
    """The object that a line is, or what is wrong with it."""
    if not is_text(text):
        return NOT_UTF8
    try:
        found = json.loads(text)
    except RecursionError:
        return "is nested too deep"
    except ValueError:
        return "is not JSON"
    return found if isinstance(found, dict) else "is not a JSON object"


def _json_rows(path: Path, needs: Columns, wanted: Columns) -> Iterator[tuple[Place, Row] | Reject]:
    for found in objects(path):
        if isinstance(found, Reject):
            yield found
            continue
        place, data = found
        lacking = missing(needs, list(data))
        if lacking:
            yield Reject(place=place, reason=f"lacks the key '{lacking[0]}'")
            continue
        folded = {fold(key): value for key, value in data.items()}
        yield place, {key: _first(folded, names) for key, names in wanted.items()}


def _first(data: dict[str, Any], names: Sequence[str]) -> str:
    """The value under the first of the names that is there, as text."""
    for name in map(fold, names):
        value = data.get(name)
        if value is not None:
            return value if isinstance(value, str) else json.dumps(value)
    return ""


class _Reader:
    """A CSV file row by row; it goes on after a row that is broken."""

    def __init__(self, path: Path, *, quotes: bool = True) -> None:
        csv.field_size_limit(LONGEST)
        self._path = path
        self._quotes = quotes
        self._lines = _Lines(text_lines(path))
        try:
            first = next((line for line in self._lines if line.strip()), "")
        except _Bad as err:
            refuse(path, f"{err}, which is no line of column names", line=1)
        if not is_text(first):
            refuse(path, f"{NOT_UTF8}; save it as UTF-8", line=1)
        delimiter = max(_DELIMITERS, key=first.count)
        self.names = next(csv.reader([first], delimiter=delimiter), [])
        self._rows = csv.reader(
            self._lines,
            delimiter=delimiter,
            quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
            strict=quotes,
        )

    def index(self, names: Sequence[str]) -> int | None:
        """Where the first of the names stands among the columns."""
        folded = [fold(name) for name in self.names]
        return next((folded.index(name) for name in map(fold, names) if name in folded), None)

    def __iter__(self) -> Iterator[tuple[Place, list[str]] | Reject]:
        while True:
            begin = self._lines.number + 1
            try:
                fields = next(self._rows)
            except StopIteration:
                return
            except _Bad as err:
                yield from self._lost(begin, str(err))
                continue
            except csv.Error:
                yield from self._lost(begin, OPEN_QUOTE)
                continue
            if any(field.strip() for field in fields):
                place, problem = place_in(self._path, begin), self._problem(fields)
                yield Reject(place=place, reason=problem) if problem else (place, fields)

    def _lost(self, begin: int, reason: str) -> Iterator[Reject]:
        """Every line that a broken row took with it: a quote may have swallowed many rows."""
        for number in range(begin, self._lines.number + 1):
            yield Reject(place=place_in(self._path, number), reason=reason)

    def _problem(self, fields: list[str]) -> str:
        if not all(map(is_text, fields)):
            return f"{NOT_UTF8}; save the file as UTF-8"
        count = len(self.names)
        if len(fields) < count or (len(fields) > count and self._quotes):
            return "has another number of fields than the header"
        return ""


class _Bad(Exception):
    """A line that no row can be made of."""


class _Lines:
    """Lines for the CSV reader; the next one can be had after one that was bad."""

    def __init__(self, found: Iterator[TextLine]) -> None:
        self.number = 0
        self._found = found

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._found)
        self.number = line.number
        if line.problem:
            raise _Bad(line.problem)
        return line.text
