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
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Need", "TermError", "needs_of", "parts_of", "split"]

_PART = re.compile(r"\(|\)\??|\||~\d?|<[\w-]+>\??|[^\s()<>~|?]+\??")
MOST_PARTS = 200


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


def split(parts: Sequence[str]) -> list[list[str]]:
    """The terms that a term is made of, where it is nothing but a choice.

    Choices of one word stay together; each longer one is a term of its own, so that it is looked
    for only where its own words are.

    Args:
        parts: checked parts of a term.
    """
    choices = _alternatives(parts)
    if choices is None:
        return [list(parts)]
    single = [choice[0] for choice in choices if len(choice) == 1]
    longer = [term for choice in choices if len(choice) > 1 for term in split(choice)]
    if not single:
        return longer
    together = [part for word in single for part in (word, "|")][:-1]
    return [["(", *together, ")"] if len(single) > 1 else single, *longer]


def _alternatives(parts: Sequence[str]) -> list[list[str]] | None:
    """The choices of a term that is one bracket; None where it is not."""
    choices: list[list[str]] = [[]]
    depth = 0
    for place, part in enumerate(parts):
        depth += (part == "(") - (part[0] == ")")
        if depth == 0:
            whole = place == len(parts) - 1 and part == ")" and place > 0
            return choices if whole else None
        if depth == 1 and part == "|":
            choices.append([])
        elif place > 0:
            choices[-1].append(part)
    return None


Need = frozenset[str]


def needs_of(
    parts: Sequence[str], takes: Callable[[str], Need], common: Mapping[str, int]
) -> list[Need]:
    """What a term cannot do without: one step of each set.

    Args:
        parts: checked parts of a term.
        takes: what each part can be told by.
        common: how common each step is.
    """

    def how_common(need: Need) -> int:
        return sum(common.get(step, 0) + 1 for step in need)

    def sequence(place: int) -> tuple[list[Need], int]:
        needs: list[Need] = []
        while place < len(parts) and parts[place][0] not in "|)":
            part = parts[place]
            place += 1
            if part == "(":
                choices, place = choice(place)
                if parts[place - 1] == ")" and all(choices):
                    # Of what a choice needs, the rarest tells best that it is not there.
                    rarest = (min(needs, key=how_common) for needs in choices)
                    needs.append(frozenset().union(*rarest))
            elif part[0] != "~" and part[-1] != "?":
                needs.append(takes(part))
        return needs, place

    def choice(place: int) -> tuple[list[list[Need]], int]:
        choices = []
        while True:
            needs, place = sequence(place)
            choices.append(needs)
            place += 1
            if parts[place - 1] != "|":
                return choices, place

    return sorted(sequence(0)[0], key=how_common)
