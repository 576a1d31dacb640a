"""The screening model's card: labels, temperatures and thresholds, beside its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from sanad_core.errors import ContentError
from sanad_core.problems import did_you_mean, one_of
from sanad_core.schema import Strict, first_error
from sanad_screen.encoder import EMBED, SCREEN, TOKENIZER, TRUNK
from sanad_screen.labels import CONDITIONS, EMOTIONS, KINDS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CARD", "PACKAGED", "Card", "Thresholds", "at_least", "digests", "read_card"]

PACKAGED = Path(__file__).parent / "model"
CARD = "screen.json"
FILES = (TOKENIZER, TRUNK, SCREEN, EMBED)


class Thresholds(Strict):
    """From which probability on a level is reported, and at what price.

    Args:
        low: for `low`, and so on; the highest level whose probability reaches its own is reported.
        moderate: see low.
        high: see low.
        imminent: see low.
        false_positives: the share of calm held-out messages that were to be reported at `low`.
    """

    low: float = Field(ge=0, le=1)
    moderate: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    imminent: float = Field(ge=0, le=1)
    false_positives: float = Field(ge=0, le=1)

    @property
    def ranked(self) -> tuple[float, float, float, float]:
        """By level, the lowest first."""
        return self.low, self.moderate, self.high, self.imminent


class Card(Strict):
    """What is known of a trained model.

    Args:
        version: of this file's form.
        start: the encoder that it was trained from.
        levels: the labels of the level head's outputs, none first; and so on.
        kinds: see levels.
        conditions: see levels.
        emotions: see levels.
        temperature: what the level logits are divided by.
        points: thresholds by the name of the operating point.
        context: the same for a message read with what was said before it.
        other: probability from which on the danger is somebody else's and not the person's.
        condition_thresholds: by condition.
        emotion_threshold: for all emotions.
        neutral: probability from which on a message sounds neutral.
        data: the SHA-256 of the rows that it was trained on.
        files: the SHA-256 of each file beside this one.
    """

    version: int = Field(1, ge=1, le=1)
    start: str
    levels: list[str]
    kinds: list[str]
    conditions: list[str]
    emotions: list[str]
    temperature: float = Field(gt=0)
    points: dict[str, Thresholds]
    context: dict[str, Thresholds]
    other: float = Field(ge=0, le=1)
    condition_thresholds: dict[str, float]
    emotion_threshold: float = Field(ge=0, le=1)
    neutral: float = Field(ge=0, le=1)
    data: str
    files: dict[str, str]

    def point(self, name: str, folder: Path) -> tuple[Thresholds, Thresholds]:
        """The thresholds of an operating point: for a message alone, and with its context.

        Raises:
            ContentError: there is none of this name.
        """
        if name not in self.points or name not in self.context:
            hint = did_you_mean(name, self.points) or f"; use {one_of(self.points)}"
            raise ContentError.about(folder / CARD, f"no operating point is named '{name}'{hint}")
        return self.points[name], self.context[name]


def read_card(folder: Path) -> Card:
    """The card of a model, checked against this version's labels and the files beside it.

    Args:
        folder: where the model is.

    Raises:
        ContentError: it is missing or wrong, or a file is not the one that it was written for.
    """
    path = folder / CARD
    try:
        card = Card.model_validate(json.loads(path.read_bytes()))
    except OSError as err:
        raise ContentError.about(
            path, f"cannot be read: {err.strerror}; see 'sanad train screen'"
        ) from None
    except ValidationError as err:
        raise ContentError.about(path, first_error(err, Card)) from None
    except ValueError:
        raise ContentError.about(path, "is not JSON; train the model again") from None
    expected = {"levels": LEVELS, "kinds": KINDS, "conditions": CONDITIONS, "emotions": EMOTIONS}
    for name, labels in expected.items():
        if tuple(getattr(card, name)) != tuple(str(label) for label in labels):
            raise ContentError.about(
                path, f"{name} are not those of this version; train the model again"
            )
    if {*card.condition_thresholds} != {*CONDITIONS}:
        raise ContentError.about(
            path, "condition_thresholds are not those of this version; train it again"
        )
    _same(folder, card.files)
    return card


def _same(folder: Path, files: Mapping[str, str]) -> None:
    found = digests(folder)
    for name in FILES:
        if files.get(name) != found[name]:
            message = f"is not the file that {CARD} was written for; train or install it again"
            raise ContentError.about(folder / name, message)


def at_least(logits: Any, temperature: float) -> Any:
    """The probability of each level or a higher one, from the level head's logits.

    "At least high" says "at least low": a higher level lends its probability to the lower.

    Args:
        logits: one per level above none, in the last dimension.
        temperature: what they are divided by.
    """
    import numpy as np

    chances = 1 / (1 + np.exp(-logits / temperature))
    return np.maximum.accumulate(chances[..., ::-1], axis=-1)[..., ::-1]


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each of a model's files; empty for one that is missing."""
    return {name: digest(folder / name) for name in FILES}


def digest(path: Path) -> str:
    """The SHA-256 of a file; empty where it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
