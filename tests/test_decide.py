"""The decision: precedence, and that one more finding never weakens it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from conftest import POLICIES
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core.assess import assessment_of
from sanad_core.decide import decide
from sanad_core.policy import Policy, load_policy
from sanad_core.risk import Level, RiskKind, Subject, highest
from sanad_core.testing import risk_signal
from sanad_core.types import Cause, Conversation, Decision, Failure, FailureCause, Hold, Signal

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
STRENGTH = [Cause.RESPOND, Cause.FAILURE, Cause.HOLD, Cause.CRISIS]

levels = st.sampled_from(list(Level)[1:])
signals = st.builds(
    lambda level, kind, subject, score: risk_signal(level.value, kind.value, subject.value, score),
    levels,
    st.sampled_from(list(RiskKind)),
    st.sampled_from(list(Subject)),
    st.floats(0, 1),
)
many = st.lists(signals, max_size=6)
failures = st.lists(
    st.builds(
        lambda step, required: Failure(step=step, cause=FailureCause.TIMEOUT, required=required),
        st.sampled_from(["lexicon", "other", "store"]),
        st.booleans(),
    ),
    max_size=3,
)
holds = st.none() | st.builds(
    lambda level, kind, hours: Hold(
        rule="high",
        level=level,
        kind=kind,
        subject=Subject.SELF,
        since=NOW - timedelta(hours=1),
        until=NOW + timedelta(hours=hours) if hours else None,
        length=timedelta(hours=hours) if hours else None,
    ),
    levels,
    st.sampled_from(list(RiskKind)),
    st.integers(0, 48),
)


@cache
def policy(name: str = "default") -> Policy:
    return load_policy(POLICIES / f"{name}.yml")


def decided(found: list[Signal], failed: list[Failure], hold: Hold | None) -> Decision:
    conversation = Conversation(id="c", hold=hold)
    return decide(policy(), assessment_of(found, failed), conversation, NOW)


def end(decision: Decision) -> datetime:
    if decision.hold is None:
        return NOW
    return decision.hold.until or datetime.max.replace(tzinfo=UTC)


@given(many, signals, failures, holds, st.integers(0, 6))
@settings(max_examples=500)
def test_adding_a_signal_never_weakens_a_decision(
    found: list[Signal], extra: Signal, failed: list[Failure], hold: Hold | None, place: int
) -> None:
    before = decided(found, failed, hold)
    after = decided([*found[:place], extra, *found[place:]], failed, hold)

    assert STRENGTH.index(after.cause) >= STRENGTH.index(before.cause)
    if before.cause is Cause.CRISIS:
        rules = [rule.scripted.name for rule in policy().crisis]
        assert rules.index(after.rule or "") <= rules.index(before.rule or "")
        assert set(after.helplines) >= set(before.helplines)
        assert before.hold is None or after.hold is None or after.hold.level >= before.hold.level
        assert set(after.kinds) >= set(before.kinds)
        assert set(dict(after.notify)) >= set(dict(before.notify))
        assert {after.rule, *after.also} >= {before.rule, *before.also}
    assert end(after) >= end(before)
    assert after.held or not before.held


@given(many, signals, failures, holds)
def test_a_failure_adds_its_orders_to_a_crisis(found, extra, failed, hold) -> None:
    broken = [*failed, Failure(step="lexicon", cause=FailureCause.TIMEOUT, required=True)]
    before, after = decided(found, broken, hold), decided([*found, extra], broken, hold)
    if before.cause in (Cause.FAILURE, Cause.CRISIS) and after.cause is Cause.CRISIS:
        assert set(after.helplines) >= set(before.helplines)
        assert set(dict(after.notify)) >= set(dict(before.notify))
    if hold is not None and after.cause is Cause.CRISIS:
        assert hold.kind in after.kinds


@given(many, failures, holds, st.randoms(use_true_random=False))
def test_the_order_of_detectors_does_not_matter(found, failed, hold, random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert decided(found, failed, hold) == decided(shuffled, failed, hold)


@given(many, failures, holds)
def test_a_failure_of_a_required_step_never_reaches_a_responder(found, failed, hold) -> None:
    broken = Failure(step="lexicon", cause=FailureCause.EXCEPTION, required=True)
    assert decided(found, [*failed, broken], hold).cause is not Cause.RESPOND


@given(many, failures, holds)
def test_a_person_at_risk_gets_a_scripted_answer(found, failed, hold) -> None:
    decision = decided(found, failed, hold)
    at_risk = [
        risk
        for risk in assessment_of(found).risks
        if risk.level >= Level.MODERATE
        or (risk.kind in (RiskKind.SUICIDE, RiskKind.SELF_INJURY) and risk.subject is Subject.SELF)
    ]
    if at_risk or hold is not None:
        assert decision.reply is not None
        assert decision.chain == ()


@given(many)
def test_no_risk_hides_another(found: list[Signal]) -> None:
    risks = assessment_of(found).risks
    for signal in found:
        assert any(
            risk.kind == signal.label
            and risk.subject is signal.subject
            and risk.level >= (signal.level or Level.NONE)
            for risk in risks
        )
    if risks:
        top = highest(risks)
        assert top.level == max(risk.level for risk in risks)
        if any(r.level is top.level and r.subject is Subject.SELF for r in risks):
            assert top.subject is Subject.SELF


def test_a_friend_at_high_does_not_hide_the_person_at_moderate() -> None:
    decision = decided([risk_signal("high", subject="other"), risk_signal("moderate")], [], None)
    assert decision.rule == "moderate"
    assert "someone_else" in decision.also


@pytest.mark.parametrize("name", ["default", "minimal"])
@pytest.mark.parametrize("kind", RiskKind)
@pytest.mark.parametrize("level", list(Level)[2:])
def test_every_kind_at_moderate_or_above_fires_a_rule(
    name: str, kind: RiskKind, level: Level
) -> None:
    found = assessment_of([risk_signal(level.value, kind.value)])
    decision = decide(policy(name), found, Conversation(id="c"), NOW)
    assert decision.cause is Cause.CRISIS
    assert decision.kind is kind


def test_precedence_is_crisis_then_hold_then_failure_then_responders() -> None:
    hold = Hold(
        rule="high",
        level=Level.HIGH,
        kind=RiskKind.SUBSTANCE,
        subject=Subject.SELF,
        since=NOW,
        until=NOW + timedelta(hours=1),
        length=timedelta(hours=1),
    )
    broken = [Failure(step="lexicon", cause=FailureCause.EXCEPTION, required=True)]
    crisis = [risk_signal("imminent")]
    assert decided(crisis, broken, hold).cause is Cause.CRISIS
    held = decided([], broken, hold)
    assert (held.cause, held.kind, held.rule) == (Cause.HOLD, RiskKind.SUBSTANCE, None)
    assert decided([], broken, None).cause is Cause.FAILURE
    assert decided([], [], None).cause is Cause.RESPOND


def test_a_hold_ends_when_its_time_is_over_and_new_risk_renews_it() -> None:
    over = Hold(
        rule="high",
        level=Level.HIGH,
        kind=RiskKind.SUICIDE,
        subject=Subject.SELF,
        since=NOW - timedelta(hours=25),
        until=NOW,
        length=timedelta(hours=24),
    )
    assert decided([], [], over).cause is Cause.RESPOND
    still = Hold(
        rule="high",
        level=Level.HIGH,
        kind=RiskKind.SUICIDE,
        subject=Subject.SELF,
        since=NOW - timedelta(hours=23),
        until=NOW + timedelta(hours=1),
        length=timedelta(hours=24),
    )
    renewed = decided([risk_signal("moderate")], [], still)
    assert renewed.hold is not None
    assert renewed.hold.until == NOW + timedelta(hours=24)
    assert renewed.hold.level is Level.HIGH


def test_a_level_compares_by_severity() -> None:
    assert sorted(Level, reverse=True)[0] is Level.IMMINENT
    assert Level.LOW < Level.MODERATE < Level.HIGH
    assert Level.NONE <= "low"
    assert Level.HIGH == "high"
