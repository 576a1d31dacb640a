"""The crisis conversation: which scripted text comes next, by what was said and asked before.

A rule's own text opens it. Then it goes on, one short turn at a time: what the person did is
answered (`crisis/answer/<intent>`; a yes or a no by what was asked last), else comes the next text
of the conversation about their kind of risk (`crisis/held/<kind>`), else one that only stays with
them (`crisis/staying`). Nothing is asked twice, and nothing said twice while anything is left.

Source of the order (safety first, then plan and means, who, obstacles, next step): docs/safety.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.replies import next_script
from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.types import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sanad_core.replies import ReplyBook, Script
    from sanad_core.specs import Context
    from sanad_core.types import Decision, Signal

__all__ = ["INTENTS", "Said", "next_said"]

ANSWER, STAYING, LINES = "crisis/answer", "crisis/staying", "crisis/lines"
OTHERS = "someone_else"  # stands for a kind where the talk is about somebody else
# What a message can do that wants an answer of its own, most pressing first: signals of kind
# `intent` with these labels.
INTENTS = (
    "took_something", "police", "hospital", "secrecy", "overheard", "retraction",
    "anger_at_bot", "insult", "not_helping", "believe", "why_ask", "repeat", "no_talk",
    "what_happens", "cannot_call", "cost", "nobody", "burden", "real_person", "human",
    "who_reads", "instructions", "love", "diagnosis", "medication", "panic_safe", "therapy",
    "abilities", "name", "unsure", "safe_now", "no_plan", "better", "worse", "goodbye",
    "advice", "sorry", "no", "yes", "thanks", "off_topic", "how_are_you", "greet", "silence",
)  # fmt: skip
# Words that answer a question only where the message begins with them.
_BEGIN = ("yes", "no")
_NEAR_BEGINNING = 8  # characters: "um, no"
HEARD = "crisis/heard"
TAKEN = "taken"  # stands for a kind where something was taken or done already
_TAKEN_SAID = (f"/{TAKEN}#", f"{ANSWER}/took_something#")
_PLAN_DENIED = tuple(f"{ANSWER}/{name}#" for name in ("no_to_suicide", "no_to_plan", "no_plan"))
_MAY_ASK_AGAIN = "story"
_LINES_AGAIN = 10  # texts after which the whole list is given again


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What to say.

    Args:
        scripts: texts to be filled in.
        attach: whether the helplines are attached where no text has a place for one.
        full: whether they are attached although a text names one.
    """

    scripts: tuple[Script, ...]
    attach: bool
    full: bool = False


def next_said(
    book: ReplyBook, decision: Decision, context: Context, held: str, used: Sequence[str]
) -> Said:
    """The next text of a crisis conversation.

    Args:
        book: the texts of the language.
        decision: of a crisis rule, or of a hold.
        context: the message, its signals and the conversation.
        held: the key of the conversation's texts, such as `crisis/held`.
        used: ids of the texts said in this conversation, oldest first.

    Returns:
        One text, and after it a reminder of a helpline where a rule ordered one again; in imminent
        danger the whole list, every time.
    """
    talk = _Talk(book, decision, context, held, used)
    if decision.cause is Cause.CRISIS and not talk.goes_on():
        return Said(scripts=(talk.best(talk.own()),), attach=bool(decision.helplines))
    answer = talk.first(talk.answers())
    script = answer or talk.first(talk.stages()) or talk.oldest()
    if decision.cause is Cause.HOLD or not decision.helplines:
        return Said(scripts=(*(() if answer else talk.heard()), script), attach=False)
    if talk.urgent:
        return Said(scripts=(script,), attach=True, full=True)
    reminders = book.variants(LINES)
    if not reminders or _long_ago(used):
        return Said(scripts=(script,), attach=True)
    if "{{helpline" in script.text:
        return Said(scripts=(script,), attach=False)
    return Said(scripts=(script, next_script(reminders, used)), attach=False)


def _long_ago(used: Sequence[str]) -> bool:
    """Whether no reminder and no rule's text, each of which gives lines, is among the last."""
    recent = used[-_LINES_AGAIN:]
    return all(script.startswith((ANSWER, STAYING, HEARD, "crisis/held")) for script in recent)


def _start(signal: Signal) -> int:
    return min((evidence.start for evidence in signal.evidence), default=0)


