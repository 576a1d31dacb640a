"""Public fakes and conformance checks, for Sanad's own tests and for those of plugin authors."""

from __future__ import annotations

import asyncio
import inspect
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sanad_core.hookspecs import hookimpl
from sanad_core.notices import Notice
from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.specs import DetectorSpec, GuardSpec, NotifierSpec, ResponderSpec, StoreSpec
from sanad_core.store import Record
from sanad_core.types import (
    Assessment,
    Cause,
    Conversation,
    Decision,
    Exchange,
    Hold,
    Reply,
    Signal,
    Speaker,
    Turn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sanad_core.store import Store

__all__ = ["FAULTS", "FakePlugin", "Fault", "Says", "check_store", "risk_signal"]


def risk_signal(
    level: str, kind: str = "suicide", subject: str = "self", score: float = 0.9
) -> Signal:
    """A valid risk signal."""
    if level == "none":
        return Signal.no_risk()
    return Signal(
        kind="risk",
        label=RiskKind(kind).value,
        level=Level(level),
        subject=Subject(subject),
        score=score,
    )


class Says:
    """A component that always gives the same: signals, a draft or verdicts.

    Args:
        result: what `detect`, `respond` and `check` give.
    """

    def __init__(self, result: Any) -> None:
        self.result = result
        self.calls = 0

    def _give(self, *_: Any) -> Any:
        self.calls += 1
        return self.result

    detect = respond = check = notify = _give


class Fault:
    """A component that goes wrong in one way, at every call of every method.

    Args:
        name: one of FAULTS.
        method: the method that goes wrong; others do nothing.
    """

    def __init__(self, name: str, method: str) -> None:
        self.released = threading.Event()
        body = FAULTS[name]

        def blocked(*_: Any) -> Any:
            return body(self)

        async def hanging(*_: Any) -> Any:
            return await body(self)

        setattr(self, method, hanging if name in _ASYNC else blocked)


def _raises(_: Fault) -> Any:
    raise RuntimeError("a component broke; the person's words must not be in any log")


def _exits(_: Fault) -> Any:
    raise SystemExit(3)


async def _awaits_for_ever(_: Fault) -> Any:
    await asyncio.Event().wait()


async def _ignores_cancellation(_: Fault) -> Any:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


async def _blocks_its_loop(fault: Fault) -> Any:
    fault.released.wait()


def _blocks_its_thread(fault: Fault) -> Any:
    fault.released.wait()


def _not_a_number(_: Fault) -> Any:
    return [replace(risk_signal("none"), score=float("nan"))]


def _huge(_: Fault) -> Any:
    return [risk_signal("none")] * 1_000_000


# Each gives a result, or does not, in a way that some component somewhere has.
FAULTS: dict[str, Callable[[Fault], Any]] = {
    "raises": _raises,
    "exits": _exits,
    "awaits for ever": _awaits_for_ever,
    "ignores cancellation": _ignores_cancellation,
    "blocks its loop": _blocks_its_loop,
    "blocks its thread": _blocks_its_thread,
    "NaN": _not_a_number,
    "None": lambda _: None,
    "wrong type": lambda _: {"risk": "none"},
    "wrong items": lambda _: ["none"],
    "empty": lambda _: [],
    "empty text": lambda _: "",
    "huge": _huge,
    "huge text": lambda _: "x" * 10_000_000,
}
_ASYNC = ("awaits for ever", "ignores cancellation", "blocks its loop")


class FakePlugin:
    """A plugin made of components that are already there.

    Args:
        detectors: by name.
        responders: by name; they count as generating ones.
        guards: by name.
        notifiers: by name.
        stores: by the scheme of their URL.
        observer: called with every exchange.
        inline: call them on the engine's loop, without threads and deadlines.
    """

    def __init__(
        self,
        *,
        detectors: dict[str, object] | None = None,
        responders: dict[str, object] | None = None,
        guards: dict[str, object] | None = None,
        notifiers: dict[str, object] | None = None,
        stores: dict[str, object] | None = None,
        observer: Callable[[Exchange], None] | None = None,
        inline: bool = False,
    ) -> None:
        self._inline = inline
        self._detectors = detectors or {}
        self._responders = responders or {}
        self._guards = guards or {}
        self._notifiers = notifiers or {}
        self._stores = stores or {}
        self._observer = observer

    @hookimpl
    def sanad_detectors(self) -> Sequence[DetectorSpec]:
        """The detectors."""
        return [
            DetectorSpec(name=n, make=_made(c), inline=self._inline)
            for n, c in self._detectors.items()
        ]

    @hookimpl
    def sanad_responders(self) -> Sequence[ResponderSpec]:
        """The responders."""
        return [
            ResponderSpec(name=n, make=_made(c), inline=self._inline)
            for n, c in self._responders.items()
        ]

    @hookimpl
    def sanad_guards(self) -> Sequence[GuardSpec]:
        """The guards."""
        return [
            GuardSpec(name=n, make=_made(c), inline=self._inline) for n, c in self._guards.items()
        ]

    @hookimpl
    def sanad_notifiers(self) -> Sequence[NotifierSpec]:
        """The notifiers."""
        return [
            NotifierSpec(name=n, make=_made(c), inline=self._inline)
            for n, c in self._notifiers.items()
        ]

    @hookimpl
    def sanad_stores(self) -> Sequence[StoreSpec]:
        """The stores."""
        return [
            StoreSpec(name=n, make=_made(c), inline=self._inline) for n, c in self._stores.items()
        ]

    @hookimpl
    def sanad_exchange_done(self, exchange: Exchange) -> None:
        """The observer."""
        if self._observer is not None:
            self._observer(exchange)


def _made(component: object) -> Callable[[Any], object]:
    return lambda _options: component


async def check_store(store: Store, reopen: Callable[[], Store] | None = None) -> None:
    """The conformance test of a store; raises AssertionError where it falls short.

    Args:
        store: empty and not yet opened.
        reopen: gives a store over the same data, to see what survives; None for one in memory.
    """
    await _call(store.open)
    first = _turn("1", "hello")
    loaded = await _call(store.receive, "c", first, 10)
    assert loaded.conversation == Conversation(id="c"), "a new conversation is empty"
    assert loaded.answered is None, "a new message has no answer yet"
    again = await _call(store.receive, "c", first, 10)
    assert again.answered is None, "a message that was only received has no answer yet"
    assert again.conversation.turns == (), "a message is not part of what came before it"

    record = _record("c", first, hold=_hold())
    await _call(store.commit, record)
    await _call(store.commit, record)
    answered = await _call(store.receive, "c", first, 10)
    assert answered.answered == record.exchange, "an answered message gives its answer again"
    later = await _call(store.receive, "c", _turn("2", "still here"), 10)
    assert later.conversation.turns == (first, record.turn), "turns come oldest first, each once"
    assert later.conversation.slots == (("name", "value"),), "slots are kept"
    assert later.conversation.hold == _hold(), "a hold is kept"
    assert later.conversation.disclosed_at == NOW, "the time of disclosure is kept"
    assert later.conversation.locale == "en", "the language is kept"
    assert (await _call(store.notices)) == record.notices, "notices wait until delivered"

    if reopen is not None:
        await _call(store.close)
        store = reopen()
        await _call(store.open)
    held = await _call(store.holds)
    assert [(item.conversation, item.hold) for item in held] == [("c", _hold())], "holds are listed"
    await _call(store.delivered, "notice-c")
    assert (await _call(store.notices)) == (), "a delivered notice is forgotten"

    await _call(store.commit, _record("c", _turn("2", "still here"), hold=None))
    kept = (await _call(store.receive, "c", _turn("3", "x"), 10)).conversation.hold
    assert kept == _hold(), "a turn that changes no hold leaves it"
    assert await _call(store.acknowledge, "c", "somebody", NOW), "a hold can be acknowledged"
    assert not await _call(store.acknowledge, "c", "somebody", NOW), "only once"
    assert not await _call(store.acknowledge, "unknown", "somebody", NOW), "only if there is one"
    assert (await _call(store.holds)) == (), "an acknowledged hold is over"
    after = await _call(store.receive, "c", _turn("4", "x"), 3)
    assert after.conversation.hold is None, "an acknowledged hold is over"
    assert len(after.conversation.turns) == 3, "no more turns are loaded than asked for"
    assert (await _call(store.receive, "d", first, 10)).conversation.turns == (), "ids do not mix"
    await _call(store.close)


async def _call(function: Callable[..., Any], *args: Any) -> Any:
    result = function(*args)
    return await result if inspect.isawaitable(result) else result


NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def _turn(message_id: str, text: str) -> Turn:
    return Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id=message_id)


