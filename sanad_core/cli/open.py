"""What commands open: the deployment, the policy, an engine, an input file."""

from __future__ import annotations

import asyncio
import codecs
import gc
import io
import os
import re
import sys
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from sanad_core import packaged
from sanad_core.deployment import load_deployment
from sanad_core.engine import Engine
from sanad_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = [
    "check_region",
    "each",
    "input_lines",
    "open_engine",
    "open_input",
    "output_folder",
    "started",
]

Item = TypeVar("Item")
READ_AHEAD = 64


def _standard_input() -> BinaryIO:
    """Standard input in bytes, on a descriptor of its own; empty where it is closed.

    A thread that waits on `sys.stdin` holds its lock, and Python aborts if it ends meanwhile.
    """
    if sys.stdin is None:
        return io.BytesIO()
    try:
        return open(os.dup(sys.stdin.fileno()), "rb")
    except OSError:  # something in its place that is no file
        return sys.stdin.buffer


def check_region(region: str | None) -> str | None:
    """A country code in upper case.

    Raises:
        UsageError: it is not two letters.
    """
    if region is None:
        return None
    if not re.fullmatch("[A-Za-z]{2}", region):
        raise UsageError(f"--region takes a two-letter country code such as US, not '{region}'")
    return region.upper()


def open_engine(
    policy: str | None,
    *,
    config: str | None = None,
    store: str | None = None,
    region: str | None = None,
    notify: bool = True,
) -> Engine:
    """An engine for a command's options; `store` None means the deployment's."""
    deployment, _ = load_deployment(config)
    name = policy or deployment.policy or packaged.DEFAULT_POLICY
    return Engine.from_policy(
        name,
        deployment=deployment,
        store=store,
        region=check_region(region),
        notify=notify,
    )


@asynccontextmanager
async def started(engine: Engine) -> AsyncIterator[Engine]:
    """A running engine, with garbage collection on again once it has started."""
    async with engine:
        gc.freeze()
        gc.enable()
        yield engine


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input for `-`.

    It is closed after it was read to its end. If a reader is interrupted, its thread may hold the
    stream's lock for as long as nobody writes, and closing it would wait for that.

    Raises:
        UsageError: it cannot be read.
    """
    stream = _standard_input() if name == "-" else _file(name)
    yield stream
    stream.close()


def _file(name: str) -> BinaryIO:
    try:
        return open(name, "rb")
    except OSError as err:
        if re.search(r"\s|\.\.", name) and not os.path.exists(name):
            # A message, most likely, and no message is ever shown in an error.
            raise UsageError(
                "FILE is no file; to give a text, pipe it: echo '…' | sanad …"
            ) from None
        raise UsageError(f"'{name}' cannot be read: {err.strerror}") from None


def output_folder(name: str) -> Path:
    """The folder that a command writes to, made before its work and not after it.

    Raises:
        UsageError: it cannot be made, or not written to.
    """
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise UsageError(f"--out: '{name}' cannot be made a folder: {err.strerror}") from None
    if not name or not os.access(folder, os.W_OK):
        raise UsageError(f"--out takes a folder that can be written to, not '{name}'")
    return folder


async def each(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Items read on a daemon thread, so that Ctrl-C ends a command that waits for its input."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[Item | None, bool]] = asyncio.Queue()
    room = threading.Semaphore(READ_AHEAD)

    def read() -> None:
        try:
            for item in items:
                room.acquire()
                loop.call_soon_threadsafe(queue.put_nowait, (item, True))
        finally:
            with suppress(RuntimeError):  # the loop is gone, and with it whoever waited
                loop.call_soon_threadsafe(queue.put_nowait, (None, False))

    threading.Thread(target=read, daemon=True).start()
    while True:
        item, there = await queue.get()
        if not there or item is None:
            return
        room.release()
        yield item


def input_lines(stream: BinaryIO) -> Iterator[str]:
    """Lines without their ends; bytes that are not UTF-8 become U+FFFD, so no line is lost."""
    for number, raw in enumerate(stream):
        if number == 0:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        yield raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")
