"""`sanad screen`: detection alone, for files and pipes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from sanad_core.cli import options
from sanad_core.cli.open import input_lines, open_engine, open_input
from sanad_core.cli.rows import in_order
from sanad_core.text import clean
from sanad_core.view import screen_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.engine import Engine

__all__ = ["command"]


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
    async def work(row: _Row) -> dict[str, Any]:
        view = screen_view(row.id, clean(row.text), await engine.screen(row.text))
        if row.bad:
            view["failures"].append({"step": "input", "cause": "malformed", "detail": row.bad})
        return view

    return await in_order(engine, _rows(stream), work, name=name, verb="screened")


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
