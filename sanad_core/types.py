"""The values that flow through a turn: text, Turn, Assessment, Decision, Draft, Reply, Exchange."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sanad_core.risk import NO_RISK, Level, Risk, RiskKind, Subject, highest

__all__ = [
    "Assessment",
    "Cause",
    "Conversation",
    "Decision",
    "Draft",
    "Evidence",
    "Exchange",
    "Failure",
    "FailureCause",
    "Hold",
    "Reply",
    "Signal",
    "Slots",
    "Speaker",
    "StreamEvent",
    "Timings",
    "Turn",
    "Verdict",
]

Slots = tuple[tuple[str, str], ...]


class Speaker(StrEnum):
    """Who said a turn."""

    PERSON = "person"
    BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message, of the person or of the bot.

    Args:
        speaker: who said it.
        text: what was said; lone surrogates and NULs already replaced.
        locale: language of the turn, such as `en` or `ar`.
        at: when it was received or sent, with a time zone.
        message_id: the caller's id of the message, unique within its conversation; a bot's turn
            has the id of the message that it answers.
        scripts: for a bot's turn, the ids of the scripted texts it was made of.
    """

    speaker: Speaker
    text: str
    locale: str
    at: datetime
    message_id: str
    scripts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Crisis mode of a conversation: while it lasts, replies come from the scripted conversation.

    Args:
        rule: the policy rule that set it.
        level: the highest risk level since it was set.
        kind: the kind of risk that the scripted conversation is about.
        subject: who is in danger.
        since: when it was set, with a time zone.
        until: when it ends; None: when a person acknowledges it.
        length: the duration that new risk renews it by; None: until acknowledged.
    """

    rule: str
    level: Level
    kind: RiskKind
    subject: Subject
    since: datetime
    until: datetime | None
    length: timedelta | None

    def active(self, now: datetime) -> bool:
        """Whether the hold still lasts at `now`."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What the engine knows of a conversation when a turn comes in.

    Args:
        id: the caller's id.
        turns: the most recent turns, oldest first; bounded, so not always all of them.
        slots: what components chose to remember, name and value; sorted by name.
        hold: crisis mode, if it was ever set and not acknowledged.
        disclosed_at: when the person was last told that this is an AI.
        locale: language of the last turn.
        region: country whose helplines are given; None: the policy's.
    """

    id: str
    turns: tuple[Turn, ...] = ()
    slots: Slots = ()
    hold: Hold | None = None
    disclosed_at: datetime | None = None
    locale: str | None = None
    region: str | None = None

    @property
    def replies(self) -> tuple[Turn, ...]:
        """The bot's turns at hand, oldest first."""
        return tuple(turn for turn in self.turns if turn.speaker is Speaker.BOT)

    def with_turn(self, turn: Turn) -> Conversation:
        """A new conversation that ends with `turn`."""
        return replace(self, turns=(*self.turns, turn))

    def slot(self, name: str, default: str = "") -> str:
        """The value remembered under `name`, or `default`."""
        return dict(self.slots).get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The part of the text that a signal rests on.

    Args:
        start: first character, in code points of the turn's text.
        end: one past the last character.
        why: what it shows, such as the id of a lexicon entry; never the text itself.
    """

    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What one detector says about a turn.

    A detector of risk always gives at least one risk signal: level none, label `none`, says that it
    looked and found nothing. Silence is a failure.

    Args:
        kind: `risk`, `condition`, `sentiment`, `emotion`, `intent`, `history`, or a plugin's own.
        label: what was found; for risk, a RiskKind, or `none`.
        score: confidence, 0 to 1.
        level: for risk, how severe.
        subject: for risk, who is in danger.
        evidence: the parts of the text it rests on.
        source: the component; the engine fills it in.
    """

    kind: str
    label: str
    score: float = 1.0
    level: Level | None = None
    subject: Subject | None = None
    evidence: tuple[Evidence, ...] = ()
    source: str = ""

    @classmethod
    def no_risk(cls, score: float = 0.0) -> Signal:
        """The signal of a risk detector that found nothing; `score` is its estimate of risk."""
        return cls(kind="risk", label="none", score=score, level=Level.NONE)


