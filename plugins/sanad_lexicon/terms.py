"""Terms as a clinician writes them: what they are made of, checked.

A term is words, with:
    (a|b c)   one of these, each one or more words; may stand inside one another
    word?     may be missing; also (a|b)? and <group>?
    <group>   one of a named group of words
    word*     any word that begins so
    ~         up to three other words here; ~5 up to five; never over the end of a sentence
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TermError", "firsts_of", "parts_of"]

_PART = re.compile(r"\(|\)\??|\||~\d?|<[\w-]+>\??|[^\s()<>~|?]+\??")
MOST_PARTS = 120


class TermError(ValueError):
    """A term cannot be read."""


def parts_of(term: str) -> list[str]:
    """A term's parts, checked.

    Raises:
        TermError: they make no term.
    """
    parts = [found[0] for found in _PART.finditer(term)]
    if not parts or "".join(parts) != "".join(term.split()):
        raise TermError("has a part that means nothing in a term")
    if len(parts) > MOST_PARTS:
        raise TermError(f"has {len(parts)} parts; at most {MOST_PARTS}: use a <group>")
    _check_gaps(parts)
    depth, needed = 0, False
    for before, part in zip(["(", *parts], [*parts, ""], strict=True):
        if part[:1] in ("|", ")") and before in ("(", "|"):
            raise TermError("has an empty choice; write (…)? instead")
        depth += (part == "(") - (part[:1] == ")")
        if depth < 0 or (part == "|" and depth == 0):
            raise TermError("has brackets that do not match, or a '|' outside of them")
        needed = needed or (depth == 0 and part[:1] not in ("", "~") and part[-1] != "?")
    if depth:
        raise TermError("has a bracket that is never closed")
    if not needed:
        raise TermError("can be empty: something in it must not be optional")
    return parts


def _check_gaps(parts: Sequence[str]) -> None:
    """A gap stands between two needed parts; beside one that may be missing it would be nowhere."""
    # Per bracket: whether a needed part came since it opened or since the last gap, and whether a
    # gap still waits for one.
    levels = [(False, False)]
    for part in [*parts, "|"]:
        came, waits = levels[-1]
        if part[0] == "~":
            if not came:
                raise TermError("has a gap with no needed part before it")
            levels[-1] = (False, True)
        elif part == "(":
            levels.append((False, False))
        elif part[0] in "|)":
            if waits:
                raise TermError("has a gap with no needed part after it")
            levels[-1] = (False, False)
            if part[0] == ")" and len(levels) > 1:
                levels.pop()
                if part == ")":
                    levels[-1] = (True, False)
        elif part[-1] != "?":
            levels[-1] = (True, False)


def firsts_of(parts: Sequence[str]) -> set[str]:
    """Steps that a term can begin with, and perhaps some more: all up to its first needed part."""
    firsts: set[str] = set()
    depth = 0
    for part in parts:
        depth += (part == "(") - (part[0] == ")")
        if part[0] not in "()|~":
            firsts.add(part.removesuffix("?"))
        if depth == 0 and part[0] != "~" and part[-1] != "?":
            break
    return firsts
