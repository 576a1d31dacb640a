"""A form of files: how it is known, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sanad_data.reading.documents import elements
from sanad_data.reading.tables import missing, objects
from sanad_data.records import place_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sanad_data.reading.tables import Columns
    from sanad_data.records import Found, Place, Reject

__all__ = ["Form", "Input", "Kind", "alone", "has_columns", "values"]

Kind: TypeAlias = Literal[
    "table", "lines", "json", "text", "markdown", "subtitles", "docx", "pdf"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A file, and what its beginning tells.

    Args:
        path: as the user gave it.
        kind: how its bytes are to be read; `lines` are JSON objects, one a line.
        columns: the names of a table's columns, or the keys of its first object.
        first: its first object.
        text: its beginning, where it is text.
    """

    path: Path
    kind: Kind
    columns: tuple[str, ...] = ()
    first: dict[str, Any] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that files have.

    Args:
        name: for `--form`.
        title: what it is, for a list of forms.
        kinds: how its files are to be read.
        read: gives what is in files of this form, record by record.
        fits: whether a file is of this form, if `kinds` has its kind.
        source: the data set that files of this form are from; empty: any.
        needs: columns that it must have.
    """

    name: str
    title: str
    kinds: frozenset[Kind]
    read: Callable[[Sequence[Input]], Iterator[Found]]
    fits: Callable[[Input], bool]
    source: str = ""
    needs: Columns = field(default_factory=dict)


def alone(read: Callable[[Input], Iterator[Found]]) -> Callable[[Sequence[Input]], Iterator[Found]]:
    """A reader of many files of one that reads each by itself."""

    def each(files: Sequence[Input]) -> Iterator[Found]:
        for file in files:
            yield from read(file)

    return each


def values(file: Input, within: str = "") -> Iterator[tuple[Place, Any] | Reject]:
    """The JSON values of a file, each with its place.

    Args:
        file: of the kind `json` or `lines`.
        within: where it is `json`, the key of an array whose elements stand for their object.
    """
    if file.kind == "lines":
        yield from objects(file.path)
    else:
        for line, value in elements(file.path, within):
            yield place_in(file.path, line), value


def has_columns(needs: Columns) -> Callable[[Input], bool]:
    """Whether a file has all of these columns."""
    return lambda file: not missing(needs, file.columns)
