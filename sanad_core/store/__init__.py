"""What a conversation store must do, and the values it takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sanad_core.notices import Notice
from sanad_core.types import Conversation, Exchange, Hold, Turn

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["HISTORY", "HeldConversation", "Loaded", "Record", "Store"]

HISTORY = 40  # turns loaded with a conversation, the person's and the bot's together


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a store gives when a message has been stored.

    Args:
        conversation: as it was before the message, its most recent turns only.
        answered: the exchange of a message with the same id that was answered before.
    """

    conversation: Conversation
    answered: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that one turn changes; a store writes all of it or nothing.

    Args:
        exchange: the record of the turn.
        turn: the bot's turn.
        conversation: before the bot's turn; its slots, disclosure time, locale and region count.
        hold: a hold that is new or renewed; None leaves what is stored, so that a turn under way
            never undoes an acknowledgement.
        notices: to be delivered; kept until they are.
    """

    exchange: Exchange
    turn: Turn
    conversation: Conversation
    hold: Hold | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldConversation:
    """A conversation in crisis mode."""

    conversation: str
    hold: Hold


@runtime_checkable
class Store(Protocol):
    """Keeps conversations. Methods raise StoreError; each may be `def` or `async def`.

    `sanad_core.testing.check_store` is the conformance test.
    """

    def open(self) -> None:
        """Make ready; called once before anything else."""
        ...

    def receive(self, conversation: str, turn: Turn, limit: int) -> Loaded:
        """Store the person's turn, once per message id, and load what was before it.

        Args:
            conversation: the conversation's id; a new one is made.
            turn: the person's turn.
            limit: how many earlier turns to load at most.
        """
        ...

    def commit(self, record: Record) -> None:
        """Store the answer, the hold and the notices in one step."""
        ...

    def holds(self) -> tuple[HeldConversation, ...]:
        """Conversations whose hold is not acknowledged; those that ran out may be among them."""
        ...

    def acknowledge(self, conversation: str, by: str, at: datetime) -> bool:
        """End a hold, and keep who ended it; False if there was none."""
        ...

    def notices(self) -> tuple[Notice, ...]:
        """Notices not yet delivered, oldest first."""
        ...

    def delivered(self, notice: str) -> None:
        """Forget a notice that was delivered."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
