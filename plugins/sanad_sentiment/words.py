"""Sentiment by VADER's word list and rules: English, offline.

Source: C. J. Hutto and E. Gilbert, VADER: a parsimonious rule-based model for sentiment analysis of
social media text, ICWSM 2014; the thresholds of 0.05 are theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vader import SentimentIntensityAnalyzer

from sanad_core.types import Signal

if TYPE_CHECKING:
    from sanad_core.specs import Context
    from sanad_core.types import Turn

__all__ = ["WordSentiment"]

READ = 4000  # characters; how a message sounds shows in its beginning
NEUTRAL = 0.05
_LATIN = re.compile(r"[A-Za-z]")
_LETTER = re.compile(r"[^\W\d_]")


class WordSentiment:
    """Positive, negative or neutral, by the words of an English message."""

    def __init__(self) -> None:
        self._analyzer = SentimentIntensityAnalyzer()

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """One signal; none for a message that is not mostly in Latin letters."""
        text = turn.text[:READ]
        if 2 * len(_LATIN.findall(text)) < len(_LETTER.findall(text)):
            return []
        compound = self._analyzer.polarity_scores(text)["compound"]
        if abs(compound) < NEUTRAL:
            return [Signal(kind="sentiment", label="neutral", score=1 - abs(compound))]
        label = "positive" if compound > 0 else "negative"
        return [Signal(kind="sentiment", label=label, score=min(abs(compound), 1.0))]
