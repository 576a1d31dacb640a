"""Answers a decided turn: the scripted text, or what the responders draft and the guards pass."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sanad_core import render
from sanad_core.assess import assessment_of
from sanad_core.decide import decide
from sanad_core.outlet import joined
from sanad_core.types import Cause, Decision, Failure, Reply, Slots, Timings

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from sanad_core.chain import Chain, ChainResult
    from sanad_core.outlet import Outlet
    from sanad_core.plan import Plan
    from sanad_core.specs import Context
    from sanad_core.types import Signal

__all__ = ["Answer", "Answering"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, and what came with it.

    Args:
        reply: the whole of it.
        slots: what the responder wants remembered.
        failures: steps that failed on the way.
        timings: how long they took.
        context: with what a responder found out about the message; None: nothing new.
        decision: what was decided then; None: what was decided before.
    """

    reply: Reply
    slots: Slots = ()
    failures: tuple[Failure, ...] = ()
    timings: Timings = field(default_factory=Timings)
    context: Context | None = None
    decision: Decision | None = None


class Answering:
    """Makes the answers of a plan.

    Args:
        plan: its policy, texts and helplines.
        chain: its responders and guards.
        room: for those who wait for a responder; a crisis is answered without it.
    """

    def __init__(self, plan: Plan, chain: Chain, room: asyncio.Semaphore) -> None:
        self._plan = plan
        self._chain = chain
        self._room = room

    async def answer(
        self, context: Context, decision: Decision, now: datetime, outlet: Outlet | None
    ) -> Answer:
        """The scripted text that the decision orders, or the first draft that passes."""
        if decision.cause is not Cause.RESPOND:
            return self._scripted(context, decision, now)
        plan = self._plan
        if outlet is not None:
            outlet.begin(render.opening(plan, context, now), render.filling(plan, context))
        asking = self._chain.open(outlet)
        async with self._room:
            result = await asking.ask(decision.chain, context)
            if result.signals:
                # A provider would not answer this message: that is a finding like any other.
                context, decision = self._raised(context, result.signals, now)
                if decision.cause is Cause.RESPOND:
                    result = await asking.ask(decision.chain, context)
        asked = Answer(
            reply=Reply(text="", responder=""),
            failures=result.failures,
            timings=Timings(respond=result.respond, guard=result.guard, steps=result.steps),
            context=context,
            decision=decision,
        )
        if decision.cause is not Cause.RESPOND:
            reply = self._after(outlet, self._scripted(context, decision, now).reply, context)
            return replace(asked, reply=replace(reply, blocked=result.blocked))
        reply = replace(self._drafted(result, context, now, outlet), blocked=result.blocked)
        slots = result.draft.slots if result.draft is not None else ()
        return replace(asked, reply=reply, slots=slots)

    def _scripted(self, context: Context, decision: Decision, now: datetime) -> Answer:
        began = time.perf_counter()
        reply = render.scripted(self._plan, decision, context)
        reply = render.disclosed(self._plan, reply, context, now, first=False)
        took = (time.perf_counter() - began) * 1000
        return Answer(reply=reply, timings=Timings(respond=took))

    def _raised(
        self, context: Context, signals: tuple[Signal, ...], now: datetime
    ) -> tuple[Context, Decision]:
        """The turn with further signals, and what the policy orders for it now."""
        before = context.assessment
        assessment = assessment_of(before.signals + signals, before.failures)
        decision = decide(self._plan.policy, assessment, context.conversation, now)
        return replace(context, assessment=assessment), decision

    def _drafted(
        self, result: ChainResult, context: Context, now: datetime, outlet: Outlet | None
    ) -> Reply:
        """The reply that the chain's result makes, with whatever of it has left already."""
        plan = self._plan
        left = outlet.left if outlet is not None else None
        if left is not None and result.cut:
            return joined(left, render.noted(plan, render.CORRECTED, context))
        if left is not None and result.draft is not None and result.draft.sent:
            return replace(left, responder=result.draft.source)
        if result.draft is not None:
            reply = render.drafted(plan, result.draft, context)
        else:
            fallback = Decision(cause=Cause.RESPOND, reply=plan.policy.fallback)
            reply = render.scripted(plan, fallback, context)
        if left is not None:
            return self._after(outlet, reply, context)
        return render.disclosed(plan, reply, context, now, first=True)

    def _after(self, outlet: Outlet | None, reply: Reply, context: Context) -> Reply:
        """A reply below what has left of another, with a word on why that broke off."""
        left = outlet.left if outlet is not None else None
        if left is None:
            return reply
        noted = render.noted(self._plan, render.INTERRUPTED, context)
        return joined(joined(left, noted), reply)
