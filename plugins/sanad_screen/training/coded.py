"""What people wrote, where a public set's publishers put the names of symptoms in its place."""

from __future__ import annotations

import re

__all__ = ["spoken"]

# cssrs_reddit500 as it is published holds "Hyperactive behavior" for "like", "Ventricular
# Dysfunction, Left" for "left", and so on: a medical tagger took words for their concepts. What
# stood there is told from the sentences around; where it cannot be told, the word stays.
_WRITTEN = {
    "Hyperactive behavior": "like",
    "Ventricular Dysfunction, Left": "left",
    "Respiratory Distress Syndrome, Adult": "adult",
    "Anxiety Mental Depression": "anxiety",
    "Mental Depression": "depression",
    "Depressed mood": "depressed",
    "Irritable Mood": "mean",
    "Chest Pain": "hurt",
    "Sharp Pain": "quick",
    "Ache": "pain",
    "Hypersomnia": "sleep",
    "Exhaustion": "exhausted",
    "Sedated state": "calm",
    "Injury of muscle": "permanent",
    "Sad mood": "sad",
    "Abnormal behavior": "crazy",
    "Phobia, Social": "social",
    "Megacolon, Toxic": "toxic",
    "Genital Diseases, Male": "male",
    "Drug abuse": "high",
    "Emotional upset": "distress",
    "Crying Reflex": "crying",
    "Hypothermia": "cold",
    "Numbness": "numb",
    "Muscle Weakness": "weakness",
    "Flatulence/wind": "wind",
    "Illness": "sick",
    "Asthenia": "weak",
}
_WEEK = re.compile(r"\b(next|last|this|per|a) Asthenia\b(?! of)")
_ADD = re.compile(r"\b(to|can|could|just|might|would|will|Ill) Attention Deficit Disorder\b")
# In the midst of a sentence: at its start a name may be the writer's own word.
_NAMES = re.compile(
    r"(?<=[A-Za-z0-9,'\"(] )(?:" + "|".join(re.escape(name) for name in _WRITTEN) + r")\b"
)
# Posts that were joined kept the marks of a list: "', 'Good that …".
_JOINED = re.compile(r"\\?['\"], ['\"]|^[\s'\",\\]+(?=\w)")


def spoken(text: str) -> str:
    """A text of cssrs_reddit500 with the words that people wrote, as far as they can be told."""
    plain = _JOINED.sub(" ", text)
    plain = _ADD.sub(r"\1 add", _WEEK.sub(r"\1 week", plain))
    return _NAMES.sub(lambda found: _WRITTEN[found[0]], plain).strip()
