"""Risk levels, kinds and subjects, and how risks combine.

Source of the levels and kinds: the C-SSRS screener for suicide (1-2 low, 3 moderate, 4-6 high),
and the table in docs/safety.md for the other kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONDITIONS", "NO_RISK", "Level", "Risk", "RiskKind", "Subject", "highest", "merge"]


class Level(StrEnum):
    """How severe a risk is: none < low < moderate < high < imminent."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    IMMINENT = "imminent"

    @property
    def rank(self) -> int:
        """The level's place in the order, 0 (none) to 4 (imminent)."""
        return _RANKS[self]

    # A str compares by letters; a level compares by severity.
    def __lt__(self, other: str) -> bool:
        return self.rank < Level(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Level(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Level(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Level(other).rank


_RANKS = {level: rank for rank, level in enumerate(Level)}


class RiskKind(StrEnum):
    """What the danger is. The order breaks ties between equal levels: the first wins."""

    SUICIDE = "suicide"
    MEDICAL_EMERGENCY = "medical_emergency"
    SUBSTANCE = "substance"
    SELF_INJURY = "self_injury"
    ABUSE_VICTIM = "abuse_victim"
    HARM_TO_OTHERS = "harm_to_others"
    PSYCHOSIS = "psychosis"
    EATING_DISORDER = "eating_disorder"


_KIND_ORDER = {kind: place for place, kind in enumerate(RiskKind)}


# States of mind that detectors report as `condition` signals: internal, never a diagnosis.
CONDITIONS = (
    "depression", "anxiety", "panic", "ptsd", "ocd", "bipolar", "eating_disorder", "psychosis",
    "substance_use", "insomnia", "grief", "adhd", "loneliness", "stress_burnout", "anger",
    "relationship", "self_esteem", "postpartum",
)  # fmt: skip


class Subject(StrEnum):
    """Who is in danger: the person who writes, or somebody they write about."""

    SELF = "self"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One entry of an assessment: the level reached for one kind and one subject.

    Args:
        level: the maximum that any detector reported.
        kind: what the danger is; None only where the level is none.
        subject: who is in danger; None only where the level is none.
        score: the highest score of the signals behind the entry, 0 to 1.
    """

    level: Level
    kind: RiskKind | None = None
    subject: Subject | None = None
    score: float = 0.0


NO_RISK = Risk(level=Level.NONE)


def _precedence(risk: Risk) -> tuple[int, bool, int, float]:
    kind = -_KIND_ORDER[risk.kind] if risk.kind is not None else -len(_KIND_ORDER)
    return (risk.level.rank, risk.subject is Subject.SELF, kind, risk.score)


def highest(risks: Iterable[Risk]) -> Risk:
    """The one entry to show where only one can be shown.

    Args:
        risks: the entries of an assessment.

    Returns:
        The highest level; `self` wins a tie, then the order of RiskKind. NO_RISK if there is none.
    """
    return max(risks, key=_precedence, default=NO_RISK)


def merge(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    """Keep the maximum per kind and subject, so that no entry can hide another.

    Args:
        risks: entries in any order, possibly several for one kind and subject.

    Returns:
        One entry per kind and subject, highest first.
    """
    top: dict[tuple[RiskKind | None, Subject | None], Risk] = {}
    for risk in risks:
        key = (risk.kind, risk.subject)
        if key not in top or _severity(risk) > _severity(top[key]):
            top[key] = risk
    return tuple(sorted(top.values(), key=_precedence, reverse=True))


def _severity(risk: Risk) -> tuple[int, float]:
    return (risk.level.rank, risk.score)
