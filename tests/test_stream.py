"""Streaming: sentences leave when they were checked; what leaves is all that is ever said."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanad_core import Level
from sanad_core.errors import Declined, ServiceError
from sanad_core.risk import RiskKind
from sanad_core.testing import FakePlugin
from sanad_core.text import complete
from sanad_core.types import Cause, FailureCause, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sanad_core import Engine
    from sanad_core.types import Draft, Exchange

    Make = Callable[..., Engine]

QUIET = {"disclosure": {"at_start": False, "every": None}}


class Streams:
    """A responder that streams what it is told to; an exception in the list is raised there."""

    def __init__(self, *pieces: Any, pause: float = 0.0) -> None:
        self.pieces = pieces
        self.pause = pause
        self.streamed = 0
        self.asked = 0

    async def stream(self, turn: object, context: object) -> AsyncIterator[str]:
        self.streamed += 1
        for piece in self.pieces:
            await asyncio.sleep(self.pause)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def respond(self, turn: object, context: object) -> str:
        self.asked += 1
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
        return "".join(self.pieces)


class Watches:
    """A guard that blocks one word and remembers what it saw."""

    def __init__(self, word: str = "poison") -> None:
        self.word = word
        self.seen: list[tuple[str, int, bool]] = []

    def check(self, draft: Draft, context: object) -> list[Verdict]:
        self.seen.append((draft.text, draft.sent, draft.whole))
        start = draft.text.find(self.word, draft.sent)
        return [Verdict(rule="bad", start=start, end=start + 1)] if start >= 0 else []


def chain(streams: Streams, guard: Watches, **changes: Any) -> dict[str, Any]:
    return {
        "plugins": (FakePlugin(responders={"model": streams}, guards={"watch": guard}),),
        "respond": {"deadline": "3s", "chain": [{"use": "model"}, {"use": "rules"}]},
        "guard": {"checks": [{"use": "watch"}]},
        **QUIET,
        **changes,
    }


async def streamed(engine: Engine, text: str = "hello") -> tuple[list[str], Exchange]:
    events = [event async for event in engine.stream(text, conversation_id="c")]
    pieces = [event.text for event in events[:-1]]
    assert events[-1].type == "done"
    exchange = events[-1].exchange
    assert exchange is not None
    assert "".join(pieces) == exchange.reply.text
    return pieces, exchange


async def test_sentences_leave_one_by_one_each_checked_in_its_place(make_engine: Make) -> None:
    model, guard = Streams("It is ", "late. How", " are you?", " Tell me."), Watches()
    async with make_engine(**chain(model, guard)) as engine:
        pieces, exchange = await streamed(engine)
    assert pieces == ["It is late.", " How are you?", " Tell me."]
    assert exchange.reply.responder == "model"
    assert guard.seen == [
        ("It is late.", 0, False),
        ("It is late. How are you?", 11, False),
        ("It is late. How are you? Tell me.", 24, True),
    ]


async def test_the_first_sentence_leaves_while_the_model_still_writes(make_engine: Make) -> None:
    model = Streams("One. ", "Two. ", "Three. ", "Four. ", pause=0.15)
    async with make_engine(**chain(model, Watches())) as engine:
        began = time.monotonic()
        came = [time.monotonic() - began async for _ in engine.stream("hello", conversation_id="c")]
    assert came[0] < came[-1] - 0.25


@pytest.mark.parametrize("pieces", [("Just one. ",), ("Just", " one."), ("Just one",)])
async def test_a_reply_of_one_sentence_is_said_once(
    make_engine: Make, pieces: tuple[str, ...]
) -> None:
    async with make_engine(**chain(Streams(*pieces), Watches())) as engine:
        said, exchange = await streamed(engine)
    assert "".join(said) == "".join(pieces).strip()
    assert exchange.reply.responder == "model"
    assert exchange.reply.scripts == ()


async def test_a_second_model_after_a_failure_midway_is_checked_whole_and_set_apart(
    make_engine: Make,
) -> None:
    first, second = Streams("That is hard. ", RuntimeError()), Streams("I see. ", "Go on?")
    plugin = FakePlugin(responders={"model": first, "other": second}, guards={"watch": Watches()})
    steps = [{"use": "model"}, {"use": "other"}, {"use": "rules"}]
    changes = {"plugins": (plugin,), "respond": {"deadline": "3s", "chain": steps}}
    async with make_engine(**chain(first, Watches(), **changes)) as engine:
        pieces, exchange = await streamed(engine)
    assert pieces[0] == "That is hard."
    assert exchange.reply.responder == "other"
    assert exchange.reply.text.endswith("\n\nI see. Go on?")
    assert any(script.startswith("support/interrupted#") for script in exchange.reply.scripts)
    assert second.streamed == 0


async def test_the_disclosure_leaves_first_and_stands_in_the_record(make_engine: Make) -> None:
    changes = {"disclosure": {"at_start": True, "every": None}}
    async with make_engine(**chain(Streams("Hi. ", "Well?"), Watches(), **changes)) as engine:
        pieces, exchange = await streamed(engine)
        again, second = await streamed(engine)
    assert exchange.reply.disclosed
    assert pieces[0].endswith("\n\n")
    assert pieces[1] == "Hi."
    assert not second.reply.disclosed
    assert again == ["Hi.", " Well?"]


async def test_a_violation_midway_ends_the_reply_with_the_scripted_correction(
    make_engine: Make,
) -> None:
    model = Streams("That is hard. ", "Drink poison now. ", "Goodbye.")
    async with make_engine(**chain(model, Watches())) as engine:
        pieces, exchange = await streamed(engine)
    assert pieces[0] == "That is hard."
    assert "poison" not in exchange.reply.text
    assert exchange.reply.scripts[-1].startswith("support/corrected#")
    assert [verdict.rule for verdict in exchange.reply.blocked] == ["bad"]
    assert exchange.failures[0].cause is FailureCause.BLOCKED


async def test_a_violation_in_the_first_sentence_goes_to_the_next_responder(
    make_engine: Make,
) -> None:
    async with make_engine(**chain(Streams("Drink poison. ", "Yes."), Watches())) as engine:
        pieces, exchange = await streamed(engine)
    assert exchange.reply.responder == "rules"
    assert "poison" not in exchange.reply.text
    assert len(pieces) == 1


@pytest.mark.parametrize("fault", [RuntimeError("secret words"), ServiceError("http_500")])
async def test_a_failure_midway_hands_over_and_the_reply_is_whole(
    make_engine: Make, fault: Exception
) -> None:
    async with make_engine(
        **chain(Streams("That is hard. ", "And th", fault), Watches())
    ) as engine:
        pieces, exchange = await streamed(engine)
    assert pieces[0] == "That is hard."
    assert "And th" not in exchange.reply.text
    assert exchange.reply.responder == "rules"
    assert any(script.startswith("support/interrupted#") for script in exchange.reply.scripts)
    assert exchange.failures[0].step == "model"
    assert "secret" not in str(exchange.failures)


async def test_a_stream_that_hangs_is_cut_at_its_deadline(make_engine: Make) -> None:
    class Hangs(Streams):
        async def stream(self, turn: object, context: object) -> AsyncIterator[str]:
            yield "That is hard. "
            await asyncio.Event().wait()

    respond = {"deadline": "2s", "chain": [{"use": "model", "timeout": "500ms"}, {"use": "rules"}]}
    async with make_engine(**chain(Hangs(), Watches(), respond=respond)) as engine:
        began = time.monotonic()
        _, exchange = await streamed(engine)
        assert time.monotonic() - began < 3
    assert exchange.failures[0].cause is FailureCause.TIMEOUT
    assert exchange.reply.responder == "rules"


async def test_nothing_leaves_early_for_a_person_at_risk(make_engine: Make) -> None:
    model, guard = Streams("I hear you. ", "Stay with me."), Watches()
    respond = {
        "deadline": "3s",
        "chain": [{"use": "model", "when": {"risk": {"at_most": "low"}}}, {"use": "rules"}],
    }
    crisis = [
        {"rule": "r", "when": {"risk": {"at_least": "moderate"}}, "reply": "crisis/moderate"},
    ]
    changes = {"respond": respond, "crisis": crisis}
    async with make_engine(**chain(model, guard, **changes)) as engine:
        pieces, exchange = await streamed(engine, "I wish I could sleep and not wake up")
    assert exchange.assessment.risk.level is Level.LOW
    assert model.streamed == 0
    assert model.asked == 1
    assert guard.seen == [("I hear you. Stay with me.", 0, True)]
    assert pieces == ["I hear you. Stay with me."]


async def test_a_crisis_reply_comes_as_one_piece(make_engine: Make) -> None:
    model = Streams("Never said.")
    async with make_engine(**chain(model, Watches())) as engine:
        pieces, exchange = await streamed(engine, "I am going to kill myself tonight")
    assert len(pieces) == 1
    assert exchange.decision.cause is Cause.CRISIS
    assert model.streamed == model.asked == 0


@pytest.mark.parametrize("way", ["stream", "respond"])
@pytest.mark.parametrize(
    ("kind", "rule"),
    [(None, "check_in"), (RiskKind.SUICIDE, "check_in"), (RiskKind.PSYCHOSIS, None)],
)
async def test_what_a_provider_declines_raises_the_risk(
    make_engine: Make, way: str, kind: RiskKind | None, rule: str | None
) -> None:
    model = Streams(Declined("content_filter", kind))
    async with make_engine(**chain(model, Watches())) as engine:
        if way == "stream":
            _, exchange = await streamed(engine)
        else:
            exchange = await engine.respond("hello", conversation_id="c")
    assert exchange.decision.rule == rule
    assert exchange.assessment.risk.level is Level.LOW
    assert exchange.failures[0].cause is FailureCause.REFUSED
    assert exchange.failures[0].detail == "content_filter"
    assert exchange.reply.responder == ("rules" if rule is None else "scripted")


async def test_a_provider_that_declines_midway_is_followed_by_what_the_policy_orders(
    make_engine: Make,
) -> None:
    model = Streams("That is hard. ", Declined("content_filter"))
    async with make_engine(**chain(model, Watches())) as engine:
        pieces, exchange = await streamed(engine)
    assert pieces[0] == "That is hard."
    assert exchange.decision.rule == "check_in"
    assert "988" in exchange.reply.helplines


async def test_a_helpline_is_filled_in_as_it_leaves(make_engine: Make) -> None:
    model = Streams("There is {{help", "line}}, any time. ", "Would you?")
    async with make_engine(**chain(model, Watches())) as engine:
        pieces, exchange = await streamed(engine)
    assert "988" in pieces[0]
    assert "{{" not in exchange.reply.text
    assert "988" in exchange.reply.helplines


async def test_a_caller_that_stops_reading_stops_nothing(make_engine: Make) -> None:
    model = Streams("One. ", "Two. ", "Three.", pause=0.05)
    async with make_engine(**chain(model, Watches())) as engine:
        stream = engine.stream("hello", conversation_id="c")
        await anext(stream)
        await stream.aclose()
        exchange = await engine.respond("and now?", conversation_id="c")
        assert exchange.reply.text == "One. Two. Three."
    assert model.streamed == 1


@pytest.mark.parametrize(
    ("component", "cause"),
    [
        (Streams("x" * 20_000), FailureCause.MALFORMED),
        (Streams(5), FailureCause.MALFORMED),
        (Streams(), FailureCause.EMPTY),
        (Streams(" \n "), FailureCause.EMPTY),
    ],
)
async def test_a_stream_of_nonsense_is_a_failure(
    make_engine: Make, component: Streams, cause: FailureCause
) -> None:
    async with make_engine(**chain(component, Watches())) as engine:
        _, exchange = await streamed(engine)
    assert exchange.failures[0].cause is cause
    assert exchange.reply.responder == "rules"


async def test_a_method_that_streams_nothing_is_a_failure(make_engine: Make) -> None:
    class Wrong(Streams):
        def stream(self, turn: object, context: object) -> str:
            return "not a stream"

    async with make_engine(**chain(Wrong("x"), Watches())) as engine:
        _, exchange = await streamed(engine)
    assert exchange.failures[0].cause is FailureCause.MALFORMED


@given(st.text(alphabet="ab.!? \n{}\"'", max_size=40), st.integers(0, 40))
def test_a_complete_sentence_is_never_taken_back(text: str, cut: int) -> None:
    """What was complete stays complete, whatever comes after it."""
    early = complete(text[:cut])
    assert early <= len(text[:cut])
    assert complete(text) >= early or "{{" in text
    assert complete(text, early) >= early


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("It is late", 0),
        ("It is late.", 0),
        ("It is late. ", 11),
        ('He said "stop." Then', 15),
        ("One\n", 3),
        ("كيف حالك؟ أخبرني", 9),
        ("Call {{help. line}} now", 0),
    ],
)
def test_where_a_sentence_ends(text: str, ends: int) -> None:
    assert complete(text) == ends
