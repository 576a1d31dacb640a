"""What figures, findings and splits need to know of each conversation; its text is not kept."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from sanad_core.errors import ContentError
from sanad_core.risk import CONDITIONS
from sanad_data.spread import spread
from sanad_data.talks import lines, parsed_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sanad_data.alike import Pairs
    from sanad_data.talks import Line, Talk

__all__ = ["Facts", "Numbered", "Rows", "facts", "file_lines", "pairs_of", "parsed_lines"]

Numbered: TypeAlias = tuple[int, int, bytes | None]  # a file's place among the files, a line of it

_PLACES = {name: place for place, name in enumerate(CONDITIONS)}
OPENING = 8  # words of a first message before two that are the same are from one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a line.

    Args:
        file: its place among the files.
        line: 1-based.
        problem: what is wrong with it; nothing else is known then.
        talk: the conversation without its turns.
        pairs: how often the supporter answered the person.
        person: words of each of the person's messages.
        supporter: words of each of the supporter's.
        language: that both speak, `en+es` where it is not the same; `und`: too short to tell.
        text: its digest.
        opening: the digest of what the person said first; 0: too short to tell people apart by.
        sketch: its MinHash; empty: none was asked for.
    """

    file: int
    line: int
    problem: str = ""
    talk: Talk | None = None
    pairs: int = 0
    person: tuple[int, ...] = ()
    supporter: tuple[int, ...] = ()
    language: str = ""
    text: int = 0
    opening: int = 0
    sketch: bytes = b""


def facts(
    files: Sequence[Path],
    *,
    compared: bool = True,
    workers: int | None = None,
    ray: str | None = None,
) -> Iterator[Facts]:
    """What is known of each line of files, in order; empty lines are left out.

    Args:
        files: of conversations.
        compared: whether rows are compared later, and so are sketched.
        workers: processes; None: one for each core.
        ray: the address of a cluster that works instead.

    Raises:
        ContentError: a file cannot be read.
    """
    return spread(partial(_known, compared), file_lines(files), workers=workers, ray=ray)


def file_lines(files: Sequence[Path]) -> Iterator[Numbered]:
    """The lines of files, one file after the other.

    Raises:
        ContentError: a file cannot be read.
    """
    for place, path in enumerate(files):
        try:
            yield from ((place, number, raw) for number, raw in lines(path))
        except OSError as err:
            message = f"cannot be read: {err.strerror}; name a file that 'sanad data import' wrote"
            raise ContentError.about(path, message) from None


def parsed_lines(batch: Iterable[Numbered]) -> Iterator[tuple[int, Line]]:
    """The lines of a batch as they are read, each with its file's place; empty ones are left out.

    Args:
        batch: as `file_lines` gives them.
    """
    for file, number, raw in batch:
        line = parsed_line(number, raw)
        if line is not None:
            yield file, line


def _known(compared: bool, batch: list[Numbered]) -> list[Facts]:
    return [_of(file, line, compared) for file, line in parsed_lines(batch)]


def _of(file: int, line: Line, compared: bool) -> Facts:
    if line.talk is None:
        return Facts(file=file, line=line.number, problem=line.problem)
    return _of_talk(file, line.number, line.talk, compared)


def _of_talk(file: int, line: int, talk: Talk, compared: bool) -> Facts:
    from sanad_data.alike import digest, plain, sketch

    text = "\n".join(said.text for said in talk.turns)
    first = next((said.text for said in talk.turns if said.role == "person"), "")
    return Facts(
        file=file,
        line=line,
        talk=talk.model_copy(update={"turns": []}),
        pairs=pairs_of(talk),
        person=_words(talk, "person"),
        supporter=_words(talk, "supporter"),
        language=_language(talk),
        text=digest(plain(text)),
        opening=digest(plain(first)) if len(first.split()) >= OPENING else 0,
        sketch=sketch(text) if compared else b"",
    )


def pairs_of(talk: Talk) -> int:
    """How often the supporter answers the person in a conversation."""
    roles = itertools.pairwise(said.role for said in talk.turns)
    return sum(before == "person" and after == "supporter" for before, after in roles)


def _language(talk: Talk) -> str:
    from sanad_data.language import UNKNOWN, language

    roles = ("person", "supporter")
    texts = (" ".join(s.text for s in talk.turns if s.role == role) for role in roles)
    return "+".join(sorted({*map(language, texts)} - {UNKNOWN})) or UNKNOWN


def _words(talk: Talk, role: str) -> tuple[int, ...]:
    return tuple(len(said.text.split()) for said in talk.turns if said.role == role)


@dataclass(slots=True)
class Rows:
    """What conversations are compared by: some 450 bytes for each, so that millions fit."""

    files: array[int] = field(default_factory=lambda: array("I"))
    lines: array[int] = field(default_factory=lambda: array("Q"))
    ids: array[int] = field(default_factory=lambda: array("Q"))
    groups: array[int] = field(default_factory=lambda: array("Q"))
    texts: array[int] = field(default_factory=lambda: array("Q"))
    openings: array[int] = field(default_factory=lambda: array("Q"))
    conditions: array[int] = field(default_factory=lambda: array("L"))
    sketches: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        return len(self.files)

    def add(self, known: Facts, talk: Talk) -> None:
        """One more, after the others.

        Args:
            known: what is known of it.
            talk: the conversation.
        """
        from sanad_data.alike import digest

        self.files.append(known.file)
        self.lines.append(known.line)
        self.ids.append(digest(talk.id))
        self.groups.append(digest(talk.group))
        self.texts.append(known.text)
        self.openings.append(known.opening)
        self.conditions.append(sum(1 << _PLACES[name] for name in {*talk.conditions}))
        self.sketches += known.sketch

    def conditions_of(self, row: int) -> tuple[str, ...]:
        """The conditions that a row names, in the order of Sanad's list."""
        named = self.conditions[row]
        return tuple(name for name, place in _PLACES.items() if named >> place & 1)

    def alike(self) -> dict[str, Pairs]:
        """Pairs of rows, by what they have in common."""
        from sanad_data.alike import near, same

        return {
            "a person or thread": same(self.groups),
            "the whole text": same(self.texts),
            "the opening message": same(self.openings),
            "nearly all of the text": near(self.texts, self.sketches),
        }
