"""Notifiers: signed, retried, kept over a restart, never slowing the reply, without the text."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from sanad_core.deployment import NotifierPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sanad_core import Engine

SECRET = "a key of the test"
IMMINENT = "I am going to kill myself tonight"


class Receiver:
    """A real HTTP server that keeps what it gets, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.fail = 0
        self.hang = threading.Event()
        self.hang.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.hang.wait()
                receiver.requests.append((dict(self.headers), body))
                failing = len(receiver.requests) <= receiver.fail
                self.send_response(503 if failing else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def until(self, count: int, seconds: float = 10) -> None:
        ends = time.monotonic() + seconds
        while len(self.requests) < count and time.monotonic() < ends:
            time.sleep(0.02)
        assert len(self.requests) >= count


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    server = Receiver()
    monkeypatch.setenv("TEST_ON_CALL_URL", server.url)
    monkeypatch.setenv("TEST_ON_CALL_SECRET", SECRET)
    yield server
    server.hang.set()
    server.server.shutdown()
    server.server.server_close()


WEBHOOK = (
    NotifierPlan(
        name="on_call",
        use="webhook",
        options={"url": "${TEST_ON_CALL_URL}", "secret": "${TEST_ON_CALL_SECRET}"},
    ),
)


async def test_a_webhook_is_signed_and_tried_again(
    make_engine: Callable[..., Engine], receiver: Receiver
) -> None:
    receiver.fail = 2
    async with make_engine(notifiers=WEBHOOK) as engine:
        await engine.respond(IMMINENT, conversation_id="c")
        await asyncio.to_thread(receiver.until, 3)
    (headers, body), *others = receiver.requests
    timestamp, _, sent = headers["Sanad-Signature"].removeprefix("t=").partition(",v1=")
    signed = timestamp.encode() + b"." + body
    assert sent == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(time.time() - int(timestamp)) < 60
    assert {h["Idempotency-Key"] for h, _ in others} == {headers["Idempotency-Key"]}
    data = json.loads(body)
    assert data["rule"] == "imminent"
    assert data["risk"] == {"level": "imminent", "kind": "suicide", "subject": "self"}
    assert "text" not in data


async def test_the_text_goes_along_only_where_the_policy_asks_for_it(
    make_engine: Callable[..., Engine], receiver: Receiver
) -> None:
    rule = {
        "rule": "imminent",
        "when": {"risk": {"at_least": "low"}},
        "reply": "crisis/imminent",
        "notify": [{"to": "on_call", "include": ["text"]}],
    }
    async with make_engine(notifiers=WEBHOOK, crisis=[rule]) as engine:
        await engine.respond(IMMINENT, conversation_id="c")
        await asyncio.to_thread(receiver.until, 1)
    assert json.loads(receiver.requests[0][1])["text"] == IMMINENT


async def test_a_slow_receiver_does_not_slow_the_reply(
    make_engine: Callable[..., Engine], receiver: Receiver
) -> None:
    receiver.hang.clear()
    async with make_engine(notifiers=WEBHOOK) as engine:
        await engine.respond("hello", conversation_id="warm")
        began = time.monotonic()
        await engine.respond(IMMINENT, conversation_id="c")
        took = time.monotonic() - began
        receiver.hang.set()
    assert took < 1


async def test_an_undelivered_notice_is_sent_after_a_restart(
    tmp_path: Path, make_engine: Callable[..., Engine], receiver: Receiver
) -> None:
    url = f"sqlite:{tmp_path / 'c.db'}"
    receiver.hang.clear()
    async with make_engine(notifiers=WEBHOOK, store=url) as engine:
        await engine.respond(IMMINENT, conversation_id="c")
    assert receiver.requests == []
    receiver.hang.set()
    async with make_engine(notifiers=WEBHOOK, store=url):
        await asyncio.to_thread(receiver.until, 1)
        await asyncio.sleep(0.2)
    count = len(receiver.requests)
    async with make_engine(notifiers=WEBHOOK, store=url):
        await asyncio.sleep(0.3)
    assert len(receiver.requests) == count, "a delivered notice is not sent again"


async def test_the_log_notifier_says_what_and_where_but_not_the_words(
    make_engine: Callable[..., Engine], caplog: pytest.LogCaptureFixture
) -> None:
    async with make_engine() as engine:
        await engine.respond(IMMINENT, conversation_id="c-17")
        await asyncio.sleep(0.1)
    lines = [r.getMessage() for r in caplog.records if r.name == "sanad.notice"]
    assert len(lines) == 1
    assert "imminent" in lines[0]
    assert "c-17" in lines[0]
    assert "tonight" not in lines[0]
