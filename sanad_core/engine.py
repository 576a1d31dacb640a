"""The engine: takes messages, runs the plan, and gives replies; async, with a sync facade."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import re
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sanad_core import packaged
from sanad_core.deployment import Deployment, load_deployment
from sanad_core.errors import EngineClosed, PolicyError, UsageError
from sanad_core.outlet import Outlet
from sanad_core.plan import Plan, resolve
from sanad_core.plugins import Catalog
from sanad_core.policy import read_policy
from sanad_core.queues import Admission
from sanad_core.text import clean
from sanad_core.turns import Incoming, Turns
from sanad_core.types import Speaker, StreamEvent, Turn
from sanad_core.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence

    from sanad_core.types import Assessment, Exchange, Verdict

__all__ = ["Engine"]

log = logging.getLogger("sanad")

MAX_ID = 256
_REGION = re.compile("[A-Z]{2}")
CLOSE_S = 20.0  # how long closing waits for turns under way


def _now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """A running policy.

    Use it as an async context manager, or let the first message start it. From code that is not
    async, call `respond_sync`, which runs the engine on a thread of its own.

    Args:
        plan: what to run; `from_policy` makes it.
        catalog: the plugins that the plan was resolved with.
        store: URL of the conversation store.
        notify: False tells nobody, whatever the policy orders; for trials.
        clock: gives the time, with a time zone.
    """

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        *,
        store: str = "memory:",
        notify: bool = True,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.plan = plan
        self._catalog = catalog
        self._store = store
        self._notify = notify
        self._clock = clock
        self._turns: Turns | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Lock | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._thread_lock = threading.Lock()

    @classmethod
    def from_policy(
        cls,
        policy: str | Path | None = None,
        *,
        deployment: Deployment | str | Path | None = None,
        store: str | None = None,
        region: str | None = None,
        plugins: Iterable[object] = (),
        notify: bool = True,
        clock: Callable[[], datetime] = _now,
    ) -> Engine:
        """An engine for a policy file.

        Args:
            policy: path, or name of a packaged policy; None: the deployment's, else `default`.
            deployment: a deployment or the path of its file; None: the defaults, and no
                `sanad.yml` is looked for.
            store: URL of the store, `memory:` or `sqlite:PATH`; None: the deployment's, else in
                memory.
            region: country whose helplines are given; None: the deployment's, else the policy's.
            plugins: further plugin objects, beside the installed ones.
            notify: False tells nobody, whatever the policy orders; for trials.
            clock: gives the time, with a time zone.

        Raises:
            PolicyError: the policy, or a file that it needs, is wrong; with every problem.
            DeploymentError: the deployment file is wrong.
        """
        if deployment is None:
            deployment = Deployment()
        elif not isinstance(deployment, Deployment):
            deployment, _ = load_deployment(deployment)
        name = str(policy) if policy is not None else deployment.policy
        path = packaged.find_policy(name or packaged.DEFAULT_POLICY)
        catalog = Catalog(plugins)
        plan = _plan(path, deployment, region, catalog)
        url = store or deployment.store or "memory:"
        return cls(plan, catalog, store=url, notify=notify, clock=clock)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Make the components, warm them up, and open the store; only the first call does it.

        Raises:
            StoreError: the store cannot be opened.
            EngineClosed: the engine was closed.
        """
        if self._closed:
            raise EngineClosed("this engine was closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise UsageError("this engine runs on another event loop; use it there, or make two")
        self._loop = loop
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._turns is None:
                workers = Workers()
                turns = Turns(self.plan, self._catalog, workers, self._store, self._clock)
                try:
                    await turns.start(notify=self._notify)
                except BaseException:
                    await turns.close()
                    raise
                limits = self.plan.deployment.limits
                self._admission = Admission(limits.at_once + limits.waiting)
                self._turns = turns
                if self.plan.policy.allow_no_floor:
                    name = self.plan.policy.name
                    log.warning("policy '%s' runs without a crisis floor (allow_no_floor)", name)

    async def close(self) -> None:
        """Finish the turns under way, deliver what can be delivered, and let everything go."""
        self._closed = True
        if self._starting is not None:
            async with self._starting:
                pass  # a start under way ends first, so that it can be undone
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        turns, self._turns = self._turns, None
        if turns is not None:
            await turns.close()

    async def respond(
        self,
        text: str,
        *,
        conversation_id: str,
        message_id: str | None = None,
        locale: str | None = None,
        region: str | None = None,
    ) -> Exchange:
        """Answer a message.

        Messages of one conversation are answered in the order of the calls. The message is stored
        before anything else happens, and answered even if the caller stops waiting.

        Args:
            text: the person's message.
            conversation_id: the caller's id of the conversation.
            message_id: the caller's id of the message; the same id again gives the same answer.
            locale: language to answer in; None: that of the message's script, else the last one.
            region: country whose helplines are given; None: the conversation's, else the policy's.

        Returns:
            The whole record; `exchange.reply.text` is what to show.

        Raises:
            Overloaded: too many messages wait; this one was not taken.
            UsageError: an argument is not what it must be.
            EngineClosed: the engine was closed.
            StoreError: the engine was not started yet, and its store cannot be opened.
        """
        incoming = self._incoming(text, conversation_id, message_id, locale, region)
        await self.start()
        # A caller that goes away must not take the turn with it.
        return await asyncio.shield(self._task(self._admitted(incoming)))

    async def stream(
        self,
        text: str,
        *,
        conversation_id: str,
        message_id: str | None = None,
        locale: str | None = None,
        region: str | None = None,
    ) -> AsyncIterator[StreamEvent]:
        """Answer a message as events: checked text in pieces, then `done` with the whole record.

        At risk `none`, a responder that streams is passed on sentence by sentence, each checked
        before it leaves. Otherwise the whole checked reply comes as one piece. The pieces together
        are `exchange.reply.text`. A turn goes on to its end even if the caller stops reading.

        Args and errors are those of `respond`.
        """
        incoming = self._incoming(text, conversation_id, message_id, locale, region)
        await self.start()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        task = self._task(self._admitted(incoming, Outlet(pieces.put_nowait)))
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        sent = 0
        while (piece := await pieces.get()) is not None:
            sent += len(piece)
            yield StreamEvent(type="text", text=piece)
        exchange = task.result()
        if rest := exchange.reply.text[sent:]:
            yield StreamEvent(type="text", text=rest)
        yield StreamEvent(type="done", exchange=exchange)

    async def screen(self, text: str, *, locale: str | None = None) -> Assessment:
        """What the detectors find in a text; nothing is stored and nobody is answered.

        Args:
            text: the message.
            locale: its language; None: that of its script.
        """
        incoming = self._incoming(text, "screen", None, locale, None)
        await self.start()
        return await self._running().screen(incoming)

    async def review(
        self, reply: str, context: Sequence[tuple[bool, str]] = ()
    ) -> tuple[Verdict, ...]:
        """What the guards find in a reply that somebody or something else wrote.

        Args:
            reply: the text to check.
            context: the talk before it, oldest first: whether the person said it, and what. The
                person's last message is screened, since what a reply must do depends on it.

        Returns:
            Every violation; none: it may be sent.
        """
        if not isinstance(reply, str):
            raise UsageError(f"a reply must be text, not {type(reply).__name__}")
        await self.start()
        now = self._clock()
        locale = self.plan.policy.locales[0]
        said = [
            Turn(
                speaker=Speaker.PERSON if person else Speaker.BOT,
                text=clean(text),
                locale=locale,
                at=now,
                message_id=str(number),
            )
            for number, (person, text) in enumerate(context)
        ]
        return await self._running().review(clean(reply), said)

    def respond_sync(self, text: str, *, conversation_id: str, **options: Any) -> Exchange:
        """`respond` for code that is not async; `options` are those of `respond`.

        Raises:
            UsageError: it is called on the engine's own event loop, where it would wait for itself.
        """
        exchange: Exchange = self._sync(
            self.respond(text, conversation_id=conversation_id, **options)
        )
        return exchange

    def close_sync(self) -> None:
        """`close` for code that is not async."""
        self._closed = True
        if self._loop is None or self._loop.is_closed():
            return
        self._sync(self.close())
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=CLOSE_S)

    def _sync(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        with self._thread_lock:
            if self._closed and (self._loop is None or self._loop.is_closed()):
                coroutine.close()
                raise EngineClosed("this engine was closed; make a new one")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="sanad-engine", daemon=True
                )
                self._thread.start()
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is self._loop:
            coroutine.close()
            raise UsageError("call 'await engine.respond(...)' here, not respond_sync")
        waiting = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        while not waiting.done():
            # The loop may be stopped by another thread; then nobody will ever answer.
            concurrent.futures.wait([waiting], timeout=0.5)
            if not waiting.done() and not self._loop.is_running():
                waiting.cancel()
                raise EngineClosed("the engine was closed while this message waited")
        return waiting.result()

    def _incoming(
        self,
        text: object,
        conversation: object,
        message: object,
        locale: str | None,
        region: str | None,
    ) -> Incoming:
        if not isinstance(text, str):
            raise UsageError(f"a message must be text, not {type(text).__name__}")
        for what, value in (("conversation_id", conversation), ("message_id", message)):
            if value is None and what == "message_id":
                continue
            if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or value != clean(value):
                raise UsageError(f"{what} must be text of 1 to {MAX_ID} characters")
        known = self.plan.policy.locales
        if locale is not None and locale not in known:
            raise UsageError(f"the policy has no language '{locale}'; it has {', '.join(known)}")
        if region is not None and not _REGION.fullmatch(region):
            raise UsageError("region must be a two-letter country code such as US")
        return Incoming(
            text=clean(text),
            conversation=str(conversation),
            message_id=str(message) if message is not None else uuid.uuid4().hex,
            locale=locale,
            region=region,
        )

    def _running(self) -> Turns:
        if self._turns is None:
            raise EngineClosed("the engine was closed")
        return self._turns

    async def _admitted(self, incoming: Incoming, outlet: Outlet | None = None) -> Exchange:
        async with self._admission.admitted(incoming.conversation):
            return await self._running().answer(incoming, outlet)

    def _task(self, coroutine: Coroutine[Any, Any, Exchange]) -> asyncio.Task[Exchange]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Exchange]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; nobody else needs a warning


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _plan(path: Path, deployment: Deployment, region: str | None, catalog: Catalog) -> Plan:
    from dataclasses import replace

    if region is not None:
        deployment = replace(deployment, region=region)
    policy, problems = read_policy(path)
    plan = None
    if policy is not None:
        plan, more = resolve(policy, deployment, catalog)
        problems += more
    errors = [problem for problem in problems if not problem.warning]
    if errors or plan is None:
        raise PolicyError(errors)
    for problem in problems:
        log.info("%s", problem)
    return plan
