"""Says a person's own words back: finds a clause that may be, and turns it round.

Only clauses that begin in a known way are taken, and none with a word of the list `never`: what a
person says against themselves, a condition, a medicine or anything dark is not echoed as a fact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanad_rules.content import SayingBack

__all__ = ["Clause", "clauses_of", "recalled"]

MOST_READ = 2000  # characters of a message that are looked at
LEAST_WORDS, MOST_WORDS = 3, 14
# The end of a clause: punctuation, or a word that begins another.
_ENDS = re.compile(
    r"[.!?;:,\n؟؛،…()\"“”«»]+|\s[-–—]+\s"
    r"|\s(?:but|because|cuz|although|though|while)\b"
    r"|\s(?:and then|and|so)(?=\s(?:i|my|it|he|she|they)\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_TO_BOT = re.compile(r"(?<!\w)(?:you|your|yours|u|ur|you're|youre)(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause that may be said back.

    Args:
        frame: which texts it goes into, `frame/<this>`.
        said: as it is said back, in small letters at the beginning, without an end mark.
        plan: whether it tells what the person is going to do.
    """

    frame: str
    said: str
    plan: bool = False


def clauses_of(text: str, back: SayingBack) -> list[Clause]:
    """The clauses of a message that may be said back, in its order.

    Args:
        text: the message.
        back: how the language does it.
    """
    found = []
    for part in _ENDS.split(text[:MOST_READ]):
        clause = _clause(part.strip(), back)
        if clause is not None:
            found.append(clause)
    return found


def _clause(part: str, back: SayingBack) -> Clause | None:
    opener = back.openers.match(part)
    bare = part[opener.end() :].strip() if opener is not None else part
    bare = back.closers.sub("", bare)
    words = bare.split()
    if not LEAST_WORDS <= len(words) <= MOST_WORDS:
        return None
    if back.never.search(bare) or back.ends.search(bare):
        return None
    if any(_WORD.fullmatch(word) is None for word in words):
        return None
    if back.turn and _TO_BOT.search(bare):
        return None
    if back.plan and (plan := back.plans.match(bare)) is not None:
        return Clause("plan", f"{back.plan} {_turned(bare[plan.end() :], back)}", plan=True)
    for frame in back.frames:
        if frame.begins.match(bare):
            return Clause(frame.name, _turned(bare, back) if back.turn else bare)
    return None


def _turned(clause: str, back: SayingBack) -> str:
    """The clause with its persons turned round: "my boss told me" is "your boss told you"."""
    words = clause.replace("’", "'").split()
    loud = clause.isupper()
    turned: list[str] = []
    place = 0
    while place < len(words):
        pair = " ".join(words[place : place + 2]).lower()
        if pair in back.swaps:
            turned.append(back.swaps[pair])
            place += 2
            continue
        word = words[place].lower()
        kept = word if loud or place == 0 else words[place]
        turned.append(back.swaps.get(word, kept))
        place += 1
    return " ".join(turned)


def recalled(said: str, back: SayingBack) -> str:
    """What was said, as it is recalled turns later: in the past, without words for its time."""
    said = back.times.sub("", said)
    beginnings = sorted(back.past, key=len, reverse=True)
    begins = next((b for b in beginnings if said.startswith(f"{b} ")), None)
    return said if begins is None else back.past[begins] + said[len(begins) :]
