"""A real vLLM server on the CPU: a conversation through policies/vllm.yml, and its death midway."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import CRISIS, SANAD, run
from vllm_server import PYTHON, engine_of, needs_vllm, serving

from sanad_core.types import Cause, FailureCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_model.serve import Server

pytestmark = pytest.mark.models

CALM = (
    "hello there",
    "I had a long day at work and my feet hurt",
    "my cat keeps me company in the evening",
)


@pytest.fixture(scope="module")
def log() -> list[str]:
    """The server's log, line by line."""
    return []


@pytest.fixture(scope="module")
def server(smollm2: Path, log: list[str]) -> Iterator[Server]:
    """vLLM with SmolLM2, up and answering."""
    with serving(smollm2, log.append) as found:
        yield found


def asked(log: list[str]) -> int:
    """How many chat requests the server's log tells of."""
    return sum("POST /v1/chat/completions" in line for line in log)


async def test_calm_turns_come_from_the_model_and_others_never_reach_it(
    server: Server, log: list[str], tmp_path: Path
) -> None:
    async with engine_of(server.url, tmp_path) as engine:
        calm = [await engine.respond(text, conversation_id="c") for text in CALM]
        await asyncio.sleep(1)
        before = asked(log)
        crises = [
            await engine.respond(text, conversation_id=f"r{number}")
            for number, text in enumerate(CRISIS)
        ]
        await asyncio.sleep(1)
    assert before >= len(CALM)
    assert asked(log) == before
    for exchange in calm:
        steps = [name for name, _ in exchange.timings.steps]
        assert "vllm" in steps
        blocked = [failure.cause is FailureCause.BLOCKED for failure in exchange.failures]
        assert exchange.reply.responder == ("rules" if blocked else "vllm")
    assert any(exchange.reply.responder == "vllm" for exchange in calm)
    for exchange in crises:
        assert exchange.decision.cause is Cause.CRISIS
        assert exchange.reply.responder == "scripted"


async def test_a_stream_comes_in_checked_sentences(server: Server, tmp_path: Path) -> None:
    async with engine_of(server.url, tmp_path, max_tokens=120) as engine:
        events = [e async for e in engine.stream("tell me about rain", conversation_id="c")]
    exchange = events[-1].exchange
    assert exchange is not None
    assert "".join(event.text for event in events) == exchange.reply.text
    assert "guard" in str(exchange.timings)


def test_serve_tells_where_it_is_and_stops_cleanly(smollm2: Path) -> None:
    needs_vllm()
    command = [SANAD, "model", "serve", str(smollm2), "--python", PYTHON, "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        assert "as 'sanad'" in first
        assert "use: vllm" in process.stdout.readline() + process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
    groups = subprocess.run(["ps", "-eo", "pgid"], capture_output=True, text=True, check=True)
    assert str(process.pid) not in groups.stdout.split()


async def test_a_server_killed_midway_leaves_a_whole_reply(
    smollm2: Path,
    tmp_path: Path,
) -> None:
    with serving(smollm2) as found:
        async with engine_of(found.url, tmp_path, max_tokens=900, idle="3s") as engine:
            began = time.monotonic()
            killed = False
            pieces = []
            text = (
                "please tell me a very long story about a small town by the sea, with many people"
            )
            async for event in engine.stream(text, conversation_id="c"):
                pieces.append(event.text)
                if len(pieces) == 2 and not killed:
                    found.kill()
                    killed = True
                exchange = event.exchange
            assert time.monotonic() - began < 61
    assert killed
    assert exchange is not None
    assert exchange.failures
    assert exchange.reply.responder in ("rules", "scripted")
    assert "".join(pieces) == exchange.reply.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["./nowhere"], "is no folder"),
        ([".", "--python", "/bin/nowhere"], "no Python that can be run"),
        ([".", "--adapter", "x"], "takes NAME=PATH"),
    ],
)
def test_what_cannot_be_served_is_said(arguments: list[str], said: str) -> None:
    done = run("model", "serve", *arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr.decode() or "AVX-512" in done.stderr.decode()


def test_a_python_without_vllm_is_told_how_to_get_it() -> None:
    done = run("model", "serve", ".", "--python", sys.executable)
    assert done.returncode == 1
    assert b"make vllm" in done.stderr or b"AVX-512" in done.stderr
