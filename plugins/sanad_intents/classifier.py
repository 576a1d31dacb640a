"""The classifier over embeddings: fitted in seconds, saved beside its examples with their hash."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_intents.examples import Examples

__all__ = ["Classifier", "fit", "learns", "load", "model_path", "save"]

STRENGTH = 30.0  # inverse of the regularisation; 10 to 100 gave the same within half a point
STEPS = 300
FOLDS = 5
KEPT = 0.95  # share of held-out examples that must count as in scope
# What an out-of-scope message looks like is not known, so the bar is set by what is in scope.


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """A fitted classifier.

    Args:
        intents: names, in the order of the weights' rows.
        weights: one row an intent.
        bias: one an intent.
        bar: the largest score below which a message is out of scope.
        encoder: the name of the embeddings' model.
        digest: of the examples that it was fitted on.
        accuracy: on examples held out in turn, 0 to 1.
    """

    intents: tuple[str, ...]
    weights: Any
    bias: Any
    bar: float
    encoder: str
    digest: str
    accuracy: float

    def scores(self, vectors: Any) -> Any:
        """Each intent's score for each vector; the largest says how much it is in scope."""
        return vectors @ self.weights.T + self.bias


def fit(examples: Examples, vectors: Any, encoder: str, *, folds: int = FOLDS) -> Classifier:
    """Fit a classifier, and measure it on examples held out in turn.

    Args:
        examples: what to learn.
        vectors: their embeddings.
        encoder: the name of the embeddings' model.
        folds: how often examples are held out; 0: not at all, and every message is in scope.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    import numpy as np

    try:
        from sklearn.model_selection import StratifiedKFold
    except ImportError:
        raise MissingExtra("train nlu", "nlu") from None
    names = examples.intents
    truth = np.array([names.index(intent) for _, intent in examples.rows])
    right: list[bool] = []
    tops: list[float] = []
    parts = min(folds, int(np.bincount(truth).min()))
    splits = StratifiedKFold(parts, shuffle=True, random_state=0) if parts > 1 else None
    for train, held in splits.split(vectors, truth) if splits is not None else ():
        weights, bias = _fitted(vectors[train], truth[train])
        scores = vectors[held] @ weights.T + bias
        right += list(scores.argmax(1) == truth[held])
        tops += list(scores.max(1))
    weights, bias = _fitted(vectors, truth)
    return Classifier(
        intents=names,
        weights=weights.astype(np.float32),
        bias=bias.astype(np.float32),
        bar=float(np.quantile(tops, 1 - KEPT)) if tops else -1e9,
        encoder=encoder,
        digest=examples.digest,
        accuracy=float(np.mean(right)) if right else 0.0,
    )


def _fitted(vectors: Any, truth: Any) -> tuple[Any, Any]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=STEPS).fit(vectors, truth)
    if len(model.classes_) == 2:  # one row of weights stands for two
        zero = np.zeros_like(model.coef_)
        return np.concatenate((zero, model.coef_)), np.concatenate(([0.0], model.intercept_))
    return model.coef_, model.intercept_


def model_path(examples: Path) -> Path:
    """Where the classifier of a file of examples is saved: beside it."""
    return examples.with_suffix(".nlu.npz")


def save(classifier: Classifier, path: Path) -> None:
    """Write a classifier, whole or not at all."""
    import numpy as np

    about = {
        "intents": list(classifier.intents),
        "bar": classifier.bar,
        "encoder": classifier.encoder,
        "digest": classifier.digest,
        "accuracy": classifier.accuracy,
    }
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(
                file, weights=classifier.weights, bias=classifier.bias, about=json.dumps(about)
            )
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def learns(examples: Path) -> str:
    """The command that learns a file of examples."""
    return f"sanad train nlu {shlex.quote(str(examples))}"


def load(path: Path) -> Classifier:
    """Read a classifier.

    Raises:
        ContentError: there is none, or it is damaged.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as data:
            about = json.loads(str(data["about"]))
            intents: Sequence[str] = about.pop("intents")
            found = Classifier(
                intents=tuple(intents), weights=data["weights"], bias=data["bias"], **about
            )
    except FileNotFoundError:
        raise _wrong(path, "there is no trained model") from None
    except Exception as err:
        raise _wrong(path, f"is no trained model ({type(err).__name__})") from None
    if found.weights.shape[0] != len(found.intents) or found.bias.shape != (len(found.intents),):
        raise _wrong(path, "is damaged: weights and intents do not agree")
    return found


def _wrong(path: Path, message: str) -> ContentError:
    stem = path.parent / path.name.removesuffix(".nlu.npz")
    named = [stem.with_name(stem.name + ending) for ending in (".yml", ".yaml")]
    examples = next((found for found in named if found.exists()), named[0])
    message = f"{message}; run: {learns(examples)}"
    return ContentError.about(path, message)
