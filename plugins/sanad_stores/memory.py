"""The store in memory: for trying things out, and for tests."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sanad_core.store import HeldConversation, Loaded
from sanad_core.types import Conversation

if TYPE_CHECKING:
    from datetime import datetime

    from sanad_core.notices import Notice
    from sanad_core.store import Record
    from sanad_core.types import Exchange, Turn

__all__ = ["MemoryStore"]

KEPT = 1000  # turns kept of one conversation


@dataclass(slots=True)
class _Kept:
    conversation: Conversation
    turns: deque[Turn] = field(default_factory=lambda: deque(maxlen=KEPT))
    received: set[str] = field(default_factory=set)
    answers: dict[str, Exchange] = field(default_factory=dict)


class MemoryStore:
    """Keeps everything in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._notices: dict[str, Notice] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Nothing to make ready."""

    def close(self) -> None:
        """Nothing to let go of."""

    def receive(self, conversation: str, turn: Turn, limit: int) -> Loaded:
        """Store the person's turn; see `sanad_core.store.Store`."""
        with self._lock:
            kept = self._kept.setdefault(conversation, _Kept(Conversation(id=conversation)))
            again = turn.message_id in kept.received
            before = [t for t in kept.turns if t.message_id != turn.message_id]
            if not again:
                kept.received.add(turn.message_id)
                kept.turns.append(turn)
            return Loaded(
                conversation=replace(kept.conversation, turns=tuple(before[-limit:])),
                answered=kept.answers.get(turn.message_id),
            )

    def commit(self, record: Record) -> None:
        """Store the answer; see `sanad_core.store.Store`."""
        with self._lock:
            kept = self._kept.setdefault(
                record.conversation.id, _Kept(Conversation(id=record.conversation.id))
            )
            if record.turn.message_id in kept.answers:
                return
            kept.turns.append(record.turn)
            kept.answers[record.turn.message_id] = record.exchange
            hold = record.hold or kept.conversation.hold
            kept.conversation = replace(record.conversation, turns=(), hold=hold)
            self._notices |= {notice.id: notice for notice in record.notices}

    def holds(self) -> tuple[HeldConversation, ...]:
        """Conversations whose hold is not acknowledged."""
        with self._lock:
            return tuple(
                HeldConversation(conversation=name, hold=kept.conversation.hold)
                for name, kept in self._kept.items()
                if kept.conversation.hold is not None
            )

    def acknowledge(self, conversation: str, by: str, at: datetime) -> bool:
        """End a hold; who ended it is not kept here, since nothing is."""
        with self._lock:
            kept = self._kept.get(conversation)
            if kept is None or kept.conversation.hold is None:
                return False
            kept.conversation = replace(kept.conversation, hold=None)
            return True

    def notices(self) -> tuple[Notice, ...]:
        """Notices not yet delivered."""
        with self._lock:
            return tuple(self._notices.values())

    def delivered(self, notice: str) -> None:
        """Forget a notice."""
        with self._lock:
            self._notices.pop(notice, None)
