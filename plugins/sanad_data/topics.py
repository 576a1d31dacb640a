"""What a topic, a forum's name or a feeling says of the conditions of Sanad's list."""

from __future__ import annotations

import re

__all__ = ["conditions"]

# Stems, since topics are written as adjectives, hashtags and subreddits; Sanad's own names too.
_STEMS = {
    "depression": r"depress",
    "anxiety": r"anxi",
    "panic": r"\bpanic",
    "ptsd": r"ptsd|post ?trauma|\btrauma",
    "ocd": r"\bocd\b|obsessive",
    "bipolar": r"bipolar|\bmani[ac]",
    "eating_disorder": r"\beating ?disorder|anorexi|bulimi|binge ?eating",
    "psychosis": r"psychosis|psychotic|schizo",
    "substance_use": r"substance|addict|alcohol|drinking\b|\bdrug",
    "insomnia": r"insomnia|\bsleep",
    "grief": r"\bgrie[fv]|bereave|mourning",
    "adhd": r"\badhd",
    "loneliness": r"\blonel",
    "stress_burnout": r"(?<!traumatic )\bstress|burn ?out",
    "anger": r"\banger|\bangry",
    "relationship": r"\brelationship|marriage|marital|\bbreak ?up|divorce|intimacy",
    "self_esteem": r"self ?esteem|worthless",
    "postpartum": r"post ?partum|post ?natal|perinatal",
}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[\W_]+")


def conditions(*topics: str) -> tuple[str, ...]:
    """The conditions that topics name, in the order of Sanad's list.

    Args:
        topics: as a source writes them, such as `grief-and-loss` or `EatingDisorders`.
    """
    text = " / ".join(_NO_WORD.sub(" ", _CAMEL.sub(" ", topic)).lower() for topic in topics)
    return tuple(name for name, stem in _STEMS.items() if re.search(stem, text))
