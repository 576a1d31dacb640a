"""The engine: order, message ids, admission, history, languages, streams, the sync facade."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sanad_core import Draft, Level
from sanad_core.errors import EngineClosed, Overloaded, UsageError
from sanad_core.testing import FakePlugin, Says, risk_signal
from sanad_core.types import Cause, Speaker

if TYPE_CHECKING:
    from sanad_core.types import Exchange

Make = "Callable[..., Engine]"
IMMINENT = "I am going to kill myself tonight"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Slow:
    """A responder that takes a moment, and remembers in which order it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def respond(self, turn: object, context: object) -> str:
        self.asked.append(turn.text)
        await asyncio.sleep(0.02)
        return f"you said {turn.text}"


def slowly(slow: Slow) -> dict[str, object]:
    return {
        "plugins": (FakePlugin(responders={"slow": slow}),),
        "respond": {"deadline": "5s", "chain": [{"use": "slow"}, {"use": "rules"}]},
    }


async def test_messages_of_a_conversation_are_answered_in_order(make_engine: Make) -> None:
    slow = Slow()
    async with make_engine(**slowly(slow)) as engine:
        exchanges = await asyncio.gather(
            *(engine.respond(f"m{n}", conversation_id="c") for n in range(10))
        )
    assert slow.asked == [f"m{n}" for n in range(10)]
    assert [e.turn.text for e in exchanges] == slow.asked


async def test_the_same_message_id_gives_the_same_answer_once(make_engine: Make) -> None:
    slow = Slow()
    async with make_engine(**slowly(slow)) as engine:
        both = await asyncio.gather(
            *(engine.respond("hi", conversation_id="c", message_id="m") for _ in range(2))
        )
        again = await engine.respond("hi", conversation_id="c", message_id="m")
        other = await engine.respond("hi", conversation_id="d", message_id="m")
    assert slow.asked == ["hi", "hi"]
    assert both[0].reply == both[1].reply == again.reply
    assert other.conversation == "d"


async def test_a_full_engine_turns_a_message_away_and_serves_those_it_took(
    make_engine: Make,
) -> None:
    engine = make_engine(**slowly(Slow()), limits={"at_once": 1, "waiting": 2})
    async with engine:
        asked = [
            asyncio.create_task(engine.respond("x", conversation_id=f"c{n}")) for n in range(5)
        ]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert (await engine.respond("x", conversation_id="later")).reply.text
    turned_away = [o for o in outcomes if isinstance(o, Overloaded)]
    assert len(turned_away) == 2
    # Waiting is not failing: those that waited were answered by the responder, not by on_failure.
    assert all(o.reply.responder == "slow" for o in outcomes if not isinstance(o, Overloaded))


async def test_a_caller_that_goes_away_does_not_take_the_message_with_it(
    make_engine: Make,
) -> None:
    slow = Slow()
    async with make_engine(**slowly(slow)) as engine:
        asking = asyncio.create_task(engine.respond("m1", conversation_id="c", message_id="1"))
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        again = await engine.respond("m1", conversation_id="c", message_id="1")
    assert slow.asked == ["m1"]
    assert again.reply.text.endswith("you said m1")


async def test_a_hold_lasts_over_turns_and_ends_by_its_time(make_engine: Make) -> None:
    clock = Clock()
    async with make_engine(clock=clock) as engine:
        first = await engine.respond(IMMINENT, conversation_id="c")
        held = await engine.respond("ok whatever", conversation_id="c")
        other = await engine.respond("ok whatever", conversation_id="d")
        clock.now += timedelta(hours=25)
        over = await engine.respond("ok whatever", conversation_id="c")
    assert (first.decision.cause, first.decision.held) == (Cause.CRISIS, True)
    assert (held.decision.cause, held.decision.rule, held.decision.held) == (
        Cause.HOLD,
        None,
        True,
    )
    # What the words do is answered where they do something; else the conversation goes on.
    assert held.reply.scripts[0].startswith(("crisis/held/suicide#", "crisis/answer/"))
    assert not other.decision.held
    assert over.decision.cause is Cause.RESPOND


async def test_scripted_texts_do_not_repeat_while_others_are_left(make_engine: Make) -> None:
    async with make_engine() as engine:
        await engine.respond(IMMINENT, conversation_id="c")
        texts = [
            (await engine.respond("ok", conversation_id="c")).reply.scripts[0] for _ in range(8)
        ]
    assert len(set(texts)) == 8


async def test_the_disclosure_comes_first_once_and_again_after_its_interval(
    make_engine: Make,
) -> None:
    clock = Clock()
    async with make_engine(clock=clock) as engine:
        first = await engine.respond("hello", conversation_id="c")
        second = await engine.respond("hello", conversation_id="c")
        clock.now += timedelta(hours=3, minutes=1)
        third = await engine.respond("hello", conversation_id="c")
        crisis = await engine.respond(IMMINENT, conversation_id="new")
    assert [e.reply.disclosed for e in (first, second, third)] == [True, False, True]
    assert first.reply.text.startswith("I'm an AI")
    assert crisis.reply.disclosed
    assert not crisis.reply.text.startswith("I'm an AI")


async def test_slots_and_history_reach_the_responder(make_engine: Make) -> None:
    class Remembers:
        def respond(self, turn: object, context: object) -> Draft:
            count = int(context.conversation.slot("count", "0")) + 1
            said = [t.text for t in context.conversation.turns if t.speaker is Speaker.PERSON]
            return Draft(text=f"{count} {said}", slots=(("count", str(count)),))

    engine = make_engine(
        plugins=(FakePlugin(responders={"remembers": Remembers()}),),
        respond={"deadline": "5s", "chain": [{"use": "remembers"}, {"use": "rules"}]},
        disclosure={"at_start": False},
        limits={"history": 2},
    )
    async with engine:
        texts = [(await engine.respond(m, conversation_id="c")).reply.text for m in ("a", "b", "c")]
    assert texts == ["1 []", "2 ['a']", "3 ['b']"]


