"""What the responder takes from a message: its signals, its length, and clauses to say back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.risk import RiskKind
from sanad_rules.saying import Clause, clauses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.specs import Context
    from sanad_core.types import Conversation, Turn
    from sanad_rules.content import SayingBack

__all__ = ["Reading", "read", "replies_since_concern"]

HUGE = 6000  # characters; more than anybody wants an answer to all of
LONG, SHORT = 80, 3  # words
LIKELY = 0.9  # score from which on something inferred is followed
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_KEYS = re.compile(r"asdf|qwer|zxcv|hjkl|sdfg|dfgh|fghj|wert|erty|([a-z]{2})\1{2,}", re.IGNORECASE)
_VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)
_LATIN = re.compile(r"[A-Za-z]+\Z")
_DARK = frozenset({"psychosis", "eating_disorder"})  # whose words are not said back as facts
_CONCERN = ("crisis/", "concern/")
_KINDS = frozenset(map(str, RiskKind))
# What the intents detector's packaged examples call the things that the texts answer.
_INTENTS = {
    "ask_human": "human", "ask_privacy": "who_reads", "ask_abilities": "abilities",
    "ask_exercise": "exercise", "ask_sleep": "sleep_help", "ask_medication": "medication",
    "ask_diagnosis": "diagnosis", "ask_therapy": "therapy", "ask_person": "real_person",
    "ask_name": "name", "ask_why": "why_ask", "affirm": "yes", "deny": "no",
    "feeling_better": "better", "feeling_worse": "worse",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A message as the responder sees it.

    Args:
        words: how many.
        odd: `empty`, `emoji`, `huge` or `nonsense`; else nothing.
        intents: what the message does.
        labels: what it is about: risks that no rule answered, conditions, emotions, topics.
        facts: what it tells that is worth remembering.
        clauses: the person's own words, ready to be said back.
        mood: how it sounds, -1 to 1; None: nobody looked.
    """

    words: int
    odd: str
    intents: frozenset[str]
    labels: tuple[str, ...]
    facts: tuple[str, ...]
    clauses: tuple[Clause, ...]
    mood: float | None


def read(turn: Turn, context: Context, back: SayingBack) -> Reading:
    """Read a message.

    Args:
        turn: the message.
        context: with the signals of the detectors.
        back: how the language says words back.
    """
    words = _WORDS.findall(turn.text)
    risks = [f"risk_{risk.kind}" for risk in context.assessment.risks]
    labels = tuple(dict.fromkeys((*risks, *_labels(context, "condition", "emotion", "topic"))))
    dark = not _DARK.isdisjoint(labels) or context.assessment.risks
    return Reading(
        words=len(words),
        odd=_odd(turn.text, words),
        intents=frozenset(_INTENTS.get(name, name) for name in _labels(context, "intent")),
        labels=labels,
        facts=tuple(_labels(context, "fact")),
        clauses=() if dark else tuple(clauses_of(turn.text, back)),
        mood=_mood(context),
    )


def _labels(context: Context, *kinds: str) -> Iterator[str]:
    """Labels of signals; what the person's words name comes before what a model infers.

    A signal that rests on words says which; one that was inferred counts only where no word
    named anything of these kinds, and where it is likely. Inferred emotions are not followed: to
    tell somebody what they feel takes their own word for it.
    """
    found = [s for kind in kinds for s in context.assessment.signals if s.kind == kind]
    named = [s.label for s in found if s.evidence]
    inferred = (s.label for s in found if s.score >= LIKELY and s.kind != "emotion")
    yield from named or inferred


def _mood(context: Context) -> float | None:
    """How it sounds to the last detector of the policy that says so."""
    signs = {"positive": 1.0, "negative": -1.0, "neutral": 0.0}
    found = [
        signs[s.label] * s.score
        for s in context.assessment.signals
        if s.kind == "sentiment" and s.label in signs
    ]
    return found[-1] if found else None


def _odd(text: str, words: list[str]) -> str:
    if len(text) > HUGE:
        return "huge"
    if not words:
        return "emoji" if re.search(r"[^\W\s]|[\u2600-\U0001faff]", text) else "empty"
    return "nonsense" if len(words) <= SHORT and all(map(_mashed, words)) else ""


def _mashed(word: str) -> bool:
    """Whether it looks like keys hit at random."""
    if len(word) < 4 or _LATIN.match(word) is None:
        return False
    return _KEYS.search(word) is not None or (len(word) > 4 and _VOWEL.search(word) is None)


def replies_since_concern(conversation: Conversation) -> tuple[int, str]:
    """How many replies ago a crisis text was last said, and the kind it was about.

    Returns:
        1 and up, with `suicide`, `self_injury` or `other`; 0 and nothing if none is at hand.
    """
    since = 0
    for ago, reply in enumerate(reversed(conversation.replies), 1):
        said = [script.partition("#")[0] for script in reply.scripts if script.startswith(_CONCERN)]
        since = since or (ago if said else 0)
        # An answer or a reminder says nothing of the kind; the text that opened the talk does.
        kinds = [kind for key in said if (kind := key.rpartition("/")[2]) in _KINDS]
        if kinds:
            return since, kinds[0] if kinds[0] in ("suicide", "self_injury") else "other"
    return since, "other" if since else ""
