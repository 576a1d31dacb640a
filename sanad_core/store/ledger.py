"""The engine's way to the store: what it cannot write is held in memory, and written later.

A store that is down must not cost a person their answer. While it is, conversations live in
memory, their writes wait in order, and every attempt that fails is logged as an error.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sanad_core.errors import StoreError
from sanad_core.steps import Malformed
from sanad_core.store import HISTORY, Loaded
from sanad_core.types import (
    Assessment,
    Conversation,
    Exchange,
    Failure,
    FailureCause,
    Hold,
    Turn,
)

if TYPE_CHECKING:
    from sanad_core.notices import Notice
    from sanad_core.steps import Outcome, Runner
    from sanad_core.store import Record

__all__ = ["Ledger"]

log = logging.getLogger("sanad")

WRITE_S = 2.0  # seconds that one store call may take
REMEMBERED = 1000  # conversations kept in memory for the case that the store goes down
ANSWERS = 8  # answers remembered per conversation, for repeated message ids
BACKLOG = 100_000  # writes that may wait


@dataclass(slots=True)
class _Memory:
    """What is remembered of one conversation."""

    conversation: Conversation
    answers: OrderedDict[str, Exchange] = field(default_factory=OrderedDict)


class Ledger:
    """Writes turns to a store, and carries on without it.

    Args:
        runner: runs the store's methods under a deadline.
        history: how many turns are loaded with a conversation.
    """

    def __init__(self, runner: Runner, history: int = HISTORY) -> None:
        self._runner = runner
        self._history = history
        self._memory: OrderedDict[str, _Memory] = OrderedDict()
        self._holds: dict[str, Hold] = {}
        self._backlog: deque[tuple[str, tuple[Any, ...]]] = deque()
        self._flushing: asyncio.Task[None] | None = None

    async def open(self) -> tuple[Notice, ...]:
        """Open the store, learn which conversations are held, and give undelivered notices."""
        await self._once("open")
        now = datetime.now(UTC)
        for held in await self._once("holds"):
            if held.hold.active(now):
                self._holds[held.conversation] = held.hold
        return tuple(await self._once("notices"))

    async def _once(self, method: str) -> Any:
        check = _checked_rows if method != "open" else lambda x: x
        outcome = await self._runner.call(method, timeout=30.0, check=check)
        if outcome.cause is not None:
            raise StoreError(f"the store cannot be used: {outcome.detail}")
        return outcome.value

    async def receive(self, conversation: str, turn: Turn) -> tuple[Loaded, tuple[Failure, ...]]:
        """Store the person's turn and load the conversation; it always gives one."""
        failure = _down()
        if not self._backlog:
            outcome = await self._call("receive", conversation, turn, self._history)
            if isinstance(outcome.value, Loaded):
                return self._loaded(outcome.value), ()
            failure = outcome.failure("store")
            if _about_data(outcome):
                # This conversation cannot be read, so whether it is held is not known.
                return self._remembered(conversation, turn), (replace(failure, required=True),)
        self._wait("receive", conversation, turn, self._history)
        return self._remembered(conversation, turn), (failure,)

    def _loaded(self, loaded: Loaded) -> Loaded:
        """Take what the store says, and remember it; a hold may have been acknowledged there."""
        known = loaded.conversation
        if known.hold is None:
            self._holds.pop(known.id, None)
        self._remember(known, None)
        return loaded

    def _remembered(self, conversation: str, turn: Turn) -> Loaded:
        memory = self._memory.get(conversation)
        known = memory.conversation if memory is not None else Conversation(id=conversation)
        if known.hold is None and conversation in self._holds:
            known = replace(known, hold=self._holds[conversation])
        answers = memory.answers if memory is not None else {}
        self._remember(known.with_turn(turn), None)
        return Loaded(conversation=known, answered=answers.get(turn.message_id))

    async def commit(self, record: Record) -> tuple[Failure, ...]:
        """Store the answer; in memory at least, before it leaves."""
        self._remember(
            record.conversation.with_turn(record.exchange.turn).with_turn(record.turn),
            record.exchange,
        )
        if record.hold is not None:
            self._holds[record.conversation.id] = record.hold
        if self._backlog:
            self._wait("commit", record)
            return (_down(),)
        outcome = await self._call("commit", record)
        if outcome.cause is None:
            return ()
        if not _about_data(outcome):
            self._wait("commit", record)
        elif (await self._call("commit", _reduced(record))).cause is not None:
            log.error("a turn cannot be stored; it is set aside")
        return (outcome.failure("store"),)

    def _remember(self, conversation: Conversation, exchange: Exchange | None) -> None:
        memory = self._memory.setdefault(conversation.id, _Memory(conversation))
        memory.conversation = replace(conversation, turns=conversation.turns[-self._history :])
        if exchange is not None:
            memory.answers[exchange.turn.message_id] = exchange
            while len(memory.answers) > ANSWERS:
                memory.answers.popitem(last=False)
        self._memory.move_to_end(conversation.id)
        if len(self._memory) > REMEMBERED and not self._backlog:
            self._memory.popitem(last=False)

    async def _call(self, method: str, *args: Any) -> Outcome[Any]:
        check = _checked_loaded if method == "receive" else lambda x: x
        outcome = await self._runner.call(method, *args, timeout=WRITE_S, check=check)
        if outcome.cause is not None:
            log.error("the store failed at '%s' (%s)", method, outcome.cause)
        return outcome

    def _wait(self, method: str, *args: Any) -> None:
        """Put a write off, and see to it that it is tried again."""
        if len(self._backlog) >= BACKLOG:
            log.error("the store is down and %d writes wait: the oldest is lost", BACKLOG)
            self._backlog.popleft()
        self._backlog.append((method, args))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        """Write what waits, in order, until nothing does."""
        from tenacity import AsyncRetrying, retry_if_result, wait_random_exponential

        retrying = AsyncRetrying(
            wait=wait_random_exponential(multiplier=0.1, max=10),
            retry=retry_if_result(lambda written: not written),
        )
        while self._backlog:
            await retrying(self._write_first)
        log.warning("the store is back; everything that waited is written")

    async def _write_first(self) -> bool:
        if not self._backlog:
            return True
        first = self._backlog[0]
        method, args = first
        outcome = await self._call(method, *args)
        if _about_data(outcome) and method == "commit":
            outcome = await self._call(method, _reduced(args[0]))
        # What can never be written must not hold up everything behind it.
        done = outcome.cause is None or _about_data(outcome)
        if outcome.cause is not None and done:
            log.error("a waiting turn cannot be stored; it is set aside")
        if done and self._backlog and self._backlog[0] is first:
            self._backlog.popleft()
        return done

    async def delivered(self, notice: str) -> None:
        """Forget a notice; if the store is down it will be sent again, which does no harm."""
        await self._call("delivered", notice)

    async def close(self, wait: float = 2.0) -> None:
        """Give waiting writes a moment, say how many are lost, and close the store."""
        if self._flushing is not None and not self._flushing.done():
            await asyncio.wait({self._flushing}, timeout=wait)
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        if self._backlog:
            log.error("the store never came back: %d writes are lost", len(self._backlog))
        await self._runner.close()