def _hold() -> Hold:
    return Hold(
        rule="imminent",
        level=Level.IMMINENT,
        kind=RiskKind.SUICIDE,
        subject=Subject.SELF,
        since=NOW,
        until=NOW + timedelta(hours=24),
        length=timedelta(hours=24),
    )


def _record(conversation: str, turn: Turn, hold: Hold | None) -> Record:
    exchange = Exchange(
        conversation=conversation,
        turn=turn,
        assessment=Assessment(signals=(replace(risk_signal("low"), source="fake"),)),
        decision=Decision(cause=Cause.CRISIS, rule="imminent", hold=hold, held=hold is not None),
        reply=Reply(text="reply", responder="scripted", helplines=("1",)),
    )
    notice = Notice(
        id=f"notice-{conversation}",
        notifier="on_call",
        conversation=conversation,
        rule="imminent",
        level=Level.IMMINENT,
        kind=RiskKind.SUICIDE,
        subject=Subject.SELF,
        at=NOW,
    )
    return Record(
        exchange=exchange,
        turn=replace(turn, speaker=Speaker.BOT, text="reply", scripts=("a#b", "c#d")),
        conversation=Conversation(
            id=conversation,
            slots=(("name", "value"),),
            hold=hold,
            disclosed_at=NOW,
            locale="en",
            region="US",
        ),
        hold=hold,
        notices=(notice,) if hold is not None else (),
    )
