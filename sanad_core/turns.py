"""One turn from message to reply: store, assess, decide, answer, store, tell."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sanad_core import render
from sanad_core.answering import Answer, Answering
from sanad_core.assess import DetectorStep, assess, assessment_of
from sanad_core.chain import Chain, Step
from sanad_core.components import make
from sanad_core.decide import decide
from sanad_core.errors import StoreError
from sanad_core.notices import Dispatch
from sanad_core.records import Observers, notices_of, record_of
from sanad_core.specs import Context, DetectorSpec, ResponderSpec
from sanad_core.steps import Runner, methods_of
from sanad_core.store import Store
from sanad_core.store.ledger import Ledger
from sanad_core.store.open import open_store
from sanad_core.text import detect_script
from sanad_core.types import (
    Assessment,
    Conversation,
    Decision,
    Draft,
    Exchange,
    Failure,
    FailureCause,
    Slots,
    Speaker,
    Turn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sanad_core.outlet import Outlet
    from sanad_core.plan import Part, Plan
    from sanad_core.plugins import Catalog
    from sanad_core.types import Verdict
    from sanad_core.workers import Workers

__all__ = ["Incoming", "Turns"]

log = logging.getLogger("sanad")

OPEN_S = 30.0  # seconds that looking at a store may take
STORE_METHODS = [name for name in vars(Store) if not name.startswith("_")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message as the caller handed it over, checked."""

    text: str
    conversation: str
    message_id: str
    locale: str | None
    region: str | None


