"""Stores: conformance, migration, bad files, a store that is down, and a process that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CRISIS, SANAD, run

from sanad_core.errors import StoreError
from sanad_core.store.open import open_store
from sanad_core.testing import FakePlugin, check_store
from sanad_core.types import Cause
from sanad_stores.memory import MemoryStore
from sanad_stores.sqlite import MIGRATIONS, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core import Engine

IMMINENT = CRISIS[0]


async def test_the_memory_store_conforms() -> None:
    await check_store(MemoryStore())


async def test_the_sqlite_store_conforms(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "folder" / "c.db")
    await check_store(SqliteStore(path), reopen=lambda: SqliteStore(path))


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.executescript(MIGRATIONS[0])
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO conversations (id) VALUES ('kept')")
    old.commit()
    old.close()
    store = SqliteStore(str(path))
    store.open()
    assert store.notices() == ()
    store.close()
    now = sqlite3.connect(path)
    assert now.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert now.execute("SELECT id FROM conversations").fetchone()[0] == "kept"
    now.close()


def _newer(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (
            lambda path: path.write_bytes(b"this is no database, it is a text" * 50),
            "not a database",
        ),
        (lambda path: path.mkdir(), "unable to open"),
        (_newer, "newer Sanad"),
    ],
)
def test_a_file_that_is_no_store_is_named(
    tmp_path: Path, prepare: Callable[[Path], Any], said: str
) -> None:
    path = tmp_path / "c.db"
    prepare(path)
    with pytest.raises(StoreError, match=said) as caught:
        SqliteStore(str(path)).open()
    assert str(path) in str(caught.value)


def test_a_store_without_a_plugin_is_named() -> None:
    with pytest.raises(StoreError, match=r"no store is named 'sqlit'.*did you mean 'sqlite'"):
        open_store("sqlit:c.db")


async def test_a_conversation_goes_on_after_a_restart(
    tmp_path: Path, make_engine: Callable[..., Engine]
) -> None:
    url = f"sqlite:{tmp_path / 'c.db'}"
    async with make_engine(store=url) as engine:
        first = await engine.respond(IMMINENT, conversation_id="c", message_id="1")
    async with make_engine(store=url) as engine:
        again = await engine.respond(IMMINENT, conversation_id="c", message_id="1")
        later = await engine.respond("ok", conversation_id="c")
    assert again.reply == first.reply
    assert again.decision == first.decision
    assert again.assessment == first.assessment
    assert later.decision.cause is Cause.HOLD


class Flaky:
    """A real SQLite store that can be switched off, by raising or by hanging."""

    def __init__(self, path: Path) -> None:
        self.inner = SqliteStore(str(path))
        self.fault: str | None = None

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self.inner, name)

        def method(*args: Any) -> Any:
            if self.fault == "raises" and name not in ("open", "close"):
                raise sqlite3.OperationalError("disk I/O error")
            if self.fault == "hangs" and name not in ("open", "close"):
                time.sleep(600)
            return inner(*args)

        return method


@pytest.mark.parametrize("fault", ["raises", "hangs"])
async def test_a_store_that_is_down_costs_nobody_an_answer(
    tmp_path: Path, make_engine: Callable[..., Engine], fault: str
) -> None:
    store = Flaky(tmp_path / "c.db")
    plugin = FakePlugin(stores={"flaky": store})
    async with make_engine(plugins=(plugin,), store="flaky:") as engine:
        store.fault = fault
        began = time.monotonic()
        first = await engine.respond(IMMINENT, conversation_id="c", message_id="1")
        assert time.monotonic() - began < 3
        began = time.monotonic()
        held = await engine.respond("ok", conversation_id="c", message_id="2")
        again = await engine.respond("ok", conversation_id="c", message_id="2")
        assert time.monotonic() - began < 1
    assert first.decision.rule == "imminent"
    assert [f.step for f in first.failures + first.assessment.failures].count("store") >= 1
    assert held.decision.cause is Cause.HOLD
    assert again.reply == held.reply


async def test_what_waited_is_written_when_the_store_is_back(
    tmp_path: Path, make_engine: Callable[..., Engine]
) -> None:
    store = Flaky(tmp_path / "c.db")
    async with make_engine(
        plugins=(FakePlugin(stores={"flaky": store}),), store="flaky:"
    ) as engine:
        await engine.respond("before", conversation_id="c", message_id="0")
        store.fault = "raises"
        await engine.respond(IMMINENT, conversation_id="c", message_id="1")
        await engine.respond("ok", conversation_id="c", message_id="2")
        store.fault = None
        for _ in range(100):
            await asyncio.sleep(0.05)
            if len(_turns(tmp_path / "c.db")) == 6:
                break
        after = await engine.respond("there?", conversation_id="c", message_id="3")
    assert after.decision.cause is Cause.HOLD
    turns = _turns(tmp_path / "c.db")
    assert [text for text, speaker in turns if speaker == "person"] == [
        "before", IMMINENT, "ok", "there?",
    ]  # fmt: skip
    assert len(turns) == 8


def _turns(path: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(path)
    rows = database.execute("SELECT text, speaker FROM turns ORDER BY seq").fetchall()
    database.close()
    return rows


async def test_a_held_conversation_is_known_even_if_the_store_goes_down_before_it_writes(
    tmp_path: Path, make_engine: Callable[..., Engine]
) -> None:
    url = f"sqlite:{tmp_path / 'c.db'}"
    async with make_engine(store=url) as engine:
        await engine.respond(IMMINENT, conversation_id="c")
    store = Flaky(tmp_path / "c.db")
    plugin = FakePlugin(stores={"flaky": store})
    async with make_engine(plugins=(plugin,), store="flaky:") as engine:
        store.fault = "raises"
        held = await engine.respond("ok", conversation_id="c")
    assert held.decision.cause is Cause.HOLD


async def test_an_acknowledgement_during_a_turn_is_not_undone(
    tmp_path: Path, make_engine: Callable[..., Engine]
) -> None:
    path = tmp_path / "c.db"
    async with make_engine(store=f"sqlite:{path}") as engine:
        await engine.respond(IMMINENT, conversation_id="c")
        done = await asyncio.to_thread(
            run, "hold", "acknowledge", "c", "--by", "dr x", "--store", f"sqlite:{path}"
        )
        after = await engine.respond("ok", conversation_id="c")
    assert done.returncode == 0
    assert after.decision.cause is Cause.RESPOND
    database = sqlite3.connect(path)
    assert database.execute("SELECT ended_by FROM holds").fetchall() == [("dr x",)]
    database.close()


KILLED = """
import asyncio, os, sys, time
from sanad_core import Engine
from sanad_core.testing import FakePlugin
from sanad_stores.sqlite import SqliteStore
path, policy, moment, text = sys.argv[1:]
store = SqliteStore(path)
class Dies:
    def __getattr__(self, name):
        method = getattr(store, name)
        def called(*args):
            if name == "commit" and moment == "before the answer is stored":
                os.kill(os.getpid(), 9)
            result = method(*args)
            if name == "commit":
                os.kill(os.getpid(), 9)
            return result
        return called
