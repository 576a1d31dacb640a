"""Sentiment by a sequence classifier of transformers: DistilBERT on SST-2, or any like it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_classifier.detector import load_classifier
from sanad_core.errors import MissingExtra
from sanad_core.types import Signal

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn

__all__ = ["ModelSentiment"]

READ = 8000  # characters handed to the tokenizer, which cuts at the model's length
LONGEST = 512  # tokens
# What classifiers call their classes; those that only number them go from bad to good.
_NAMES = {"pos": "positive", "neg": "negative", "neu": "neutral"}
_NUMBERED = {
    2: ("negative", "positive"),
    3: ("negative", "neutral", "positive"),
}


class ModelSentiment:
    """Positive, negative or neutral, by a model that is loaded once.

    Args:
        model: a folder, or the id of a model of the Hugging Face hub.

    Raises:
        MissingExtra: torch or transformers is not installed.
    """

    def __init__(self, model: str) -> None:
        if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
            raise MissingExtra("sentiment", "models")
        self._name = model
        self._model: Any = None

    def warm(self, setting: Setting) -> None:
        """Load the model.

        Raises:
            ContentError: it cannot be had.
            ValueError: its classes are not known to be good or bad.
        """
        local = (setting.folder or Path()) / self._name
        name = str(local) if local.is_dir() else self._name
        self._tokenizer, self._model = load_classifier(name)
        self._labels = _labels(self._model.config.id2label)

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """One signal: the likeliest class and its probability; none for an empty message."""
        import torch

        if not turn.text.strip():
            return []
        tokens = self._tokenizer(
            turn.text[:READ], truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        with torch.inference_mode():
            chances = self._model(**tokens).logits[0].softmax(-1)
        best = int(chances.argmax())
        return [Signal(kind="sentiment", label=self._labels[best], score=float(chances[best]))]


def _labels(names: dict[int, str]) -> tuple[str, ...]:
    """What each class of a model stands for."""
    known = tuple(_NAMES.get(names[number].lower()[:3], "") for number in sorted(names))
    if all(known):
        return known
    numbered = all(name.upper().startswith("LABEL_") for name in names.values())
    if numbered and len(names) in _NUMBERED:
        return _NUMBERED[len(names)]
    raise ValueError("the model's classes are not called positive and negative")