def _about_data(outcome: Outcome[Any]) -> bool:
    """Whether a write failed for what it holds, not because the store is away."""
    if outcome.cause is FailureCause.MALFORMED:
        return True
    return isinstance(outcome.error, ValueError | TypeError | KeyError | AttributeError)


def _reduced(record: Record) -> Record:
    """The record without what components said: the words, the hold and the decision are kept."""
    exchange = record.exchange
    return replace(
        record,
        exchange=replace(
            exchange,
            assessment=Assessment(),
            failures=(),
            reply=replace(exchange.reply, blocked=(), scripts=()),
        ),
        turn=replace(record.turn, scripts=()),
        conversation=replace(record.conversation, slots=()),
    )


def _checked_rows(rows: Any) -> Any:
    if not isinstance(rows, list | tuple):
        raise Malformed(f"gave {type(rows).__name__}, not a list")
    return rows


def _checked_loaded(loaded: Any) -> Loaded:
    """What a store gave for a message, checked as any component's result is."""
    known = loaded.conversation if isinstance(loaded, Loaded) else None
    if not isinstance(loaded, Loaded) or not isinstance(known, Conversation):
        raise Malformed(f"gave {type(loaded).__name__}, not a loaded conversation")
    turns, hold = known.turns, known.hold
    if not isinstance(turns, tuple) or not all(isinstance(turn, Turn) for turn in turns):
        raise Malformed("gave turns that are not a tuple of turns")
    if hold is not None and not (
        isinstance(hold, Hold)
        and hold.since.tzinfo is not None
        and (hold.until is None or hold.until.tzinfo is not None)
    ):
        raise Malformed("gave a hold that is none, or without a time zone")
    if loaded.answered is not None and not isinstance(loaded.answered, Exchange):
        raise Malformed("gave an answer that is no exchange")
    if not all(
        isinstance(pair, tuple) and [type(part) for part in pair] == [str, str]
        for pair in known.slots
    ):
        raise Malformed("gave slots that are not pairs of texts")
    return loaded


def _down() -> Failure:
    return Failure(step="store", cause=FailureCause.QUARANTINED, detail="writes wait in memory")
