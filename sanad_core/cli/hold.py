"""`sanad hold`: conversations in crisis mode, for the people who look after them."""

from __future__ import annotations

import asyncio
import getpass
import inspect
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sanad_core.cli import options
from sanad_core.errors import UsageError
from sanad_core.text import clean

if TYPE_CHECKING:
    from sanad_core.store import HeldConversation, Store

__all__ = ["command"]


@click.group("hold", epilog="Example: sanad hold list")
def command() -> None:
    """List or acknowledge conversations in crisis mode."""


@command.command("list", epilog="Example: sanad hold list --store sqlite:conversations.db")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.option("--all", "also_over", is_flag=True, help="Also those whose time has run out.")
@options("store", "config")
def list_(as_json: bool, also_over: bool, store: str | None, config: str | None) -> None:
    """List conversations in crisis mode, oldest first."""
    held: tuple[HeldConversation, ...] = asyncio.run(_with_store(store, config, "holds"))
    now = datetime.now(UTC)
    shown = [item for item in held if also_over or item.hold.active(now)]
    if as_json:
        click.echo(json.dumps([_view(item, now) for item in shown]))
    elif not shown:
        click.echo("no conversation is in crisis mode")
    else:
        for item in shown:
            hold = item.hold
            until = f"until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else "until acknowledged"
            over = "" if hold.active(now) else " (over)"
            click.echo(
                f"{item.conversation}  {hold.level} {hold.kind}, {hold.subject}  rule {hold.rule}  "
                f"since {hold.since:%Y-%m-%d %H:%M} UTC, {until}{over}"
            )


@command.command(
    "acknowledge", epilog="Example: sanad hold acknowledge CONVERSATION --by 'on call'"
)
@click.argument("conversation")
@click.option(
    "--by", metavar="NAME", help="Who takes over; default: the name you are logged in as."
)
@options("store", "config")
@click.pass_context
def acknowledge(
    ctx: click.Context, conversation: str, by: str | None, store: str | None, config: str | None
) -> None:
    """End the crisis mode of CONVERSATION; who did it and when is kept. Exit code 1: not held."""
    who = clean(by or getpass.getuser())
    found = asyncio.run(
        _with_store(store, config, "acknowledge", clean(conversation), who, datetime.now(UTC))
    )
    if not found:
        click.echo(
            f"sanad: '{conversation}' is not in crisis mode; see 'sanad hold list'", err=True
        )
        ctx.exit(1)
    click.echo(f"acknowledged by {who}")


async def _with_store(url: str | None, config: str | None, method: str, *args: Any) -> Any:
    """Open the store, call one of its methods, and close it."""
    from sanad_core.deployment import load_deployment
    from sanad_core.store.open import open_store

    url = url or load_deployment(config)[0].store
    if url is None or url.startswith("memory:"):
        raise UsageError("name the store: --store sqlite:PATH, or 'store' in sanad.yml")
    _must_exist(url)
    store = open_store(url)
    await _call(store, "open")
    try:
        return await _call(store, method, *args)
    finally:
        await _call(store, "close")


def _must_exist(url: str) -> None:
    """A misspelt path would be made, and look like a store in which nobody is in danger."""
    scheme, _, place = url.partition(":")
    if scheme == "sqlite" and not Path(place).expanduser().is_file():
        raise UsageError(f"there is no store '{place}'; name the one that the bot uses")


async def _call(store: Store, method: str, *args: Any) -> Any:
    """A store's methods may be `def` or `async def`."""
    result = getattr(store, method)(*args)
    return await result if inspect.isawaitable(result) else result


def _view(item: HeldConversation, now: datetime) -> dict[str, Any]:
    hold = item.hold
    return {
        "conversation": item.conversation,
        "level": hold.level.value,
        "kind": hold.kind.value,
        "subject": hold.subject.value,
        "rule": hold.rule,
        "since": hold.since.isoformat(),
        "until": hold.until.isoformat() if hold.until else None,
        "active": hold.active(now),
    }
