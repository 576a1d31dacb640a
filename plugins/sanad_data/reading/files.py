"""Files as bytes and lines: unpacked where they are zstd, and no line longer than memory holds."""

from __future__ import annotations

import io
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from sanad_core.errors import ContentError, MissingExtra
from sanad_core.problems import Problem
from sanad_data.talks import LONGEST, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, NoReturn

__all__ = [
    "NOT_UTF8",
    "TOO_LONG",
    "TextLine",
    "check_zip",
    "head",
    "is_text",
    "refuse",
    "suffix",
    "text_lines",
    "unpacked",
    "whole",
]

HEAD = 64 * 1024  # bytes that are looked at to know what a file is
# Reddit's dumps are packed with windows of 2 GiB, and cannot be unpacked with less.
WINDOW_LOG = 31
MOST_UNPACKED = 256 * 1024 * 1024  # bytes of all that is in a .docx
TOO_LONG = f"is longer than {LONGEST // 1024 // 1024} MiB"
NOT_UTF8 = "is not UTF-8"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ASTRAY = re.compile("[\ud800-\udfff]")
_PIECE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")  # old Macs, and tools like them, end lines by CR


class TextLine(NamedTuple):
    """A line of text.

    Args:
        number: 1-based.
        text: with its end; bytes that are not UTF-8 are lone surrogates.
        problem: why there is no text; empty: there is.
    """

    number: int
    text: str
    problem: str = ""


def refuse(path: Path, message: str, *, line: int = 0, column: int = 1) -> NoReturn:
    """Say that a file cannot be taken.

    Raises:
        ContentError: always.
    """
    column = column if line else 0
    raise ContentError([Problem(file=str(path), line=line, column=column, message=message)])


def suffix(path: Path) -> str:
    """The ending of a file's name in lower case, that of what is packed in it for `.zst`."""
    return Path(path.stem if path.suffix.lower() in (".zst", ".zstd") else path.name).suffix.lower()


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """A file opened for reading.

    Raises:
        ContentError: it cannot be read, or its packing is broken.
        MissingExtra: it is zstd, and nothing is installed that reads that.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(4) == _ZSTD
            if not packed:
                file.seek(0)
                yield file
    except OSError as err:
        refuse(path, f"cannot be read: {err.strerror or type(err).__name__}")
    if packed:
        with _zstd(path) as unpacking:
            yield unpacking


@contextmanager
def _zstd(path: Path) -> Iterator[BinaryIO]:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise MissingExtra("data import", "data") from None
    options = {int(zstd.DecompressionParameter.window_log_max): WINDOW_LOG}
    try:
        with zstd.ZstdFile(path, options=options) as file:
            yield cast("BinaryIO", file)
    except EOFError:
        refuse(path, "is cut off: its zstd data do not come to their end; fetch it again")
    except zstd.ZstdError:
        refuse(path, "its zstd data are broken; fetch it again")


def head(path: Path) -> bytes:
    """The first bytes of a file, unpacked."""
    with unpacked(path) as file:
        return file.read(HEAD)


def text_lines(path: Path) -> Iterator[TextLine]:
    r"""The lines of a file; each of `\n`, `\r\n` and `\r` ends one."""
    number = 0
    with unpacked(path) as file:
        for _, raw in lines_of(file):
            if raw is None:
                number += 1
                yield TextLine(number, "", TOO_LONG)
                continue
            for piece in _pieces(raw):
                number += 1
                yield TextLine(number, piece.decode("utf-8", "surrogateescape"))


def is_text(text: str) -> bool:
    """Whether all of a line's bytes were UTF-8."""
    return text.isascii() or not _ASTRAY.search(text)


def whole(path: Path, most: int | None = None) -> bytes:
    """All of a document, which no reader takes in parts.

    Args:
        path: the file.
        most: bytes that it may have; None: as many as a .docx may hold.

    Raises:
        ContentError: it has more.
    """
    most = MOST_UNPACKED if most is None else most
    with unpacked(path) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        refuse(path, f"is larger than {most // 1024 // 1024} MiB; cut it up")
    return raw


def check_zip(path: Path, raw: bytes) -> None:
    """See that what is packed in a .docx can be held in memory.

    Raises:
        ContentError: it cannot, or it is no such file.
    """
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        refuse(path, "is no .docx that can be read; save it anew, or as .txt")
    if size > MOST_UNPACKED:
        refuse(path, f"unpacks to more than {MOST_UNPACKED // 1024 // 1024} MiB; save it as .txt")


def _pieces(raw: bytes) -> Iterable[bytes]:
    if b"\r" not in raw:
        return (raw,)
    return (found[0] for found in _PIECE.finditer(raw) if found[0])
