"""What a training run learns from: rows gathered, near-duplicates removed, parts kept apart."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeVar

from sanad_screen.mutate import MUTATIONS
from sanad_screen.rows import Row, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Part", "apart", "held_out", "stretched", "talked", "varied", "without_near"]

T = TypeVar("T")

DEV_SHARE = 10  # one row in so many is held out to stop early, calibrate and choose thresholds
NEAR = 0.6  # Jaccard similarity of word pairs above which two texts are near-duplicates
PERMUTATIONS = 96
# How many calm messages stand around one: mostly one or two, as in a message of some sentences.
_AROUND = (1, 1, 1, 1, 2, 2, 3, 5)
# What training adds, by how often: leetspeak and quoting are rarer in life than a typo.
_VARIANTS = ("typos", "typos", "typos", "case", "emoji", "spacing", "leetspeak", "chatter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of one origin.

    Args:
        name: where they are from.
        rows: all of them.
        share: how much of them an epoch sees, drawn anew each time; above 1, rows come again.
    """

    name: str
    rows: tuple[Row, ...]
    share: float = 1.0

    def places(self, chance: Random) -> list[int]:
        """Which of the rows one epoch sees."""
        every = range(len(self.rows))
        whole, rest = divmod(round(self.share * len(every)), max(len(every), 1))
        return [*list(every) * whole, *chance.sample(every, rest)]


def held_out(rows: Iterable[T], by: Callable[[T], str]) -> tuple[list[T], list[T]]:
    """Rows to train on, and one in ten to calibrate on.

    Args:
        rows: all of them.
        by: what decides by its hash; rows of which it says the same stay together.
    """
    train: list[T] = []
    dev: list[T] = []
    for row in rows:
        number = int.from_bytes(hashlib.sha256(by(row).encode()).digest()[:4])
        (train if number % DEV_SHARE else dev).append(row)
    return train, dev


def apart(rows: Sequence[Row], texts: Iterable[str]) -> list[Row]:
    """The rows that are near to none of the texts, by MinHash of their word pairs.

    Args:
        rows: candidates for training.
        texts: of sets that only measure.
    """
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS)
    for number, text in enumerate(texts):
        index.insert(number, _sketch(text))
    return [row for row in rows if not index.query(_sketch(row.text))]


def without_near(rows: Sequence[Row]) -> list[Row]:
    """The rows without those that are near to an earlier one."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=NEAR + 0.2, num_perm=PERMUTATIONS)
    kept = []
    for number, row in enumerate(rows):
        sketch = _sketch(" ".join((*(said.text for said in row.context), row.text)))
        if not index.query(sketch):
            index.insert(number, sketch)
            kept.append(row)
    return kept


def _sketch(text: str) -> object:
    from datasketch import MinHash

    words = re.findall(r"\w+", text.lower())
    pairs = {" ".join(pair) for pair in itertools.pairwise(words)} or set(words)
    sketch = MinHash(num_perm=PERMUTATIONS, seed=1)
    sketch.update_batch([pair.encode() for pair in pairs] or [b""])
    return sketch


def varied(rows: Sequence[Row], chance: Random) -> list[Row]:
    """One machine-made variant of each row that is short enough to change."""
    made = []
    for row in rows:
        name = chance.choice(_VARIANTS)
        if len(row.text) < 8:
            continue
        text = MUTATIONS[name](row.text, chance)
        if text != row.text:
            made.append(_variant(row, text, name))
    return made


def stretched(rows: Sequence[Row], calm: Sequence[str], count: int, chance: Random) -> list[Row]:
    """Rows with other people's calm sentences around them, as risk stands in a long message.

    Args:
        rows: what to take from.
        calm: texts without risk to put around.
        count: how many to make.
        chance: draws them.
    """
    made = []
    for row in chance.choices(rows, k=count):
        around = chance.choices(calm, k=chance.choice(_AROUND))
        place = chance.randint(0, len(around))
        between = chance.choice((" ", " ", ". ", "\n"))
        text = between.join((*around[:place], row.text, *around[place:]))
        made.append(_variant(row, text, "stretched"))
    return made


def talked(rows: Sequence[Row], talks: Sequence[Row], count: int, chance: Random) -> list[Row]:
    """Rows in the middle of a conversation that has nothing to do with them; labels stay.

    A calm message is calm whatever was said before it, and a risky one is risky after small talk:
    without these the model takes the mood of a conversation for its last message.

    Args:
        rows: what to take from, as last messages and as earlier ones.
        talks: conversations whose bot turns are used.
        count: how many to make.
        chance: draws them.
    """
    replies = [said.text for talk in talks for said in talk.context if said.role == "bot"]
    if not replies:
        return []
    alone = [row for row in rows if not row.context and row.risk is not None]
    calm = [row for row in alone if row.level == "none"]
    made = []
    for row in chance.choices(calm, k=count * 3 // 4) + chance.choices(alone, k=count // 4):
        # Mostly after calm messages; now and then a disclosure came before, and was answered.
        before = chance.choices(calm if chance.random() < 0.7 else alone, k=chance.randint(1, 3))
        context = [
            said
            for earlier in before
            for said in (
                Said(role="person", text=earlier.text[:200]),
                Said(role="bot", text=chance.choice(replies)),
            )
        ]
        made.append(_variant(row, row.text, "talked").model_copy(update={"context": context}))
    return made


def _variant(row: Row, text: str, how: str) -> Row:
    changes = {
        "id": f"{row.id}~{how}",
        "text": text,
        "tags": [*row.tags, "variant", how],
        "variant_of": row.id,
    }
    return row.model_copy(update=changes)
