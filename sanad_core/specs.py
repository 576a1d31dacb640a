"""What a plugin gives: specs of components, and the methods that a component has.

A component is a plain object with one method (`detect`, `respond`, `check`, `notify`, or those of
a store). The method is `def` (run in a worker thread) or `async def` (run on an event loop of the
component's own), so that nothing it does can stop the engine. A component may also have
`warm(setting)`, called once before the first message, and `close()`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from sanad_core.types import Assessment, Conversation

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from sanad_core.types import Draft, Signal, Turn, Verdict

__all__ = [
    "Context",
    "Detector",
    "DetectorSpec",
    "Guard",
    "GuardSpec",
    "Notifier",
    "NotifierSpec",
    "Responder",
    "ResponderSpec",
    "Service",
    "Setting",
    "Spec",
    "StoreSpec",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An outside service of the deployment.

    Args:
        name: as options name it.
        url: its address.
        key: its secret, if it has one; never shown.
    """

    name: str
    url: str
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a component is told when it is warmed up.

    Args:
        locales: the policy's languages, the default one first.
        region: the deployment's country; None: not known.
        folder: the folder of the policy file, for relative paths in options.
        numbers: every number of the helpline registry, in digits.
        endpoints: the outside services of the deployment.
        generates: whether a model writes some of the policy's replies.
    """

    locales: tuple[str, ...] = ("en",)
    region: str | None = None
    folder: Path | None = None
    numbers: frozenset[str] = frozenset()
    endpoints: tuple[Service, ...] = ()
    generates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a component may look at besides the turn or the draft.

    Args:
        turn: the person's message.
        conversation: what came before it.
        assessment: what the detectors found so far.
        locale: the language to answer in.
        region: the country whose helplines are given.
    """

    turn: Turn
    conversation: Conversation
    assessment: Assessment = field(default_factory=Assessment)
    locale: str = "en"
    region: str | None = None


@runtime_checkable
class Detector(Protocol):
    """Finds signals in a turn."""

    def detect(
        self, turn: Turn, context: Context
    ) -> Sequence[Signal] | Awaitable[Sequence[Signal]]:
        """Signals found in `turn.text`; a detector of risk never returns none at all."""
        ...


@runtime_checkable
class Responder(Protocol):
    """Proposes a reply.

    It may also have `stream(turn, context)`, an `async def` generator of the same reply's pieces;
    `engine.stream` uses it. It raises `ServiceError` where its service fails, and `Declined` where
    a provider would not answer the message.
    """

    def respond(self, turn: Turn, context: Context) -> Draft | str | Awaitable[Draft | str]:
        """A draft, or its text; it is checked by the guards before anyone reads it."""
        ...


@runtime_checkable
class Guard(Protocol):
    """Checks a draft."""

    def check(
        self, draft: Draft, context: Context
    ) -> Sequence[Verdict] | Awaitable[Sequence[Verdict]]:
        """Violations found in `draft.text`; none: it may be sent."""
        ...


@runtime_checkable
class Notifier(Protocol):
    """Tells somebody that a rule fired."""

    def notify(self, notice: Any) -> Awaitable[None] | None:
        """Deliver a `sanad_core.notices.Notice`; raise if it was not taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every component's spec says.

    Args:
        name: as the policy's `use` names it; the same as the entry point's name.
        make: builds the component from its validated options.
        options: a pydantic model with `extra="forbid"`; None: it takes no options.
        extra: the extra of sanad-core that it needs, if any.
        summary: one line for `sanad plugins`.
        inline: its methods are `def`, never block and do little: the engine calls them on its own
            loop, which saves a thread's detour and gives up the deadline. Leave it False.
    """

    kind: ClassVar[str] = ""
    method: ClassVar[str] = ""
    also: ClassVar[tuple[str, ...]] = ()  # methods that a component may have besides

    name: str
    make: Callable[[Any], Any]
    options: type[BaseModel] | None = None
    extra: str | None = None
    summary: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec(Spec):
    """A detector.

    Args:
        writes: kinds of signals it gives; with `risk` among them, silence is a failure.
        reads: kinds of signals it looks at; another step must write them before it.
        in_process: whether it works without network and service, so that it can be the floor.
    """

    kind: ClassVar[str] = "detector"
    method: ClassVar[str] = "detect"

    writes: tuple[str, ...] = ("risk",)
    reads: tuple[str, ...] = ()
    in_process: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderSpec(Spec):
    """A responder.

    Args:
        generates: whether a model writes its text; such a one is asked only at risk `none`
            unless the policy says otherwise.
        certain: whether it always answers, in process; the last of a chain must.
    """

    kind: ClassVar[str] = "responder"
    method: ClassVar[str] = "respond"
    also: ClassVar[tuple[str, ...]] = ("stream",)

    generates: bool = True
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec(Spec):
    """A guard."""

    kind: ClassVar[str] = "guard"
    method: ClassVar[str] = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSpec(Spec):
    """A notifier."""

    kind: ClassVar[str] = "notifier"
    method: ClassVar[str] = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSpec(Spec):
    """A conversation store; `make` gets the part of the store's URL after `NAME:`."""

    kind: ClassVar[str] = "store"
    method: ClassVar[str] = "receive"
