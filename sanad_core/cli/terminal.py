"""The conversation in a terminal: an input line with history, a spinner, readable replies."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sanad_core.cli.open import started

if TYPE_CHECKING:
    from rich.console import Console

    from sanad_core.engine import Engine
    from sanad_core.types import Exchange

__all__ = ["talk"]

WIDTH = 78


async def talk(engine: Engine, conversation: str, locale: str | None) -> None:
    """Hold a conversation until the person leaves with Ctrl-D, Ctrl-C or /quit.

    Args:
        engine: not yet started.
        conversation: its id.
        locale: language to answer in; None: that of each message.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.patch_stdout import patch_stdout
    from rich.console import Console

    # History stays in memory: what a person writes here is not left on disk by the terminal.
    session: PromptSession[str] = PromptSession(history=InMemoryHistory())
    console = Console(width=min(WIDTH, Console().width), highlight=False)
    _quiet_log(console)
    with console.status("starting…", spinner="dots"):
        await engine.start()
    _welcome(console, engine, conversation)
    async with started(engine):
        while True:
            try:
                with patch_stdout():
                    line = await session.prompt_async("you  › ")
                if line.strip() == "/quit":
                    break
                if not line.strip():
                    continue
                with console.status("", spinner="dots"):
                    exchange = await engine.respond(
                        line, conversation_id=conversation, locale=locale
                    )
            except (EOFError, KeyboardInterrupt, asyncio.CancelledError):
                break  # Ctrl-C outside of the prompt arrives as a cancellation
            _show(console, exchange)
    console.print("[dim]goodbye[/dim]")


def _welcome(console: Console, engine: Engine, conversation: str) -> None:
    policy = engine.plan.policy
    console.print(
        f"[bold]Sanad[/bold] [dim]· policy {policy.name} · Ctrl-D or /quit to leave · "
        f"conversation {conversation}[/dim]\n"
    )


def _show(console: Console, exchange: Exchange) -> None:
    from rich.padding import Padding
    from rich.text import Text

    crisis = exchange.decision.reply is not None
    style = "bold" if crisis else ""
    console.print(Padding(Text(exchange.reply.text, style=style), (1, 0, 0, 2)))
    console.print(Text(f"  {_said_by(exchange)}\n", style="dim"))


def _said_by(exchange: Exchange) -> str:
    """What stands under a reply: who answered, and why."""
    decision, risk = exchange.decision, exchange.assessment.risk
    parts = [exchange.reply.responder]
    if decision.rule:
        parts.append(f"rule {decision.rule}")
    if risk.kind:
        parts.append(f"risk {risk.level}, {risk.kind}, {risk.subject}")
    if decision.held:
        parts.append("crisis mode")
    return " · ".join(parts)


def _quiet_log(console: Console) -> None:
    """Send the log to the terminal in one dim line each, so that it does not tear the talk."""

    class Dim(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            from rich.text import Text

            console.print(Text(f"  {record.getMessage()}", style="dim yellow"))

    logger = logging.getLogger("sanad")
    logger.handlers[:] = [Dim()]
    logger.propagate = False
