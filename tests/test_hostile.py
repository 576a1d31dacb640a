"""Components, stores and callers that mean no good, or are very unlucky, cost nobody an answer."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CRISIS

from sanad_core import Conversation, Signal
from sanad_core.errors import EngineClosed, StoreError
from sanad_core.store import Loaded
from sanad_core.testing import NOW, FakePlugin, Says, risk_signal
from sanad_core.types import Cause, FailureCause, Hold, Speaker, Turn
from sanad_stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sanad_core import Engine

IMMINENT = CRISIS[0]
LEXICON = {"use": "lexicon", "required": True}


class StopsItsLoop:
    async def detect(self, turn: Any, context: Any) -> Any:
        asyncio.get_running_loop().stop()
        return [risk_signal("none")]


class RaisesWhenLookedAt:
    @property
    def detect(self) -> Any:
        raise RuntimeError("looked at")


class RaisesAtClose:
    detect = Says([risk_signal("none")]).detect

    @property
    def close(self) -> Any:
        raise RuntimeError("looked at")


class EvilError(StoreError):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


class RaisesEvil:
    def detect(self, turn: Any, context: Any) -> Any:
        raise EvilError


class SlowText(str):
    def __eq__(self, other: object) -> bool:
        time.sleep(5)
        return True

    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class EvilSignal(Signal):
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")


class ChangesTheTurn:
    def detect(self, turn: Any, context: Any) -> Any:
        object.__setattr__(turn, "text", "hello")
        object.__setattr__(context.turn, "text", "hello")
        return [risk_signal("none")]


HOSTILE = {
    "stops its loop": StopsItsLoop(),
    "raises when looked at": RaisesWhenLookedAt(),
    "raises at close": RaisesAtClose(),
    "an error without a text": RaisesEvil(),
    "a text that is slow to compare": Says([Signal(kind=SlowText("intent"), label="x")]),
    "a signal that cannot be compared": Says([EvilSignal(kind="intent", label="x")]),
    "changes the turn": ChangesTheTurn(),
    "a level that is no text": Says([Signal(kind="intent", label="x", level=object())]),
    "a lone surrogate": Says([Signal(kind="intent", label="\ud800")]),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", HOSTILE)
async def test_an_optional_component_cannot_take_a_finding_away(
    make_engine: Callable[..., Engine], tmp_path: Path, name: str, place: str
) -> None:
    broken = {"use": "broken", "timeout": "500ms"}
    steps = [broken, LEXICON] if place == "before" else [LEXICON, broken]
    plugin = FakePlugin(detectors={"broken": HOSTILE[name]})
    store = f"sqlite:{tmp_path / 'c.db'}"
    async with make_engine(plugins=(plugin,), detect=steps, store=store) as engine:
        for number in range(3):
            began = time.monotonic()
            exchange = await engine.respond(IMMINENT, conversation_id=f"c{number}")
            assert exchange.decision.rule == "imminent"
            assert exchange.failures == ()
            assert time.monotonic() - began < 1.5


async def test_other_words_under_a_used_message_id_are_read(
    make_engine: Callable[..., Engine],
) -> None:
    async with make_engine() as engine:
        first = await engine.respond("hello", conversation_id="c", message_id="1")
        other = await engine.respond(IMMINENT, conversation_id="c", message_id="1")
        again = await engine.respond("hello", conversation_id="c", message_id="1")
    assert other.decision.rule == "imminent"
    assert again.reply == first.reply


async def test_every_unanswered_message_is_read_with_the_next(
    make_engine: Callable[..., Engine],
) -> None:
    store = MemoryStore()
    for number, text in enumerate((IMMINENT, *["hello"] * 9)):
        turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id=f"m{number}")
        store.receive("c", turn, 10)
    plugin = FakePlugin(stores={"kept": store})
    async with make_engine(plugins=(plugin,), store="kept:") as engine:
        exchange = await engine.respond("are you there", conversation_id="c")
    assert exchange.decision.rule == "imminent"


async def test_an_observer_that_hangs_costs_a_few_threads_and_nobody_an_answer(
    make_engine: Callable[..., Engine],
) -> None:
    released = threading.Event()
    plugin = FakePlugin(observer=lambda _: released.wait())
    before = threading.active_count()
    try:
        async with make_engine(plugins=(plugin,)) as engine:
            for number in range(100):
                await engine.respond("hello", conversation_id=f"c{number}")
            assert threading.active_count() - before < 25
    finally:
        released.set()


BAD_HOLD = Hold(
    rule="x",
    level=risk_signal("high").level,
    kind="suicide",
    subject="self",
    since=NOW.replace(tzinfo=None),
    until=NOW.replace(tzinfo=None),
    length=None,
)
CONVERSATION = Conversation(id="c")


@pytest.mark.parametrize(
    "loaded",
    [
        None,
        Loaded(conversation=None),
        Loaded(conversation=replace(CONVERSATION, turns=None)),
        Loaded(conversation=replace(CONVERSATION, hold="x")),
        Loaded(conversation=replace(CONVERSATION, hold=BAD_HOLD)),
        Loaded(conversation=replace(CONVERSATION, slots=(1,))),
        Loaded(conversation=CONVERSATION, answered="junk"),
    ],
)
async def test_a_store_that_gives_nonsense_costs_nobody_an_answer(
    make_engine: Callable[..., Engine], loaded: Any
) -> None:
    store = MemoryStore()
    store.receive = lambda *_: loaded
    plugin = FakePlugin(stores={"mad": store})
    async with make_engine(plugins=(plugin,), store="mad:") as engine:
        crisis = await engine.respond(IMMINENT, conversation_id="c")
        other = await engine.respond("hello", conversation_id="d")
    assert crisis.decision.rule == "imminent"
    # Whether this conversation is held cannot be known, so nothing ordinary is said.
    assert other.decision.cause is Cause.FAILURE


async def test_one_row_that_cannot_be_read_concerns_one_conversation(
    tmp_path: Path, make_engine: Callable[..., Engine]
) -> None:
    path = tmp_path / "c.db"
    async with make_engine(store=f"sqlite:{path}") as engine:
        await engine.respond("hello", conversation_id="bad")
        database = sqlite3.connect(path)
        database.execute("UPDATE conversations SET slots = '{{{' WHERE id = 'bad'")
        database.commit()
        database.close()
        bad = await engine.respond("hello", conversation_id="bad")
        crisis = await engine.respond(IMMINENT, conversation_id="bad")
        good = await engine.respond(IMMINENT, conversation_id="good")
    assert bad.decision.cause is Cause.FAILURE
    assert crisis.decision.rule == "imminent"
    assert good.failures == ()
    async with make_engine(store=f"sqlite:{path}") as engine:
        assert (await engine.respond("ok", conversation_id="good")).decision.held


async def test_a_crisis_does_not_wait_for_responders_that_are_busy(
    make_engine: Callable[..., Engine],
) -> None:
    class Slow:
        async def respond(self, turn: Any, context: Any) -> str:
            await asyncio.sleep(1.5)
            return "a reply"

    engine = make_engine(
        plugins=(FakePlugin(responders={"slow": Slow()}),),
        respond={"deadline": "5s", "chain": [{"use": "slow"}, {"use": "rules"}]},
        limits={"at_once": 4},
    )
    async with engine:
        busy = [
            asyncio.create_task(engine.respond("hello", conversation_id=f"c{n}")) for n in range(20)
        ]
        await asyncio.sleep(0.2)
        began = time.monotonic()
        exchange = await engine.respond(IMMINENT, conversation_id="crisis")
        assert time.monotonic() - began < 1
        assert exchange.decision.rule == "imminent"
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def test_a_failed_start_leaves_no_threads(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(store="sqlite:/proc/nowhere/c.db")
    before = threading.active_count()
    for _ in range(20):
        with pytest.raises(StoreError):
            await engine.respond("hello", conversation_id="c")
    await asyncio.sleep(0.1)
    assert threading.active_count() - before < 10


@pytest.mark.parametrize("text", ["我要自杀", "Я хочу умереть", "मैं मरना चाहता हूँ"])
async def test_a_script_that_nobody_can_read_is_not_taken_for_safe(
    make_engine: Callable[..., Engine], text: str
) -> None:
    async with make_engine(locales=["en", "ar"]) as engine:
        exchange = await engine.respond(text, conversation_id="c")
    assert exchange.decision.cause is Cause.FAILURE
    assert exchange.assessment.failures[0].cause is FailureCause.UNREADABLE
    assert "988" in exchange.reply.helplines


async def test_an_optional_failure_does_not_hide_that_nobody_could_read_the_message(
    make_engine: Callable[..., Engine],
) -> None:
    plugin = FakePlugin(detectors={"broken": RaisesEvil()})
    async with make_engine(plugins=(plugin,), detect=[LEXICON, {"use": "broken"}]) as engine:
        exchange = await engine.respond("我要自杀", conversation_id="c")
    assert exchange.decision.cause is Cause.FAILURE


async def test_a_clock_that_breaks_costs_nobody_an_answer(
    make_engine: Callable[..., Engine],
) -> None:
    def broken() -> Any:
        raise OSError("no clock")

    async with make_engine(clock=broken) as engine:
        exchange = await engine.respond(IMMINENT, conversation_id="c")
    assert exchange.decision.cause is Cause.FAILURE
    assert "988" in exchange.reply.helplines


def test_the_sync_facade_says_that_it_is_closed(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    engine.respond_sync("hello", conversation_id="c")
    engine.close_sync()
    engine.close_sync()
    with pytest.raises(EngineClosed):
        engine.respond_sync("hello", conversation_id="c")
    unused = make_engine()
    unused.close_sync()
    with pytest.raises(EngineClosed):
        unused.respond_sync("hello", conversation_id="c")


async def test_a_task_of_a_component_that_fails_is_not_quoted(
    make_engine: Callable[..., Engine],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Strays:
        async def detect(self, turn: Any, context: Any) -> Any:
            async def stray() -> None:
                raise ValueError(turn.text)

            self.task = asyncio.get_running_loop().create_task(stray())
            await asyncio.sleep(0.01)
            self.task = None
            return [risk_signal("none")]

    caplog.set_level(logging.DEBUG)
    plugin = FakePlugin(detectors={"strays": Strays()})
    async with make_engine(plugins=(plugin,), detect=[LEXICON, {"use": "strays"}]) as engine:
        await engine.respond("CANARY-5b", conversation_id="c")
        await asyncio.sleep(0.05)
    assert "CANARY" not in caplog.text
    assert "CANARY" not in "".join(capfd.readouterr())
