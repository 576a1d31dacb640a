"""Transcripts: lines that begin with who speaks, in plain text or .docx."""

from __future__ import annotations

import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sanad_core.errors import MissingExtra
from sanad_data.forms.form import Form, Input, alone
from sanad_data.forms.speakers import role_of
from sanad_data.reading.files import (
    NOT_UTF8,
    TOO_LONG,
    check_zip,
    is_text,
    refuse,
    text_lines,
    whole,
)
from sanad_data.records import Draft, Reject, place_in
from sanad_data.talks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from sanad_data.records import Found, Role

__all__ = ["TRANSCRIPT", "Numbered", "has_speakers", "numbered", "talks_of"]

Numbered: TypeAlias = tuple[int, str]

_TIME = r"(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?[\])]?\s*(?:[-–]\s*)?)"
# `Therapist: …`, `[00:12] Client 1: …`, `**T:** …`, `Dr. Smith (10:02): …`
_TURN = re.compile(
    rf"\s*{_TIME}?\**\s*(?P<label>[^\W\d_][\w.'’ #-]{{0,39}}?)\s*{_TIME}?\**\s*[:：]\**"
    r"(?P<gap>\s?)"
)
_NEXT = re.compile(
    r"[-=_*#~]{3,}|(?:session|conversation|transcript|call|chat)\W+[\w-]{1,20}\W*",
    re.IGNORECASE,
)
MOST_BEFORE = 120  # characters of a line in which its label ends
MOST_WORDS = 3  # of a label that is a name


@dataclass(slots=True)
class _Turn:
    """A turn as it is read; its lines are added to it."""

    line: int
    label: str
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is said in it."""
        return "\n".join(self.texts).strip()


def talks_of(
    file: Input, lines: Iterable[Numbered | Reject], *, joined: bool = False
) -> Iterator[Found]:
    """The conversations of lines; a line of dashes or `Session 2` begins another.

    Args:
        file: what the lines are of.
        lines: each with its number; one that is wrong takes its conversation with it.
        joined: whether pieces of one speaker that follow each other are one turn.
    """
    held: list[Numbered] = []
    size, sound = 0, True
    for item in itertools.chain(lines, (None,)):
        if isinstance(item, Reject):
            yield item
            sound = False
        elif item is None or _begins_another(item[1]):
            yield from _talk(file, held, joined=joined, sound=sound)
            held, size, sound = [], 0, True
        elif item[1].strip():
            held.append(item)
            size += len(item[1])
            if size > LONGEST:
                reason = f"is of a conversation that {TOO_LONG}"
                yield from _rejects(file, (number for number, _ in held), reason)
                held = []


def _talk(file: Input, lines: list[Numbered], *, joined: bool, sound: bool) -> Iterator[Found]:
    """One conversation; lines before anybody speaks, such as a title, are left out."""
    speakers = _speakers(text for _, text in lines)
    turns: list[_Turn] = []
    for number, text in lines:
        label, said = _split(text)
        if label.lower() in speakers:
            turns.append(_Turn(number, label.lower(), [said]))
        elif turns:
            turns[-1].texts.append(text.strip())
        else:
            reason = "stands before the first line that names a speaker"
            yield Reject(place=place_in(file.path, number), reason=reason, by_rule=True)
    roles = _roles(speakers)
    problem = "" if sound else "is of a conversation with a line that cannot be read"
    if any(turn.label not in roles for turn in turns):
        problem = "is of a conversation with a speaker who is neither Therapist nor Client"
    if problem:
        yield from _rejects(file, (turn.line for turn in turns), problem)
    elif turns:
        yield _draft(file, turns, roles, joined)


def _draft(file: Input, turns: list[_Turn], roles: dict[str, Role], joined: bool) -> Draft:
    said: list[tuple[Role, str]] = []
    label = ""
    for turn in turns:
        if joined and turn.label == label:
            said[-1] = (said[-1][0], f"{said[-1][1]} {turn.text}".strip())
        else:
            said.append((roles[turn.label], turn.text))
        label = turn.label
    places = tuple(place_in(file.path, turn.line) for turn in turns)
    return Draft(places=places, turns=tuple(said))


def _begins_another(text: str) -> bool:
    """Whether a line stands between two conversations."""
    text = text.strip()
    return len(text) <= MOST_BEFORE and bool(_NEXT.fullmatch(text))


def _split(text: str) -> tuple[str, str]:
    """A line's label and the rest; the label is empty where there is none."""
    found = _TURN.match(text[:MOST_BEFORE])
    return (found["label"].strip(), text[found.end() :].strip()) if found else ("", "")


