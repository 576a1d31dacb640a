"""Which language a text is in."""

from __future__ import annotations

__all__ = ["UNKNOWN", "known", "language"]

UNKNOWN = "und"  # ISO 639-2: undetermined
NONE = "zxx"  # ISO 639-2: no linguistic content
SHORTEST = 30  # characters; of shorter texts one in seven was told wrong, of longer ones 1 in 200
LONGEST = 600  # characters that are read of a long text: more tell no more, and take longer


def known() -> frozenset[str]:
    """The codes of the languages that can be told, of ISO 639-1, or 639-3 where it has none."""
    import py3langid

    return frozenset(code for code, _ in py3langid.rank("")) - {NONE}


def language(text: str) -> str:
    """The ISO 639 code of a text's language; `und` where the text is too short to tell."""
    start = text.strip()[:LONGEST]
    if len(start) < SHORTEST:
        return UNKNOWN
    import py3langid

    code, score = py3langid.classify(start)
    # A text of digits or of emoji has nothing to tell it by.
    return UNKNOWN if code == NONE or score < -1e30 else str(code)
