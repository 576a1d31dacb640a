"""The intents detector: the nearest intent of a message, or that it is none of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.errors import ContentError
from sanad_core.types import Signal
from sanad_intents.classifier import learns, load, model_path
from sanad_intents.examples import PACKAGED, read_examples
from sanad_intents.vectors import open_vectors
from sanad_screen.detector import readable

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn

__all__ = ["OUT_OF_SCOPE", "Intents"]

OUT_OF_SCOPE = "out_of_scope"
LIKELIER = 0.5  # an intent is likelier than all others together, or it is none
LONGEST = 60  # words; a longer message does more than one thing


class Intents:
    """Finds what a message does.

    Args:
        examples: the file that was learned from, relative to the policy; None: packaged.
    """

    def __init__(self, examples: str | None = None) -> None:
        self._examples = examples

    def warm(self, setting: Setting) -> None:
        """Load the classifier and its encoder.

        Raises:
            ContentError: the examples are wrong, or the model is missing, damaged or stale.
        """
        path = PACKAGED
        if self._examples is not None:
            path = (setting.folder or Path()) / self._examples
        # Reading a file of examples takes longer than loading the classifier; its bytes suffice.
        digest = digest_of(path)
        self._classifier = load(model_path(path))
        if self._classifier.digest != digest:
            read_examples(path)  # a mistake in the examples is the better message
            message = f"has changed since it was learned; run: {learns(path)}"
            raise ContentError.about(path, message)
        self._vectors = open_vectors(self._classifier.encoder, path.parent)
        if self._vectors.of(["hello"]).shape[1] != self._classifier.weights.shape[1]:
            message = f"was learned with another encoder; run: {learns(path)}"
            raise ContentError.about(model_path(path), message)

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """One signal: the likeliest intent with its probability, or `out_of_scope`.

        None at all where there is nothing to read, or more than one thing said.
        """
        import numpy as np

        words = turn.text.split()
        if not words or len(words) > LONGEST:
            return []
        if self._vectors.english and not readable(turn.text):
            return []
        scores = self._classifier.scores(self._vectors.of([turn.text]))[0]
        best = int(scores.argmax())
        chances = np.exp(scores - scores.max())
        chance = float(chances[best] / chances.sum())
        if float(scores[best]) < self._classifier.bar or chance < LIKELIER:
            return [Signal(kind="intent", label=OUT_OF_SCOPE, score=1 - chance)]
        return [Signal(kind="intent", label=self._classifier.intents[best], score=chance)]


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, as `read_examples` gives it.

    Raises:
        ContentError: it cannot be read.
    """
    import hashlib

    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as err:
        message = f"cannot be read: {err.strerror}"
        raise ContentError.about(path, message) from None
