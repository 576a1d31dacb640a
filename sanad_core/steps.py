"""Runs one component's method: under a deadline, its result checked, its failures attributed."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sanad_core.errors import (
    ConfigError,
    ContentError,
    Declined,
    DeploymentError,
    MissingExtra,
    PolicyError,
    ServiceError,
    StoreError,
)
from sanad_core.types import Failure, FailureCause
from sanad_core.workers import LoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sanad_core.workers import Call, Workers

__all__ = ["Malformed", "Outcome", "Runner", "failed", "methods_of"]

T = TypeVar("T")
log = logging.getLogger("sanad")

AT_ONCE = 8  # calls of one component that run at the same time; the others wait, off the clock
STUCK = 4  # calls that outlive their deadline and still run before the component is quarantined
TIMEOUTS = 3  # timeouts in a row before a component of a loop of its own is left alone
REST_S = 30.0  # for how long
# Errors about files and stores name a place; no other error's text is safe to keep, and a
# subclass from elsewhere could say anything.
_ABOUT_FILES = (StoreError, ConfigError, PolicyError, DeploymentError, ContentError, MissingExtra)


class Malformed(Exception):
    """A component's result is not what its kind must give.

    Args:
        detail: a fact about the result's form, never its content.
        cause: `malformed` or `empty`.
    """

    def __init__(self, detail: str, cause: FailureCause = FailureCause.MALFORMED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T]):
    """What a call gave.

    Args:
        value: the checked result; None if it failed.
        cause: why it failed; None if it did not.
        detail: more on the failure.
        milliseconds: how long it took.
        error: what it raised; its text may quote a person, so it is not to be shown.
    """

    value: T | None = None
    cause: FailureCause | None = None
    detail: str = ""
    milliseconds: float = 0.0
    error: Exception | None = None

    def failure(self, step: str, *, required: bool = False) -> Failure:
        """The failure to record; only where `cause` is set."""
        cause = self.cause or FailureCause.EXCEPTION
        return Failure(step=step, cause=cause, detail=self.detail, required=required)


def failed(cause: FailureCause, detail: str, since: float | None = None) -> Outcome[Any]:
    """An outcome that says why there is no result."""
    took = 0.0 if since is None else (time.perf_counter() - since) * 1000
    return Outcome(cause=cause, detail=detail, milliseconds=took)


class Runner:
    """Calls a component's methods, one engine's way.

    Args:
        name: the step's name, for logs and failures.
        methods: the component's methods by name; empty where it could not be made.
        workers: threads for `def` methods.
        at_once: how many calls may run at the same time.
        missing: why there is no component.
        inline: call its methods right here; see `Spec`.
        told: whether errors about files and stores are told in full: for the store itself.
    """

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Callable[..., Any]],
        workers: Workers,
        *,
        at_once: int = AT_ONCE,
        missing: str = "",
        inline: bool = False,
        told: bool = False,
    ) -> None:
        self.name = name
        self.missing = missing
        self.methods = methods
        self._inline = inline
        self._told = told
        self._warms = False
        self._workers = workers
        self.room = asyncio.Semaphore(at_once)
        self._loop: LoopThread | None = None
        self._stuck = 0
        self._timeouts = 0
        self._rest_until = 0.0

    @property
    def quarantined(self) -> bool:
        """Whether calls are refused because earlier ones hang."""
        return self._stuck >= STUCK or time.monotonic() < self._rest_until

    def refused(self) -> Outcome[Any] | None:
        """Why the component is not to be called at all; None: it may be."""
        if not self.methods:
            return failed(FailureCause.MISSING, self.missing)
        if self.quarantined:
            return failed(FailureCause.QUARANTINED, "earlier calls hang")
        return None

    async def call(
        self, method: str, *args: Any, timeout: float, check: Callable[[Any], T]
    ) -> Outcome[T]:
        """Call a method of the component.

        Args:
            method: its name.
            args: what it gets.
            timeout: seconds from when it starts; waiting for room is not counted.
            check: turns the result into what is used, or raises Malformed; runs where the method
                ran, so that a hostile result cannot stop the engine either.

        Returns:
            The checked result, or why there is none. It never raises.
        """
        refused = self.refused()
        if refused is not None:
            return refused
        start = time.perf_counter()
        try:
            function = self.methods[method]
            if self._inline:
                return self._at_once(function, args, check)
            async with self.room:
                refused = self.refused()
                if refused is not None:
                    return refused
                return await self._timed(function, args, timeout, check)
        except Exception as err:
            return self._raised(err, start)

    def _at_once(
        self, function: Callable[..., Any], args: tuple[Any, ...], check: Callable[[Any], T]
    ) -> Outcome[T]:
        start = time.perf_counter()
        value = check(_plain(function(*args)))
        return Outcome(value=value, milliseconds=(time.perf_counter() - start) * 1000)

    async def _timed(
        self, function: Callable[..., Any], args: tuple[Any, ...], timeout: float, check: Any
    ) -> Outcome[Any]:
        start = time.perf_counter()
        call = self._start(function, args, check)
        future = call.future
        done, _ = await asyncio.wait({future}, timeout=timeout)
        if not done:
            self.abandon(call, late=True)
            return failed(FailureCause.TIMEOUT, f"{round(timeout, 2):g} s", start)
        return self.settled(call, start)

    def settled(self, call: Call, start: float) -> Outcome[Any]:
        """What a call that has ended gave.

        Args:
            call: it.
            start: when it began, on the performance counter.
        """
        self._timeouts = 0
        error = call.future.exception()
        if error is not None:
            return self._raised(error, start)
        took = (time.perf_counter() - start) * 1000
        return Outcome(value=call.future.result(), milliseconds=took)

    def _raised(self, error: BaseException, start: float) -> Outcome[Any]:
        if isinstance(error, Malformed):
            log.error("step '%s' gave a malformed result: %s", self.name, error.detail)
            return failed(error.cause, error.detail, start)
        # Exactly these: a subclass from elsewhere could say anything.
        if type(error) is ServiceError or type(error) is Declined:
            log.warning("step '%s' gave no reply: %s", self.name, error.code)
            late = isinstance(error, ServiceError) and error.late
            cause = FailureCause.TIMEOUT if late else FailureCause.UNAVAILABLE
            declined = isinstance(error, Declined)
            given = failed(FailureCause.REFUSED if declined else cause, error.code, start)
            return replace(given, error=error)
        # While it warms, what it says is about its own files, and who warms it names it in full.
        told = (self._told or self._warms) and type(error) in _ABOUT_FILES
        level = logging.DEBUG if told and self._warms else logging.ERROR
        log.log(level, "step '%s' raised %s%s", self.name, type(error).__name__, _where(error))
        detail = str(error) if told else type(error).__name__
        outcome = failed(FailureCause.EXCEPTION, detail, start)
        return replace(outcome, error=error if isinstance(error, Exception) else None)

    def start(self, function: Callable[[], Any]) -> Call:
        """Start a coroutine function on the component's own loop."""
        return self._start(function, (), lambda result: result)

    def _start(
        self, function: Callable[..., Any], args: tuple[Any, ...], check: Callable[[Any], Any]
    ) -> Call:
        if not inspect.iscoroutinefunction(function):
            return self._workers.run(lambda: check(_plain(function(*args))))
        if self._loop is None or not self._loop.running:
            self._loop = LoopThread(self.name)

        async def checked() -> Any:
            try:
                return check(await function(*args))
            except (asyncio.CancelledError, GeneratorExit, Exception):
                raise
            except BaseException as err:
                # An exit raised on the component's loop would end that loop's thread.
                raise RuntimeError(type(err).__name__) from None

        return self._loop.run(checked)

    def abandon(self, call: Call, *, late: bool = False) -> None:
        """Give a call up; it counts as stuck until it ends.

        Args:
            call: still under way.
            late: it passed its deadline; else nobody wants its result any more.
        """
        self._stuck += 1
        call.future.add_done_callback(self._ended)
        call.cancel()
        if not late:
            return
        self._timeouts += 1
        # A thread that hangs is seen to hang; a coroutine that is cancelled every time is not.
        if self._loop is not None and self._timeouts >= TIMEOUTS:
            self._rest_until = time.monotonic() + REST_S
        log.error("step '%s' passed its deadline", self.name)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        future.exception()
        self._stuck -= 1

    async def warm(self, setting: object, timeout: float) -> Outcome[None]:
        """Call `warm(setting)` if the component has it; a failure makes the step a missing one."""
        if "warm" not in self.methods:
            return Outcome()
        self._warms = True
        outcome = await self.call("warm", setting, timeout=timeout, check=lambda _: None)
        self._warms = False
        if outcome.cause is not None:
            self.missing = f"warm-up failed: {outcome.detail}"
            self.methods = {}
        return outcome

    async def close(self, timeout: float = 2.0) -> None:
        """Call `close()` if the component has it, and let its loop end."""
        if "close" in self.methods:
            await self.call("close", timeout=timeout, check=lambda _: None)
        if self._loop is not None:
            self._loop.close()


def methods_of(component: object, names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    """A component's methods by name; looked up once, away from the engine's loop.

    Args:
        component: may hang or raise when it is looked at.
        names: those that it may have.
    """
    found = {name: getattr(component, name, None) for name in names}
    return {name: method for name, method in found.items() if callable(method)}


def _plain(result: Any) -> Any:
    """What a `def` method gave; a coroutine would never be awaited."""
    if inspect.iscoroutine(result):
        result.close()
        raise Malformed("gave a coroutine; write the method as 'async def'")
    return result


def _where(error: BaseException) -> str:
    """Where it was raised: file and line, never its message, which may quote a person."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f" at {code.co_filename}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return place
