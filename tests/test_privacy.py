"""Message text, names and keys never reach logs, errors or notices: a canary proves it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run

from sanad_core.testing import FAULTS, FakePlugin, Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sanad_core import Engine

CANARY = "CANARY-7f3a"
MESSAGE = f"my name is {CANARY} and I am going to kill myself tonight"


class Leaks:
    """A component whose errors quote the person."""

    def detect(self, turn: Any, context: Any) -> Any:
        raise ValueError(f"cannot read {turn.text!r}")

    respond = detect

    def check(self, draft: Any, context: Any) -> Any:
        raise KeyError(context.turn.text)

    def notify(self, notice: Any) -> Any:
        raise OSError(f"no route for {CANARY} {notice}")


@pytest.mark.parametrize("kind", ["detectors", "responders", "guards"])
async def test_a_component_that_quotes_the_person_in_its_error_is_not_quoted(
    make_engine: Callable[..., Engine], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level(logging.DEBUG)
    changes: dict[str, Any] = {
        "detectors": {"detect": [{"use": "lexicon", "required": True}, {"use": "leaks"}]},
        "responders": {"respond": {"chain": [{"use": "leaks"}, {"use": "rules"}]}},
        "guards": {"guard": {"checks": [{"use": "leaks"}]}},
    }[kind]
    async with make_engine(plugins=(FakePlugin(**{kind: {"leaks": Leaks()}}),), **changes) as e:
        for text in (f"hello {CANARY}", MESSAGE):
            exchange = await e.respond(text, conversation_id="c")
            shown = (exchange.assessment.failures, exchange.failures, exchange.decision)
            assert CANARY not in repr(shown)
        await asyncio.sleep(0.05)
    assert "raised" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_brings_the_text_into_the_log(
    make_engine: Callable[..., Engine], caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    broken = Fault(fault, "detect")
    plugin = FakePlugin(detectors={"broken": broken})
    steps = [{"use": "lexicon", "required": True}, {"use": "broken", "timeout": "100ms"}]
    try:
        async with make_engine(plugins=(plugin,), detect=steps) as engine:
            await engine.respond(MESSAGE, conversation_id="c")
    finally:
        broken.released.set()
    assert CANARY not in caplog.text


def test_the_commands_print_no_text_but_the_replies(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'c.db'}"
    done = run("-v", "run", "minimal", "--store", store, stdin=f"{MESSAGE}\nhello {CANARY}\n")
    assert CANARY.encode() not in done.stderr
    assert CANARY.encode() not in run("hold", "list", "--store", store, "--all").stdout
    # The database is where it belongs, and nothing else was written.
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"c.db"}
    assert CANARY.encode() in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_fault_of_a_command_does_not_show_the_text(tmp_path: Path) -> None:
    store = tmp_path / "c.db"
    run("run", "minimal", "--store", f"sqlite:{store}", stdin="hello\n")
    for path in tmp_path.iterdir():
        path.write_bytes(b"garbage" * 1000)
    done = run("run", "minimal", "--store", f"sqlite:{store}", stdin=f"{MESSAGE}\n")
    assert done.returncode == 1
    assert CANARY.encode() not in done.stderr
    assert b"Traceback" not in done.stderr
