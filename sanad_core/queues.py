"""Admission: messages of one conversation in order, of different ones side by side, all bounded."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sanad_core.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Admission"]


class Admission:
    """Lets messages in.

    Args:
        at_once: turns worked on at the same time.
        waiting: messages that may wait for that; one more is turned away at once.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._most = at_once + waiting
        self._inside = 0
        self._room = asyncio.Semaphore(at_once)
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def admitted(self, conversation: str) -> AsyncIterator[None]:
        """Wait for the conversation's earlier messages, then for room.

        Raises:
            Overloaded: too many messages wait already.
        """
        if self._inside >= self._most:
            raise Overloaded(f"{self._inside} messages are in work or waiting; send it again later")
        self._inside += 1
        lock, users = self._lines.get(conversation, (asyncio.Lock(), 0))
        self._lines[conversation] = (lock, users + 1)
        try:
            # The conversation's own line comes first, so that a waiting message takes no room.
            async with lock, self._room:
                yield
        finally:
            self._inside -= 1
            lock, users = self._lines.pop(conversation)
            if users > 1:
                self._lines[conversation] = (lock, users - 1)
