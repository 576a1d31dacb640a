"""The conversation in a terminal: an input line with history, a spinner, readable replies."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sanad_core.cli.open import started

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding

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
                exchange = await _answered(console, engine, line, conversation, locale)
            except (EOFError, KeyboardInterrupt, asyncio.CancelledError):
                break  # Ctrl-C outside of the prompt arrives as a cancellation
            _show(console, exchange)
    console.print("[dim]goodbye[/dim]")


async def _answered(
    console: Console, engine: Engine, line: str, conversation: str, locale: str | None
) -> Exchange:
    """The record of a turn; its checked sentences are shown as they come."""
    from rich.live import Live
    from rich.spinner import Spinner

    text = ""
    with Live(Spinner("dots"), console=console, transient=True) as live:
        async for event in engine.stream(line, conversation_id=conversation, locale=locale):
            text += event.text
            if text:
                live.update(_padded(text))
    assert event.exchange is not None
    return event.exchange


def _padded(text: str, style: str = "") -> Padding:
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style=style), (1, 0, 0, 2))


def _welcome(console: Console, engine: Engine, conversation: str) -> None:
    policy = engine.plan.policy
    console.print(
        f"[bold]Sanad[/bold] [dim]· policy {policy.name} · Ctrl-D or /quit to leave · "
        f"conversation {conversation}[/dim]\n"
    )


def _show(console: Console, exchange: Exchange) -> None:
    from rich.text import Text

    crisis = exchange.decision.reply is not None
    console.print(_padded(exchange.reply.text, "bold" if crisis else ""))
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
