"""The lexicon as a detector: every language of the policy reads every message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.types import Evidence, Signal, Speaker
from sanad_lexicon.content import DATA, load_language
from sanad_lexicon.judge import judge
from sanad_lexicon.normalise import STOPS, plain_words, tokens_of

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Conversation, Turn
    from sanad_lexicon.content import Entry, Language
    from sanad_lexicon.normalise import Tokens

__all__ = ["Lexicon", "probes_of", "read_message"]


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
        if all(token[0] in STOPS for token in tokens.raw):
            all_of_it = Evidence(start=0, end=len(turn.text), why="silence")
            signals.append(Signal(kind="intent", label="silence", evidence=(all_of_it,)))
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
        conversation = context.conversation
        done = {signal.label for signal in found if signal.kind == "intent"}
        if len(turn.text.split()) > ANSWER_WORDS or done.isdisjoint(_ANSWERS):
            return []
        hold = conversation.hold
        held = hold if hold is not None and hold.active(turn.at) else None
        probe = self._asked_last(conversation)
        if "took_something" in done:
            # Said in a talk about danger it is an emergency; out of nowhere it is enough to ask.
            if held is not None or probe is not None:
                kind = held.kind if held is not None else RiskKind.SUICIDE
                return [_stated(kind, Level.IMMINENT, "took_something", turn)]
            in_danger = any(signal.kind == "risk" for signal in found)
            low = _stated(RiskKind.SUICIDE, Level.LOW, "took_something", turn)
            return [] if in_danger else [low]
        level = _answered(probe, done) if probe is not None else Level.NONE
        if probe is None or level is Level.NONE:
            return []
        # Somebody who is not safe is in the danger that the talk is about.
        danger = held.kind if held is not None and probe.answer == "no" else probe.kind
        return [_stated(danger, level, probe.id, turn)]

    def _asked_last(self, conversation: Conversation) -> Entry | None:
        """What the last reply asked, if a yes or a no to it says something."""
        if not conversation.turns or conversation.turns[-1].speaker is not Speaker.BOT:
            return None
        tokens = tokens_of(_last_question(conversation.turns[-1].text))
        probes = [p for language in self._languages for p in probes_of(language, tokens)]
        return probes[-1] if probes else None


_ANSWERS = frozenset({"yes", "no", "unsure", "took_something"})
_DENIALS = frozenset({"no", "no_plan"})


def _answered(probe: Entry, done: set[str]) -> Level:
    """The level that an answer to a question states."""
    stated = "no" in done if probe.answer == "no" else "yes" in done and done.isdisjoint(_DENIALS)
    if stated:
        return probe.level
    return min(Level.LOW, probe.level) if "unsure" in done else Level.NONE


ANSWER_WORDS = 8
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»")  # words for somebody else to say
_QUESTION = re.compile(r"[^.?!؟]*[?؟]")


def _last_question(text: str) -> str:
    """What a reply asks the person last; nothing if it asks nothing."""
    asked = _QUESTION.findall(_QUOTED.sub("", " ".join(text.split())))
    return str(asked[-1]) if asked else ""


def _stated(kind: str, level: Level, why: str, turn: Turn) -> Signal:
    return Signal(
        kind="risk",
        label=kind,
        score=0.8,
        level=level,
        subject=Subject.SELF,
        evidence=(Evidence(start=0, end=len(turn.text), why=why),),
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


def probes_of(language: Language, tokens: Tokens) -> list[Entry]:
    """The questions in a reply of the bot's that a yes would say something about.

    Returns:
        The last one last; of those that end together, the gravest.
    """
    words = plain_words(tokens, language.spelling)
    matches = language.graph.find(words.words).found
    found = [(match.last, language.entries[match.entry]) for match in matches]
    probes = [(last, entry) for last, entry in found if entry.role == "probe"]
    return [entry for _, entry in sorted(probes, key=lambda item: (item[0], item[1].level.rank))]


def _foreign(text: str) -> bool:
    """Whether most letters are of a script that no language of the lexicon is written in.

    A language in Latin letters that the lexicon does not know cannot be told apart this way.
    """
    if text.isascii():
        return False
    letters = [char for char in text[:SAMPLE] if char.isalpha()]
    known = len(_KNOWN.findall("".join(letters)))
    return len(letters) > 2 * known


SAMPLE = 2000  # characters looked at
# Latin and Arabic letters, and what people write in their place (see normalise.py).
_KNOWN = re.compile("[A-Za-z\u00aa-\u024f\u0600-\u06ff\u0750-\u077f\ufb50-\ufeff\uff21-\uff5a]")
