"""Notices to people on call: stored with the hold, sent in the background, tried again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sanad_core.risk import Level, RiskKind, Subject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sanad_core.steps import Runner

__all__ = ["Dispatch", "Notice"]

log = logging.getLogger("sanad")

TRY_S = 10.0  # seconds that one delivery may take
GIVE_UP_S = 6 * 3600.0  # a stored notice is tried again at the next start


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A rule fired, and somebody is to know.

    Args:
        id: unique; the same notice tried again has the same id.
        notifier: the notifier's name in sanad.yml.
        conversation: the conversation's id.
        rule: the rule that fired.
        level: how severe.
        kind: what the danger is.
        subject: who is in danger.
        at: when.
        text: the person's message, only where the policy says `include: [text]`.
    """

    id: str
    notifier: str
    conversation: str
    rule: str
    level: Level
    kind: RiskKind | None
    subject: Subject | None
    at: datetime
    text: str | None = None


class Dispatch:
    """Sends notices without keeping the reply waiting.

    Args:
        notifiers: by name.
        delivered: called with a notice's id once it was taken.
    """

    def __init__(
        self, notifiers: Mapping[str, Runner], delivered: Callable[[str], Awaitable[None]]
    ) -> None:
        self._notifiers = notifiers
        self._delivered = delivered
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, notice: Notice) -> None:
        """Start sending; returns at once."""
        task = asyncio.get_running_loop().create_task(self._send(notice))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, wait: float = 2.0) -> None:
        """Give what is under way a moment, then stop; what is stored is sent at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=wait)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, notice: Notice) -> None:
        runner = self._notifiers.get(notice.notifier)
        if runner is None:
            log.error("no notifier is named '%s': a notice was not sent", notice.notifier)
            return
        if await self._tried(runner, notice) or await self._retried(runner, notice):
            await self._delivered(notice.id)
        else:
            log.error("notifier '%s' took no notice for hours; it is kept", notice.notifier)

    async def _tried(self, runner: Runner, notice: Notice) -> bool:
        outcome = await runner.call("notify", notice, timeout=TRY_S, check=lambda _: None)
        return outcome.cause is None

    async def _retried(self, runner: Runner, notice: Notice) -> bool:
        from tenacity import (
            AsyncRetrying,
            RetryError,
            retry_if_result,
            stop_after_delay,
            wait_random_exponential,
        )

        retrying = AsyncRetrying(
            wait=wait_random_exponential(multiplier=0.5, max=60),
            stop=stop_after_delay(GIVE_UP_S),
            retry=retry_if_result(lambda taken: not taken),
        )
        try:
            return bool(await retrying(self._tried, runner, notice))
        except RetryError:
            return False
