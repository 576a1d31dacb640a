"""Changes to a message that leave what it says as it was: typos, leetspeak, chatter and the like.

Training adds such variants to what people wrote; evaluation measures what they cost. Each takes a
text and a source of chance, and its label must stay the same whatever the label is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

__all__ = ["MUTATIONS"]

_NEAR = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy",
    "i": "uok", "j": "hku", "k": "jli", "l": "ko", "m": "n", "n": "bm", "o": "ipl", "p": "o",
    "q": "wa", "r": "etf", "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs",
    "y": "tuh", "z": "xa",
}  # fmt: skip
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5"})
_EMOJI = ("😭", "😂", "🙃", "💀", "😔", "🥲", "❤️", "😩", "🤷", "lol", "haha", "…")
_CHATTER = (
    "sorry for the long text.", "anyway.", "work was fine today i guess.", "it's raining here.",
    "i had pasta for dinner.", "hope you're ok.", "not sure where to start.", "my phone is at 5%.",
    "the bus was late again.", "ok so.", "idk why i'm writing this here.", "the cat says hi.",
    "so that's my tuesday.", "i've got class in ten minutes.", "thanks for reading.",
)  # fmt: skip
_DENIALS = (
    "i'm not being dramatic.", "not that you'd care.", "i'm not asking for attention.",
    "i'm not looking for a fight.", "not a joke.", "i'm not making this up.",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z]{3,}")


def typos(text: str, chance: Random) -> str:
    """One word in six misspelt: a letter dropped, doubled, swapped or hit beside."""

    def misspelt(found: re.Match[str]) -> str:
        return _misspell(found[0], chance) if chance.random() < 1 / 6 else found[0]

    return _WORD.sub(misspelt, text)


def _misspell(word: str, chance: Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    beside = chance.choice(_NEAR.get(word[at].lower(), word[at]))
    return chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + beside + word[at + 1 :],
        )
    )


def leetspeak(text: str, chance: Random) -> str:
    """One word in three with digits for letters."""
    return _WORD.sub(lambda w: w[0].translate(_LEET) if chance.random() < 1 / 3 else w[0], text)


def spacing(text: str, chance: Random) -> str:
    """A word pulled apart, or spaces missing."""
    words = text.split(" ")
    at = chance.randrange(len(words))
    if chance.random() < 0.5 and words[at].isalpha():
        return " ".join((*words[:at], " ".join(words[at]), *words[at + 1 :]))
    return " ".join(words[:at]) + "".join(words[at : at + 2]) + " " + " ".join(words[at + 2 :])


def emoji(text: str, chance: Random) -> str:
    """An emoji or a laugh behind the message, or in front of it."""
    sign = chance.choice(_EMOJI)
    return f"{text} {sign}" if chance.random() < 0.75 else f"{sign} {text}"


def case(text: str, chance: Random) -> str:
    """All in capitals, all in small letters, or without punctuation."""
    change = chance.choice((str.upper, str.lower, _bare))
    return change(text)


def _bare(text: str) -> str:
    return re.sub(r"[.,!?;:'’\"]", "", text)


def negation(text: str, chance: Random) -> str:
    """A sentence beside it that denies something else."""
    return f"{text} {chance.choice(_DENIALS)}" if text else text


def quoting(text: str, chance: Random) -> str:
    """The person quotes what they themselves wrote."""
    opening = chance.choice(("i wrote this last night:", "this is what i typed earlier:"))
    return f'{opening} "{text}"'


def chatter(text: str, chance: Random) -> str:
    """One to three sentences of small talk around it."""
    around = chance.sample(_CHATTER, chance.randint(1, 3))
    split = chance.randint(0, len(around))
    return " ".join((*around[:split], text, *around[split:]))


MUTATIONS: dict[str, Callable[[str, Random], str]] = {
    "typos": typos,
    "leetspeak": leetspeak,
    "spacing": spacing,
    "emoji": emoji,
    "case": case,
    "negation": negation,
    "quoting": quoting,
    "chatter": chatter,
}