def _speakers(texts: Iterable[str]) -> Counter[str]:
    """The labels of speakers: known ones, and names that stand there like one.

    Where both sides are known, a name that begins one line only is taken for text, as in
    `Note: …`.
    """
    found: Counter[str] = Counter()
    for text in texts:
        label, _ = _split(text)
        if label and (role_of(label) or _like_a_name(text)):
            found[label.lower()] += 1
    if len({role_of(label) for label in found} - {None}) == 2:
        return Counter({label: n for label, n in found.items() if n > 1 or role_of(label)})
    return found


def _like_a_name(text: str) -> bool:
    """Whether a line's label is a few words in capitals, and not part of a time or an address."""
    found = _TURN.match(text[:MOST_BEFORE])
    if found is None or not (found["gap"] or text[found.end() :].strip() == ""):
        return False
    words = found["label"].split()
    return len(words) <= MOST_WORDS and not any(word[0].islower() for word in words)


def _roles(speakers: Counter[str]) -> dict[str, Role]:
    """Who is who; of two speakers, one whose label says nothing is the other one."""
    known = {label: role for label in speakers if (role := role_of(label)) is not None}
    unknown = [label for label in speakers if label not in known]
    sides = {*known.values()}
    if len(unknown) == 1 and len(sides) == 1:
        known[unknown[0]] = "supporter" if "person" in sides else "person"
    return known


def _rejects(file: Input, lines: Iterable[int], reason: str) -> Iterator[Reject]:
    for number in lines:
        yield Reject(place=place_in(file.path, number), reason=reason)


def has_speakers(text: str) -> bool:
    """Whether at least two lines of a text begin with a label that is known."""
    return sum(role_of(_split(line)[0]) is not None for line in text.splitlines()) > 1


def numbered(file: Input) -> Iterator[Numbered | Reject]:
    """The lines of a file of text, each with its number."""
    for line in text_lines(file.path):
        problem = line.problem or ("" if is_text(line.text) else NOT_UTF8)
        if problem:
            yield Reject(place=place_in(file.path, line.number), reason=problem)
        else:
            yield line.number, line.text


def _read(file: Input) -> Iterator[Found]:
    yield from talks_of(file, _paragraphs(file) if file.kind == "docx" else numbered(file))


def _paragraphs(file: Input) -> Iterator[Numbered]:
    """The paragraphs of a .docx, and the rows of its tables, each with its number."""
    try:
        import docx
    except ImportError:
        raise MissingExtra("data import", "data") from None
    raw = whole(file.path)
    check_zip(file.path, raw)
    try:
        blocks = list(docx.Document(io.BytesIO(raw)).iter_inner_content())
        texts = [text for block in blocks for text in _texts(block)]
    except Exception:  # what is no document may break its reader in any way
        refuse(file.path, "is no .docx that can be read; save it anew, or as .txt")
    for number, text in enumerate(texts, start=1):
        for line in text.splitlines():
            yield number, line


def _texts(block: Any) -> list[str]:
    """The text of a paragraph, or of each row of a table: who speaks, and what."""
    if hasattr(block, "rows"):
        return [_row([cell.text.strip() for cell in row.cells]) for row in block.rows]
    return [block.text]


def _row(cells: list[str]) -> str:
    spoken = list(itertools.dropwhile(lambda cell: not re.search(r"[^\W\d_]", cell), cells))
    if len(spoken) < 2:
        return "".join(spoken)
    return f"{spoken[0].rstrip(': ')}: {' '.join(spoken[1:])}"


TRANSCRIPT = Form(
    name="transcript",
    title="a transcript: .txt or .docx whose lines begin with Therapist: or Client:",
    kinds=frozenset({"text", "markdown", "docx"}),
    read=alone(_read),
    fits=lambda file: file.kind == "docx" or has_speakers(file.text),
)
