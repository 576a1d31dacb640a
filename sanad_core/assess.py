"""Runs the detectors over a turn, one after the other, and checks what each of them says."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sanad_core.risk import Level, Risk, RiskKind, Subject, merge
from sanad_core.steps import Malformed
from sanad_core.types import Assessment, Evidence, Failure, FailureCause, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sanad_core.policy import StepPlan
    from sanad_core.specs import Context, DetectorSpec
    from sanad_core.steps import Runner

__all__ = ["DetectorStep", "assess", "assessment_of", "checked_signals"]

MAX_SIGNALS = 256
MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorStep:
    """A detector in its place in the plan."""

    plan: StepPlan
    spec: DetectorSpec
    runner: Runner


async def assess(
    steps: Sequence[DetectorStep], context: Context, failures: tuple[Failure, ...] = ()
) -> tuple[Assessment, tuple[tuple[str, float], ...]]:
    """Run every detector over `context.turn`.

    Args:
        steps: in the policy's order; each sees what those before it found.
        context: the turn and what surrounds it.
        failures: what failed before detection.

    Returns:
        The assessment, and the milliseconds that each step took.
    """
    signals: tuple[Signal, ...] = ()
    timings: list[tuple[str, float]] = []
    for step in steps:
        seen = replace(context, assessment=assessment_of(signals, failures))
        outcome = await step.runner.call(
            "detect",
            context.turn,
            seen,
            timeout=step.plan.timeout,
            check=_check(step, len(context.turn.text)),
        )
        timings.append((step.plan.name, outcome.milliseconds))
        if outcome.cause is None:
            signals += outcome.value or ()
        else:
            failures += (outcome.failure(step.plan.name, required=step.plan.required),)
    return assessment_of(signals, failures), tuple(timings)


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
    for name in (item.kind, item.label):
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise Malformed("gave a signal whose kind or label is not a short text")
    level, subject = item.level, item.subject
    if item.kind == "risk":
        level, subject = _risk(item)
    return replace(
        item,
        score=_score(item.score),
        level=level,
        subject=subject,
        evidence=_evidence(item.evidence, length),
        source=source,
    )


def _score(score: Any) -> float:
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise Malformed(f"gave a score of type {type(score).__name__}")
    if not math.isfinite(score) or not 0 <= score <= 1:
        raise Malformed(f"gave a score of {score}; it must be 0 to 1")
    return float(score)


def _risk(item: Signal) -> tuple[Level, Subject | None]:
    try:
        level = Level(item.level)  # type: ignore[arg-type]
    except ValueError:
        raise Malformed("gave a risk signal without a valid level") from None
    if level is Level.NONE:
        return level, None
    try:
        RiskKind(item.label)
        return level, Subject(item.subject)  # type: ignore[arg-type]
    except ValueError:
        raise Malformed("gave a risk signal without a valid kind or subject") from None


def _evidence(evidence: Any, length: int) -> tuple[Evidence, ...]:
    if not isinstance(evidence, list | tuple) or len(evidence) > MAX_SIGNALS:
        raise Malformed("gave evidence that is not a short list")
    for item in evidence:
        if not isinstance(item, Evidence) or not isinstance(item.why, str):
            raise Malformed("gave evidence that is not a span with its reason")
        if not (isinstance(item.start, int) and isinstance(item.end, int)):
            raise Malformed("gave evidence with an offset that is not a whole number")
        if not 0 <= item.start <= item.end <= length:
            raise Malformed("gave evidence outside the text")
    return tuple(evidence)
