"""`sanad explain`: one message's path through a policy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from sanad_core.cli import options
from sanad_core.cli.open import open_engine, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.types import Exchange, Signal

__all__ = ["command"]


@click.command("explain", epilog='Example: sanad explain default "I feel like ending my life"')
@click.argument("words", nargs=-1, required=True, metavar="[POLICY] TEXT")
@options("locale", "region", "config")
def command(
    words: tuple[str, ...], locale: str | None, region: str | None, config: str | None
) -> None:
    """Show what happens to TEXT under POLICY: signals with evidence, rule, reply, times.

    The text and the words that a signal rests on are shown: mind where you run it.
    """
    if len(words) > 2:
        raise click.UsageError("give one TEXT, in quotes, after the policy")
    policy = words[0] if len(words) == 2 else None
    engine = open_engine(policy, config=config, store="memory:", region=region, notify=False)

    async def answered() -> Exchange:
        async with started(engine):
            return await engine.respond(words[-1], conversation_id="explain", locale=locale)

    for line in _lines(asyncio.run(answered())):
        click.echo(line)


def _lines(exchange: Exchange) -> Iterator[str]:
    assessment, decision, reply = exchange.assessment, exchange.decision, exchange.reply
    yield f"message    {exchange.turn.text}"
    yield "signals"
    for signal in assessment.signals:
        yield f"  {_signal(signal)}"
        for item in signal.evidence:
            yield f"      “{exchange.turn.text[item.start : item.end]}”  {item.why}"
    yield "risks"
    for risk in assessment.risks:
        yield f"  {risk.level} {risk.kind}, {risk.subject}"
    if not assessment.risks:
        yield "  none"
    for failure in (*assessment.failures, *exchange.failures):
        needed = ", required" if failure.required else ""
        yield f"failed     {failure.step}: {failure.cause} ({failure.detail}{needed})"
    rule = f"rule '{decision.rule}' at {decision.at}" if decision.rule else "no rule"
    yield f"decision   {decision.cause}: {rule}"
    if decision.also:
        yield f"           also matched: {', '.join(decision.also)}"
    if decision.hold is not None:
        until = decision.hold.until.isoformat() if decision.hold.until else "acknowledged"
        yield f"held       until {until}"
    if decision.notify:
        yield f"tells      {', '.join(name for name, _ in decision.notify)}"
    for verdict in reply.blocked:
        yield f"blocked    {verdict.rule} by {verdict.source}: {verdict.why}"
    yield f"reply      by {reply.responder} {' '.join(reply.scripts)}".rstrip()
    yield from (f"  {line}" for line in reply.text.splitlines())
    timings = exchange.timings
    for step, took in timings.steps:
        yield f"time       {step} {took:.2f} ms"
    yield f"time       total {timings.total:.2f} ms"


def _signal(signal: Signal) -> str:
    parts = [signal.kind, signal.label, f"{signal.score:.2f}"]
    if signal.level is not None:
        parts += [signal.level.value, signal.subject.value if signal.subject else ""]
    return f"{' '.join(part for part in parts if part)}  (from {signal.source})"
