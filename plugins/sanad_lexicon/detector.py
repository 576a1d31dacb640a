"""The lexicon as a detector: every language of the policy reads every message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.risk import Level, Subject
from sanad_core.types import Evidence, Signal, Speaker
from sanad_lexicon.content import DATA, load_language
from sanad_lexicon.judge import judge
from sanad_lexicon.normalise import plain_words, tokens_of

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn
    from sanad_lexicon.content import Entry, Language
    from sanad_lexicon.normalise import Tokens

__all__ = ["Lexicon", "last_probe", "read_message"]


class Lexicon:
    """Finds risk and conditions by terms.

    Args:
        folders: further folders of lexicon files, relative to the policy's.
    """

    def __init__(self, folders: tuple[str, ...] = ()) -> None:
        self._folders = folders
        self._languages: tuple[Language, ...] = ()

    def warm(self, setting: Setting) -> None:
        """Read the files of the policy's languages.

        Raises:
            ContentError: a file is wrong, or a language has none.
        """
        base = setting.folder or Path()
        folders = [DATA, *(base / folder for folder in self._folders)]
        self._languages = tuple(
            load_language(locale.split("-")[0], folders) for locale in setting.locales
        )
        for language in self._languages:
            language.graph.find(())  # so that the first message does not wait for the index

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """Signals of every language; `none` if there is no risk, `abstain` if it cannot tell.

        It cannot tell where a message is in a script it does not know, or would take too long.
        """
        tokens = tokens_of(turn.text)
        signals: list[Signal] = []
        complete = True
        for language in self._languages:
            found, whole = read_message(language, tokens)
            signals += found
            complete = complete and whole
        if not tokens.raw:
            signals.append(Signal(kind="intent", label="silence"))
        signals += self._answers(turn, context, signals)
        if not complete:
            return [*signals, Signal(kind="abstain", label="too_dense")]
        if any(signal.kind == "risk" for signal in signals):
            return signals
        if _foreign(turn.text):
            return [*signals, Signal(kind="abstain", label="script")]
        return [*signals, Signal.no_risk()]

    def _answers(self, turn: Turn, context: Context, found: list[Signal]) -> list[Signal]:
        """The risk that a short answer to the bot's last question states: "yes" to "a plan?"."""
        turns = context.conversation.turns
        done = {signal.label for signal in found if signal.kind == "intent"} & set(_ANSWERS)
        if not done or not turns or turns[-1].speaker is not Speaker.BOT:
            return []
        if len(turn.text.split()) > ANSWER_WORDS:
            return []
        tokens = tokens_of(turns[-1].text)
        for language in self._languages:
            probe = last_probe(language, tokens)
            if probe is not None:
                return [_answer(probe, done, len(turn.text))]
        return []


# Intents that answer a question: what a yes would mean holds for them at least up to this level.
_ANSWERS = {
    "took_something": Level.IMMINENT,
    "yes": Level.IMMINENT,
    "unsure": Level.LOW,
}
ANSWER_WORDS = 8


def _answer(probe: Entry, done: set[str], length: int) -> Signal:
    level = min(probe.level, max(_ANSWERS[intent] for intent in done))
    if "took_something" in done:
        level = Level.IMMINENT
    evidence = Evidence(start=0, end=length, why=probe.id)
    return Signal(
        kind="risk",
        label=probe.kind,
        score=0.8,
        level=level,
        subject=Subject.SELF,
        evidence=(evidence,),
    )


def read_message(language: Language, tokens: Tokens) -> tuple[list[Signal], bool]:
    """The signals of one language, and whether the whole message was read.

    Args:
        language: its lexicon.
        tokens: the message.
    """
    words = plain_words(tokens, language.spelling)
    matches = language.graph.find(words.words)
    signals = judge(language, words, matches.found)
    return signals, words.complete and matches.complete


def last_probe(language: Language, tokens: Tokens) -> Entry | None:
    """What the bot asked last that a yes would say something about."""
    words = plain_words(tokens, language.spelling)
    found = [
        (match.last, language.entries[match.entry])
        for match in language.graph.find(words.words).found
        if language.entries[match.entry].role == "probe"
    ]
    return max(found, key=lambda item: (item[0], item[1].level.rank))[1] if found else None


def _foreign(text: str) -> bool:
    """Whether most letters are of a script that no language of the lexicon is written in.

    A language in Latin letters that the lexicon does not know cannot be told apart this way.
    """
    letters = [char for char in text[:SAMPLE] if char.isalpha()]
    known = len(_KNOWN.findall("".join(letters)))
    return len(letters) > 2 * known


SAMPLE = 2000  # characters looked at
# Latin and Arabic letters, and what people write in their place (see normalise.py).
_KNOWN = re.compile("[A-Za-z\u00aa-\u024f\u0600-\u06ff\u0750-\u077f\ufb50-\ufeff\uff21-\uff5a]")
