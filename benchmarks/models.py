"""Measures what Sanad costs beside calling the same vLLM server directly, in one run.

Run `make bench-models`. It starts vLLM with SmolLM2 on the CPU, and lets the same conversations run
both ways, taking turns, with 1, 8 and 32 at once: tokens a second by the server's own count, CPU
time of the client a turn, and the time to the first sentence.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

from sanad_core import Context, Conversation, Engine, Turn
from sanad_core.deployment import Deployment, NotifierPlan
from sanad_core.text import complete
from sanad_core.types import Speaker
from sanad_model.serve import Server, Settings, check_cpu, check_python
from sanad_persona import prompt, read_persona

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = (
    "I had a long day at work and my feet hurt",
    "my cat keeps me company in the evening",
    "we are moving to another town next month",
    "I cannot decide what to cook for my sister's visit",
    "the neighbours are loud again and I am tired",
    "I started to learn the guitar and it is hard",
    "my exam is on friday and I have read half of it",
    "it rained all week and I stayed in",
)
TOKENS = 96
Answer = Callable[[str, str], Awaitable[float]]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    check_cpu()
    check_python(options.python)
    settings = Settings(model=str(options.model), python=options.python, port=0)
    with Server(settings, lambda _: None) as server:
        server.wait(600)
        asyncio.run(measure(server.url, options.rounds))


async def measure(url: str, rounds: int) -> None:
    """Run both ways, taking turns."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engine_of(url, Path(folder))
        async with engine, httpx.AsyncClient(timeout=300) as client:
            ways: dict[str, Answer] = {"direct": direct(client, url), "sanad": through(engine)}
            for way in ways.values():
                await way(MESSAGES[0], "warm")
            print("| at once | way | tokens/s | ratio | CPU ms a turn | first sentence, ms |")
            print("|---|---|---|---|---|---|")
            for count in (1, 8, 32):
                await compared(client, url, ways, count, rounds)


async def compared(
    client: httpx.AsyncClient, url: str, ways: dict[str, Answer], count: int, rounds: int
) -> None:
    """One line for each way."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    used: dict[str, list[float]] = {name: [] for name in ways}
    firsts: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in ways.items():
            before = await generated(client, url)
            began, cpu = time.monotonic(), time.process_time()
            turns = max(count, 4)
            room = asyncio.Semaphore(count)

            work = (one(way, room, n, f"{turn}-{count}-{n}") for n in range(turns))
            found = await asyncio.gather(*work)
            took = time.monotonic() - began
            speeds[name].append((await generated(client, url) - before) / took)
            used[name].append((time.process_time() - cpu) * 1000 / turns)
            firsts[name] += found
    base = statistics.median(speeds["direct"])
    for name in ways:
        speed = statistics.median(speeds[name])
        print(
            f"| {count} | {name} | {speed:.1f} | {speed / base:.2f} | "
            f"{statistics.median(used[name]):.0f} | {statistics.median(firsts[name]) * 1000:.0f} |"
        )


async def one(way: Answer, room: asyncio.Semaphore, number: int, conversation: str) -> float:
    """One turn, when there is room for it."""
    async with room:
        return await way(MESSAGES[number % len(MESSAGES)], conversation)


async def generated(client: httpx.AsyncClient, url: str) -> float:
    """Tokens that the server has generated so far, by its own count."""
    text = (await client.get(url.removesuffix("/v1") + "/metrics")).text
    return sum(float(n) for n in re.findall(r"^vllm:generation_tokens_total\S* (\S+)$", text, re.M))


def direct(client: httpx.AsyncClient, url: str) -> Answer:
    """Asks the server itself, with the prompt that Sanad sends."""
    persona = read_persona()

    async def answer(text: str, _: str) -> float:
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=now, message_id="1")
        context = Context(turn=turn, conversation=Conversation(id="c"))
        told = prompt(persona, turn, context, budget=1500)
        body = {
            "model": "sanad", "max_tokens": TOKENS, "temperature": 0, "stream": True,
            "messages": [{"role": m.role, "content": m.content} for m in told],
        }  # fmt: skip
        began = time.monotonic()
        said, first = "", 0.0
        async with client.stream("POST", f"{url}/chat/completions", json=body) as stream:
            async for line in stream.aiter_lines():
                if '"content":' in line:
                    said += yaml.safe_load(line[6:])["choices"][0]["delta"].get("content") or ""
                    if not first and complete(said):
                        first = time.monotonic() - began
        return first or time.monotonic() - began

    return answer


def through(engine: Engine) -> Answer:
    """Asks through the shipped policy."""

    async def answer(text: str, conversation: str) -> float:
        began = time.monotonic()
        first = 0.0
        async for event in engine.stream(text, conversation_id=conversation):
            if not first and event.text:
                first = time.monotonic() - began
        return first

    return answer


def engine_of(url: str, folder: Path) -> Engine:
    """The shipped policy for vLLM, its address changed, without a disclosure to wait for."""
    policy: dict[str, Any] = yaml.safe_load((ROOT / "policies" / "vllm.yml").read_text())
    policy["respond"]["deadline"] = "120s"
    step = policy["respond"]["chain"][0]
    step["timeout"] = "110s"
    patience = {"first_token": "60s", "idle": "30s"}
    step["options"] |= {"base_url": url, "max_tokens": TOKENS, "temperature": 0, **patience}
    policy["disclosure"] = {"at_start": False, "every": None}
    path = folder / "vllm.yml"
    path.write_text(yaml.safe_dump(policy, sort_keys=False))
    deployment = Deployment(notifiers=(NotifierPlan(name="on_call", use="log"),))
    return Engine.from_policy(path, deployment=deployment)


if __name__ == "__main__":
    main()
