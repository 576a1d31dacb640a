"""Text that a component gives piece by piece, brought over from the loop that it runs on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from sanad_core.assess import plain_text
from sanad_core.steps import Malformed, Outcome, failed
from sanad_core.types import FailureCause

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Self

    from sanad_core.steps import Runner
    from sanad_core.workers import Call

__all__ = ["Flow"]


class Flow:
    """A component's `stream` under way.

    Use it as an async context manager; leaving it stops a component that is still at work.

    Args:
        runner: of the component.
        args: what its method `stream` gets.
        timeout: seconds from when it starts until it must have ended.
        most: characters that it may give in all.
    """

    def __init__(self, runner: Runner, args: tuple[Any, ...], *, timeout: float, most: int) -> None:
        self._runner = runner
        self._args = args
        self._timeout = timeout
        self._most = most
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._call: Call | None = None
        self.outcome: Outcome[None] = Outcome()

    async def __aenter__(self) -> Self:
        await self._runner.room.acquire()
        self._began = time.perf_counter()
        self._ends = time.monotonic() + self._timeout
        refused = self._runner.refused()
        if refused is not None:
            self.outcome = refused
            return self
        home = asyncio.get_running_loop()
        method, args, most = self._runner.methods["stream"], self._args, self._most

        def give(piece: str) -> None:
            home.call_soon_threadsafe(self._pieces.put_nowait, piece)

        async def pump() -> None:
            left = most
            async with contextlib.aclosing(_stream(method, args)) as pieces:
                async for piece in pieces:
                    text = plain_text(piece)
                    left -= len(text)
                    if left < 0:
                        raise Malformed(f"gave more than {most} characters")
                    give(text)

        self._call = self._runner.start(pump)
        self._call.future.add_done_callback(lambda _: self._pieces.put_nowait(None))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._runner.room.release()
        if self._call is not None:
            self._runner.abandon(self._call)
            self._call = None

    async def next(self) -> str | None:
        """The next piece; None at the end, and then `outcome` says how it ended."""
        if self._call is None:
            return None
        try:
            left = max(self._ends - time.monotonic(), 0.0)
            piece = await asyncio.wait_for(self._pieces.get(), left)
        except TimeoutError:
            self._runner.abandon(self._call, late=True)
            self.outcome = failed(
                FailureCause.TIMEOUT, f"{round(self._timeout, 2):g} s", self._began
            )
            self._call = None
            return None
        if piece is None:
            self.outcome = self._runner.settled(self._call, self._began)
            self._call = None
        return piece


def _stream(method: Any, args: tuple[Any, ...]) -> AsyncGenerator[Any, None]:
    pieces = method(*args)
    if not hasattr(pieces, "__anext__") or not hasattr(pieces, "aclose"):
        raise Malformed("gave no stream; write it as 'async def' with 'yield'")
    given: AsyncGenerator[Any, None] = pieces
    return given