async def test_a_signal_reaches_the_assessment_with_its_source(make_engine: Make) -> None:
    plugin = FakePlugin(detectors={"says": Says([risk_signal("high", "abuse_victim")])})
    engine = make_engine(plugins=(plugin,), detect=[{"use": "says", "required": True}])
    async with engine:
        found = await engine.screen("anything")
    assert found.risk.level is Level.HIGH
    assert found.risk.level == "high"
    assert found.signals[0].source == "says"


async def test_the_language_follows_the_message_and_the_caller(make_engine: Make) -> None:
    async with make_engine(locales=["en", "ar"]) as engine:
        arabic = await engine.respond("مرحبا", conversation_id="c")
        numbers = await engine.respond("123", conversation_id="c")
        asked = await engine.respond("مرحبا", conversation_id="d", locale="en")
        with pytest.raises(UsageError, match="no language 'fr'"):
            await engine.respond("salut", conversation_id="e", locale="fr")
    assert "برنامج" in arabic.reply.text
    assert any("\u0600" <= c <= "\u06ff" for c in numbers.reply.text)
    assert "I'm an AI" in asked.reply.text


async def test_helplines_follow_the_region_and_never_another_country(make_engine: Make) -> None:
    async with make_engine() as engine:
        british = await engine.respond(IMMINENT, conversation_id="a", region="GB")
        later = await engine.respond(IMMINENT, conversation_id="a")
        unknown = await engine.respond(IMMINENT, conversation_id="b", region="XX")
    assert "999" in british.reply.helplines
    assert "988" not in british.reply.helplines
    assert "999" in later.reply.helplines, "the conversation keeps its region"
    assert unknown.reply.helplines == ("https://findahelpline.com",)
    assert not any(char.isdigit() for char in unknown.reply.text.replace("findahelpline.com", ""))


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\ud800", "🙂", "x" * 90_000, "a\x00b"])
async def test_every_message_gets_a_reply(make_engine: Make, text: str) -> None:
    async with make_engine() as engine:
        exchange = await engine.respond(text, conversation_id="c")
    assert exchange.reply.text.strip()
    assert len(exchange.turn.text) == len(text)
    exchange.turn.text.encode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": 5, "conversation_id": "c"}, "must be text, not int"),
        ({"text": "x", "conversation_id": ""}, "conversation_id must be text"),
        ({"text": "x", "conversation_id": "c" * 300}, "conversation_id must be text"),
        ({"text": "x", "conversation_id": "c", "message_id": ""}, "message_id must be text"),
        ({"text": "x", "conversation_id": "a\x00"}, "conversation_id must be text"),
    ],
)
async def test_arguments_are_checked(make_engine: Make, arguments: dict, said: str) -> None:
    async with make_engine() as engine:
        with pytest.raises(UsageError, match=said):
            await engine.respond(arguments.pop("text"), **arguments)


async def test_a_stream_gives_the_text_and_then_the_record(make_engine: Make) -> None:
    async with make_engine() as engine:
        events = [event async for event in engine.stream("hello", conversation_id="c")]
    assert [event.type for event in events] == ["text", "done"]
    assert events[-1].exchange.reply.text == events[0].text


async def test_a_closed_engine_says_so(make_engine: Make) -> None:
    engine = make_engine()
    async with engine:
        pass
    with pytest.raises(EngineClosed):
        await engine.respond("x", conversation_id="c")


async def test_an_observer_sees_every_turn_and_its_errors_reach_nobody(make_engine: Make) -> None:
    seen: list[Exchange] = []

    def observe(exchange: Exchange) -> None:
        seen.append(exchange)
        raise RuntimeError("an observer broke")

    async with make_engine(plugins=(FakePlugin(observer=observe),)) as engine:
        await engine.respond("hello", conversation_id="c")
        await engine.respond("hello", conversation_id="c")
        await asyncio.sleep(0.1)
    assert len(seen) == 2


def test_the_sync_facade_answers_and_ends(make_engine: Make) -> None:
    engine = make_engine()
    first = engine.respond_sync("hello", conversation_id="c")
    second = engine.respond_sync(IMMINENT, conversation_id="c")
    engine.close_sync()
    assert first.decision.rule is None
    assert second.decision.rule == "imminent"


async def test_the_sync_facade_refuses_to_wait_for_itself(make_engine: Make) -> None:
    async with make_engine() as engine:
        with pytest.raises(UsageError, match=r"await engine\.respond"):
            engine.respond_sync("hello", conversation_id="c")
        answered = await asyncio.to_thread(engine.respond_sync, "hello", conversation_id="c")
    assert answered.reply.text


def test_a_blocked_component_does_not_keep_the_process_alive(tmp_path, write_policy) -> None:
    policy = write_policy(
        detect=[
            {"use": "lexicon", "required": True},
            {"use": "stuck", "timeout": "200ms"},
        ]
    )
    script = f"""
import asyncio, time
from sanad_core import Engine
from sanad_core.testing import FakePlugin
class Stuck:
    def detect(self, turn, context): time.sleep(600)
async def main():
    plugin = FakePlugin(detectors={{"stuck": Stuck()}})
    async with Engine.from_policy({str(policy)!r}, plugins=[plugin]) as engine:
        print((await engine.respond("hello", conversation_id="c")).assessment.failures[0].cause)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=30, check=True
    )
    assert done.stdout == b"timeout\n"
