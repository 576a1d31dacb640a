"""Sentiment: how a message sounds, by a word list or by a model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import DetectorSpec

__all__ = ["SentimentOptions", "sanad_detectors"]

SST2 = "distilbert-base-uncased-finetuned-sst-2-english"


class SentimentOptions(Options):
    """Options of the sentiment detector."""

    backend: Literal["vader", "distilbert"] = Field(
        "vader", description="a word list, offline; or a model through transformers"
    )
    model: str = Field(SST2, description="for distilbert: a folder or a hub id")


def _make(options: Any) -> object:
    if options.backend == "distilbert":
        from sanad_sentiment.model import ModelSentiment

        return ModelSentiment(options.model)
    from sanad_sentiment.words import WordSentiment

    return WordSentiment()


@hookimpl
def sanad_detectors() -> tuple[DetectorSpec, ...]:
    """The sentiment detector."""
    return (
        DetectorSpec(
            name="sentiment",
            make=_make,
            options=SentimentOptions,
            writes=("sentiment",),
            in_process=True,
            summary="positive, negative or neutral; the backend distilbert needs the extra models",
        ),
    )
