"""Whatever breaks, a crisis message gets a crisis text or the `on_failure` text."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CRISIS

from sanad_core.deployment import NotifierPlan
from sanad_core.testing import FAULTS, FakePlugin, Fault, Says, risk_signal
from sanad_core.types import Cause, Draft, FailureCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core import Engine

DEADLINE_S = 0.3
QUICK = f"{int(DEADLINE_S * 1000)}ms"
GUARD = {"checks": [{"use": "reply_guard"}], "on_block": "next"}
LEXICON = {"use": "lexicon", "required": True, "timeout": "1s"}
GENERATOR = {"use": "broken", "timeout": QUICK, "when": {"risk": {"at_most": "imminent"}}}
# Where the fault sits: what changes in the policy, and the method that breaks.
PLACES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "the floor": (
        "detectors",
        "detect",
        {"detect": [{"use": "broken", "required": True, "timeout": QUICK}]},
    ),
    "a required detector before the floor": (
        "detectors",
        "detect",
        {"detect": [{"use": "broken", "required": True, "timeout": QUICK}, LEXICON]},
    ),
    "an optional detector after the floor": (
        "detectors",
        "detect",
        {"detect": [LEXICON, {"use": "broken", "timeout": QUICK}]},
    ),
    "a responder": (
        "responders",
        "respond",
        {"respond": {"deadline": "2s", "chain": [GENERATOR, {"use": "rules"}]}},
    ),
    "a guard": (
        "guards",
        "check",
        {"guard": {"checks": [{"use": "broken", "timeout": QUICK}], "on_block": "next"}},
    ),
    "a notifier": ("notifiers", "notify", {}),
    "making it warm": (
        "detectors",
        "warm",
        {"detect": [{"use": "broken", "required": True, "timeout": QUICK}]},
    ),
}


@pytest.mark.parametrize("place", [place for place in PLACES if place != "making it warm"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_crisis_message_is_answered_whatever_breaks(
    make_engine: Callable[..., Engine], place: str, fault: str
) -> None:
    kind, method, changes = PLACES[place]
    broken = Fault(fault, method)
    notifiers = (NotifierPlan(name="on_call", use="broken" if kind == "notifiers" else "log"),)
    engine = make_engine(
        plugins=(FakePlugin(**{kind: {"broken": broken}}),), notifiers=notifiers, **changes
    )
    try:
        async with engine:
            for number, message in enumerate(CRISIS):
                began = time.monotonic()
                exchange = await engine.respond(message, conversation_id=f"c{number}")
                took = time.monotonic() - began
                assert exchange.decision.cause in (Cause.CRISIS, Cause.FAILURE), (place, fault)
                assert exchange.reply.responder == "scripted"
                assert "988" in exchange.reply.helplines
                assert took < DEADLINE_S + 1
                if place == "the floor":
                    assert exchange.assessment.failures[0].step == "broken"
    finally:
        broken.released.set()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", ["raises", "None", "empty", "NaN"])
async def test_an_ordinary_message_gets_no_responder_when_a_required_step_breaks(
    make_engine: Callable[..., Engine], place: str, fault: str
) -> None:
    kind, method, changes = PLACES[place]
    broken: Any = Fault(fault, method)
    if method == "warm":
        if fault != "raises":
            pytest.skip("what warm gives is not looked at")
        broken.detect = Says([risk_signal("none")]).detect
    notifiers = (NotifierPlan(name="on_call", use="broken" if kind == "notifiers" else "log"),)
    engine = make_engine(
        plugins=(FakePlugin(**{kind: {"broken": broken}}),), notifiers=notifiers, **changes
    )
    async with engine:
        exchange = await engine.respond("the weather is nice", conversation_id="c")
    required = any(
        step.get("required") and step["use"] == "broken" for step in changes.get("detect", ())
    )
    assert (exchange.decision.cause is Cause.FAILURE) == required
    assert exchange.reply.text.strip()
    if kind == "guards" and fault != "empty":
        # A guard that fails passes nothing: the scripted fallback answers. An empty list passes.
        assert exchange.reply.scripts[0].startswith("support/fallback#")
        assert exchange.reply.blocked[0].rule == "guard_failed"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crisis_found_by_one_step_wins_over_the_failure_of_another(
    make_engine: Callable[..., Engine], when: str
) -> None:
    broken = {"use": "broken", "required": True}
    steps = [broken, LEXICON] if when == "before" else [LEXICON, broken]
    plugin = FakePlugin(detectors={"broken": Fault("raises", "detect")})
    async with make_engine(plugins=(plugin,), detect=steps) as engine:
        exchange = await engine.respond(CRISIS[0], conversation_id="c")
    assert exchange.decision.rule == "imminent"
    assert exchange.assessment.failures[0].cause is FailureCause.EXCEPTION


@pytest.mark.parametrize("level", ["low", "moderate", "high", "imminent"])
async def test_no_responder_text_leaves_when_a_crisis_rule_fires(
    make_engine: Callable[..., Engine], level: str
) -> None:
    talker = Says(Draft(text="GENERATED TEXT"))
    plugin = FakePlugin(
        detectors={"says": Says([risk_signal(level)])}, responders={"talker": talker}
    )
    chain = [{"use": "talker", "when": {"risk": {"at_most": "imminent"}}}, {"use": "rules"}]
    engine = make_engine(
        plugins=(plugin,),
        detect=[{"use": "says", "required": True}],
        respond={"deadline": "2s", "chain": chain},
    )
    async with engine:
        exchange = await engine.respond("anything", conversation_id="c")
    assert "GENERATED" not in exchange.reply.text
    assert talker.calls == 0


async def test_nothing_is_generated_for_a_person_at_risk_unless_the_policy_says_so(
    make_engine: Callable[..., Engine],
) -> None:
    talker = Says("GENERATED TEXT")
    plugin = FakePlugin(
        detectors={"says": Says([risk_signal("low", "psychosis")])}, responders={"talker": talker}
    )
    changes: dict[str, Any] = {
        "detect": [{"use": "says", "required": True}],
        "respond": {"deadline": "2s", "chain": [{"use": "talker"}, {"use": "rules"}]},
    }
    async with make_engine(plugins=(plugin,), **changes) as engine:
        exchange = await engine.respond("anything", conversation_id="c")
    assert exchange.reply.responder == "rules"
    assert talker.calls == 0


async def test_a_component_that_hangs_is_quarantined_and_the_process_can_end(
    make_engine: Callable[..., Engine],
) -> None:
    broken = Fault("blocks its thread", "detect")
    engine = make_engine(
        plugins=(FakePlugin(detectors={"broken": broken}),),
        detect=[LEXICON, {"use": "broken", "timeout": QUICK}],
    )
    try:
        async with engine:
            first = await asyncio.gather(
                *(engine.respond("hello", conversation_id=f"a{n}") for n in range(4))
            )
            began = time.monotonic()
            later = await engine.respond("hello", conversation_id="b")
            took = time.monotonic() - began
    finally:
        broken.released.set()
    assert {e.assessment.failures[0].cause for e in first} == {FailureCause.TIMEOUT}
    assert later.assessment.failures[0].cause is FailureCause.QUARANTINED
    assert took < DEADLINE_S


async def test_one_conversation_does_not_wait_for_another(
    make_engine: Callable[..., Engine],
) -> None:
    broken = Fault("awaits for ever", "respond")
    chain = [{"use": "broken", "timeout": "1500ms"}, {"use": "rules"}]
    engine = make_engine(
        plugins=(FakePlugin(responders={"broken": broken}),),
        respond={"deadline": "3s", "chain": chain},
        detect=[LEXICON],
    )
    async with engine:
        slow = asyncio.create_task(engine.respond("hello", conversation_id="slow"))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await engine.respond(CRISIS[0], conversation_id="fast")
        assert time.monotonic() - began < 1
        assert not slow.done()
        assert (await slow).reply.responder == "rules"


async def test_a_message_too_long_to_read_is_not_taken_for_a_safe_one(
    make_engine: Callable[..., Engine],
) -> None:
    async with make_engine(limits={"message": 1000}) as engine:
        plain = await engine.respond("la " * 1000, conversation_id="a")
        at_the_end = await engine.respond("la " * 1000 + CRISIS[0], conversation_id="b")
    assert plain.decision.cause is Cause.FAILURE
    assert plain.assessment.failures[0].cause is FailureCause.TOO_LONG
    assert at_the_end.decision.rule == "imminent"
    assert len(plain.turn.text) == 3000
