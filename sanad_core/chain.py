"""Asks the responders in turn and checks what they draft; the first draft that passes wins."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sanad_core.assess import plain_int, plain_text
from sanad_core.steps import Malformed
from sanad_core.types import Draft, Failure, FailureCause, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sanad_core.policy import StepPlan
    from sanad_core.specs import Context
    from sanad_core.steps import Runner

__all__ = ["Chain", "ChainResult", "Step", "checked_draft", "checked_verdicts"]

MAX_DRAFT = 10_000
MAX_SLOTS = 64
MAX_VERDICTS = 100
GUARD_S = 0.25  # a guard gets this long even when the chain's time is up
RESERVE_S = 1.0  # kept back for the last responder, which must always get its chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A responder or a guard in its place in the plan."""

    plan: StepPlan
    runner: Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """What came of asking.

    Args:
        draft: the draft that passed; None: send the fallback.
        blocked: why other drafts did not pass.
        failures: steps that failed.
        steps: milliseconds of each step.
        respond: milliseconds that responders took.
        guard: milliseconds that guards took.
    """

    draft: Draft | None
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

    async def ask(self, names: Sequence[str], context: Context) -> ChainResult:
        """Ask the named responders in order.

        Args:
            names: the responders that the decision allows.
            context: the turn and what surrounds it.

        Returns:
            The first draft that every guard passed, or none.
        """
        asking = _Asking(self._guards, time.monotonic() + self._deadline)
        for place, name in enumerate(names):
            last = place == len(names) - 1
            draft = await asking.draft(self._responders[name], context, last=last)
            if draft is not None and await asking.passes(draft, context):
                return asking.result(draft)
            if draft is not None and self._block_ends:
                break
        return asking.result(None)


class _Asking:
    """What has happened so far in one turn's chain."""

    def __init__(self, guards: Sequence[Step], ends: float) -> None:
        self._guards = guards
        self._ends = ends
        self._blocked: list[Verdict] = []
        self._failures: list[Failure] = []
        self._respond: list[tuple[str, float]] = []
        self._guard: list[tuple[str, float]] = []

    def result(self, draft: Draft | None) -> ChainResult:
        return ChainResult(
            draft=draft,
            blocked=tuple(self._blocked),
            failures=tuple(self._failures),
            steps=(*self._respond, *self._guard),
            respond=sum(took for _, took in self._respond),
            guard=sum(took for _, took in self._guard),
        )

    async def draft(self, step: Step, context: Context, *, last: bool) -> Draft | None:
        left = self._ends - time.monotonic()
        reserve = min(RESERVE_S, left / 4)
        timeout = max(min(step.plan.timeout, left if last else left - reserve), 0.05)
        if left <= 0 and not last:
            self._failures.append(
                Failure(step=step.plan.name, cause=FailureCause.TIMEOUT, detail="no time was left")
            )
            return None
        name, turn = step.plan.name, replace(context.turn)
        outcome = await step.runner.call(
            "respond",
            turn,
            replace(context, turn=turn),
            timeout=timeout,
            check=lambda result: checked_draft(result, name),
        )
        self._respond.append((name, outcome.milliseconds))
        if outcome.cause is not None:
            self._failures.append(outcome.failure(name))
        return outcome.value

    async def passes(self, draft: Draft, context: Context) -> bool:
        """Whether every guard passes the draft; a guard that fails passes nothing."""
        for step in self._guards:
            name = step.plan.name
            left = max(self._ends - time.monotonic(), GUARD_S)
            outcome = await step.runner.call(
                "check",
                draft,
                context,
                timeout=min(step.plan.timeout, left),
                check=_verdicts(name, len(draft.text)),
            )
            self._guard.append((name, outcome.milliseconds))
            if outcome.cause is not None:
                self._failures.append(outcome.failure(name))
                self._blocked.append(Verdict(rule="guard_failed", source=name))
                return False
            if outcome.value:
                self._blocked += outcome.value
                self._failures.append(
                    Failure(step=draft.source, cause=FailureCause.BLOCKED, detail=name)
                )
                return False
        return True


def _verdicts(name: str, length: int) -> Callable[[Any], tuple[Verdict, ...]]:
    return lambda result: checked_verdicts(result, length, name)


def checked_draft(result: Any, source: str) -> Draft:
    """What a responder gave, checked.

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
        text=text, scripts=_scripts(draft.scripts), slots=_slots(draft.slots), source=source
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
