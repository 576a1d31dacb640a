"""Temperature and thresholds, chosen on held-out rows for a stated share of false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sanad_core.risk import CONDITIONS, Level, Subject
from sanad_screen.labels import SENTIMENTS, SUBJECTS
from sanad_screen.model import Thresholds
from sanad_screen.rows import Row

__all__ = [
    "POINTS",
    "condition_thresholds",
    "in_context",
    "other_threshold",
    "ranks_of",
    "temperature",
    "thresholds",
]

# Operating points: the share of *hard* calm messages (written to look alarming) that may be
# reported at `low`. Of everyday messages a twentieth of it may; at `moderate` four tenths of each.
POINTS = {"default": 0.03, "sensitive": 0.08, "watchful": 0.15}
EVERYDAY = 0.05
MODERATE = 0.4
GRAVE = 0.5  # `high` and `imminent` only say which text is right: the likelier side is taken
LEAST = 0.10  # no level is reported on a smaller probability
IN_CONTEXT = 0.1
MISTAKEN = 0.02  # share of people in danger who may be taken for somebody who worries


def temperature(logits: Any, ranks: Any) -> float:
    """What the level logits are to be divided by so that stated probabilities come true.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.

    Args:
        logits: one column per level above none.
        ranks: each row's level, 0 to 4.
    """
    from scipy.optimize import minimize_scalar

    truth = ranks[:, None] > np.arange(logits.shape[1])[None, :]

    def lost(value: float) -> float:
        scaled = logits / value
        return float(np.mean(np.logaddexp(0, scaled) - truth * scaled))

    return float(minimize_scalar(lost, bounds=(0.3, 5.0), method="bounded").x)


def thresholds(hard: Any, everyday: Any, rate: float) -> Thresholds:
    """The lowest thresholds that keep false alarms within a rate.

    Args:
        hard: probabilities of the levels for calm messages that were written to look alarming.
        everyday: the same for everyday messages.
        rate: share of the hard ones that may be reported at `low`, 0 to 1.
    """

    def least(column: int, allowed: float) -> float:
        bars = [
            LEAST,
            _bar(hard[:, column], allowed),
            _bar(everyday[:, column], allowed * EVERYDAY),
        ]
        return min(max(bars), 0.99)

    low, moderate = least(0, rate), least(1, rate * MODERATE)
    return Thresholds(
        low=round(low, 4),
        moderate=round(moderate, 4),
        high=round(max(GRAVE, least(2, rate * MODERATE)), 4),
        imminent=round(max(GRAVE, least(3, rate * MODERATE)), 4),
        false_positives=rate,
    )


def in_context(talks: Any, rate: float) -> Thresholds:
    """Thresholds for a message read with what was said before it.

    Every message of a conversation is read so, most of them about nothing, so a tenth of the false
    alarms is allowed, and never a lower threshold than is right on the average.

    Args:
        talks: probabilities of the levels for calm messages in conversations.
        rate: as for messages alone.
    """
    bars = (
        [
            round(min(max(GRAVE, _bar(talks[:, column], rate * IN_CONTEXT)), 0.99), 4)
            for column in range(talks.shape[1])
        ]
        if len(talks)
        else [GRAVE] * 4
    )
    return Thresholds(
        low=bars[0], moderate=bars[1], high=bars[2], imminent=bars[3], false_positives=rate
    )


def _bar(calm: Any, allowed: float) -> float:
    """The probability that at most this share of calm messages passes."""
    return float(np.quantile(calm, 1 - allowed, method="higher")) + 1e-4 if len(calm) else 0.0


def other_threshold(logits: Any, rows: Sequence[Row]) -> float:
    """From which probability on the danger is taken to be somebody else's."""
    own, other = SUBJECTS.index(Subject.SELF), SUBJECTS.index(Subject.OTHER)
    chance = 1 / (1 + np.exp(logits[:, own] - logits[:, other]))
    selves = np.array([row.subject == Subject.SELF.value for row in rows])
    return round(min(max(0.5, _bar(chance[selves], MISTAKEN)), 0.9), 4)


def neutral_threshold(logits: Any, rows: Sequence[Row]) -> float:
    """From which probability on a message sounds neutral: what is right most often."""
    names = [row.sentiment for row in rows]
    known = np.array([name is not None for name in names])
    if not known.any():
        return 0.5
    truth = np.array([SENTIMENTS.index(name) for name in names if name is not None])
    chances = np.exp(logits[known] - logits[known].max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    neutral = SENTIMENTS.index("neutral")
    ends = np.where(chances[:, 0] > chances[:, -1], 0, len(SENTIMENTS) - 1)

    def right(bar: float) -> float:
        return float(np.mean(np.where(chances[:, neutral] >= bar, neutral, ends) == truth))

    bars = [round(float(bar), 2) for bar in np.arange(0.3, 0.96, 0.05)]
    return max(bars, key=lambda bar: (right(bar), bar))


def condition_thresholds(logits: Any, rows: Sequence[Row]) -> dict[str, float]:
    """Per condition, the threshold with the best F1 on held-out rows."""
    chances = 1 / (1 + np.exp(-logits))
    known = np.array([row.conditions is not None for row in rows])
    found = {}
    for column, name in enumerate(CONDITIONS):
        truth = np.array([name in (row.conditions or ()) for row in rows])[known]
        given = chances[known, column]
        found[name] = max(
            (round(bar, 2) for bar in np.arange(0.2, 0.81, 0.05)),
            key=lambda bar: (_f1(truth, given >= bar), -abs(bar - 0.5)),
        )
    return found


def _f1(truth: Any, said: Any) -> float:
    both = int((truth & said).sum())
    return 2 * both / max(1, int(truth.sum()) + int(said.sum()))


def ranks_of(rows: Sequence[Row]) -> Any:
    """Each row's level as a number; -1 where it is not known."""
    return np.array([-1 if row.risk is None else Level(row.risk).rank for row in rows])
