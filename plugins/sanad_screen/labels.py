"""The labels that the screening model tells apart, in the order of its outputs."""

from __future__ import annotations

from sanad_core.risk import CONDITIONS, Level, RiskKind, Subject

__all__ = [
    "CONDITIONS",
    "EMOTIONS",
    "KINDS",
    "LEVELS",
    "OUTPUTS",
    "SENTIMENTS",
    "SEVERITY",
    "SUBJECTS",
    "TIMES",
]

LEVELS = tuple(Level)
KINDS = tuple(RiskKind)
# Severity of the C-SSRS, 0 to 6, as a level. Source: docs/safety.md.
SEVERITY = ("none", "low", "low", "moderate", "high", "high", "high")
SUBJECTS = ("none", Subject.SELF.value, Subject.OTHER.value)
TIMES = ("now", "past")
SENTIMENTS = ("negative", "neutral", "positive")
# Source: GoEmotions (Demszky et al., ACL 2020), its 27 emotions and neutral, in its own order.
EMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride",
    "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip

# Name and width of each head. `level` has one output per level above none: P(at least that level).
OUTPUTS = {
    "level": len(LEVELS) - 1,
    "kind": len(KINDS),
    "subject": len(SUBJECTS),
    "time": len(TIMES) - 1,
    "condition": len(CONDITIONS),
    "sentiment": len(SENTIMENTS),
    "emotion": len(EMOTIONS),
}
