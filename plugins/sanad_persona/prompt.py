"""The prompt of one turn: persona, what was noticed, and the tail of the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sanad_core.text import detect_script
from sanad_core.types import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sanad_core.specs import Context
    from sanad_core.types import Turn
    from sanad_persona.persona import Persona

__all__ = ["Message", "estimate", "prompt"]

LIKELY = 0.5  # score from which on a signal is worth telling
MOST = 6000  # characters of one message; a longer one is told by its two ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


def estimate(text: str) -> int:
    """About how many tokens a text is, rather too many than too few."""
    return len(text) // (2 if detect_script(text) == "arabic" else 3) + 4


def prompt(
    persona: Persona,
    turn: Turn,
    context: Context,
    *,
    budget: int,
    count: Callable[[str], int] = estimate,
) -> list[Message]:
    """What a model is given for a turn.

    Args:
        persona: who it is to be.
        turn: the person's message; always told, its middle left out where it is very long.
        context: what came before, what was noticed, the language to answer in.
        budget: tokens for the messages before this one; the oldest are left out.
        count: how many tokens a text is.

    Returns:
        The system message, then the conversation, the person's message last.
    """
    system = Message(role="system", content="\n\n".join(_told(persona, context)))
    before = _tail(context.conversation.turns, budget, count)
    said = _short(turn.text) or "…"
    if before and before[-1].role == "user":  # roles take turns; many templates insist on it
        said = f"{before.pop().content}\n{said}"
    return [system, *before, Message(role="user", content=said)]


def _told(persona: Persona, context: Context) -> Iterator[str]:
    yield persona.text.strip().replace("{name}", persona.name)
    noticed = list(_noticed(persona, context))
    if noticed:
        yield "\n".join((persona.notes.heading, *(f"- {note}" for note in noticed)))
    language = persona.notes.languages.get(context.locale, context.locale)
    yield persona.notes.language.replace("{language}", language)


def _noticed(persona: Persona, context: Context) -> Iterator[str]:
    said: set[str] = set()
    for signal in context.assessment.signals:
        note = persona.notes.signals.get(f"{signal.kind} {signal.label}")
        if note is not None and signal.score >= LIKELY and note not in said:
            said.add(note)
            yield note


def _tail(turns: Sequence[Turn], budget: int, count: Callable[[str], int]) -> list[Message]:
    """As many of the latest turns as fit, roles taking turns, the person's first."""
    kept: list[Message] = []
    for turn in reversed(turns):
        text = _short(turn.text)
        budget -= count(text)
        if budget < 0:
            break
        role: Literal["user", "assistant"] = "assistant" if turn.speaker is Speaker.BOT else "user"
        if kept and kept[-1].role == role:
            kept[-1] = Message(role=role, content=f"{text}\n{kept[-1].content}")
        elif text.strip():
            kept.append(Message(role=role, content=text))
    kept.reverse()
    return kept[1:] if kept and kept[0].role == "assistant" else kept


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MOST else f"{text[: MOST // 2]}\n…\n{text[-MOST // 2 :]}"
