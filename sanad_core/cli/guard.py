"""`sanad guard`: the guards alone, for replies that somebody or something else wrote."""

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.engine import Engine

__all__ = ["command"]

PERSON = ("person", "user", "human", "client")  # every other role is the bot's side
_FORM = 'write {"context": [{"role": "user", "text": "…"}], "reply": "…"}'


@click.command(
    "guard",
    epilog="""Example: echo '{"reply": "You have depression."}' | sanad guard -""",
)
@click.argument("file", default="-", metavar="[FILE or -]")
@options("policy", "config")
@click.pass_context
def command(ctx: click.Context, file: str, policy: str | None, config: str | None) -> None:
    """Check replies with the guards of a policy.

    Lines in: JSON objects {"id"?, "context": [{"role", "text"}], "reply"}. JSON lines out, in
    order: {"id", "safe", "violations": [{"rule", "span", "source"}]}, spans in characters of the
    reply. The last thing that the person says is screened first, since what a reply must do
    depends on it. A row that is no such object is named on standard error, is not safe, and makes
    the exit code 1.
    """
    engine = open_engine(policy, config=config, store="memory:", notify=False)
    with open_input(file) as stream:
        bad = asyncio.run(_guard(engine, stream, file))
    ctx.exit(1 if bad else 0)


@dataclass(frozen=True, slots=True)
class _Row:
    """A reply to check; `bad` says what is wrong with its line."""

    id: str | int
    context: tuple[tuple[bool, str], ...] = ()
    reply: str = ""
    bad: str = ""


async def _guard(engine: Engine, stream: BinaryIO, name: str) -> int:
    async def work(row: _Row) -> dict[str, Any]:
        found = () if row.bad else await engine.review(row.reply, row.context)
        violations = [
            {"rule": verdict.rule, "span": [verdict.start, verdict.end], "source": verdict.source}
            for verdict in found
        ]
        return {"id": row.id, "safe": not violations and not row.bad, "violations": violations}

    return await in_order(engine, _rows(stream), work, name=name, verb="checked")


def _rows(stream: BinaryIO) -> Iterator[_Row]:
    for number, line in enumerate(input_lines(stream), start=1):
        if line.strip():
            yield _row(number, line)


def _row(number: int, line: str) -> _Row:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return _Row(number, bad=f"is not JSON; {_FORM}")
    if not isinstance(data, dict) or not isinstance(data.get("reply"), str):
        return _Row(number, bad=f"is not an object with a text in 'reply'; {_FORM}")
    given = data.get("id", number)
    known = isinstance(given, str | int) and not isinstance(given, bool)
    row_id: str | int = clean(given) if isinstance(given, str) else given if known else number
    context = data.get("context") or []
    if not isinstance(context, list) or not all(_is_turn(turn) for turn in context):
        return _Row(row_id, bad=f"has a 'context' that is no list of turns; {_FORM}")
    said = tuple((turn["role"].lower() in PERSON, clean(turn["text"])) for turn in context)
    return _Row(row_id, context=said, reply=clean(data["reply"]))


def _is_turn(turn: object) -> bool:
    return (
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("text"), str)
    )
