"""`sanad screen`: detection alone, for files and pipes."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import click

from sanad_core.cli import options
from sanad_core.cli.open import each, input_lines, open_engine, open_input, started
from sanad_core.cli.progress import progress
from sanad_core.text import clean
from sanad_core.view import screen_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.engine import Engine
    from sanad_core.types import Assessment

__all__ = ["command"]

AT_ONCE = 64  # rows in work at the same time; they come out in order all the same


@click.command("screen", epilog="Example: echo 'I feel awful' | sanad screen -")
@click.argument("file", default="-", metavar="[FILE or -]")
@options("policy", "config")
@click.pass_context
def command(ctx: click.Context, file: str, policy: str | None, config: str | None) -> None:
    """Detect risk in each text of FILE, or of standard input.

    Lines in: JSON objects {"id"?, "text"}, or plain text; the first line says which. JSON lines
    out, in order. Nothing is stored and nobody is answered. A row that is no such object is named
    on standard error, screened as plain text all the same, and makes the exit code 1.
    """
    engine = open_engine(policy, config=config, store="memory:")
    with open_input(file) as stream:
        bad = asyncio.run(_screen(engine, stream, file))
    ctx.exit(1 if bad else 0)


@dataclass(frozen=True, slots=True)
class _Row:
    """A text to screen; `bad` says what is wrong with its line."""

    id: str | int
    text: str
    bad: str = ""


async def _screen(engine: Engine, stream: BinaryIO, name: str) -> int:
    loop = asyncio.get_running_loop()
    rows = _rows(stream)
    # The queue's size bounds what is in memory; rows go out as soon as they are done.
    queue: asyncio.Queue[tuple[_Row, asyncio.Task[Assessment]] | None] = asyncio.Queue(AT_ONCE)

    async def feed() -> None:
        async for row in each(rows):
            await queue.put((row, loop.create_task(engine.screen(row.text))))
        await queue.put(None)

    bad = 0
    async with started(engine):
        feeding = loop.create_task(feed())
        try:
            with progress("screened", beside_output=True) as advance:
                while (item := await queue.get()) is not None:
                    row, task = item
                    _write(row, await task)
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


def _rows(stream: BinaryIO) -> Iterator[_Row]:
    as_json: bool | None = None
    for number, line in enumerate(input_lines(stream), start=1):
        if as_json is None:
            as_json = not _row(number, line).bad
        if as_json and not line.strip():
            continue
        yield _row(number, line) if as_json else _Row(number, line)


def _row(number: int, line: str) -> _Row:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return _Row(number, line, 'is not JSON; write {"text": "…"}')
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        return _Row(number, line, "is not an object with a text in 'text'")
    row_id = data.get("id", number)
    if isinstance(row_id, str):
        return _Row(clean(row_id), text)
    whole = isinstance(row_id, int) and not isinstance(row_id, bool)
    return _Row(row_id if whole else number, text)


def _write(row: _Row, assessment: Assessment) -> None:
    view = screen_view(row.id, clean(row.text), assessment)
    if row.bad:
        view["failures"].append({"step": "input", "cause": "malformed", "detail": row.bad})
    sys.stdout.buffer.write(json.dumps(view, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()
