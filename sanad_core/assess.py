"""Runs the detectors over a turn, one after the other, and checks what each of them says."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sanad_core.risk import Level, Risk, RiskKind, Subject, merge
from sanad_core.steps import Malformed
from sanad_core.text import clean
from sanad_core.types import Assessment, Evidence, Failure, FailureCause, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from sanad_core.policy import StepPlan
    from sanad_core.specs import Context, DetectorSpec
    from sanad_core.steps import Runner

__all__ = [
    "DetectorStep",
    "assess",
    "assessment_of",
    "checked_signals",
    "plain_int",
    "plain_text",
]

MAX_SIGNALS = 256
MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorStep:
    """A detector in its place in the plan."""

    plan: StepPlan
    spec: DetectorSpec
    runner: Runner


async def assess(
    steps: Sequence[DetectorStep],
    context: Context,
    failures: tuple[Failure, ...] = (),
    *,
    without: Container[str] = (),
) -> tuple[Assessment, tuple[tuple[str, float], ...]]:
    """Run every detector over `context.turn`.

    Args:
        steps: in the policy's order; each sees what those before it found.
        context: the turn and what surrounds it.
        failures: what failed before detection.
        without: steps not to ask, since they failed in this turn already.

    Returns:
        The assessment, and the milliseconds that each step took.
    """
    signals: tuple[Signal, ...] = ()
    timings: list[tuple[str, float]] = []
    for step in steps:
        if step.plan.name in without:
            continue
        # Each step gets its own copies: nothing that one does to them reaches the next.
        turn = replace(context.turn)
        seen = replace(context, turn=turn, assessment=assessment_of(signals, failures))
        outcome = await step.runner.call(
            "detect",
            turn,
            seen,
            timeout=step.plan.timeout,
            check=_check(step, len(context.turn.text)),
        )
        timings.append((step.plan.name, outcome.milliseconds))
        if outcome.cause is None:
            signals += outcome.value or ()
        else:
            failures += (outcome.failure(step.plan.name, required=step.plan.required),)
    return assessment_of(signals, failures + _unread(steps, signals)), tuple(timings)


def _unread(steps: Sequence[DetectorStep], signals: Sequence[Signal]) -> tuple[Failure, ...]:
    """A failure where every detector of risk that answered could not judge, or only a part."""
    abstained = [signal.source for signal in signals if signal.kind == "abstain"]
    judged = {s.source for s in signals if s.kind == "risk"}.difference(abstained)
    if judged or not abstained:
        return ()
    required = any(step.plan.required for step in steps)
    return (Failure(step=abstained[0], cause=FailureCause.UNREADABLE, required=required),)


def _check(step: DetectorStep, length: int) -> Callable[[Any], tuple[Signal, ...]]:
    must_speak = step.plan.required or "risk" in step.spec.writes

    def check(result: Any) -> tuple[Signal, ...]:
        signals = checked_signals(result, length, source=step.plan.name)
        if must_speak and not signals:
            raise Malformed("gave no signal at all", FailureCause.EMPTY)
        if "risk" in step.spec.writes and not any(s.kind in _SAYS_RISK for s in signals):
            raise Malformed("gave no risk signal, not even 'none'", FailureCause.EMPTY)
        return signals

    return check


# A detector that cannot judge a message (a language it does not know) says so with `abstain`.
_SAYS_RISK = ("risk", "abstain")


def assessment_of(signals: Iterable[Signal], failures: Iterable[Failure] = ()) -> Assessment:
    """The assessment that signals and failures make: risks are the maximum per kind and subject."""
    found = tuple(signals)
    risks = merge(
        Risk(level=s.level, kind=RiskKind(s.label), subject=s.subject, score=s.score)
        for s in found
        if s.kind == "risk" and s.level is not None and s.level > Level.NONE
    )
    return Assessment(signals=found, failures=tuple(failures), risks=risks)


def checked_signals(result: Any, length: int, source: str) -> tuple[Signal, ...]:
    """What a detector gave, checked.

    Args:
        result: anything.
        length: length of the turn's text, in code points.
        source: the step's name, written into each signal.

    Raises:
        Malformed: it is not a list or tuple of valid signals.
    """
    if not isinstance(result, list | tuple):
        raise Malformed(f"gave {type(result).__name__}, not a list of signals")
    if len(result) > MAX_SIGNALS:
        raise Malformed(f"gave {len(result)} signals; at most {MAX_SIGNALS} are allowed")
    return tuple(_signal(item, length, source) for item in result)


def _signal(item: Any, length: int, source: str) -> Signal:
    if not isinstance(item, Signal):
        raise Malformed(f"gave a {type(item).__name__} among its signals")
    kind, label = plain_text(item.kind), plain_text(item.label)
    if not (0 < len(kind) <= MAX_NAME and 0 < len(label) <= MAX_NAME):
        raise Malformed("gave a signal whose kind or label is not a short text")
    level, subject = _risk(item, label) if kind == "risk" else (None, None)
    # A new value of plain types: a subclass could do anything when it is looked at later.
    return Signal(
        kind=kind,
        label=label,
        score=_score(item.score),
        level=level,
        subject=subject,
        evidence=_evidence(item.evidence, length),
        source=source,
    )


def plain_text(value: Any) -> str:
    """A text of exactly the type str, cleaned.

    Raises:
        Malformed: it is no text.
    """
    if not isinstance(value, str):
        raise Malformed(f"gave {type(value).__name__} where a text must stand")
    return clean(str.__str__(value))


def plain_int(value: Any) -> int:
    """A whole number of exactly the type int.

    Raises:
        Malformed: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"gave {type(value).__name__} where a whole number must stand")
    return int.__int__(value)


def _score(score: Any) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise Malformed(f"gave a score of type {type(score).__name__}")
    number = float.__float__(score) if isinstance(score, float) else float(int.__int__(score))
    if not math.isfinite(number) or not 0 <= number <= 1:
        raise Malformed(f"gave a score of {number}; it must be 0 to 1")
    return number


def _risk(item: Signal, label: str) -> tuple[Level, Subject | None]:
    try:
        level = Level(plain_text(item.level))
    except ValueError:
        raise Malformed("gave a risk signal without a valid level") from None
    if level is Level.NONE:
        return level, None
    try:
        RiskKind(label)
        return level, Subject(plain_text(item.subject))
    except ValueError:
        raise Malformed("gave a risk signal without a valid kind or subject") from None


def _evidence(evidence: Any, length: int) -> tuple[Evidence, ...]:
    if not isinstance(evidence, list | tuple) or len(evidence) > MAX_SIGNALS:
        raise Malformed("gave evidence that is not a short list")
    found = []
    for item in evidence:
        if not isinstance(item, Evidence):
            raise Malformed("gave evidence that is not a span with its reason")
        start, end = plain_int(item.start), plain_int(item.end)
        if not 0 <= start <= end <= length:
            raise Malformed("gave evidence outside the text")
        found.append(Evidence(start=start, end=end, why=plain_text(item.why)[:MAX_NAME]))
    return tuple(found)
