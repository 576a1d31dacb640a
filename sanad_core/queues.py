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
        most: messages in work or waiting; one more is turned away at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def admitted(self, conversation: str) -> AsyncIterator[None]:
        """Wait for the conversation's earlier messages.

        Raises:
            Overloaded: too many messages wait already.
        """
        if self._inside >= self._most:
            raise Overloaded(f"{self._inside} messages are in work or waiting; send it again later")
        self._inside += 1
        lock, users = self._lines.get(conversation, (asyncio.Lock(), 0))
        self._lines[conversation] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            self._inside -= 1
            lock, users = self._lines.pop(conversation)
            if users > 1:
                self._lines[conversation] = (lock, users - 1)