async def main():
    plugin = FakePlugin(stores={"dies": Dies()})
    async with Engine.from_policy(policy, store="dies:", plugins=[plugin]) as e:
        await e.respond(text, conversation_id="c", message_id="1")
        print("THE REPLY LEFT")
asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["before the answer is stored", "before the answer leaves"])
async def test_a_kill_loses_neither_the_message_nor_the_hold(
    tmp_path: Path,
    write_policy: Callable[..., Path],
    make_engine: Callable[..., Engine],
    moment: str,
) -> None:
    path = tmp_path / "c.db"
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, str(path), str(write_policy()), moment, IMMINENT],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert b"THE REPLY LEFT" not in killed.stdout
    assert _turns(path)[0] == (IMMINENT, "person")
    async with make_engine(store=f"sqlite:{path}") as engine:
        # The person writes again, something harmless: what they said before still counts.
        later = await engine.respond("are you there", conversation_id="c", message_id="2")
        again = await engine.respond(IMMINENT, conversation_id="c", message_id="1")
    assert later.decision.held
    assert later.reply.responder == "scripted"
    assert again.decision.rule == "imminent"
    assert [text for text, speaker in _turns(path) if speaker == "person"].count(IMMINENT) == 1


def test_a_killed_command_keeps_its_conversation(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'c.db'}"
    process = subprocess.Popen(
        [SANAD, "run", "minimal", "--store", url, "--conversation", "c"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(IMMINENT.encode() + b"\n")
    process.stdin.flush()
    assert process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    listed = run("hold", "list", "--store", url)
    assert listed.stdout.startswith(b"c  imminent suicide, self")
