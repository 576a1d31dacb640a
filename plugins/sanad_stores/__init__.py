"""Conversation stores: in memory, and in a SQLite file."""

from sanad_core import hookimpl
from sanad_core.specs import StoreSpec

__all__ = ["sanad_stores"]


def _memory(_place: str) -> object:
    from sanad_stores.memory import MemoryStore

    return MemoryStore()


def _sqlite(place: str) -> object:
    from sanad_stores.sqlite import SqliteStore

    return SqliteStore(place)


@hookimpl
def sanad_stores() -> tuple[StoreSpec, ...]:
    """The two stores."""
    return (
        StoreSpec(
            name="memory",
            make=_memory,
            summary="in memory; gone when the process ends",
            inline=True,
        ),
        StoreSpec(name="sqlite", make=_sqlite, summary="one SQLite file, in WAL mode"),
    )
