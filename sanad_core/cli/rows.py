"""Rows of a file or a pipe: many in work at a time, out in order, wrong ones named and kept."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from sanad_core.cli.open import each, started
from sanad_core.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sanad_core.engine import Engine

__all__ = ["in_order", "write"]

AT_ONCE = 64  # rows in work at the same time; they come out in order all the same


class Row(Protocol):
    """A row; `bad` says what is wrong with its line."""

    @property
    def id(self) -> str | int:
        """Its id, or its number."""

    @property
    def bad(self) -> str:
        """What is wrong with it; empty: nothing."""


R = TypeVar("R", bound=Row)


async def in_order(
    engine: Engine,
    rows: Iterator[R],
    work: Callable[[R], Awaitable[dict[str, Any]]],
    *,
    name: str,
    verb: str,
) -> int:
    """Work on each row and write what comes of it.

    Args:
        engine: is started and closed.
        rows: read on a thread, as they come.
        work: makes a row's answer.
        name: of the file, for messages.
        verb: what is done to rows, for the progress bar.

    Returns:
        How many rows were wrong.
    """
    loop = asyncio.get_running_loop()
    # The queue's size bounds what is in memory; rows go out as soon as they are done.
    queue: asyncio.Queue[tuple[R, asyncio.Task[dict[str, Any]]] | None] = asyncio.Queue(AT_ONCE)

    async def worked(row: R) -> dict[str, Any]:
        return await work(row)

    async def feed() -> None:
        async for row in each(rows):
            await queue.put((row, loop.create_task(worked(row))))
        await queue.put(None)

    bad = 0
    async with started(engine):
        feeding = loop.create_task(feed())
        try:
            with progress(verb, beside_output=True) as advance:
                while (item := await queue.get()) is not None:
                    row, task = item
                    write(await task)
                    advance(1)
                    if row.bad:
                        bad += 1
                        click.echo(f"{name}:{row.id}: {row.bad}", err=True)
        finally:
            # Whoever read the output may be gone, with rows still in work.
            feeding.cancel()
            left = [queue.get_nowait() for _ in range(queue.qsize())]
            tasks = [item[1] for item in left if item is not None]
            await asyncio.gather(feeding, *tasks, return_exceptions=True)
    return bad


def write(data: dict[str, Any]) -> None:
    """Write a row of JSON to standard output at once."""
    sys.stdout.buffer.write(json.dumps(data, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()
