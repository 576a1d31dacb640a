"""What the responder remembers between turns, kept in the conversation's slots."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sanad_core.types import Conversation, Slots

__all__ = ["Memory", "Told", "read_memory"]

MOST = 24  # things told that are kept, and labels asked about
_PREFIX = "rules."
_ROW, _CELL = "\n", "\t"


@dataclass(frozen=True, slots=True)
class Told:
    """Something the person told.

    Args:
        label: a fact's label, or `said` and `plan` for a clause of theirs.
        turn: the number of the responder's turn it was told in.
        said: the clause, turned round; empty for a fact.
        recalled: whether it was said back as a memory.
    """

    label: str
    turn: int
    said: str = ""
    recalled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered.

    Args:
        turn: how many turns the responder answered.
        told: what the person told, oldest first.
        asked: aspects asked about, newest last.
        labels: what the talk was about and in which turn, newest last.
        moods: how the last messages sounded, -1 to 1, oldest first.
        exercise: the exercise under way, or the one offered.
        step: its next step; -1 while it is only offered.
        paused: whether it was left for something else.
        offered: the turn in which an exercise was last offered.
        done: exercises finished or declined.
        recalled: the turn in which something told was last said back as a memory.
    """

    turn: int = 0
    told: tuple[Told, ...] = ()
    asked: tuple[str, ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    moods: tuple[float, ...] = ()
    exercise: str = ""
    step: int = -1
    paused: bool = False
    offered: int = -99
    done: tuple[str, ...] = ()
    recalled: int = -99

    def telling(self, told: Iterable[Told]) -> Memory:
        """With something more told; a fact told again counts from its first time."""
        known = {(t.label, t.said) for t in self.told}
        new = tuple(t for t in told if (t.label, t.said) not in known)
        return replace(self, told=(*self.told, *new)[-MOST:])

    def recalling(self, told: Told) -> Memory:
        """With one thing told marked as said back."""
        marked = (replace(t, recalled=True) if t == told else t for t in self.told)
        return replace(self, told=tuple(marked), recalled=self.turn)

    def offering(self, exercise: str) -> Memory:
        """With an exercise offered in this turn; an empty name offers a choice."""
        return replace(self, exercise=exercise, step=-1, offered=self.turn)

    def dropping(self) -> Memory:
        """Without an exercise, as if it had not been begun."""
        return replace(self, exercise="", step=-1, paused=False)

    def ending(self) -> Memory:
        """Without an exercise, since it was finished, stopped or declined."""
        done = (*self.done, self.exercise) if self.exercise else self.done
        return replace(self.dropping(), done=done)

    def about(self, turns: int) -> tuple[str, ...]:
        """What the talk was about in the last turns, the newest first."""
        recent = (label for label, turn in reversed(self.labels) if self.turn - turn < turns)
        return tuple(dict.fromkeys(recent))

    def times(self, label: str) -> int:
        """In how many turns the talk was about something."""
        return sum(known == label for known, _ in self.labels)

    def slots(self) -> Slots:
        """The slots that keep it; an empty value forgets a name."""
        rows = (_CELL.join((t.label, str(t.turn), t.said, "x" * t.recalled)) for t in self.told)
        values = {
            "turn": str(self.turn),
            "told": _ROW.join(rows),
            "asked": _CELL.join(self.asked[-MOST:]),
            "labels": _CELL.join(f"{label}@{turn}" for label, turn in self.labels[-MOST:]),
            "moods": _CELL.join(f"{mood:.2f}" for mood in self.moods[-4:]),
            "exercise": self.exercise,
            "step": str(self.step) if self.exercise else "",
            "paused": "x" * self.paused,
            "offered": str(self.offered) if self.offered >= 0 else "",
            "done": _CELL.join(self.done[-MOST:]),
            "recalled": str(self.recalled) if self.recalled >= 0 else "",
        }
        assert values.keys() == {field.name for field in fields(self)}
        return tuple((_PREFIX + name, value) for name, value in sorted(values.items()))


def read_memory(conversation: Conversation) -> Memory:
    """What is remembered of a conversation; what cannot be read is forgotten."""

    def slot(name: str) -> str:
        return conversation.slot(_PREFIX + name)

    def several(name: str) -> tuple[str, ...]:
        return tuple(part for part in slot(name).split(_CELL) if part)

    return Memory(
        turn=_number(slot("turn"), 0),
        told=tuple(_told(slot("told"))),
        asked=several("asked"),
        labels=tuple(_labels(several("labels"))),
        moods=tuple(float(mood) for mood in several("moods") if _is_float(mood)),
        exercise=slot("exercise"),
        step=_number(slot("step"), -1),
        paused=bool(slot("paused")),
        offered=_number(slot("offered"), -99),
        done=several("done"),
        recalled=_number(slot("recalled"), -99),
    )


def _labels(values: Iterable[str]) -> Iterable[tuple[str, int]]:
    for value in values:
        label, _, turn = value.partition("@")
        yield label, _number(turn, 0)


def _told(value: str) -> Iterable[Told]:
    for row in value.split(_ROW):
        cells = row.split(_CELL)
        if len(cells) == 4:
            yield Told(cells[0], _number(cells[1], 0), cells[2], bool(cells[3]))


def _number(text: str, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default


def _is_float(text: str) -> bool:
    try:
        return -1 <= float(text) <= 1
    except ValueError:
        return False