class FailureCause(StrEnum):
    """Why a step gave nothing that can be used."""

    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    EMPTY = "empty"
    MISSING = "missing"
    QUARANTINED = "quarantined"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    BLOCKED = "blocked"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A step that failed.

    Args:
        step: the component's name, or `store`, or `message`.
        cause: why.
        detail: a class name or a fact about the result; never the text of an exception, which
            could hold the person's words.
        required: whether the policy says that nothing may be generated without this step.
    """

    step: str
    cause: FailureCause
    detail: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Everything the detectors found in a turn.

    Args:
        signals: in the order of the policy's steps.
        failures: steps that gave nothing.
        risks: the maximum level per kind and subject, highest first.
    """

    signals: tuple[Signal, ...] = ()
    failures: tuple[Failure, ...] = ()
    risks: tuple[Risk, ...] = ()

    @property
    def risk(self) -> Risk:
        """The one entry to show: the highest, `self` before `other`."""
        if self.risks:
            return highest(self.risks)
        looked = [s.score for s in self.signals if s.kind == "risk"]
        return replace(NO_RISK, score=max(looked, default=0.0))


class Cause(StrEnum):
    """What decided a turn, strongest first."""

    CRISIS = "crisis"
    HOLD = "hold"
    FAILURE = "failure"
    RESPOND = "respond"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy orders for a turn.

    Args:
        cause: what decided it.
        rule: the rule that fired: a crisis rule's name, `on_failure`, or None.
        at: the rule's place in the policy, `file:line`.
        reply: key of the scripted text; None where responders answer.
        kind: the kind of risk the scripted text is chosen for.
        level: the level behind the decision.
        subject: who is in danger.
        also: names of the other crisis rules that matched; what they order counts as well.
        helplines: which lines to attach: `emergency`, `for_kind`, or a helpline kind.
        kinds: the risk kinds that `for_kind` stands for.
        notify: names of the notifiers, each with whether it gets the message's text.
        hold: the hold after this turn; None: the conversation is not held.
        held: whether the conversation is in crisis mode after this turn.
        chain: the responders that may answer, in order.
    """

    cause: Cause
    rule: str | None = None
    at: str | None = None
    reply: str | None = None
    kind: RiskKind | None = None
    level: Level = Level.NONE
    subject: Subject | None = None
    also: tuple[str, ...] = ()
    helplines: tuple[str, ...] = ()
    kinds: tuple[RiskKind, ...] = ()
    notify: tuple[tuple[str, bool], ...] = ()
    hold: Hold | None = None
    held: bool = False
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One violation that a guard found in a draft.

    Args:
        rule: the violation, such as `invented_phone_number`.
        start: first character of the span, in code points of the draft.
        end: one past the last character.
        why: one line that says what is wrong; never the text itself.
        source: the guard; the engine fills it in.
    """

    rule: str
    start: int = 0
    end: int = 0
    why: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a responder proposes; it is checked before anyone reads it.

    Args:
        text: the proposed reply; may hold `{{helpline}}`.
        scripts: ids of the scripted texts it was made of.
        slots: what to remember for later turns; an empty value forgets the name.
        source: the responder; the engine fills it in.
        sent: how many of its first characters were checked and have left already; the engine
            fills it in.
        whole: whether it is all of the reply; while it streams, a guard sees it grow.
        generated: whether a model wrote it, or people did; the engine fills it in.
    """

    text: str
    scripts: tuple[str, ...] = ()
    slots: Slots = ()
    source: str = ""
    sent: int = 0
    whole: bool = True
    generated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the person reads.

    Args:
        text: the whole text, disclosure and helplines included.
        responder: who made it: a responder's name, or `scripted`.
        helplines: the numbers and addresses given in it.
        blocked: verdicts on drafts that were not sent.
        scripts: ids of the scripted texts in it.
        disclosed: whether it says that this is an AI.
    """

    text: str
    responder: str
    helplines: tuple[str, ...] = ()
    blocked: tuple[Verdict, ...] = ()
    scripts: tuple[str, ...] = ()
    disclosed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the parts of a turn took, in milliseconds; waiting for room is not in them."""

    detect: float = 0.0
    decide: float = 0.0
    respond: float = 0.0
    guard: float = 0.0
    store: float = 0.0
    total: float = 0.0
    steps: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The record of one turn: what came in, what was found, decided and said.

    Args:
        conversation: the conversation's id.
        turn: the person's message.
        assessment: what the detectors found.
        decision: what the policy ordered.
        reply: what the person reads.
        failures: what failed after detection: responders, guards, the store.
        timings: how long each part took.
        policy: the first 12 hex digits of the SHA-256 of the policy file.
        components: each component used, with its version.
    """

    conversation: str
    turn: Turn
    assessment: Assessment
    decision: Decision
    reply: Reply
    failures: tuple[Failure, ...] = ()
    timings: Timings = field(default_factory=Timings)
    policy: str = ""
    components: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """A part of a streamed reply.

    Args:
        type: `text` for a piece of the reply, `done` for the end.
        text: the piece, already checked; empty at the end.
        exchange: the whole record; only at the end.
    """

    type: str
    text: str = ""
    exchange: Exchange | None = None
