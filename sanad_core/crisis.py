"""The crisis conversation: which scripted text comes next, by what was said and asked before.

A rule's own text opens it. Then it goes on, one short turn at a time: what the person did is
answered (`crisis/answer/<intent>`), else comes the next text of the conversation about their kind
of risk (`crisis/held/<kind>`), else one that only stays with them (`crisis/staying`). Nothing is
asked twice, and nothing is said twice while anything is left.

Source of the order (safety first, then plan and means, who, obstacles, next step): docs/safety.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.replies import next_script
from sanad_core.risk import Level, Subject
from sanad_core.types import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sanad_core.replies import ReplyBook, Script
    from sanad_core.specs import Context
    from sanad_core.types import Decision

__all__ = ["ANSWER", "INTENTS", "LINES", "STAYING", "Said", "next_said"]

ANSWER, STAYING, LINES = "crisis/answer", "crisis/staying", "crisis/lines"
OTHERS = "someone_else"  # stands for a kind where the talk is about somebody else
# What a message can do that wants an answer of its own, most pressing first: signals of kind
# `intent` with these labels.
INTENTS = (
    "took_something", "police", "hospital", "secrecy", "overheard", "retraction", "insult",
    "anger_at_bot", "not_helping", "repeat", "no_talk", "what_happens", "cannot_call", "cost",
    "nobody", "burden", "real_person", "human", "who_reads", "instructions", "love", "diagnosis",
    "medication", "therapy", "why_ask", "abilities", "name", "unsure", "safe_now", "no_plan",
    "better", "worse", "goodbye", "advice", "sorry", "no", "yes", "thanks", "off_topic",
    "how_are_you", "greet", "silence",
)  # fmt: skip
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
    choosing = _Choosing(book, used)
    if decision.cause is Cause.CRISIS and not _goes_on(book, decision, context, used):
        assert decision.reply is not None
        own = book.variants(decision.reply, decision.kind)
        return Said(scripts=(choosing.best(own),), attach=bool(decision.helplines))
    urgent = decision.cause is Cause.CRISIS and decision.level is Level.IMMINENT
    answers = [_fitting(texts, urgent) for texts in _answers(book, decision, context)]
    stages = [_fitting(texts, urgent) for texts in _stages(book, decision, held)]
    script = choosing.first((*answers, *stages))
    script = script or next_script([text for texts in stages for text in texts], used)
    if decision.cause is Cause.HOLD or not decision.helplines:
        return Said(scripts=(script,), attach=False)
    reminders = book.variants(LINES)
    if urgent:
        return Said(scripts=(script,), attach=True, full=True)
    if not reminders or _long_ago(used):
        return Said(scripts=(script,), attach=True)
    if "{{helpline" in script.text:
        return Said(scripts=(script,), attach=False)
    return Said(scripts=(script, next_script(reminders, used)), attach=False)


def _goes_on(book: ReplyBook, decision: Decision, context: Context, used: Sequence[str]) -> bool:
    """Whether what the rule would say was said: the talk goes on instead of starting again."""
    hold = context.conversation.hold
    if hold is not None and hold.active(context.turn.at) and decision.level < hold.level:
        return True
    assert decision.reply is not None
    own = {script.id for script in book.variants(decision.reply, decision.kind)}
    if decision.level is Level.IMMINENT:
        # Whom to call and to go to somebody: in all the words there are.
        return own.issubset(used)
    return not own.isdisjoint(used)


def _answers(book: ReplyBook, decision: Decision, context: Context) -> Iterator[tuple[Script, ...]]:
    """Answers to what the message does, most pressing first."""
    done = {s.label for s in context.assessment.signals if s.kind == "intent"}
    for intent in INTENTS:
        if intent in done:
            yield book.variants(f"{ANSWER}/{intent}", decision.kind)


def _stages(book: ReplyBook, decision: Decision, held: str) -> Iterator[tuple[Script, ...]]:
    """The conversation's own texts, then those that only stay."""
    about_other = book.variants(f"{held}/{OTHERS}") if decision.subject is Subject.OTHER else ()
    yield about_other or book.variants(held, decision.kind)
    yield book.variants(STAYING)


def _fitting(texts: Sequence[Script], urgent: bool) -> tuple[Script, ...]:
    """The texts that may be said; in imminent danger nothing comes before the emergency number."""
    return tuple(text for text in texts if not (urgent and "{{helpline" in text.text))


def _long_ago(used: Sequence[str]) -> bool:
    """Whether no reminder and no rule's text, each of which gives lines, is among the last."""
    recent = used[-_LINES_AGAIN:]
    return all(script.startswith((ANSWER, STAYING, "crisis/held")) for script in recent)


class _Choosing:
    """Which texts were said, and what they asked."""

    def __init__(self, book: ReplyBook, used: Sequence[str]) -> None:
        self._used = used
        self._said = frozenset(used)
        asked = {probe for script in used for probe in book.asks(script)}
        self._asked = asked - {_MAY_ASK_AGAIN}

    def _fresh(self, scripts: Iterable[Script]) -> Iterator[Script]:
        """Those not yet said that ask nothing a second time."""
        return (
            script
            for script in scripts
            if script.id not in self._said and self._asked.isdisjoint(script.asks)
        )

    def first(self, choices: Iterable[Sequence[Script]]) -> Script | None:
        """The first fresh text of the first choice that has one."""
        return next((script for texts in choices for script in self._fresh(texts)), None)

    def best(self, scripts: Sequence[Script]) -> Script:
        """A fresh text if there is one, else the next one to say."""
        return next(self._fresh(scripts), None) or next_script(scripts, self._used)
