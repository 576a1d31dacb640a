"""What a turn leaves behind: the record to store, the notices to send, the observers to tell."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from sanad_core.notices import Notice
from sanad_core.risk import Level
from sanad_core.steps import Runner
from sanad_core.store import Record
from sanad_core.types import Speaker, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sanad_core.specs import Context
    from sanad_core.types import Exchange, Slots
    from sanad_core.workers import Workers

__all__ = ["Observers", "notices_of", "record_of"]

OBSERVE_S = 10.0  # seconds that an observer may take; nobody waits for it
UNDER_WAY = 256  # observations that may wait; further ones are dropped


def record_of(
    exchange: Exchange,
    context: Context,
    *,
    slots: Slots = (),
    region: str | None = None,
    now: datetime,
    notices: tuple[Notice, ...] = (),
) -> Record:
    """Everything that a turn changes.

    Args:
        exchange: the turn.
        context: the conversation before it, and the language.
        slots: what the responder wants remembered; an empty value forgets the name.
        region: the country, where the caller gave one.
        now: when the reply is given.
        notices: to be stored with it.
    """
    before, reply, turn = context.conversation, exchange.reply, exchange.turn
    merged = {**dict(before.slots), **dict(slots)}
    hold = exchange.decision.hold
    return Record(
        exchange=exchange,
        turn=Turn(
            speaker=Speaker.BOT,
            text=reply.text,
            locale=context.locale,
            at=now,
            message_id=turn.message_id,
            scripts=reply.scripts,
        ),
        conversation=replace(
            before,
            slots=tuple(sorted((key, value) for key, value in merged.items() if value)),
            hold=hold,
            disclosed_at=now if reply.disclosed else before.disclosed_at,
            locale=context.locale,
            region=region or before.region,
        ),
        hold=hold if hold != before.hold else None,
        notices=notices,
    )


def notices_of(exchange: Exchange) -> Iterable[Notice]:
    """A notice for everybody whom the decision names, about the gravest risk of the turn."""
    decision, gravest = exchange.decision, exchange.assessment.risk
    known = gravest.level > Level.NONE
    for name, with_text in decision.notify:
        yield Notice(
            id=uuid.uuid4().hex,
            notifier=name,
            conversation=exchange.conversation,
            rule=decision.rule or "",
            level=gravest.level if known else decision.level,
            kind=gravest.kind if known else decision.kind,
            subject=gravest.subject if known else decision.subject,
            at=exchange.turn.at,
            text=exchange.turn.text if with_text else None,
        )


class Observers:
    """Tells observers of finished turns, in the background; one that hangs is left alone.

    Args:
        functions: the plugins' `sanad_exchange_done`.
        workers: threads to call them on.
    """

    def __init__(self, functions: Iterable[Callable[..., object]], workers: Workers) -> None:
        self._runners = [
            Runner(f"observer {number}", {"observe": function}, workers)
            for number, function in enumerate(functions, start=1)
        ]
        self._tasks: set[asyncio.Task[object]] = set()

    def tell(self, exchange: Exchange) -> None:
        """Start telling; returns at once and never raises."""
        for runner in self._runners:
            if runner.quarantined or len(self._tasks) >= UNDER_WAY:
                continue
            telling = runner.call("observe", exchange, timeout=OBSERVE_S, check=lambda _: None)
            task: asyncio.Task[object] = asyncio.get_running_loop().create_task(telling)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, wait: float = 1.0) -> None:
        """Give what is under way a moment."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=wait)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(runner.close() for runner in self._runners))
