"""`sanad run`: a conversation in the terminal, or one reply per line of standard input."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from typing import TYPE_CHECKING, BinaryIO

import click

from sanad_core.cli import options
from sanad_core.cli.open import each, input_lines, open_engine, open_input, started

if TYPE_CHECKING:
    from sanad_core.engine import Engine
    from sanad_core.types import Exchange

__all__ = ["command"]


@click.command("run", epilog="Example: printf 'hi\\n' | sanad run default")
@click.argument("policy", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per message.")
@click.option("--conversation", metavar="ID", help="Go on with a conversation; default: a new one.")
@options("locale", "region", "store", "config")
def command(
    policy: str | None,
    as_json: bool,
    conversation: str | None,
    locale: str | None,
    region: str | None,
    store: str | None,
    config: str | None,
) -> None:
    """Talk with the bot that POLICY describes.

    POLICY is a file or the name of a packaged policy; without it, the one in ./sanad.yml, else
    the default. On a terminal this is a conversation; otherwise each line of standard input is a
    message, and each reply is one line of output.
    """
    streams = [stream for stream in (sys.stdin, sys.stdout) if stream is not None]
    terminal = len(streams) == 2 and all(s.isatty() for s in streams) and not as_json
    # Piped text is kept nowhere unless a store is named; whom the policy tells is told.
    engine = open_engine(
        policy, config=config, store=store or (None if terminal else "memory:"), region=region
    )
    conversation = conversation or uuid.uuid4().hex
    if terminal:
        from sanad_core.cli.terminal import talk

        asyncio.run(talk(engine, conversation, locale))
    else:
        with open_input("-") as stream:
            asyncio.run(_lines(engine, stream, conversation, locale, as_json))


async def _lines(
    engine: Engine, stream: BinaryIO, conversation: str, locale: str | None, as_json: bool
) -> None:
    async with started(engine):
        async for line in each(input_lines(stream)):
            exchange = await engine.respond(line, conversation_id=conversation, locale=locale)
            sys.stdout.buffer.write(_printed(exchange, as_json).encode() + b"\n")
            sys.stdout.buffer.flush()


def _printed(exchange: Exchange, as_json: bool) -> str:
    if as_json:
        from sanad_core.view import exchange_view

        return json.dumps(exchange_view(exchange), ensure_ascii=False)
    return exchange.reply.text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
