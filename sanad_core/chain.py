"""Asks the responders in turn and checks what they draft; the first draft that passes wins.

At risk `none`, a responder that streams is read sentence by sentence: each is checked in its place
and then leaves. What has left stays; a failure midway hands over to the next responder, and a
violation ends the reply there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sanad_core.assess import plain_int, plain_text
from sanad_core.errors import Declined
from sanad_core.flow import Flow
from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.steps import Malformed, Outcome
from sanad_core.text import complete
from sanad_core.types import Draft, Failure, FailureCause, Signal, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_core.outlet import Outlet
    from sanad_core.policy import StepPlan
    from sanad_core.specs import Context
    from sanad_core.steps import Runner

__all__ = ["Asking", "Chain", "ChainResult", "Step", "checked_draft", "checked_verdicts"]

MAX_DRAFT = 10_000
MAX_SLOTS = 64
MAX_VERDICTS = 100
GUARD_FAILED = "guard_failed"  # the rule that a draft breaks when its guard breaks
GUARD_S = 0.25  # a guard gets this long even when the chain's time is up
RESERVE_S = 1.0  # kept back for the last responder, which must always get its chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A responder or a guard in its place in the plan.

    Args:
        plan: how it is run.
        runner: calls it.
        generates: for a responder, whether a model writes its text.
    """

    plan: StepPlan
    runner: Runner
    generates: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What came of asking.

    Args:
        draft: the draft that passed; None: send the fallback.
        cut: a violation was found after the first words had left, so the reply ends there.
        signals: what a provider said of the message by declining it; decide anew.
        blocked: why other drafts did not pass.
        failures: steps that failed.
        steps: milliseconds of each step.
        respond: milliseconds that responders took.
        guard: milliseconds that guards took.
    """

    draft: Draft | None
    cut: bool = False
    signals: tuple[Signal, ...] = ()
    blocked: tuple[Verdict, ...] = ()
    failures: tuple[Failure, ...] = ()
    steps: tuple[tuple[str, float], ...] = ()
    respond: float = 0.0
    guard: float = 0.0


class Chain:
    """Responders and guards of a plan.

    Args:
        responders: in order.
        guards: every one checks every draft.
        deadline: seconds for all of it.
        block_ends: whether a blocked draft ends the chain.
    """

    def __init__(
        self,
        responders: Sequence[Step],
        guards: Sequence[Step],
        deadline: float,
        block_ends: bool,
    ) -> None:
        self._responders = {step.plan.name: step for step in responders}
        self._guards = tuple(guards)
        self._deadline = deadline
        self._block_ends = block_ends

    async def review(self, draft: Draft, context: Context) -> tuple[Verdict, ...]:
        """What every guard finds in a draft; one that fails finds `guard_failed`."""
        found: list[Verdict] = []
        for step in self._guards:
            outcome = await _checked(step, draft, context, step.plan.timeout)
            failed = (Verdict(rule=GUARD_FAILED, source=step.plan.name),)
            found += failed if outcome.cause is not None else outcome.value or ()
        return tuple(found)

    def open(self, outlet: Outlet | None = None) -> Asking:
        """Begin a turn's asking; its time runs from now.

        Args:
            outlet: where checked sentences leave at once; None: nothing leaves before the end.
        """
        ends = time.monotonic() + self._deadline
        return Asking(self._responders, self._guards, ends, self._block_ends, outlet)


class Asking:
    """What has happened so far in one turn's chain.

    Args:
        responders: by name.
        guards: every one checks every draft.
        ends: when time is up, on the monotonic clock.
        block_ends: whether a blocked draft ends the chain.
        outlet: where checked sentences leave.
    """

    def __init__(
        self,
        responders: dict[str, Step],
        guards: Sequence[Step],
        ends: float,
        block_ends: bool,
        outlet: Outlet | None,
    ) -> None:
        self._responders = responders
        self._guards = guards
        self._ends = ends
        self._block_ends = block_ends
        self._outlet = outlet
        self._asked: set[str] = set()
        self._cut = False
        self._signals: tuple[Signal, ...] = ()
        self._blocked: list[Verdict] = []
        self._failures: list[Failure] = []
        self._respond: list[tuple[str, float]] = []
        self._guard: list[tuple[str, float]] = []

    async def ask(self, names: Sequence[str], context: Context) -> ChainResult:
        """Ask the named responders in order, those already asked aside.

        Args:
            names: the responders that the decision allows.
            context: the turn and what surrounds it.

        Returns:
            The first draft that every guard passed, or none.
        """
        self._signals = ()
        for place, name in enumerate(names):
            if name in self._asked:
                continue
            self._asked.add(name)
            step = self._responders[name]
            last = place == len(names) - 1
            blocked = len(self._blocked)
            if self._streams(step, context):
                draft = await self._streamed(step, context, last=last)
            else:
                draft = await self._draft(step, context, last=last)
                if draft is not None and not await self._passes(draft, context):
                    draft = None
            if draft is not None or self._signals or self._cut:
                return self._result(draft)
            if len(self._blocked) > blocked and self._block_ends:
                break
        return self._result(None)

    def _result(self, draft: Draft | None) -> ChainResult:
        return ChainResult(
            draft=draft,
            cut=self._cut,
            signals=self._signals,
            blocked=tuple(self._blocked),
            failures=tuple(self._failures),
            steps=(*self._respond, *self._guard),
            respond=sum(took for _, took in self._respond),
            guard=sum(took for _, took in self._guard),
        )

    def _streams(self, step: Step, context: Context) -> bool:
        """Whether sentences may leave before the whole reply was checked.

        Not below what has left of another reply: between the two stands a word on why it broke off.
        """
        calm = context.assessment.risk.level is Level.NONE
        fresh = self._outlet is not None and self._outlet.left is None
        return calm and fresh and "stream" in step.runner.methods

    def _timeout(self, step: Step, *, last: bool) -> float | None:
        """Seconds that a responder gets; None: there are none left, and others come after it."""
        left = self._ends - time.monotonic()
        if left <= 0 and not last:
            self._failures.append(
                Failure(step=step.plan.name, cause=FailureCause.TIMEOUT, detail="no time was left")
            )
            return None
        reserve = min(RESERVE_S, left / 4)
        return max(min(step.plan.timeout, left if last else left - reserve), 0.05)

    async def _draft(self, step: Step, context: Context, *, last: bool) -> Draft | None:
        timeout = self._timeout(step, last=last)
        if timeout is None:
            return None
        name, turn = step.plan.name, replace(context.turn)
        outcome = await step.runner.call(
            "respond",
            turn,
            replace(context, turn=turn),
            timeout=timeout,
            check=lambda result: checked_draft(result, name, generated=step.generates),
        )
        self._note(step, outcome)
        return outcome.value

    def _note(self, step: Step, outcome: Outcome[Any]) -> None:
        """Keep how long a responder took and how it failed."""
        name = step.plan.name
        self._respond.append((name, outcome.milliseconds))
        if outcome.cause is not None:
            self._failures.append(outcome.failure(name))
        if type(outcome.error) is Declined:
            self._signals = _raised_by(outcome.error, name)

    async def _streamed(self, step: Step, context: Context, *, last: bool) -> Draft | None:
        """Read a responder sentence by sentence; what passes leaves at once."""
        timeout = self._timeout(step, last=last)
        if timeout is None:
            return None
        turn = replace(context.turn)
        seen = replace(context, turn=turn)
        async with Flow(step.runner, (turn, seen), timeout=timeout, most=MAX_DRAFT) as flow:
            draft = Draft(text="", source=step.plan.name, whole=False, generated=step.generates)
            while (piece := await flow.next()) is not None:
                draft = replace(draft, text=draft.text + piece)
                ready = complete(draft.text, draft.sent)
                if ready > draft.sent:
                    released = await self._release(replace(draft, text=draft.text[:ready]), context)
                    if not released:
                        return None
                    draft = replace(draft, sent=ready)
            self._note(step, flow.outcome)
        if flow.outcome.cause is not None:
            return None
        if not draft.text.strip():
            self._failures.append(Failure(step=draft.source, cause=FailureCause.EMPTY))
            return None
        draft = replace(draft, text=draft.text.rstrip(), whole=True)
        if not await self._release(draft, context):
            return None
        return replace(draft, sent=len(draft.text))

    async def _release(self, draft: Draft, context: Context) -> bool:
        """Check a draft as far as it has come, and let what is new of it leave."""
        assert self._outlet is not None
        if not await self._passes(draft, context):
            self._cut = draft.sent > 0
            return False
        self._outlet.send(draft.text[draft.sent :])
        return True

    async def _passes(self, draft: Draft, context: Context) -> bool:
        """Whether every guard passes the draft; a guard that fails passes nothing."""
        for step in self._guards:
            name = step.plan.name
            left = max(self._ends - time.monotonic(), GUARD_S)
            outcome = await _checked(step, draft, context, min(step.plan.timeout, left))
            self._guard.append((name, outcome.milliseconds))
            if outcome.cause is not None:
                self._failures.append(outcome.failure(name))
                self._blocked.append(Verdict(rule=GUARD_FAILED, source=name))
                return False
            if outcome.value:
                self._blocked += outcome.value
                self._failures.append(
                    Failure(step=draft.source, cause=FailureCause.BLOCKED, detail=name)
                )
                return False
        return True


def _raised_by(declined: Declined, source: str) -> tuple[Signal, ...]:
    """What a provider says of a message by declining it; without a kind, the worst is taken."""
    kind = declined.kind if isinstance(declined.kind, RiskKind) else RiskKind.SUICIDE
    return (
        Signal(kind="refusal", label=declined.code, source=source),
        Signal(
            kind="risk",
            label=kind.value,
            score=0.5,
            level=Level.LOW,
            subject=Subject.SELF,
            source=source,
        ),
    )


async def _checked(
    step: Step, draft: Draft, context: Context, timeout: float
) -> Outcome[tuple[Verdict, ...]]:
    """What one guard finds in a draft."""
    name, length = step.plan.name, len(draft.text)
    return await step.runner.call(
        "check",
        draft,
        context,
        timeout=timeout,
        check=lambda result: checked_verdicts(result, length, name),
    )


def checked_draft(result: Any, source: str, *, generated: bool = True) -> Draft:
    """What a responder gave, checked.

    Args:
        result: it.
        source: the responder.
        generated: whether a model wrote it.

    Raises:
        Malformed: it is no text, empty, or longer than any reply should be.
    """
    draft = Draft(text=result) if isinstance(result, str) else result
    if not isinstance(draft, Draft):
        raise Malformed(f"gave {type(result).__name__}, not a draft")
    text = plain_text(draft.text)
    if not text.strip():
        raise Malformed("gave an empty draft", FailureCause.EMPTY)
    if len(text) > MAX_DRAFT:
        raise Malformed(f"gave {len(text)} characters; at most {MAX_DRAFT} are allowed")
    return Draft(
        text=text,
        scripts=_scripts(draft.scripts),
        slots=_slots(draft.slots),
        source=source,
        generated=generated,
    )


def _slots(slots: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(slots, list | tuple) or len(slots) > MAX_SLOTS:
        raise Malformed("gave slots that are not a short list")
    if any(not isinstance(pair, list | tuple) or len(pair) != 2 for pair in slots):
        raise Malformed("gave a slot that is not a pair of texts")
    return tuple((plain_text(name), plain_text(value)) for name, value in slots)


def _scripts(scripts: Any) -> tuple[str, ...]:
    if not isinstance(scripts, list | tuple) or len(scripts) > MAX_SLOTS:
        raise Malformed("gave script ids that are not a short list")
    return tuple(plain_text(script) for script in scripts)


def checked_verdicts(result: Any, length: int, source: str) -> tuple[Verdict, ...]:
    """What a guard gave, checked.

    Raises:
        Malformed: it is not a list of verdicts with spans inside the draft.
    """
    if not isinstance(result, list | tuple) or len(result) > MAX_VERDICTS:
        raise Malformed(f"gave {type(result).__name__}, not a short list of verdicts")
    return tuple(_verdict(verdict, length, source) for verdict in result)


def _verdict(verdict: Any, length: int, source: str) -> Verdict:
    if not isinstance(verdict, Verdict):
        raise Malformed("gave something other than a verdict")
    start, end = plain_int(verdict.start), plain_int(verdict.end)
    if not 0 <= start <= end <= length:
        raise Malformed("gave a verdict outside the draft")
    rule, why = plain_text(verdict.rule), plain_text(verdict.why)
    return Verdict(rule=rule, start=start, end=end, why=why, source=source)
