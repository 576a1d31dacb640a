"""Rows put aside on disk and had back in groups: joins of files that are larger than memory."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from sanad_core.errors import StoreError
from sanad_data.reading.files import TOO_LONG
from sanad_data.records import Place, Reject
from sanad_data.talks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.reading.tables import Row

__all__ = ["Kept", "Spool", "grouped", "scratch"]

_SCHEMA = """
CREATE TABLE groups (number INTEGER PRIMARY KEY, key TEXT UNIQUE);
CREATE TABLE rows (number INTEGER, file TEXT, line INTEGER, data TEXT);
"""
Kept: TypeAlias = "tuple[Place, Row]"


@contextmanager
def scratch(schema: str) -> Iterator[sqlite3.Connection]:
    """A database on disk, gone when it is closed.

    Args:
        schema: statements that make its tables.

    Raises:
        StoreError: the folder for temporary files has no room.
    """
    # One without a name lies in a file that the system takes away, even after kill -9.
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(schema)
        connection.execute("BEGIN")
        yield connection
    except sqlite3.Error as err:
        raise StoreError(
            f"rows cannot be put aside ({err}); name a folder with room in SQLITE_TMPDIR"
        ) from None
    finally:
        connection.close()


class Spool:
    """Rows under keys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, key: str, place: Place, row: Row) -> None:
        """Put a row aside under a key."""
        insert = self._connection.execute
        key = key.encode("utf-8", "replace").decode()
        insert("INSERT OR IGNORE INTO groups (key) VALUES (?)", (key,))
        insert(
            "INSERT INTO rows SELECT number, ?, ?, ? FROM groups WHERE key = ?",
            (place.file, place.line, json.dumps(row), key),
        )

    def groups(self) -> Iterator[list[Kept] | Reject]:
        """The rows of each key together, in the order that they came in, as did the keys.

        A group that is too long for a conversation comes as rejects of its rows.
        """
        found = self._connection.execute(
            "SELECT number, file, line, data FROM rows ORDER BY number, rowid"
        )
        for _, rows in itertools.groupby(found, key=lambda row: row[0]):
            kept: list[Kept] = []
            size = 0
            for _, file, line, data in rows:
                size += len(data)
                if size <= LONGEST:
                    kept.append((Place(file, line), json.loads(data)))
                    continue
                for place in (*(place for place, _ in kept), Place(file, line)):
                    yield Reject(place=place, reason=f"is of a conversation that {TOO_LONG}")
                kept.clear()
            if kept:
                yield kept


def grouped(rows: Iterator[tuple[Place, Row] | Reject], key: str) -> Iterator[list[Kept] | Reject]:
    """Rows that have the same value in a column, together; wrong rows come first.

    Args:
        rows: of one file, in any order.
        key: the column.
    """
    with scratch(_SCHEMA) as connection:
        kept = Spool(connection)
        for found in rows:
            if isinstance(found, Reject):
                yield found
            elif not found[1][key].strip():
                yield Reject(place=found[0], reason=f"has nothing in the column of the {key}")
            else:
                kept.add(found[1][key].strip(), *found)
        yield from kept.groups()
