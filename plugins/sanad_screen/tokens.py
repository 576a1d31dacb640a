"""Messages as tokens: a message alone, with what was said before it, and in sentence windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError
from sanad_core.text import plain_letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Reader", "Tokens"]

MESSAGE = 256  # tokens of one message that are read as a whole; head and tail where it is longer
CONTEXT = 96  # tokens of what was said before it
WINDOW = 96  # tokens of a sentence window
WINDOWED = 480  # tokens of a message that are read in windows; from both ends where it is longer
READ = 6000  # characters handed to the tokeniser: more than the tokens that are read can hold
_SENTENCE = re.compile(r"(?<=[.!?…\n])\s+|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One row for the model.

    Args:
        ids: token numbers, special ones included.
        types: 0 for the message, 1 for what was said before it.
        spans: the characters of the message that each token stands for; empty for others.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class Reader:
    """Turns messages into rows for the model.

    Args:
        path: the tokeniser's file, `tokenizer.json`.

    Raises:
        ContentError: it is none, or not BERT's.
    """

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path))
        except Exception as err:  # the library raises nothing narrower
            raise ContentError.about(path, f"is no tokeniser ({type(err).__name__})") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        special: list[Any] = [
            self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]")
        ]
        if None in special:
            raise ContentError.about(path, "is not the tokeniser of a BERT model")
        self._first, self._break, self._padding = map(int, special)

    def message(self, text: str, most: int = MESSAGE) -> Tokens:
        """A message alone; of a long one its first and last tokens, half and half."""
        ids, spans = self._read(text)
        return self._row(*_ends(ids, spans, most - 2))

    def rows(self, text: str) -> tuple[list[Tokens], bool]:
        """A message as a whole and, where it is long, in pieces of whole sentences.

        Returns:
            The rows, the whole first, and whether they hold all of the message.
        """
        ids, spans = self._read(text)
        rows = [self._row(*_ends(ids, spans, MESSAGE - 2))]
        if len(ids) > MESSAGE // 2:
            kept, places = _ends(ids, spans, WINDOWED)
            pieces = _pieces(text, places, WINDOW - 2)
            rows += [self._row(kept[a:b], places[a:b]) for a, b in pieces]
        return rows, len(ids) <= WINDOWED and len(text) <= 2 * READ

    def pair(
        self,
        text: str,
        before: Sequence[tuple[str, str]],
        most: int = MESSAGE,
        context: int = CONTEXT,
    ) -> Tokens:
        """A message with what was said before it, the latest of it where that is long.

        Args:
            text: the message.
            before: who said it (`person` or `bot`) and what, oldest first.
            most: tokens of the message.
            context: tokens of what was said before it.
        """
        alone = self.message(text, most)
        if not before:
            return alone
        lines = [
            f"{'me' if role == 'person' else 'you'}: {plain_letters(said[-READ:])}"
            for role, said in before
        ]
        ids = self._tokenizer.encode("\n".join(lines), add_special_tokens=False).ids
        ids = ids[-context:]
        return Tokens(
            ids=(*alone.ids, *ids, self._break),
            types=(*alone.types, *[1] * (len(ids) + 1)),
            spans=(*alone.spans, *[(0, 0)] * (len(ids) + 1)),
        )

    def padded(self, rows: Sequence[Tokens]) -> tuple[Any, Any, Any]:
        """Token numbers, types and mask, as arrays of one size."""
        import numpy as np

        longest = max(len(row.ids) for row in rows)
        ids = np.full((len(rows), longest), self._padding, dtype=np.int64)
        types = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row.ids)] = row.ids
            types[place, : len(row.ids)] = row.types
            mask[place, : len(row.ids)] = 1
        return ids, types, mask

    def _row(self, ids: Sequence[int], spans: Sequence[tuple[int, int]]) -> Tokens:
        return Tokens(
            ids=(self._first, *ids, self._break),
            types=(0,) * (len(ids) + 2),
            spans=((0, 0), *spans, (0, 0)),
        )

    def _read(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokens of a message and their characters; of a huge one, of its two ends."""
        text = plain_letters(text)
        if len(text) <= 2 * READ:
            found = self._tokenizer.encode(text, add_special_tokens=False)
            return found.ids, found.offsets
        head = self._tokenizer.encode(text[:READ], add_special_tokens=False)
        tail = self._tokenizer.encode(text[-READ:], add_special_tokens=False)
        shift = len(text) - READ
        moved = [(start + shift, end + shift) for start, end in tail.offsets]
        return head.ids + tail.ids, head.offsets + moved


def _ends(
    ids: list[int], spans: list[tuple[int, int]], most: int
) -> tuple[list[int], list[tuple[int, int]]]:
    """The first and last of a list of tokens, where it is longer than allowed."""
    if len(ids) <= most:
        return ids, spans
    head = most // 2
    tail = most - head
    return ids[:head] + ids[-tail:], spans[:head] + spans[-tail:]


def _pieces(text: str, spans: list[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """Runs of tokens that hold whole sentences, as many as fit; a long sentence is cut."""
    starts = {match.end() for match in _SENTENCE.finditer(text)}
    begin = last = 0
    for at, (start, _) in enumerate(spans):
        if start in starts:
            last = at
        if at - begin >= most:
            cut = last if last > begin else at
            yield begin, cut
            begin = cut
    if begin < len(spans):
        yield begin, len(spans)
