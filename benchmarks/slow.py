"""Searches for a message that the lexicon is slow to read: random ones, then the worst changed.

Run `make bench-slow`; every message has 100,000 characters, and the time is that of this process
alone, with no other work on the machine's clock.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from sanad_core import Context, Conversation, Turn
from sanad_core.specs import Setting
from sanad_core.testing import NOW
from sanad_core.types import Speaker
from sanad_lexicon.content import DATA, load_language
from sanad_lexicon.detector import Lexicon

LENGTH = 100_000
SEEDS = (
    "i ", "a", "kill ", "not kill myself ", "i want to ", "!", "'", "a'", "*k", "k i l l ",
    "k.i.l.l ", "my self ", "i want to kill myself ", "\u0301a", "💔", "\n", "a\u200db", "4nd 1 ",
    "want want to to ", '"i want" "to die" ', "أريد أن أموت ", "و", "أ ر ي د ", "aaaa ",
    "k1ll my s3lf ", "no not never ",
)  # fmt: skip


def main() -> None:
    """Print the slowest messages found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds: int = parser.parse_args().rounds
    lexicon = Lexicon()
    lexicon.warm(Setting(locales=("en", "ar")))
    chance = random.Random(7)
    pieces = _pieces(chance)
    worst: list[tuple[float, str]] = []
    for number in range(rounds):
        old = worst and number % 2
        parts = _changed(worst[number % len(worst)][1], pieces, chance) if old else pieces()
        text = (parts * (LENGTH // max(len(parts), 1) + 1))[:LENGTH]
        worst = sorted([*worst, (_milliseconds(lexicon, text), parts)], reverse=True)[:8]
    began = time.process_time()
    sum(number for number in range(1_000_000))
    print(f"{(time.process_time() - began) * 1000:7.1f} ms  for a million additions")
    for took, parts in worst:
        print(f"{took:7.1f} ms  {parts[:60]!r} … ({len(parts)} characters, repeated)")
    words = sorted(load_language("en", [DATA]).spelling.known)
    prose = " ".join(chance.choice(words) for _ in range(20_000))[:LENGTH]
    print(f"{_milliseconds(lexicon, prose):7.1f} ms  words of the lexicon in random order")


def _pieces(chance: random.Random) -> Callable[[], str]:
    """Makes short messages out of what the lexicon looks for."""
    languages = [load_language(locale, [DATA]) for locale in ("en", "ar")]
    words = [word for language in languages for word in sorted(language.spelling.known)]
    said = [text for language in languages for _, text, _ in language.examples]

    def make() -> str:
        joint = chance.choice([" ", " ", ". ", "\n", "", ", "])
        kind = chance.randrange(6)
        if kind == 0:
            return chance.choice(SEEDS)
        if kind == 1:
            return joint.join(chance.choice(words) for _ in range(chance.choice([3, 50, 2000])))
        if kind == 2:
            return joint.join(chance.choice(said) for _ in range(chance.choice([1, 5, 500])))
        if kind == 3:
            letters = "".join(chance.choice(words) for _ in range(chance.choice([3, 30])))
            return chance.choice([" ", "."]).join(letters) + " "
        if kind == 4:
            odd = "@$0134578!+aeiosklt'*" + "\u0301\u200d"
            return " ".join("".join(chance.choices(odd, k=7)) for _ in range(5000))
        return " ".join(
            chance.choice(words) + chance.choice("aeiou") * chance.choice([1, 4])
            for _ in range(3000)
        )

    return make


def _changed(text: str, pieces: Callable[[], str], chance: random.Random) -> str:
    """A message made of a slow one and a bit of another."""
    place = chance.randrange(len(text) + 1)
    cut = chance.randrange(len(text) + 1)
    return (text[:place] + pieces()[:5000] + text[cut:])[:LENGTH] or "i "


def _milliseconds(lexicon: Lexicon, text: str) -> float:
    turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id="1")
    context = Context(turn=turn, conversation=Conversation(id="c"))
    began = time.process_time()
    lexicon.detect(turn, context)
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
