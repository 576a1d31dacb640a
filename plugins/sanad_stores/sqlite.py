"""The store in a SQLite file: write-ahead log, versioned schema, bounded loads."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.codec import dumps, loads
from sanad_core.errors import StoreError
from sanad_core.notices import Notice
from sanad_core.store import HeldConversation, Loaded
from sanad_core.types import Conversation, Exchange, Hold, Speaker, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.store import Record

__all__ = ["MIGRATIONS", "SqliteStore"]

# Each entry takes the schema from its index to the next version; never change one, add one.
MIGRATIONS = (
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY, slots TEXT NOT NULL DEFAULT '[]', disclosed_at TEXT,
        locale TEXT, region TEXT
    ) WITHOUT ROWID;
    CREATE TABLE turns (
        conversation TEXT NOT NULL, seq INTEGER NOT NULL, message_id TEXT NOT NULL,
        speaker TEXT NOT NULL, text TEXT NOT NULL, locale TEXT NOT NULL, at TEXT NOT NULL,
        scripts TEXT NOT NULL DEFAULT '[]', exchange TEXT,
        PRIMARY KEY (conversation, seq), UNIQUE (conversation, message_id, speaker)
    ) WITHOUT ROWID;
    CREATE TABLE holds (
        id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, hold TEXT NOT NULL,
        ended_at TEXT, ended_by TEXT
    );
    CREATE UNIQUE INDEX open_holds ON holds (conversation) WHERE ended_at IS NULL;
    """,
    """
    CREATE TABLE notices (id TEXT PRIMARY KEY, notice TEXT NOT NULL);
    """,
)
BUSY_S = 1.5  # how long a write waits for another process
_TURN = "speaker, text, locale, at, message_id, scripts"


