"""One form for all conversations: a JSON object a line, read strictly, written whole."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, model_validator

from sanad_core.errors import UsageError
from sanad_core.problems import one_of
from sanad_core.schema import Strict, first_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, TextIO

__all__ = [
    "LONGEST",
    "Line",
    "Said",
    "Talk",
    "check_out",
    "lines",
    "lines_of",
    "parsed",
    "parsed_line",
    "written",
    "wrong_in",
]

LONGEST = 16 * 1024 * 1024  # bytes of one line; a longer one is no conversation
PART = ".part"  # what is being written; only a whole file gets the name that was asked for


class Said(Strict):
    """One turn."""

    role: Literal["person", "supporter"]
    text: str = Field(min_length=1)


class Talk(Strict):
    """A conversation to learn from.

    Args:
        id: unique in its file; the same input gives the same id.
        turns: who said what, in order.
        source: where it is from: the name of a data set, a file, a forum.
        licence: under which it may be used; empty: not known.
        topic: what it is about, as its source says.
        conditions: states of mind that it is about, of Sanad's list.
        group: whose it is: a person's or a thread's; all of a group stays in one split.
        reviewed_by: professionals who read it.
        crisis: whether somebody is in danger in it; null: nobody looked.
        labels: what the source says of the person's text, such as `stress: "1"`.
    """

    id: str = Field(min_length=1)
    turns: list[Said] = Field(min_length=1)
    source: str = Field(min_length=1)
    licence: str = ""
    topic: str = ""
    conditions: list[str] = Field(default_factory=list)
    group: str = ""
    reviewed_by: list[str] = Field(default_factory=list)
    crisis: bool | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Talk:
        from sanad_core.risk import CONDITIONS

        unknown = [name for name in self.conditions if name not in CONDITIONS]
        if unknown:
            raise ValueError(f"a condition is not known; known are {', '.join(CONDITIONS)}")
        return self

    def line(self) -> str:
        """Itself as a line of JSON, its defaults left out."""
        return self.model_dump_json(exclude_defaults=True)


# Whatever stands in a conversation may be somebody's words or name: no message quotes any of it.
SECRET = tuple(Talk.model_fields)


def wrong_in(err: ValidationError) -> str:
    """What is wrong with a conversation, in one line that quotes neither its values nor its keys.

    Args:
        err: what reading it as a `Talk` raised.
    """
    detail = err.errors(include_url=False)[0]
    where = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        place = ".".join(where[:-1])
        valid = sorted((Said if place else Talk).model_fields)
        return f"{f'{place}: ' * bool(place)}there is an unknown key; valid: {one_of(valid)}"
    said = first_error(err, Talk, secret=SECRET)
    if where[:1] == ["labels"]:
        return f"labels: {said.removeprefix('.'.join(where) + ': ')}"
    return said


class Line(Strict):
    """A line of a file that was read: a conversation, or what is wrong with it."""

    number: int
    talk: Talk | None = None
    problem: str = ""


def lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file, however large, each with its number; None for one that is too long.

    Args:
        path: the file.
    """
    with path.open("rb") as file:
        yield from lines_of(file)


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file that is open, as `lines` gives them; the mark of UTF-8 is left out."""
    number = 0
    while raw := file.readline(LONGEST + 1):
        number += 1
        if len(raw) > LONGEST and not raw.endswith(b"\n"):
            while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, raw.removeprefix(BOM_UTF8) if number == 1 else raw


def parsed(path: Path) -> Iterator[Line]:
    """The conversations of a file in this form; a wrong line says what is wrong, not its text."""
    for number, raw in lines(path):
        line = parsed_line(number, raw)
        if line is not None:
            yield line


def parsed_line(number: int, raw: bytes | None) -> Line | None:
    """One line, as `lines` gives it and `parsed` reads it; None for an empty one."""
    if raw is None:
        return Line(number=number, problem=f"is longer than {LONGEST} bytes")
    if not raw.strip():
        return None
    try:
        return Line(number=number, talk=Talk.model_validate_json(raw))
    except ValidationError as err:
        return Line(number=number, problem=wrong_in(err))


def check_out(out: Path, files: Iterable[Path], *beside: Path) -> None:
    """See that what a command writes takes the place of nothing that it reads.

    Args:
        out: its output.
        files: what it reads.
        beside: what else it writes.

    Raises:
        UsageError: the output is a folder, or one of the files would be written over.
    """
    if out.is_dir():
        raise UsageError(f"--out takes the name of a file, and '{out}' is a folder")
    outs = {path.resolve() for path in (out, *beside)}
    for path in files:
        if path.resolve() in outs:
            raise UsageError(f"--out '{out}' would write over '{path}', which is read")


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """A file to write; it gets its name when it is whole, so a killed run leaves no half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
