"""Measures what a turn costs: start, speed, memory, long histories, deadlines. Run `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from screen_speed import figures as screen_figures

from sanad_core import Engine
from sanad_core.testing import FakePlugin, Fault, Says, risk_signal

ROOT = Path(__file__).resolve().parent.parent
SANAD = str(Path(sys.executable).parent / "sanad")
MESSAGE = (
    "I feel so tired lately, my mom says that I should just sleep more but every night I lie there "
    "and think about how everything went wrong with my friend and at work, you know?"
)
HANGS = ("awaits for ever", "ignores cancellation", "blocks its loop", "blocks its thread")


def main() -> None:
    """Measure and print; `--json FILE` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    parser.add_argument("--memory-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.getLogger("sanad").setLevel(logging.CRITICAL)
    if options.memory_only:
        print(asyncio.run(memory()))
        return
    figures: dict[str, Any] = {"machine": machine()}
    print(f"{figures['machine']}\n")
    for name, aim, measured in (
        # First: a process's peak is never told as less than that of the one that started it.
        ("resident memory after 500 turns", "250 MB", in_a_process_of_its_own()),
        ("sanad --help, median of 15", "150 ms", starts("--help")),
        ("echo hi | sanad run, first reply, median of 15", "1.2 s", starts("run", "default")),
        ("turns/s, one conversation", "", asyncio.run(speed(1))),
        ("turns/s, 16 conversations at once", "", asyncio.run(speed(16))),
        ("engine overhead a turn, components called inline", "1 ms", asyncio.run(overhead(True))),
        ("the same, each of three components on a thread", "1 ms", asyncio.run(overhead(False))),
        ("one turn, SQLite, after 10 messages", "", asyncio.run(history(10))),
        ("one turn, SQLite, after 10,000 messages", "the same", asyncio.run(history(10_000))),
        ("past a deadline of 300 ms, worst of 4 ways to hang", "100 ms", asyncio.run(overshoot())),
        *screen_figures(),
    ):
        figures[name] = measured
        print(f"{name:<55} {measured:<45} {f'aim {aim}' if aim else ''}".rstrip())
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")


def machine() -> str:
    """Date, processor, cores and Python."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{_loop_ms():.0f} ms for a million additions"
    )


def _loop_ms() -> float:
    """How fast this machine is at this moment, to read the other figures by."""
    began = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.perf_counter() - began) * 1000


def starts(*args: str) -> str:
    """A command's whole run, from the shell's point of view."""
    took = []
    for _ in range(15):
        began = time.perf_counter()
        subprocess.run([SANAD, *args], input=b"hi\n", capture_output=True, check=True, cwd=ROOT)
        took.append(time.perf_counter() - began)
    return f"{statistics.median(took) * 1000:.0f} ms"


async def speed(at_once: int, turns: int = 2000) -> str:
    """Turns through the default policy, in memory."""
    took: list[float] = []

    async def talk(engine: Engine, conversation: str, count: int) -> None:
        for number in range(count):
            began = time.perf_counter()
            await engine.respond(f"{MESSAGE} {number}", conversation_id=conversation)
            took.append((time.perf_counter() - began) * 1000)

    async with Engine.from_policy("default") as engine:
        await talk(engine, "warm", 50)
        took.clear()
        began = time.perf_counter()
        await asyncio.gather(*(talk(engine, f"c{n}", turns // at_once) for n in range(at_once)))
        rate = len(took) / (time.perf_counter() - began)
    return f"{rate:.0f}/s, p50 {_percentile(took, 50):.2f} ms, p99 {_percentile(took, 99):.2f} ms"


async def overhead(inline: bool, turns: int = 2000) -> str:
    """What the engine itself costs: components that give a constant at once."""
    plugin = FakePlugin(
        detectors={"nothing": Says([risk_signal("none")])},
        responders={"talker": Says("a reply")},
        guards={"passes": Says([])},
        inline=inline,
    )
    policy = _policy(
        detect=[{"use": "nothing", "required": True}],
        respond={"chain": [{"use": "talker"}, {"use": "rules"}]},
        guard={"checks": [{"use": "passes"}]},
    )
    took = []
    async with Engine.from_policy(policy, plugins=[plugin]) as engine:
        for number in range(turns):
            began = time.perf_counter()
            await engine.respond("hello", conversation_id=f"c{number % 20}")
            took.append((time.perf_counter() - began) * 1000)
    return f"p50 {_percentile(took, 50):.2f} ms, p99 {_percentile(took, 99):.2f} ms"


async def memory() -> str:
    """Resident memory of a process that answered 500 turns of the default policy."""
    async with Engine.from_policy("default") as engine:
        for number in range(500):
            await engine.respond(MESSAGE, conversation_id=f"c{number % 20}")
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def in_a_process_of_its_own() -> str:
    """`memory`, unspoilt by what was measured before."""
    command = [sys.executable, __file__, "--memory-only"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


async def history(messages: int) -> str:
    """One turn of a conversation that is already so long."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:{folder}/c.db"
        async with Engine.from_policy("default", store=store) as engine:
            await engine.respond("hello", conversation_id="c")
            _lengthen(Path(folder) / "c.db", messages)
            took = []
            for number in range(200):
                began = time.perf_counter()
                await engine.respond(f"{MESSAGE} {number}", conversation_id="c")
                took.append((time.perf_counter() - began) * 1000)
    return f"p50 {_percentile(took, 50):.2f} ms, p99 {_percentile(took, 99):.2f} ms"


def _lengthen(path: Path, messages: int) -> None:
    """Give a stored conversation as many messages as asked for, each with its answer."""
    import sqlite3

    database = sqlite3.connect(path, timeout=10)
    columns = "locale, at, scripts, exchange"
    for speaker in ("person", "bot"):
        database.executemany(
            f"INSERT INTO turns (conversation, seq, message_id, speaker, text, {columns}) "
            f"SELECT 'c', ?, ?, speaker, text, {columns} FROM turns "
            "WHERE seq <= 2 AND speaker = ?",
            [(2 * n + (speaker == "bot"), f"m{n}", speaker) for n in range(2, messages + 1)],
        )
    database.commit()
    database.close()


async def overshoot() -> str:
    """How long after its deadline a hanging step is cut, with a busy engine around it."""
    worst: dict[str, float] = {}
    for name in HANGS:
        fault = Fault(name, "detect")
        policy = _policy(
            detect=[
                {"use": "lexicon", "required": True},
                {"use": "broken", "timeout": "300ms"},
            ]
        )
        async with Engine.from_policy(
            policy, plugins=[FakePlugin(detectors={"broken": fault})]
        ) as engine:
            exchange = await engine.respond(MESSAGE, conversation_id="c")
            worst[name] = dict(exchange.timings.steps)["broken"] - 300
            fault.released.set()
    name = max(worst, key=worst.__getitem__)
    return f"{worst[name]:.1f} ms ({name})"


def _policy(**changes: Any) -> Path:
    data = yaml.safe_load((ROOT / "policies" / "minimal.yml").read_text())
    path = Path(tempfile.mkdtemp()) / "policy.yml"
    path.write_text(yaml.safe_dump(data | {"locales": ["en"]} | changes, sort_keys=False))
    return path


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
