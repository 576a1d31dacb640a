"""What the policy orders for a turn: one pure function, so that it can be enumerated and replayed.

Precedence: crisis rule, then hold, then `on_failure`, then responders. The first crisis rule that
matches gives the text; what every other matching rule orders (helplines, notifications, the longer
hold) counts as well, so that one more finding can add to a decision but never take from it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from sanad_core import conditions
from sanad_core.risk import RiskKind, Subject, highest
from sanad_core.types import Cause, Decision, Hold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_core.policy import Policy, Rule, Scripted
    from sanad_core.risk import Risk
    from sanad_core.types import Assessment, Conversation

__all__ = ["decide"]

T = TypeVar("T")


def decide(
    policy: Policy, assessment: Assessment, conversation: Conversation, now: datetime
) -> Decision:
    """Decide a turn.

    Args:
        policy: the policy.
        assessment: what the detectors found.
        conversation: the conversation before the turn; only its hold is looked at.
        now: the time, with a time zone.

    Returns:
        The decision; `decision.hold` is the hold to store, None where nothing is held.
    """
    hold = conversation.hold
    if hold is not None and not hold.active(now):
        hold = None
    fired = [
        rule for rule in policy.crisis if conditions.holds(rule.when, assessment, hold is not None)
    ]
    if fired:
        failed = any(failure.required for failure in assessment.failures)
        return _crisis(fired, assessment, hold, now, policy.on_failure if failed else None)
    if hold is not None:
        return _held(policy, hold, assessment)
    if any(failure.required for failure in assessment.failures):
        return _failed(policy, assessment)
    return _respond(policy, assessment)


def _crisis(
    fired: Sequence[Rule],
    assessment: Assessment,
    hold: Hold | None,
    now: datetime,
    failed: Scripted | None,
) -> Decision:
    first = fired[0].scripted
    ordered = [rule.scripted for rule in fired] + ([failed] if failed is not None else [])
    behind = [_behind(rule, assessment) or assessment.risks for rule in fired]
    main = highest(behind[0])
    new_hold = _renewed(fired, assessment, hold, now)
    kinds = [risk.kind for risk in (main, *itertools.chain.from_iterable(behind))]
    kinds += [hold.kind] if hold is not None else []
    return Decision(
        cause=Cause.CRISIS,
        rule=first.name,
        at=first.at,
        reply=first.reply,
        kind=main.kind,
        level=main.level,
        subject=main.subject,
        also=tuple(rule.scripted.name for rule in fired[1:]),
        helplines=_unique(line for scripted in ordered for line in scripted.helplines),
        kinds=_unique(kind for kind in kinds if kind is not None),
        notify=_targets(ordered),
        hold=new_hold,
        held=new_hold is not None,
    )


def _gravest(assessment: Assessment) -> Risk:
    """The risk that a hold is about: the person's own highest, else anybody's."""
    own = [risk for risk in assessment.risks if risk.subject is Subject.SELF]
    return highest(own or assessment.risks)


def _behind(rule: Rule, assessment: Assessment) -> list[Risk]:
    """The risk entries that a rule's tests match."""
    return [
        risk
        for part in conditions.walk(rule.when)
        if isinstance(part, conditions.RiskIs)
        for risk in conditions.matching_risks(part, assessment.risks)
    ]


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _targets(ordered: Sequence[Scripted]) -> tuple[tuple[str, bool], ...]:
    told: dict[str, bool] = {}
    for scripted in ordered:
        for name, with_text in scripted.notify:
            told[name] = told.get(name, False) or with_text
    return tuple(told.items())


def _renewed(
    fired: Sequence[Rule], assessment: Assessment, hold: Hold | None, now: datetime
) -> Hold | None:
    """The hold after a crisis rule fired: set by the rules, or the old one renewed."""
    setting = [rule for rule in fired if rule.holds]
    if hold is not None:
        lengths = (hold.length, *(rule.hold for rule in setting))
        return _extended(hold, assessment, _longest(*lengths), now)
    if not setting:
        return None
    length = _longest(*(rule.hold for rule in setting))
    gravest = _gravest(assessment)
    return Hold(
        rule=setting[0].scripted.name,
        level=highest(assessment.risks).level,
        # A rule that fired on something other than risk still needs a conversation to go on in.
        kind=gravest.kind or RiskKind.SUICIDE,
        subject=gravest.subject or Subject.SELF,
        since=now,
        until=None if length is None else now + length,
        length=length,
    )


def _longest(*lengths: timedelta | None) -> timedelta | None:
    """The longest of some holds; None, until acknowledged, is longer than any."""
    known = [length for length in lengths if length is not None]
    return max(known) if len(known) == len(lengths) else None


def _extended(hold: Hold, assessment: Assessment, length: timedelta | None, now: datetime) -> Hold:
    gravest = _gravest(assessment)
    # The talk turns to a graver risk, but never from the person to somebody else.
    own = gravest.subject is Subject.SELF or hold.subject is Subject.OTHER
    to_person = gravest.subject is Subject.SELF and hold.subject is Subject.OTHER
    turns = to_person or (own and gravest.level > hold.level)
    until = None if length is None or hold.until is None else max(hold.until, now + length)
    return replace(
        hold,
        level=max(hold.level, highest(assessment.risks).level),
        kind=gravest.kind if turns and gravest.kind is not None else hold.kind,
        subject=gravest.subject if turns and gravest.subject is not None else hold.subject,
        until=until,
        length=length,
    )


def _held(policy: Policy, hold: Hold, assessment: Assessment) -> Decision:
    return Decision(
        cause=Cause.HOLD,
        reply=policy.held.reply,
        kind=hold.kind,
        level=assessment.risk.level,
        subject=hold.subject,
        helplines=policy.held.helplines,
        kinds=(hold.kind,),
        hold=hold,
        held=True,
    )


def _failed(policy: Policy, assessment: Assessment) -> Decision:
    ordered = policy.on_failure
    return Decision(
        cause=Cause.FAILURE,
        rule=ordered.name,
        at=ordered.at,
        reply=ordered.reply,
        level=assessment.risk.level,
        helplines=ordered.helplines,
        kinds=_unique(risk.kind for risk in assessment.risks if risk.kind is not None),
        notify=ordered.notify,
    )


def _respond(policy: Policy, assessment: Assessment) -> Decision:
    asked = [
        step.name
        for step in policy.chain
        if step.when is None or conditions.holds(step.when, assessment, held=False)
    ]
    return Decision(
        cause=Cause.RESPOND,
        level=assessment.risk.level,
        kind=assessment.risk.kind,
        subject=assessment.risk.subject,
        chain=tuple(asked),
    )
