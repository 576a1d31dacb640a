"""A sequence classifier of transformers that gives signals by a map of its labels."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError, MissingExtra
from sanad_core.problems import did_you_mean, one_of
from sanad_core.risk import Level, Subject
from sanad_core.types import Signal

if TYPE_CHECKING:
    from sanad_classifier import ClassifierOptions, Meaning
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn

__all__ = ["Classifier", "load_classifier"]

READ = 8000  # characters handed to the tokeniser, which cuts at the model's length
LONGEST = 512  # tokens


class Classifier:
    """Signals by a model that is loaded once.

    Args:
        options: the model and what its labels stand for.

    Raises:
        MissingExtra: torch or transformers is not installed.
    """

    def __init__(self, options: ClassifierOptions) -> None:
        if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
            raise MissingExtra("classifier", "models")
        self._options = options

    def warm(self, setting: Setting) -> None:
        """Load the model.

        Raises:
            ContentError: it cannot be had, or does not have a label that the policy maps.
        """
        name = self._options.model
        local = (setting.folder or Path()) / name
        self._tokenizer, self._model = load_classifier(str(local) if local.is_dir() else name)
        names = {label: number for number, label in self._model.config.id2label.items()}
        self._meanings: list[tuple[int, Meaning]] = []
        for meaning in self._options.labels:
            if meaning.label not in names:
                hint = did_you_mean(meaning.label, names) or f"; it has {one_of(sorted(names))}"
                raise ContentError.about(name, f"the model has no label '{meaning.label}'{hint}")
            self._meanings.append((names[meaning.label], meaning))

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """A signal for each mapped label whose probability is high enough.

        A map that holds risk always gives a risk signal: `none` where none is high enough. An
        `abstain` signal stands beside them where the message is longer than the model reads.
        """
        import torch

        tokens = self._tokenizer(
            turn.text[:READ] or " ", truncation=True, max_length=self._longest, return_tensors="pt"
        )
        # What is cut is of the full length; so is what just fits, and it is taken for cut as well.
        whole = len(turn.text) <= READ and tokens["input_ids"].shape[1] < self._longest
        with torch.inference_mode():
            logits = self._model(**tokens).logits[0].float()
        chances = logits.sigmoid() if self._options.multi_label else logits.softmax(-1)
        signals = []
        for number, meaning in self._meanings:
            chance = float(chances[number])
            if chance >= meaning.at_least and meaning.to != "none":
                signals.append(_signal(meaning, chance))
        about_risk = any(meaning.kind == "risk" for _, meaning in self._meanings)
        if about_risk and not any(signal.kind == "risk" for signal in signals):
            signals.append(Signal.no_risk())
        return signals if whole else [*signals, Signal(kind="abstain", label="too_long")]

    @property
    def _longest(self) -> int:
        """The model's own length, where it is shorter; RoBERTa's holds two more than it reads."""
        return int(min(LONGEST, self._model.config.max_position_embeddings - 2))


def _signal(meaning: Meaning, chance: float) -> Signal:
    if meaning.level is None:
        return Signal(kind=meaning.kind, label=meaning.to, score=chance)
    return Signal(
        kind=meaning.kind,
        label=meaning.to,
        score=chance,
        level=Level(meaning.level),
        subject=Subject(meaning.subject),
    )


def load_classifier(name: str) -> tuple[Any, Any]:
    """A tokeniser and a sequence classifier.

    Args:
        name: a folder, or a hub id.

    Raises:
        ContentError: it cannot be had; the message says what to do about it.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForSequenceClassification.from_pretrained(name).eval()
    except (OSError, ValueError) as err:
        raise ContentError.about(name, _why(err)) from None
    return tokenizer, model


def _why(err: Exception) -> str:
    """What keeps a model from being loaded, and what to do; told by what the hub answers."""
    said = str(err).lower()
    if "gated" in said or "restricted" in said:
        return (
            "the model is gated: ask for access on its page and set the variable HF_TOKEN, or "
            "download it and name its folder"
        )
    if "401" in said or "not a valid model identifier" in said or "404" in said:
        return "there is no such folder, and the hub has no public model of this id"
    if isinstance(err, ValueError):
        return "the model is no sequence classifier that transformers knows"
    return "there is no such folder, and the hub cannot be reached to fetch the model"
