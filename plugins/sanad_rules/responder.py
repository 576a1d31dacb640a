"""The responder as a component: reads the message, remembers, and makes one reply."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.render import used_scripts
from sanad_core.types import Draft
from sanad_rules.choosing import Choosing
from sanad_rules.composing import Composer
from sanad_rules.content import TEXTS, load_texts
from sanad_rules.memory import Memory, Told, read_memory
from sanad_rules.reading import read, replies_since_concern
from sanad_rules.talk import FOLLOW_UP, Talk

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Conversation, Turn
    from sanad_rules.content import Texts
    from sanad_rules.reading import Reading

__all__ = ["Rules"]

PAUSE = 2  # turns that an exercise can be left for


class Rules:
    """Listens, asks, remembers, and walks through exercises; never fails.

    Args:
        texts: a folder with a folder of texts per language, relative to the policy; None: those
            that come with it. What it lacks is taken from those.
    """

    def __init__(self, texts: str | None = None) -> None:
        self._folder = texts
        self._languages: dict[str, Texts] = {}

    def warm(self, setting: Setting) -> None:
        """Read the texts of the policy's languages.

        Raises:
            ContentError: a file is wrong, or a language has none.
        """
        own = [(setting.folder or Path()) / self._folder] if self._folder else []
        for locale in setting.locales:
            self._languages[locale] = load_texts(locale.split("-")[0], [*own, TEXTS])

    def respond(self, turn: Turn, context: Context) -> Draft:
        """A reply to the message, and what to remember of it."""
        texts = self._languages[context.locale]
        reading = read(turn, context, texts.saying_back)
        concern = replies_since_concern(context.conversation)
        memory = _after_reading(_current(read_memory(context.conversation), concern[0]), reading)
        used = used_scripts(context.conversation)
        choosing = Choosing(
            texts=texts, used=used, asked=memory.asked, seed=context.conversation.id
        )
        composer = Composer(
            texts=texts,
            choosing=choosing,
            reading=reading,
            memory=memory,
            said_back=_said_back(context.conversation),
            languages=", ".join(texts.languages.get(name, name) for name in self._languages),
        )
        said = Talk(composer, concern).reply()
        memory = replace(said.memory, turn=memory.turn + 1)
        if reading.mood is not None:
            memory = replace(memory, moods=(*memory.moods, reading.mood))
        scripts = tuple(script.id for script in said.scripts)
        return Draft(text=said.text(), scripts=scripts, slots=memory.slots())


def _current(memory: Memory, concern: int) -> Memory:
    """The memory without an exercise that was left too long ago, or for something worrying."""
    stale = memory.paused and memory.turn - memory.offered > PAUSE
    if stale or 1 <= concern <= FOLLOW_UP:
        return memory.dropping()
    return memory


def _after_reading(memory: Memory, reading: Reading) -> Memory:
    """The memory with what the message tells."""
    told = [Told(fact, memory.turn) for fact in reading.facts]
    told += [
        Told("plan" if clause.plan else "said", memory.turn, clause.said)
        # A fact of the same message says it already.
        for clause in reading.clauses[:1]
        if clause.plan or not reading.facts
    ]
    labels = ((label, memory.turn) for label in reversed(reading.labels))
    return replace(memory.telling(told), labels=(*memory.labels, *labels))


def _said_back(conversation: Conversation) -> bool:
    """Whether the last reply already said the person's words back."""
    last = conversation.replies[-1:]
    return any(script.startswith("frame/") for reply in last for script in reply.scripts)