class _Talk:
    """One turn of the conversation: what may be said, and what was said and asked before."""

    def __init__(
        self, book: ReplyBook, decision: Decision, context: Context, held: str, used: Sequence[str]
    ) -> None:
        self._book, self._decision, self._context = book, decision, context
        self._held, self._used, self._said = held, used, frozenset(used)
        asked = {probe for script in used for probe in book.asks(script)}
        self._asked = (asked | self._known()) - {_MAY_ASK_AGAIN}
        self._signals = context.assessment.signals
        self.urgent = decision.cause is Cause.CRISIS and decision.level is Level.IMMINENT

    def _known(self) -> set[str]:
        """What need not be asked any more, since it was told."""
        hold = self._decision.hold
        planned = (
            hold is not None and hold.kind is RiskKind.SUICIDE and hold.level >= Level.HIGH
        ) or any(script.startswith(_PLAN_DENIED) for script in self._used)
        put_away = any(script.startswith(f"{ANSWER}/safe_now") for script in self._used)
        return ({"plan"} if planned else set()) | ({"means"} if put_away else set())

    def own(self) -> tuple[Script, ...]:
        """The texts of the rule."""
        key = self._decision.reply or self._held
        own = self._book.variants(key, self._decision.kind)
        if "took_something" in self._done() and self._decision.kind is RiskKind.SUICIDE:
            return self._book.variants(f"{key}/{TAKEN}") or own
        return own

    def goes_on(self) -> bool:
        """Whether what the rule would say was said: the talk goes on instead of starting again."""
        decision, hold = self._decision, self._context.conversation.hold
        if hold is not None and hold.active(self._context.turn.at) and decision.level < hold.level:
            # What somebody says about their own life is new, whatever was said about another's.
            return not (hold.subject is Subject.OTHER and decision.subject is Subject.SELF)
        own = {script.id for script in self.own()}
        if self.urgent:
            # Whom to call and to go to somebody: in all the words there are.
            return own.issubset(self._said)
        return not own.isdisjoint(self._said)

    def answers(self) -> Iterator[tuple[Script, ...]]:
        """Answers to what the message does, most pressing first."""
        done = self._done()
        other = self._decision.subject is Subject.OTHER
        about = OTHERS if other else self._decision.kind
        for intent in (i for i in _BEGIN if i in done):
            for probe in self._asked_last():
                yield self._book.variants(f"{ANSWER}/{intent}_to_{probe}/{about}")
                # What was asked about somebody else is not answered as if it were their own.
                yield () if other else self._book.variants(f"{ANSWER}/{intent}_to_{probe}")
        for intent in (i for i in INTENTS if i in done):
            yield self._book.variants(f"{ANSWER}/{intent}/{about}")
            yield self._book.variants(f"{ANSWER}/{intent}")

    def _done(self) -> set[str]:
        return {
            s.label
            for s in self._signals
            if s.kind == "intent"
            and s.evidence
            and (s.label not in _BEGIN or _start(s) <= _NEAR_BEGINNING)
        }

    def _asked_last(self) -> tuple[str, ...]:
        """What the last reply asked."""
        last = self._context.conversation.replies[-1:]
        return tuple(p for reply in last for s in reply.scripts for p in self._book.asks(s))

    def heard(self) -> tuple[Script, ...]:
        """A few words to what the person feels."""
        labels = [signal.label for signal in self._signals if signal.kind == "emotion"]
        script = self.first(self._book.variants(f"{HEARD}/{label}") for label in labels)
        return (script,) if script is not None else ()

    def stages(self) -> Iterator[tuple[Script, ...]]:
        """The conversation's own texts, then those that only stay."""
        own = self._book.variants(self._held, self._decision.kind)
        if self._decision.subject is Subject.OTHER:
            own = self._book.variants(f"{self._held}/{OTHERS}") or own
        elif any(part in script for script in self._used for part in _TAKEN_SAID):
            own = self._book.variants(f"{self._held}/{TAKEN}") or own
        yield own
        yield self._book.variants(STAYING)

    def _fresh(self, script: Script) -> bool:
        """Whether a text was not said and asks nothing again."""
        return script.id not in self._said and self._asked.isdisjoint(script.asks)

    def first(self, choices: Iterable[Sequence[Script]]) -> Script | None:
        """The first fresh text of the first choice that has one."""
        texts = (script for scripts in choices for script in scripts if self._fresh(script))
        # In imminent danger nothing comes before the emergency number.
        return next((s for s in texts if not (self.urgent and "{{helpline" in s.text)), None)

    def best(self, scripts: Sequence[Script]) -> Script:
        """A fresh one if there is one, else the next one to say."""
        return next(filter(self._fresh, scripts), None) or next_script(scripts, self._used)

    def oldest(self) -> Script:
        """When everything was said: what was said longest ago."""
        texts = [script for texts in self.stages() for script in texts]
        return next_script([s for s in texts if "{{helpline" not in s.text] or texts, self._used)
