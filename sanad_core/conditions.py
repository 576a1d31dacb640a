"""Conditions of a policy (`when`): frozen values with one pure function that evaluates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.risk import Level, RiskKind, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.policyfile import RiskTest, When
    from sanad_core.risk import Risk
    from sanad_core.types import Assessment

__all__ = [
    "All",
    "AnyOf",
    "Condition",
    "Failed",
    "Held",
    "Not",
    "RiskIs",
    "SignalIs",
    "build",
    "holds",
    "matching_risks",
    "monotone",
    "walk",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskIs:
    """Some entry of these kinds and this subject is at least, and none above, a level."""

    at_least: Level | None = None
    at_most: Level | None = None
    kinds: tuple[RiskKind, ...] = ()
    subject: Subject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalIs:
    """A signal of this kind and label has at least this score."""

    kind: str
    label: str
    at_least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The named step failed."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The conversation is (or is not) in crisis mode."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = RiskIs | SignalIs | Failed | Held | All | AnyOf | Not


def build(when: When) -> Condition:
    """The condition that a `when` of a policy file states."""
    parts: list[Condition] = []
    if when.risk is not None:
        parts.append(_risk(when.risk))
    if when.signal is not None:
        test = when.signal
        parts.append(SignalIs(kind=test.kind, label=test.label, at_least=test.at_least))
    if when.failure is not None:
        parts.append(Failed(step=when.failure))
    if when.held is not None:
        parts.append(Held(value=when.held))
    if when.all is not None:
        parts.append(All(parts=tuple(build(part) for part in when.all)))
    if when.any is not None:
        parts.append(AnyOf(parts=tuple(build(part) for part in when.any)))
    if when.not_ is not None:
        parts.append(Not(part=build(when.not_)))
    return parts[0] if len(parts) == 1 else All(parts=tuple(parts))


def _risk(test: RiskTest) -> RiskIs:
    return RiskIs(
        at_least=Level(test.at_least) if test.at_least else None,
        at_most=Level(test.at_most) if test.at_most else None,
        kinds=tuple(RiskKind(kind) for kind in test.kind or ()),
        subject=Subject(test.subject) if test.subject else None,
    )


def matching_risks(test: RiskIs, risks: tuple[Risk, ...]) -> tuple[Risk, ...]:
    """The entries of the test's kinds and subject that reach its lower level."""
    least = test.at_least or Level.NONE
    return tuple(risk for risk in _looked_at(test, risks) if risk.level >= least)


def _looked_at(test: RiskIs, risks: tuple[Risk, ...]) -> tuple[Risk, ...]:
    return tuple(
        risk
        for risk in risks
        if (not test.kinds or risk.kind in test.kinds)
        and (test.subject is None or risk.subject is test.subject)
    )


def holds(condition: Condition, assessment: Assessment, held: bool) -> bool:
    """Whether a condition holds.

    Args:
        condition: what is asked.
        assessment: what the detectors found.
        held: whether the conversation is in crisis mode.
    """
    match condition:
        case RiskIs():
            return _risk_holds(condition, assessment.risks)
        case SignalIs(kind=kind, label=label, at_least=least):
            return any(
                s.kind == kind and s.label == label and s.score >= least for s in assessment.signals
            )
        case Failed(step=step):
            return any(failure.step == step for failure in assessment.failures)
        case Held(value=value):
            return held is value
        case All(parts=parts):
            return all(holds(part, assessment, held) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, assessment, held) for part in parts)
        case Not(part=part):
            return not holds(part, assessment, held)


def _risk_holds(test: RiskIs, risks: tuple[Risk, ...]) -> bool:
    if test.at_most is not None and any(r.level > test.at_most for r in _looked_at(test, risks)):
        return False
    if test.at_least is None or test.at_least is Level.NONE:
        return True
    return bool(matching_risks(test, risks))


def walk(condition: Condition) -> Iterator[Condition]:
    """The condition and every part of it."""
    yield condition
    match condition:
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from walk(part)
        case Not(part=part):
            yield from walk(part)


def monotone(condition: Condition) -> bool:
    """Whether more signals or failures, or crisis mode, can never make it stop holding.

    A crisis rule must be so: otherwise a second finding could switch off the first one's override.
    """
    return not any(
        isinstance(part, Not)
        or (isinstance(part, RiskIs) and part.at_most is not None)
        or (isinstance(part, Held) and not part.value)
        for part in walk(condition)
    )
