"""The OpenAI and vLLM responders against real sockets: what they ask, and every way to go wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CRISIS
from model_server import ModelServer, Request, answers, fails, says

from sanad_core import Level
from sanad_core.types import Cause, FailureCause

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sanad_core import Engine

    Make = Callable[..., Engine]

CANARY = "zebrafinch-4711"
DEADLINE = 4.0


def by(*urls: str, use: str = "vllm", deadline: str = "4s", **options: Any) -> dict[str, Any]:
    """A policy whose chain begins with a model at these addresses."""
    fast = {"first_token": "800ms", "idle": "600ms", "connect": "500ms", "retries": 0}
    step = {"use": use, "timeout": "3s", "options": {"base_url": list(urls), **fast, **options}}
    return {"respond": {"deadline": deadline, "chain": [step, {"use": "rules"}]}}


async def test_a_reply_comes_from_the_server(make_engine: Make) -> None:
    async with (
        ModelServer(says("That sounds ", "like a long week. ", "What was it like?")) as server,
        make_engine(**by(server.url)) as engine,
    ):
        exchange = await engine.respond("long week at work", conversation_id="c")
    assert exchange.reply.text.endswith("That sounds like a long week. What was it like?")
    assert exchange.reply.responder == "vllm"
    assert exchange.failures == ()
    asked = server.chats[0]
    assert asked["model"] == "sanad"
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]
    assert asked["messages"][1]["content"] == "long week at work"
    assert "not a therapist" in asked["messages"][0]["content"]
    assert "Answer in English." in asked["messages"][0]["content"]


async def test_the_prompt_holds_the_tail_of_the_talk_within_its_budget(make_engine: Make) -> None:
    async with ModelServer(says("Go on.")) as server:
        async with make_engine(**by(server.url, context_tokens=60)) as engine:
            for text in ("first " * 40, "second", "third"):
                await engine.respond(text, conversation_id="c")
    roles = [message["role"] for message in server.chats[-1]["messages"]]
    told = str(server.chats[-1]["messages"][1:])
    assert roles == ["system", "user", "assistant", "user"]
    assert "second" in told
    assert "first" not in told


@pytest.mark.parametrize("text", CRISIS)
async def test_nothing_is_asked_for_a_person_at_risk(make_engine: Make, text: str) -> None:
    async with ModelServer(says("Hm.")) as server, make_engine(**by(server.url)) as engine:
        exchange = await engine.respond(text, conversation_id="c")
    assert server.chats == []
    assert exchange.decision.cause is Cause.CRISIS


async def hangs_before_headers(request: Request) -> None:
    await asyncio.sleep(60)


async def hangs_midway(request: Request) -> None:
    await request.head()
    await request.piece("Half a sen")
    await asyncio.sleep(60)


async def drips(request: Request) -> None:
    await request.head()
    for _ in range(1000):
        await request.piece("a ")
        await asyncio.sleep(0.3)


async def truncated(request: Request) -> None:
    await request.head()
    await request.piece("Half a sentence")


async def malformed(request: Request) -> None:
    await request.head()
    await request.event("{not json")


async def no_choices(request: Request) -> None:
    await request.head()
    await request.event({"id": "1", "object": "x", "created": 1, "model": "m", "choices": []})
    await request.event("[DONE]")


async def huge(request: Request) -> None:
    await request.head()
    for _ in range(100):
        await request.piece("word " * 20_000)
    await request.piece(None, "stop")


async def huge_line(request: Request) -> None:
    await request.head()
    await request.piece("x" * 10_000_000, "stop")


async def only_html(request: Request) -> None:
    await request.json("200 OK", b"<html>proxy</html>")


async def error_event(request: Request) -> None:
    await request.head()
    await request.event({"error": {"message": CANARY, "code": 500}})


FAULTS = {
    "http_401": fails("401 Unauthorized", {"error": {"message": CANARY}}),
    "http_404": fails("404 Not Found", {"error": {"message": "the model does not exist"}}),
    "http_429": fails("429 Too Many", Retry_After="30"),
    "http_500": fails("500 Internal Server Error"),
    "http_503": fails("503 Service Unavailable", b"<html>"),
    "no_first_token": hangs_before_headers,
    "idle_stream": hangs_midway,
    "3 s": drips,
    "truncated": truncated,
    "malformed_json": malformed,
    "empty_choices": no_choices,
    "too_long": huge,
    "not_a_text": says("x", reason="tool_calls"),
    "empty_reply": says(" "),
}


@pytest.mark.parametrize("way", ["respond", "stream"])
@pytest.mark.parametrize("code", FAULTS)
async def test_every_fault_ends_in_a_reply_and_is_attributed(
    make_engine: Make, caplog: pytest.LogCaptureFixture, code: str, way: str
) -> None:
    async with ModelServer(FAULTS[code]) as server, make_engine(**by(server.url)) as engine:
        began = time.monotonic()
        if way == "respond":
            exchange = await engine.respond(f"a long week {CANARY}", conversation_id="c")
        else:
            stream = engine.stream(f"a long week {CANARY}", conversation_id="c")
            events = [event async for event in stream]
            exchange = events[-1].exchange
            assert "".join(event.text for event in events) == exchange.reply.text
        assert time.monotonic() - began < DEADLINE + 1
    assert exchange.reply.responder == "rules"
    assert exchange.reply.text.strip()
    assert exchange.failures[0].step == "vllm"
    assert exchange.failures[0].detail == code
    assert CANARY not in caplog.text
    assert CANARY not in str(exchange.failures)


@pytest.mark.parametrize("answer", [huge_line, only_html, error_event])
async def test_other_nonsense_ends_in_a_reply_too(make_engine: Make, answer: Any) -> None:
    async with ModelServer(answer) as server, make_engine(**by(server.url)) as engine:
        exchange = await engine.respond("a long week", conversation_id="c")
    assert exchange.reply.responder == "rules"
    assert exchange.failures[0].step == "vllm"
    assert CANARY not in str(exchange.failures)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9/v1", "connection_refused"),
        ("http://nowhere.invalid/v1", "name_not_found"),
    ],
)
async def test_a_server_that_is_not_there(make_engine: Make, url: str, code: str) -> None:
    async with make_engine(**by(url)) as engine:
        exchange = await engine.respond("a long week", conversation_id="c")
    assert exchange.reply.responder == "rules"
    assert exchange.failures[0].detail == code
    assert exchange.failures[0].cause is FailureCause.UNAVAILABLE


AZURE = {
    "error": {
        "code": "content_filter",
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"self_harm": {"filtered": True, "severity": "medium"}},
        },
    }
}
VIOLENT = {"content_filter_results": {"violence": {"filtered": True}}}


async def filtered(request: Request) -> None:
    await request.head()
    await request.piece(None, "content_filter", **VIOLENT)


async def refused(request: Request) -> None:
    await request.head()
    await request.piece(None, delta={"refusal": "I can't help with that."})
    await request.piece(None, "stop")


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (fails("400 Bad Request", AZURE), "policy_400", "suicide"),
        (filtered, "content_filter", "harm_to_others"),
        (refused, "refusal", "suicide"),
    ],
)
async def test_a_refusal_raises_the_risk_and_is_never_shown(
    make_engine: Make, answer: Any, code: str, kind: str
) -> None:
    async with ModelServer(answer) as server, make_engine(**by(server.url, retries=2)) as engine:
        exchange = await engine.respond("a message like any other", conversation_id="c")
    assert len(server.chats) == 1
    assert exchange.assessment.risk.level is Level.LOW
    assert exchange.assessment.risk.kind == kind
    assert exchange.failures[0].cause is FailureCause.REFUSED
    assert exchange.failures[0].detail == code
    assert "can't help" not in exchange.reply.text
    assert (exchange.decision.rule == "check_in") == (kind == "suicide")


async def test_a_bad_request_is_no_refusal(make_engine: Make) -> None:
    body = {"error": {"message": "max_tokens is too large", "type": "invalid_request_error"}}
    async with ModelServer(fails("400 Bad Request", body)) as server:
        async with make_engine(**by(server.url)) as engine:
            exchange = await engine.respond("a long week", conversation_id="c")
    assert exchange.failures[0].detail == "http_400"
    assert exchange.assessment.risk.level is Level.NONE


async def test_a_try_that_showed_nothing_is_made_again(make_engine: Make) -> None:
    answer = answers(
        fails("500 Oops"), fails("429 Slow", Retry_After="0.1"), says("There you are.")
    )
    async with ModelServer(answer) as server:
        async with make_engine(**by(server.url, retries=2)) as engine:
            exchange = await engine.respond("hello there", conversation_id="c")
    assert len(server.chats) == 3
    assert exchange.reply.responder == "vllm"


async def test_what_trying_again_cannot_mend_is_not_tried_again(make_engine: Make) -> None:
    for answer in (fails("401 Unauthorized"), fails("429 Slow", Retry_After="30"), truncated):
        async with ModelServer(answer) as server:
            async with make_engine(**by(server.url, retries=3)) as engine:
                await engine.respond("hello there", conversation_id="c")
        assert len(server.chats) == 1


async def test_the_next_address_answers_where_one_does_not(make_engine: Make) -> None:
    async with ModelServer(fails("500 Oops")) as bad, ModelServer(says("Here.")) as good:
        async with make_engine(**by(bad.url, good.url)) as engine:
            exchange = await engine.respond("hello there", conversation_id="c")
    assert exchange.reply.responder == "vllm"
    assert exchange.failures == ()
    assert len(bad.chats) == len(good.chats) == 1


async def test_an_address_that_keeps_failing_is_left_alone_and_comes_back(
    make_engine: Make,
) -> None:
    async with ModelServer(fails("500 Oops")) as server:
        async with make_engine(**by(server.url, failures=2, rest="500ms")) as engine:
            for _ in range(5):
                failed = await engine.respond("hello there", conversation_id="c")
            assert len(server.chats) == 2
            assert failed.failures[0].detail == "circuit_open"
            server.answer = says("Back again.")
            await asyncio.sleep(0.6)
            exchange = await engine.respond("hello there", conversation_id="c")
    assert exchange.reply.responder == "vllm"
    assert server.probes >= 1


async def test_a_server_killed_midway_is_followed_by_a_whole_reply(make_engine: Make) -> None:
    async def until_killed(request: Request) -> None:
        await request.head()
        await request.piece("That sounds hard. And I")
        await asyncio.sleep(60)

    async with ModelServer(until_killed) as server, make_engine(**by(server.url)) as engine:
        pieces = []
        async for event in engine.stream("a long week", conversation_id="c"):
            pieces.append(event.text)
            if event.text == "That sounds hard.":
                await server.stop()
            exchange = event.exchange
    assert exchange is not None
    assert exchange.failures[0].detail == "truncated"
    assert "And I" not in exchange.reply.text
    assert exchange.reply.responder == "rules"
    assert "".join(pieces) == exchange.reply.text


async def test_a_reply_cut_at_its_length_ends_with_a_whole_sentence(make_engine: Make) -> None:
    answer = says("That sounds hard. It would be", " good to", reason="length")
    async with ModelServer(answer) as server, make_engine(**by(server.url)) as engine:
        exchange = await engine.respond("a long week", conversation_id="c")
    assert exchange.reply.text.endswith("That sounds hard.")


async def test_the_key_is_sent_and_shown_nowhere(
    make_engine: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", CANARY)
    caplog.set_level(logging.DEBUG, logger="sanad")
    async with ModelServer(
        answers(says("Here."), fails("401 No", {"error": {"message": CANARY}}))
    ) as server:
        changes = by(server.url, use="openai", api_key="${SOME_KEY}")
        async with make_engine(**changes) as engine:
            await engine.respond("hello there", conversation_id="c")
            failed = await engine.respond("hello there", conversation_id="c")
    assert server.keys[0] == f"bearer {CANARY}"
    assert CANARY not in caplog.text
    assert CANARY not in str(failed)


def test_a_key_must_not_stand_in_the_policy(make_engine: Make) -> None:
    from sanad_core.errors import PolicyError

    with pytest.raises(PolicyError, match="a secret must not stand in a file"):
        make_engine(**by("http://127.0.0.1:9/v1", use="openai", api_key="sk-very-secret"))


async def test_an_endpoint_of_the_deployment_gives_address_and_key(
    write_policy: Callable[..., Path],
) -> None:
    from sanad_core import Engine
    from sanad_core.deployment import Deployment, NotifierPlan
    from sanad_core.specs import Service

    async with ModelServer(says("Here.")) as server:
        services = (Service(name="model", url=server.url, key=CANARY),)
        deployment = Deployment(
            notifiers=(NotifierPlan(name="on_call", use="log"),), endpoints=services
        )
        assert CANARY not in repr(deployment)
        path = write_policy(**by("http://127.0.0.1:9/v1", endpoint="model"))
        async with Engine.from_policy(path, deployment=deployment) as engine:
            exchange = await engine.respond("hello there", conversation_id="c")
    assert exchange.reply.responder == "vllm"
    assert server.keys == [f"bearer {CANARY}"]


async def test_a_model_that_the_server_does_not_have_is_told_at_the_start(
    make_engine: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with ModelServer(says("Here."), models=("other",)) as server:
        async with make_engine(**by(server.url)):
            pass
    assert "serves other; there is no 'sanad'" in caplog.text


PERSONA = """\
persona: 1
reviewed_by: []
source: a test
name: {name}
text: |
  {text}
notes: {{heading: "Seen:", language: "Write {{language}}.", languages: {{}}, signals: {{}}}}
"""


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("Dr. Sun", "You listen.", "Dr."),
        ("Sun", "You are a kind therapist.", "therapist"),
        ("Sun", "You act as an experienced Counselor.", "Counselor"),
        ("Sun", "You are not a therapist; you leave that to their doctor.", None),
    ],
)
async def test_a_persona_takes_no_title(
    make_engine: Make,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    text: str,
    title: str | None,
) -> None:
    (tmp_path / "me.yml").write_text(PERSONA.format(name=name, text=text))
    async with ModelServer(says("Here.")) as server:
        async with make_engine(**by(server.url, persona="me.yml")) as engine:
            exchange = await engine.respond("hello there", conversation_id="c")
    assert (exchange.reply.responder == "vllm") == (title is None)
    if title is not None:
        assert f"must not be called '{title}'" in caplog.text
    async with ModelServer(says("Here.")) as server:
        changes = by(server.url, persona="me.yml", allow_titles=True)
        async with make_engine(**changes) as engine:
            exchange = await engine.respond("hello there", conversation_id="c")
    assert exchange.reply.responder == "vllm"