class SqliteStore:
    """Keeps conversations in a file; several processes may use it, one conversation in one of them.

    Args:
        place: the file's path; it is made where it does not exist.
    """

    def __init__(self, place: str) -> None:
        self._path = Path(place) if place else None
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the file and bring its schema up to date.

        Raises:
            StoreError: it cannot be opened or written, is no database, or is of a newer version.
        """
        if self._path is None:
            raise StoreError("a sqlite store needs a path: sqlite:conversations.db")
        if str(self._path).startswith(":"):
            raise StoreError("a sqlite store needs a file; for one in memory write memory:")
        try:
            self._path = self._path.expanduser()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, RuntimeError, ValueError, sqlite3.Error) as err:
            raise self._error(err) from None
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            self._migrate(connection)
        except sqlite3.Error as err:
            connection.close()
            raise self._error(err) from None
        except StoreError:
            connection.close()
            raise
        self._connection = connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"{self._path} was written by a newer Sanad (schema {version}, this one knows "
                    f"{len(MIGRATIONS)}): upgrade sanad-core, or name another file"
                )
            for script in MIGRATIONS[version:]:
                for statement in script.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _error(self, err: Exception) -> StoreError:
        said = getattr(err, "strerror", None) or str(err)
        return StoreError(f"the store '{self._path}' cannot be used: {said}")

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A write transaction; a durable one waits for the disk, to survive a power cut too."""
        with self._lock:
            connection = self._connection
            if connection is None:
                raise StoreError("the store is closed")
            try:
                connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as err:
                raise self._error(err) from None
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def receive(self, conversation: str, turn: Turn, limit: int) -> Loaded:
        """Store the person's turn; see `sanad_core.store.Store`."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO conversations (id) VALUES (?)", (conversation,))
            answered = self._answered(db, conversation, turn.message_id)
            loaded = Loaded(
                conversation=self._load(db, conversation, limit, turn.message_id),
                answered=answered,
            )
            if answered is None:
                self._add(db, conversation, turn, None)
            return loaded

    def _answered(self, db: sqlite3.Connection, name: str, message_id: str) -> Exchange | None:
        row = db.execute(
            "SELECT exchange FROM turns WHERE conversation = ? AND message_id = ? AND speaker = ?",
            (name, message_id, Speaker.BOT),
        ).fetchone()
        return loads(Exchange, row[0]) if row else None

    def _load(self, db: sqlite3.Connection, name: str, limit: int, without: str) -> Conversation:
        slots, disclosed_at, locale, region = db.execute(
            "SELECT slots, disclosed_at, locale, region FROM conversations WHERE id = ?", (name,)
        ).fetchone()
        rows = db.execute(
            f"SELECT {_TURN} FROM turns WHERE conversation = ? AND message_id != ? "
            "ORDER BY seq DESC LIMIT ?",
            (name, without, limit),
        ).fetchall()
        hold = db.execute(
            "SELECT hold FROM holds WHERE conversation = ? AND ended_at IS NULL", (name,)
        ).fetchone()
        return Conversation(
            id=name,
            turns=tuple(_turn(row) for row in reversed(rows)),
            slots=tuple((key, value) for key, value in json.loads(slots)),
            hold=loads(Hold, hold[0]) if hold else None,
            disclosed_at=datetime.fromisoformat(disclosed_at) if disclosed_at else None,
            locale=locale,
            region=region,
        )

    def _add(
        self, db: sqlite3.Connection, name: str, turn: Turn, exchange: Exchange | None
    ) -> None:
        db.execute(
            "INSERT OR IGNORE INTO turns (conversation, seq, message_id, speaker, text, locale, "
            "at, scripts, exchange) VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM turns "
            "WHERE conversation = ?), ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                name,
                turn.message_id,
                turn.speaker,
                turn.text,
                turn.locale,
                turn.at.isoformat(),
                json.dumps(turn.scripts),
                dumps(exchange) if exchange is not None else None,
            ),
        )

    def commit(self, record: Record) -> None:
        """Store the answer; see `sanad_core.store.Store`."""
        after = record.conversation
        disclosed_at = after.disclosed_at.isoformat() if after.disclosed_at else None
        with self._transaction(durable=record.hold is not None) as db:
            if self._answered(db, after.id, record.turn.message_id) is not None:
                return
            self._add(db, after.id, record.turn, record.exchange)
            db.execute(
                "INSERT OR REPLACE INTO conversations (id, slots, disclosed_at, locale, region) "
                "VALUES (?, ?, ?, ?, ?)",
                (after.id, json.dumps(after.slots), disclosed_at, after.locale, after.region),
            )
            if record.hold is not None:
                self._hold(db, after.id, record.hold)
            for notice in record.notices:
                db.execute(
                    "INSERT OR IGNORE INTO notices (id, notice) VALUES (?, ?)",
                    (notice.id, dumps(notice)),
                )

    def _hold(self, db: sqlite3.Connection, name: str, hold: Hold) -> None:
        text = dumps(hold)
        found = db.execute(
            "UPDATE holds SET hold = ? WHERE conversation = ? AND ended_at IS NULL", (text, name)
        )
        if found.rowcount == 0:
            db.execute("INSERT INTO holds (conversation, hold) VALUES (?, ?)", (name, text))

    def holds(self) -> tuple[HeldConversation, ...]:
        """Conversations whose hold is not acknowledged."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT conversation, hold FROM holds WHERE ended_at IS NULL ORDER BY id"
            ).fetchall()
        return tuple(
            HeldConversation(conversation=name, hold=loads(Hold, text)) for name, text in rows
        )

    def acknowledge(self, conversation: str, by: str, at: datetime) -> bool:
        """End a hold, and keep who ended it."""
        with self._transaction() as db:
            found = db.execute(
                "UPDATE holds SET ended_at = ?, ended_by = ? "
                "WHERE conversation = ? AND ended_at IS NULL",
                (at.isoformat(), by, conversation),
            )
        return found.rowcount > 0

    def notices(self) -> tuple[Notice, ...]:
        """Notices not yet delivered."""
        with self._transaction() as db:
            rows = db.execute("SELECT notice FROM notices ORDER BY rowid").fetchall()
        return tuple(loads(Notice, row[0]) for row in rows)

    def delivered(self, notice: str) -> None:
        """Forget a notice."""
        with self._transaction() as db:
            db.execute("DELETE FROM notices WHERE id = ?", (notice,))


def _turn(row: tuple[Any, ...]) -> Turn:
    speaker, text, locale, at, message_id, scripts = row
    return Turn(
        speaker=Speaker(speaker),
        text=text,
        locale=locale,
        at=datetime.fromisoformat(at),
        message_id=message_id,
        scripts=tuple(json.loads(scripts)),
    )
