"""`sanad screen`: detection alone, for files and pipes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain
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

    Lines in: JSON objects {"id"?, "text"}, or plain text; the first that is not blank says which.
    JSON lines out, in order. Nothing is stored and nobody is answered. A row that is no such object
    is named on standard error, screened as plain text all the same, and makes the exit code 1; so
    does a text that a required detector failed to read.
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
    unread: Counter[str] = Counter()

    async def work(row: _Row) -> dict[str, Any]:
        view = screen_view(row.id, clean(row.text), await engine.screen(row.text))
        unread.update({item["step"] for item in view["failures"] if item["required"]})
        if row.bad:
            view["failures"].append({"step": "input", "cause": "malformed", "detail": row.bad})
        return view

    bad = await in_order(engine, _rows(stream), work, name=name, verb="screened")
    for step, count in unread.items():
        message = f"texts that '{step}' did not read, which the policy requires: {count}"
        click.echo(f"sanad: {message}; their risk may be higher than is said", err=True)
    return bad + unread.total()


def _rows(stream: BinaryIO) -> Iterator[_Row]:
    lines = enumerate(input_lines(stream), start=1)
    early = []  # up to the first line that is not blank, which says what all are
    for number, line in lines:
        early.append((number, line))
        if line.strip():
            break
    as_json = bool(early) and _is_object(early[-1][1])
    for number, line in chain(early, lines):
        if line.strip() or not as_json:
            yield _row(number, line) if as_json else _Row(number, line)


def _is_object(line: str) -> bool:
    """Whether a line is a JSON object, or was meant for one."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return line.lstrip().startswith('{"')


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
