"""What people wrote, where a public set's publishers put the names of symptoms in its place."""

from __future__ import annotations

import re

__all__ = ["spoken"]

# cssrs_reddit500 as it is published holds "Hyperactive behavior" for "like", "Ventricular
# Dysfunction, Left" for "left", and so on: a medical tagger took words for their concepts. What
# stood there is told from the sentences around; where it cannot be told, the word stays.
_WRITTEN = {
    "hyperactive behavior": "like",
    "ventricular dysfunction, left": "left",
    "respiratory distress syndrome, adult": "adult",
    "anxiety mental depression": "anxiety",
    "mental depression": "depression",
    "depressed mood": "depressed",
    "irritable mood": "mean",
    "chest pain": "hurt",
    "sharp pain": "quick",
    "ache": "pain",
    "hypersomnia": "sleep",
    "exhaustion": "exhausted",
    "sedated state": "calm",
    "injury of muscle": "permanent",
    "sad mood": "sad",
    "abnormal behavior": "crazy",
    "phobia, social": "social",
    "megacolon, toxic": "toxic",
    "genital diseases, male": "male",
    "drug abuse": "high",
    "emotional upset": "distress",
    "crying reflex": "crying",
    "hypothermia": "cold",
    "numbness": "numb",
    "muscle weakness": "weakness",
    "flatulence/wind": "wind",
    "illness": "sick",
    "asthenia": "weak",
}
_WEEK = re.compile(r"\b(next|last|this|per|a) Asthenia\b(?! of)")
_ADD = re.compile(r"\b(to|can|could|just|might|would|will|Ill) Attention Deficit Disorder\b")
_NAMES = re.compile(
    r"(?<=[a-z0-9,'\"(] )(?:"
    + "|".join(re.escape(f"{name[0].upper()}{name[1:]}") for name in _WRITTEN)
    + r")\b",
    re.IGNORECASE,
)
# Posts that were joined kept the marks of a list: "', 'Good that …".
_JOINED = re.compile(r"\\?['\"], ['\"]|^[\s'\",\\]+(?=\w)")


def spoken(text: str) -> str:
    """A text of cssrs_reddit500 with the words that people wrote, as far as they can be told."""
    plain = _JOINED.sub(" ", text)
    plain = _ADD.sub(r"\1 add", _WEEK.sub(r"\1 week", plain))
    return _NAMES.sub(_written, plain).strip()


def _written(found: re.Match[str]) -> str:
    # A name begins with a capital in the midst of a sentence; small, it is the word itself.
    return found[0] if found[0][0].islower() else _WRITTEN[found[0].lower()]
