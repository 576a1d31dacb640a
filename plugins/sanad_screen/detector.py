"""The screening model as a detector: risk, conditions, sentiment and emotions in one pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.text import plain_letters
from sanad_core.types import Signal, Speaker
from sanad_screen.encoder import SCREEN, Encoder
from sanad_screen.evidence import spans_of
from sanad_screen.labels import CONDITIONS, EMOTIONS, KINDS, LEVELS, SENTIMENTS, SUBJECTS
from sanad_screen.model import PACKAGED, at_least, read_card

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Conversation, Turn
    from sanad_screen.encoder import Scores
    from sanad_screen.model import Card
    from sanad_screen.tokens import Tokens

__all__ = ["Screen", "readable"]

PAST = 0.6  # probability from which on a danger is told as history
BEFORE = 5  # earlier turns that a message is read with
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\uff21-\uff5a]")
_LETTER = re.compile(r"[^\W\d_]")
SAMPLE = 4000  # characters looked at to see which script a message is in
_OTHER = SUBJECTS.index(Subject.OTHER.value)
_SELF = SUBJECTS.index(Subject.SELF.value)


class Screen:
    """Finds risk and states of mind by a small encoder.

    Args:
        folder: of a model made by `sanad train screen`, relative to the policy; None: packaged.
        point: the operating point, one of those in the model's card.
    """

    def __init__(self, folder: str | None = None, point: str = "default") -> None:
        self._folder = folder
        self._point = point

    def warm(self, setting: Setting) -> None:
        """Load the model.

        Raises:
            ContentError: it is missing, damaged, or has no such operating point.
        """
        folder = PACKAGED
        if self._folder is not None:
            folder = (setting.folder or Path()) / self._folder
        self._card = read_card(folder)
        alone, context = self._card.point(self._point, folder)
        self._alone, self._context = alone.ranked, context.ranked
        self._encoder = Encoder.of(folder)
        self._encoder.load(SCREEN)
        self._encoder.screen([self._encoder.reader.message("hello")])

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """Signals of the message, alone, in windows, and with what was said before it.

        An `abstain` signal, and nothing else, where it is not mostly in Latin letters; one beside
        what was found where the message is longer than what is read of it.
        """
        if not turn.text.strip():
            return [Signal.no_risk()]
        if not readable(turn.text):
            return [Signal(kind="abstain", label="script")]
        rows, whole = self._encoder.reader.rows(turn.text)
        rows += self._in_context(turn, context.conversation)
        scored = zip(rows, self._encoder.screen(rows), strict=True)
        found = [Read(row, scores, self._card) for row, scores in scored]
        signals = [*self._risks(found, turn.text), *found[0].states(self._card)]
        return signals if whole else [*signals, Signal(kind="abstain", label="too_long")]

    def _in_context(self, turn: Turn, conversation: Conversation) -> list[Tokens]:
        """The message read with what was said before it.

        In crisis mode what came before has been answered; the message itself still counts.
        """
        held = conversation.hold is not None and conversation.hold.active(turn.at)
        before = conversation.turns[-BEFORE:]
        if held or not before:
            return []
        said = [("bot" if t.speaker is Speaker.BOT else "person", t.text) for t in before]
        return [self._encoder.reader.pair(turn.text, said)]

    def _risks(self, found: list[Read], text: str) -> list[Signal]:
        """The gravest finding of each kind and subject; `none` if no row shows any."""
        best: dict[tuple[RiskKind, Subject], tuple[Level, Read]] = {}
        for read in found:
            level = read.level(self._context if any(read.row.types) else self._alone)
            key = (read.kind, read.subject)
            known = best.get(key)
            if level > Level.NONE and (known is None or level > known[0]):
                best[key] = (level, read)
        if not best:
            return [Signal.no_risk(max(read.at_least[0] for read in found))]
        return [
            Signal(
                kind="risk",
                label=kind.value,
                score=read.at_least[LEVELS.index(level) - 1],
                level=level,
                subject=subject,
                evidence=spans_of(read.row, read.scores.evidence, text),
            )
            for (kind, subject), (level, read) in best.items()
        ]


class Read:
    """One row as the model read it, in probabilities.

    Args:
        row: its tokens.
        scores: the model's outputs for it.
        card: the model's card.
    """

    def __init__(self, row: Tokens, scores: Scores, card: Card) -> None:
        self.row = row
        self.scores = scores
        logits = scores.logits
        self.at_least = [float(p) for p in at_least(logits["level"], card.temperature)]
        self.kind = KINDS[int(logits["kind"].argmax())]
        self.subject = Subject.OTHER if self._other(card) else Subject.SELF

    def _other(self, card: Card) -> bool:
        """Whether the danger is somebody else's; in doubt it is the person's own."""
        import numpy as np

        logits = self.scores.logits["subject"]
        own, other = float(logits[_SELF]), float(logits[_OTHER])
        return bool(1 / (1 + np.exp(own - other)) >= card.other)

    def level(self, thresholds: tuple[float, ...]) -> Level:
        """The highest level whose probability reaches its threshold."""
        level = Level.NONE
        for name, chance, least in zip(LEVELS[1:], self.at_least, thresholds, strict=True):
            if chance < least:
                break
            level = name
        return level

    def states(self, card: Card) -> list[Signal]:
        """Conditions, history, sentiment and emotions."""
        import numpy as np

        logits = self.scores.logits
        conditions = 1 / (1 + np.exp(-logits["condition"]))
        emotions = 1 / (1 + np.exp(-logits["emotion"]))
        signals = [
            Signal(kind="condition", label=name, score=float(chance))
            for name, chance in zip(CONDITIONS, conditions, strict=True)
            if chance >= card.condition_thresholds[name]
        ]
        sounds = np.exp(logits["sentiment"] - logits["sentiment"].max())
        sounds /= sounds.sum()
        neutral = SENTIMENTS.index("neutral")
        best = neutral if sounds[neutral] >= card.neutral else _stronger(sounds)
        signals.append(_signal("sentiment", SENTIMENTS[best], sounds[best]))
        past = 1 / (1 + np.exp(-float(logits["time"][0])))
        if past >= PAST:
            signals.append(_signal("history", "past", past))
        signals += [
            _signal("emotion", name, chance)
            for name, chance in zip(EMOTIONS, emotions, strict=True)
            if chance >= card.emotion_threshold and name != "neutral"
        ]
        return signals


def _stronger(sounds: Any) -> int:
    """Negative or positive, whichever is likelier."""
    return 0 if sounds[0] > sounds[-1] else len(SENTIMENTS) - 1


def _signal(kind: str, label: str, score: Any) -> Signal:
    return Signal(kind=kind, label=label, score=float(score))


def readable(text: str) -> bool:
    """Whether most letters are Latin; the model was trained on English alone."""
    sample = plain_letters(text[:SAMPLE])
    return sample.isascii() or 2 * len(_LATIN.findall(sample)) >= len(_LETTER.findall(sample))
