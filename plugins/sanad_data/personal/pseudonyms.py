"""Pseudonyms: the same person is the same `[PERSON_1]` in all turns of a conversation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sanad_data.personal.wording import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_data.personal.spans import Span

__all__ = ["Pseudonyms"]

_NUMERIC = ("PHONE", "ID", "MRN", "BANK", "DOB", "AGE", "IP", "GEO")


class Pseudonyms:
    """The pseudonyms of one conversation, numbered by type as they come up."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def scrubbed(self, text: str, spans: Sequence[Span]) -> str:
        """A text with pseudonyms in the place of personal data.

        Args:
            text: it.
            spans: its personal data, in order and without overlaps.
        """
        parts, last = [], 0
        for span in spans:
            parts += [text[last : span.start], self._name(span.type, text[span.start : span.end])]
            last = span.end
        return "".join([*parts, text[last:]])

    def _name(self, kind: str, value: str) -> str:
        known = self._known.setdefault(kind, {})
        key = _key(kind, value)
        if key not in known:
            same = self._same(known, key) if kind == "PERSON" else None
            known[key] = same or f"[{kind}_{len(set(known.values())) + 1}]"
        return known[key]

    @staticmethod
    def _same(known: dict[str, str], key: str) -> str | None:
        """The pseudonym of a longer or shorter form of a name: `Sarah` of `Sarah Connor`."""
        words = set(key.split())
        for other, pseudonym in known.items():
            theirs = set(other.split())
            if words < theirs or theirs < words:
                return pseudonym
        return None


def _key(kind: str, value: str) -> str:
    if kind in _NUMERIC:
        return re.sub(r"[^\w.:+-]|(?<=\d)[-.](?=\d)", "", value.lower())
    return re.sub(r"\s+", " ", folded(value)).lstrip("@")