class Turns:
    """Works on turns, with the components of one plan.

    Args:
        plan: what to run.
        catalog: makes the store.
        workers: threads for components.
        store: URL of the store.
        clock: gives the time.
    """

    def __init__(
        self,
        plan: Plan,
        catalog: Catalog,
        workers: Workers,
        store: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._plan = plan
        self._catalog = catalog
        self._workers = workers
        self._clock = clock
        self._store = store
        self._runners: list[Runner] = []
        self._versions = tuple((part.name, part.version) for part in plan.parts() if part.version)

    async def start(self, *, notify: bool = True) -> None:
        """Make and warm every component, open the store, and resume undelivered notices."""
        self._notify = notify
        plan = self._plan
        parts = tuple(plan.parts())
        making = (make(part, self._workers, plan.setting()) for part in parts)
        self._runners = [runner for runner, _ in await asyncio.gather(*making)]
        runners = {
            (part.kind, part.name): runner
            for part, runner in zip(parts, self._runners, strict=True)
        }
        self._detectors = tuple(
            DetectorStep(
                plan=part.step, spec=_detector(part), runner=runners["detector", part.name]
            )
            for part in plan.detectors
            if part.step is not None
        )
        self._chain = Chain(
            _steps(plan.responders, runners),
            _steps(plan.guards, runners),
            plan.policy.deadline,
            plan.policy.block_ends_chain,
        )
        limits = plan.deployment.limits
        # Room is for those who wait for a responder: a crisis is found and answered without it.
        room = asyncio.Semaphore(limits.at_once)
        self._answering = Answering(plan, self._chain, room)
        self._observers = Observers(self._catalog.observers(), self._workers)
        self._ledger = Ledger(await self._store_runner(), limits.history)
        pending = await self._ledger.open()
        notifiers = {part.name: runners["notifier", part.name] for part in plan.notifiers}
        self._dispatch = Dispatch(notifiers, self._ledger.delivered)
        for notice in pending:
            self._dispatch.send(notice)

    async def _store_runner(self) -> Runner:
        store = open_store(self._store, self._catalog)
        spec = self._catalog.spec("store", self._store.partition(":")[0])
        call = self._workers.run(lambda: methods_of(store, STORE_METHODS))
        done, _ = await asyncio.wait({call.future}, timeout=OPEN_S)
        if not done or call.future.exception() is not None:
            raise StoreError(f"the store '{spec.name}' cannot be used: its methods cannot be read")
        methods = call.future.result()
        missing = [name for name in STORE_METHODS if name not in methods]
        if missing:
            raise StoreError(f"the store '{spec.name}' has no method '{missing[0]}'")
        return Runner("store", methods, self._workers, inline=spec.inline, told=True)

    async def close(self) -> None:
        """Deliver what can be delivered, then let everything go, however far the start came."""
        if hasattr(self, "_dispatch"):
            await self._dispatch.close()
            await self._observers.close()
            await self._ledger.close()
        await asyncio.gather(*(runner.close() for runner in self._runners))
        self._workers.close()

    async def answer(self, incoming: Incoming, outlet: Outlet | None = None) -> Exchange:
        """One turn; it always gives an answer.

        Args:
            incoming: the message.
            outlet: where checked sentences of the reply leave at once.
        """
        try:
            return await self._turn(incoming, outlet)
        except Exception as err:
            fault = _fault(err)
            now = datetime.now(UTC)
            context = self._context(
                self._received(incoming, now), incoming, Conversation(id=incoming.conversation)
            )
            decision = decide(
                self._plan.policy, Assessment(failures=(fault,)), context.conversation, now
            )
            return self._exchange(context, decision, self._last_resort(context, fault, outlet))

    async def _turn(self, incoming: Incoming, outlet: Outlet | None) -> Exchange:
        began = time.perf_counter()
        now = self._clock()
        turn = self._received(incoming, now)
        loaded, failures = await self._ledger.receive(incoming.conversation, turn)
        if loaded.answered is not None and loaded.answered.turn.text == turn.text:
            return loaded.answered
        if loaded.answered is not None:
            # Other words under the same id are another message; it must not pass unread.
            log.error("a message id was used again for another text; it is taken as a new one")
            turn = replace(turn, message_id=f"{turn.message_id[:200]}-{uuid.uuid4().hex}")
            loaded, failures = await self._ledger.receive(incoming.conversation, turn)
        received = (time.perf_counter() - began) * 1000
        context = self._context(turn, incoming, loaded.conversation)
        exchange, slots = await self._worked(context, failures, now, outlet)
        notices = tuple(notices_of(exchange)) if self._notify else ()
        record = record_of(
            exchange,
            context,
            slots=slots,
            region=incoming.region,
            now=self._clock(),
            notices=notices,
        )
        committing = time.perf_counter()
        failed = await self._ledger.commit(record)
        ended = time.perf_counter()
        timings = replace(
            exchange.timings,
            store=received + (ended - committing) * 1000,
            total=(ended - began) * 1000,
        )
        exchange = replace(exchange, failures=exchange.failures + failed, timings=timings)
        for notice in notices:
            self._dispatch.send(notice)
        self._observers.tell(exchange)
        return exchange

    def _received(self, incoming: Incoming, now: datetime) -> Turn:
        spoken = incoming.locale or self._spoken(incoming.text) or self._plan.policy.locales[0]
        return Turn(
            speaker=Speaker.PERSON,
            text=incoming.text,
            locale=spoken,
            at=now,
            message_id=incoming.message_id,
        )

    async def screen(self, incoming: Incoming) -> Assessment:
        """Detection alone."""
        turn = self._received(incoming, self._clock())
        conversation = Conversation(id=incoming.conversation)
        assessment, _ = await self._assess(self._context(turn, incoming, conversation), ())
        return assessment

    async def review(self, reply: str, said: Sequence[Turn]) -> tuple[Verdict, ...]:
        """What the guards find in a reply.

        Args:
            reply: it.
            said: the talk before it; the person's last message is screened first.
        """
        place = max((n for n, t in enumerate(said) if t.speaker is Speaker.PERSON), default=None)
        if place is None:
            last = self._received(_nothing(), self._clock())
            context = Context(turn=last, conversation=Conversation(id="guard", turns=tuple(said)))
        else:
            before = Conversation(id="guard", turns=tuple(said[:place]))
            context = Context(turn=said[place], conversation=before, region=self._plan.region)
            assessment, _ = await self._assess(context, ())
            context = replace(context, assessment=assessment)
        return await self._chain.review(Draft(text=reply), context)

    def _context(self, turn: Turn, incoming: Incoming, before: Conversation) -> Context:
        locales = self._plan.policy.locales
        guess = incoming.locale or self._spoken(turn.text) or before.locale
        return Context(
            turn=turn,
            conversation=before,
            locale=guess if guess in locales else locales[0],
            region=incoming.region or before.region or self._plan.region,
        )

    def _spoken(self, text: str) -> str | None:
        """The policy's language that a text's script points to, where only one does."""
        script = detect_script(text)
        arabic = [locale for locale in self._plan.policy.locales if locale[:2] in _ARABIC_SCRIPT]
        others = [locale for locale in self._plan.policy.locales if locale not in arabic]
        fitting = arabic if script == "arabic" else others if script == "latin" else []
        return fitting[0] if len(fitting) == 1 else None

    async def _worked(
        self,
        context: Context,
        failures: tuple[Failure, ...],
        now: datetime,
        outlet: Outlet | None,
    ) -> tuple[Exchange, Slots]:
        """Assess, decide and answer; a fault of Sanad's own costs nobody their answer."""
        began = time.perf_counter()
        steps: tuple[tuple[str, float], ...] = ()
        try:
            assessment, steps = await self._assess(context, failures)
        except Exception as err:
            assessment = Assessment(failures=(_fault(err),))
        detected = time.perf_counter()
        decision = decide(self._plan.policy, assessment, context.conversation, now)
        decided = time.perf_counter()
        context = replace(context, assessment=assessment)
        try:
            answer = await self._answering.answer(context, decision, now, outlet)
        except Exception as err:
            answer = self._last_resort(context, _fault(err), outlet)
        timings = replace(
            answer.timings,
            detect=(detected - began) * 1000,
            decide=(decided - detected) * 1000,
            steps=steps + answer.timings.steps,
        )
        exchange = self._exchange(
            answer.context or context,
            answer.decision or decision,
            replace(answer, timings=timings),
        )
        return exchange, answer.slots

    def _last_resort(self, context: Context, fault: Failure, outlet: Outlet | None) -> Answer:
        """What is said when Sanad itself fails, below what has left of a reply."""
        reply = render.last_resort(self._plan, context)
        if outlet is not None:
            reply = outlet.completed(reply)
        return Answer(reply=reply, failures=(fault,))

    def _exchange(self, context: Context, decision: Decision, answer: Answer) -> Exchange:
        return Exchange(
            conversation=context.conversation.id,
            turn=context.turn,
            assessment=context.assessment,
            decision=decision,
            reply=answer.reply,
            failures=answer.failures,
            timings=answer.timings,
            policy=self._plan.policy.digest,
            components=self._versions,
        )

    async def _assess(
        self, context: Context, failures: tuple[Failure, ...]
    ) -> tuple[Assessment, tuple[tuple[str, float], ...]]:
        """Assess the message, and with it what was never answered or did not fit."""
        limit = self._plan.deployment.limits.message
        text = context.turn.text
        extra = _unanswered(context.conversation)
        if len(text) > limit:
            failures += (
                Failure(
                    step="message",
                    cause=FailureCause.TOO_LONG,
                    detail=f"{len(text)} characters; {limit} are read",
                    required=True,
                ),
            )
            extra.append(replace(context.turn, text=text[-limit:]))
            context = replace(context, turn=replace(context.turn, text=text[:limit]))
        assessment, steps = await assess(self._detectors, context, failures)
        for turn in extra:
            # A step that failed once in this turn is not waited for again.
            broken = {failure.step for failure in assessment.failures}
            missed, _ = await assess(self._detectors, replace(context, turn=turn), without=broken)
            found = tuple(replace(s, evidence=()) for s in missed.signals if s.kind == "risk")
            assessment = assessment_of(
                assessment.signals + found, assessment.failures + missed.failures
            )
        return assessment, steps


def _nothing() -> Incoming:
    return Incoming(text="", conversation="guard", message_id="0", locale=None, region=None)


def _fault(err: Exception) -> Failure:
    """A fault of Sanad's own, as a failure that must not pass for a clean bill."""
    log.error("a turn met a fault of Sanad's own: %s", type(err).__name__)
    log.debug("the fault", exc_info=err)
    return Failure(
        step="engine", cause=FailureCause.EXCEPTION, detail=type(err).__name__, required=True
    )


_ARABIC_SCRIPT = ("ar", "fa", "ur", "ps", "ku")


def _detector(part: Part) -> DetectorSpec:
    """The spec of a detector; one whose plugin is broken counts as one that must speak."""
    return part.spec if isinstance(part.spec, DetectorSpec) else _unknown(part.name)


def _unknown(name: str) -> DetectorSpec:
    return DetectorSpec(name=name, make=lambda _: None)


def _steps(parts: Iterable[Part], runners: dict[tuple[str, str], Runner]) -> list[Step]:
    return [
        Step(
            plan=part.step,
            runner=runners[part.kind, part.name],
            generates=not isinstance(part.spec, ResponderSpec) or part.spec.generates,
        )
        for part in parts
        if part.step is not None
    ]


def _unanswered(conversation: Conversation) -> list[Turn]:
    """The last messages that nobody answered: the process died, or the store was away."""
    missed: list[Turn] = []
    for turn in reversed(conversation.turns):
        if turn.speaker is Speaker.BOT:
            break
        missed.append(turn)
    return missed[::-1]
