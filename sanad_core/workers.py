"""Threads that foreign code runs on, so that nothing it does can stop the engine or the process."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

__all__ = ["Call", "LoopThread", "Workers"]

log = logging.getLogger("sanad")


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way.

    Args:
        future: of the engine's loop; settles when the call has really ended.
        cancel: asks it to end; a thread cannot be asked.
    """

    future: asyncio.Future[Any]
    cancel: Callable[[], None]


_Job = tuple["asyncio.AbstractEventLoop", "asyncio.Future[Any]", "Callable[[], Any]"]
_Outcome = tuple[Any, "BaseException | None"]


class Workers:
    """A pool of daemon threads that grows when all are busy; a blocked one is simply never idle.

    The standard executor is not used because Python waits for its threads at exit: one that is
    blocked for ever would keep the process alive.
    """

    def __init__(self) -> None:
        self._idle: list[queue.SimpleQueue[_Job | None]] = []
        self._lock = threading.Lock()
        self._closed = False

    def run(self, function: Callable[[], Any]) -> Call:
        """Run a function on a thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()
        job: _Job = (loop, future, lambda: context.run(function))
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = queue.SimpleQueue()
            try:
                threading.Thread(target=self._work, args=(inbox,), daemon=True).start()
            except RuntimeError as err:  # the machine has no thread left
                future.set_exception(err)
                return Call(future, lambda: None)
        inbox.put(job)
        return Call(future, lambda: None)

    def close(self) -> None:
        """Let the idle threads end; blocked ones end with the process."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _work(self, inbox: queue.SimpleQueue[_Job | None]) -> None:
        while (job := inbox.get()) is not None:
            loop, future, function = job
            try:
                outcome: _Outcome = (function(), None)
            except BaseException as err:  # a component may raise anything, even SystemExit
                outcome = (None, err)
            _deliver(loop, future, outcome)
            del job, function, outcome
            with self._lock:
                if self._closed:
                    return
                self._idle.append(inbox)


def _log_stray(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A component's own task failed: its error may quote a person, so only its class is told."""
    error = context.get("exception")
    log.error("a component's own task failed with %s", type(error).__name__)


def _outcome(task: asyncio.Task[Any]) -> _Outcome:
    if task.cancelled():
        return None, RuntimeError("CancelledError")
    error = task.exception()
    return (None, error) if error is not None else (task.result(), None)


def _deliver(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    outcome: _Outcome,
) -> None:
    def settle() -> None:
        if future.done():
            return
        value, err = outcome
        if err is None:
            future.set_result(value)
        else:
            future.set_exception(_carried(err))

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the engine's loop is closed: nobody waits for this any more


def _carried(err: BaseException) -> Exception:
    """What a future can carry: not StopIteration, and never an exit or a cancellation."""
    if isinstance(err, Exception) and not isinstance(err, StopIteration):
        return err
    return RuntimeError(type(err).__name__)


class LoopThread:
    """An event loop on a daemon thread, for one component's `async def` methods.

    A component that blocks its loop (a sleep, a busy loop) then blocks only itself.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_stray)
        self._thread = threading.Thread(target=self._serve, name=f"sanad-{name}", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    @property
    def running(self) -> bool:
        """Whether the loop still runs; a component can stop it."""
        return self._thread.is_alive() and not self._loop.is_closed()

    def run(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> Call:
        """Start a coroutine here; the call's future settles when it has really ended."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        tasks: list[asyncio.Task[Any]] = []
        given_up = threading.Event()

        def start() -> None:
            if given_up.is_set():
                _deliver(loop, future, (None, RuntimeError("never started")))
                return
            task = self._loop.create_task(function())
            tasks.append(task)
            task.add_done_callback(lambda done: _deliver(loop, future, _outcome(done)))

        def cancel() -> None:
            given_up.set()
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])

        self._loop.call_soon_threadsafe(start)
        return Call(future, cancel)

    def close(self) -> None:
        """Cancel what runs and stop the loop; one that will not stop ends with the process."""

        async def stop() -> None:
            running = asyncio.all_tasks() - {asyncio.current_task()}
            for task in running:
                task.cancel()
            if running and (await asyncio.wait(running, timeout=0.1))[1]:
                return
            self._loop.call_soon(self._loop.stop)

        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(stop(), self._loop)
        self._thread.join(timeout=0.2)
