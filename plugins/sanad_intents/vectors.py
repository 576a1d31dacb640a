"""Sentence embeddings: of the packaged encoder, or of any sentence-transformers model."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sanad_core.errors import ContentError, MissingExtra
from sanad_screen.encoder import EMBED, Encoder
from sanad_screen.model import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PACKAGED_NAME", "Vectors", "open_vectors"]

PACKAGED_NAME = "packaged"
TOKENS = 128  # of an example or a message: an intent shows in its beginning
AT_ONCE = 32
WORKERS = 2


class Vectors(Protocol):
    """Gives a vector of length one for each text."""

    english: bool

    def load(self) -> None:
        """Load now what is otherwise loaded with the first text."""

    def of(self, texts: Sequence[str], told: Callable[[int], Any] = ...) -> Any:
        """An array, a row a text; `told` hears how many more are done."""


def open_vectors(name: str, folder: Path) -> Vectors:
    """The embeddings of a model.

    Args:
        name: `packaged`, a folder, or the id of a sentence-transformers model.
        folder: what a relative folder is relative to.

    Raises:
        MissingExtra: a model other than the packaged one, without the extra `models`.
    """
    if name == PACKAGED_NAME:
        return _Packaged()
    local = folder / name
    return _SentenceTransformer(str(local) if local.is_dir() else name)


def _nothing(_: int) -> None:
    pass


class _Packaged:
    """MiniLM, from the screening model's own files: one trunk pass serves both."""

    english = True

    def __init__(self) -> None:
        self._encoder = Encoder.of(PACKAGED)

    def load(self) -> None:
        self._encoder.load(EMBED)

    def of(self, texts: Sequence[str], told: Callable[[int], Any] = _nothing) -> Any:
        import numpy as np

        reader = self._encoder.reader
        if len(texts) == 1:  # in a turn: the very row that the screening model read
            return np.array(self._encoder.embed([reader.message(texts[0])]))
        rows = [reader.message(text, TOKENS) for text in texts]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at].ids))
        groups = [order[at : at + AT_ONCE] for at in range(0, len(order), AT_ONCE)]
        vectors: list[Any] = [None] * len(rows)

        def run(group: list[int]) -> None:
            found = self._encoder.embed([rows[at] for at in group])
            for at, vector in zip(group, found, strict=True):
                vectors[at] = vector
            told(len(group))

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(run, groups))
        return np.array(vectors)


class _SentenceTransformer:
    """A model of sentence-transformers, loaded once."""

    english = False

    def __init__(self, name: str) -> None:
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MissingExtra("intents", "models")
        self._name = name
        self._model: Any = None

    def load(self) -> None:
        if self._model is not None:
            return
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(self._name)
        except (OSError, ValueError) as err:
            message = (
                f"this sentence-transformers model cannot be loaded ({type(err).__name__}); name a "
                "folder, or an id that this machine can fetch"
            )
            raise ContentError.about(self._name, message) from None

    def of(self, texts: Sequence[str], told: Callable[[int], Any] = _nothing) -> Any:
        self.load()
        vectors = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=AT_ONCE
        )
        told(len(texts))
        return vectors
