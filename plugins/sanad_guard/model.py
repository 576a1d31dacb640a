"""The guard's encoder: its card, its files, and the chances that a draft breaks each rule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from sanad_core.errors import ContentError
from sanad_core.schema import Strict, first_error
from sanad_guard.drafts import ANY, RULES
from sanad_screen.model import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_guard.reading import Reading

__all__ = ["CARD", "MODEL", "PACKAGED", "Card", "Chances", "GuardModel", "likeliest", "read_card"]

PACKAGED = Path(__file__).parent / "model"
MODEL, CARD = "guard.onnx", "guard.json"


class Card(Strict):
    """What goes with the model's file.

    Args:
        version: of this format.
        start: the encoder that training began with.
        rules: the outputs' names, in order; then comes "any".
        sentence: chance from which on a sentence is blocked.
        whole: the same for a draft as a whole.
        good_blocked: the share of good held-out replies that these block.
        data: the SHA-256 of what it was trained on.
        digest: the SHA-256 of the model's file.
    """

    version: int = Field(1, ge=1, le=1)
    start: str
    rules: list[str]
    sentence: float = Field(gt=0, lt=1)
    whole: float = Field(gt=0, lt=1)
    good_blocked: float = Field(ge=0, le=1)
    data: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What the model says of one piece of a draft.

    Args:
        reading: the piece.
        sentences: a row of chances for each sentence: each rule, then any.
        whole: the same for the piece as a whole.
    """

    reading: Reading
    sentences: Any
    whole: Any


def read_card(folder: Path) -> Card:
    """The card of a model, checked against this version's rules and the file beside it.

    Raises:
        ContentError: it is missing or wrong, or the file is another.
    """
    path = folder / CARD
    try:
        card = Card.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        message = "no such file; a guard's folder is made by 'sanad train guard'"
        raise ContentError.about(path, message) from None
    except ValidationError as err:
        raise ContentError.about(path, first_error(err, Card)) from None
    except ValueError:
        raise ContentError.about(path, "is not JSON") from None
    if tuple(card.rules) != RULES:
        raise ContentError.about(path, "is of another version's rules; train the guard again")
    if digest(folder / MODEL) != card.digest:
        raise ContentError.about(folder / MODEL, "is not the file that the card was written for")
    return card


def likeliest(row: Any) -> int:
    """The rule that chances say is broken most likely."""
    import numpy as np

    return int(np.argmax(row[:ANY]))


class GuardModel:
    """Runs the encoder over pieces of drafts.

    The trunk is the screening model's, whose first layers are nobody's but MiniLM's.

    Args:
        folder: where the guard's model is.
    """

    def __init__(self, folder: Path = PACKAGED) -> None:
        from sanad_screen.encoder import Encoder
        from sanad_screen.model import PACKAGED as TRUNK

        self.card = read_card(folder)
        self._path = folder / MODEL
        self._trunk = Encoder.of(TRUNK)
        self.reader = self._trunk.reader
        _ = self._session

    @cached_property
    def _session(self) -> Any:
        from sanad_screen.encoder import session

        return session(self._path)

    def chances(self, readings: Sequence[Reading]) -> list[Chances]:
        """The chances of each piece."""
        return [self._one(reading) for reading in readings]

    def _one(self, reading: Reading) -> Chances:
        import numpy as np

        states, mask = self._trunk.states([reading.row])
        types = np.array([reading.row.types], dtype=np.int64)
        given = {"states": states, "types": types, "mask": mask}
        tokens, about, whole = self._session.run(None, given)
        means = [tokens[0, start:end].mean(0) + about[0] for start, end in reading.places]
        return Chances(reading=reading, sentences=_chance(np.stack(means)), whole=_chance(whole[0]))


def _chance(logits: Any) -> Any:
    import numpy as np

    return 1 / (1 + np.exp(-logits))
