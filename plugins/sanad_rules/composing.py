"""The parts of a reply: a lead that says something back, and at most one question or offer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sanad_rules.choosing import Choosing, aspect_of
from sanad_rules.memory import Memory
from sanad_rules.reading import LONG, SHORT, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sanad_core.replies import Script
    from sanad_rules.content import Texts

__all__ = ["Composer", "Fields", "Said", "asks"]

FADE = 3  # turns after which the talk is no longer about something
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A reply and what to remember: texts in order, and what is written into them."""

    scripts: tuple[Script, ...]
    memory: Memory
    fields: Fields = ()

    def text(self) -> str:
        """The reply's text."""
        return " ".join(_written(script.text, dict(self.fields)) for script in self.scripts)


def _written(text: str, fields: Mapping[str, str]) -> str:
    for name, value in fields.items():
        begins = text.startswith("{" + name + "}")
        text = text.replace("{" + name + "}", value[:1].upper() + value[1:] if begins else value)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Puts replies together for one message.

    Args:
        texts: the language's.
        choosing: picks wordings.
        reading: the message.
        memory: of the turns before, what this message tells already in it.
        said_back: whether the reply before already said the person's words back.
        languages: names of the languages that can be answered in.
    """

    texts: Texts
    choosing: Choosing
    reading: Reading
    memory: Memory
    said_back: bool
    languages: str

    def with_question(self, lead: Script, *labels: str, memory: Memory | None = None) -> Said:
        """A lead, and an open question about one of some labels or about anything."""
        keys = [f"ask/{label}" for label in (*labels, *self.labels())]
        return self.asking(lead, *keys, "ask/open", memory=memory)

    def asking(self, lead: Script, *keys: str, memory: Memory | None = None) -> Said:
        """A lead, and a question of the first of these texts that has a new one."""
        question = self.choosing.next(*keys)
        memory = memory or self.memory
        asked = (*memory.asked, aspect_of(question), *question.asks)
        return Said((lead, question), replace(memory, asked=asked))

    def labels(self) -> tuple[str, ...]:
        """What the talk is about: this message, else the last turns that were about something."""
        return self.reading.labels or self.memory.about(FADE)[:2]

    def full(self, key: str) -> Said | None:
        """A text that is a whole reply; with a question where it has none or was said before."""
        if not self.texts.of(key):
            return None
        script = self._answer(key)
        if not asks(script):
            paused = self.paused(script)
            if paused is not None:
                return paused
        memory = self._leaving()
        fields = (("languages", self.languages),)
        whole = asks(script) or "{{" in script.text or key == "answer/goodbye"
        if not whole:
            return replace(self.with_question(script, memory=memory), fields=fields)
        if script.id not in self.choosing.used:
            return Said((script,), memory, fields)
        # Asked more often than there are wordings: the answer stays, something new goes with it.
        return Said((script, self.choosing.next("reflect/open")), memory, fields)

    def _answer(self, key: str) -> Script:
        """A wording; in an exercise one that asks nothing, so that it can be taken up again."""
        if self.memory.step >= 0:
            plain = [
                s for s in self.texts.of(key) if not asks(s) and s.id not in self.choosing.used
            ]
            if plain:
                return plain[0]
        return self.choosing.next(key)

    def paused(self, lead: Script) -> Said | None:
        """Leave an exercise for something else, and offer to go on with it."""
        exercise = self.texts.exercises.get(self.memory.exercise)
        question = self.choosing.fresh("exercise/resume")
        if exercise is None or self.memory.step < 0 or question is None or asks(lead):
            return None
        return Said((lead, question), self._leaving(), (("exercise", exercise.name),))

    def _leaving(self) -> Memory:
        """The memory with an exercise that is under way marked as left for a while."""
        if self.memory.step < 0:
            return self.memory
        return replace(self.memory, paused=True, offered=self.memory.turn)

    def lead(self) -> tuple[Script, Fields]:
        """What is said back: the person's own words turned round, else something that fits them."""
        clause = next((c for c in self.reading.clauses if not c.plan), None)
        long = self.reading.words >= LONG
        if clause is not None and not self.said_back and not long:
            frame = self.choosing.fresh(f"frame/{clause.frame}")
            if frame is not None:
                return frame, (("said", clause.said),)
        keys = [f"reflect/{label}" for label in self.reading.labels]
        if long:
            keys.insert(0, "reflect/long")
        elif self.reading.words <= SHORT and not self.reading.labels:
            keys.insert(0, "reflect/short")
        return self.choosing.next(*keys, "reflect/open"), ()


def asks(script: Script) -> bool:
    """Whether a text asks something."""
    return "?" in script.text or "؟" in script.text
