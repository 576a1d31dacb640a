"""Which form a file is of: told by its first bytes, its ending, and its columns or first object."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sanad_core.errors import UsageError
from sanad_core.problems import one_of
from sanad_data.forms import FORMS
from sanad_data.forms.form import Form, Input, Kind
from sanad_data.reading.documents import outline
from sanad_data.reading.files import head, refuse, suffix
from sanad_data.reading.tables import header, missing, objects, showable
from sanad_data.records import Reject

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["as_form", "form_of", "look"]

_PLAIN: tuple[Kind, ...] = ("table", "text", "markdown", "subtitles")
_LOOKED_AT = 20  # lines of which one may be a first object
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_JSON = re.compile(rb"\[?\s*\{\s*[\"}]")
_SUBTITLES = re.compile(rb"WEBVTT|\d{1,9}[ \t]*\r?\n\d+:\d\d:\d\d[,.]\d+\s*-->")
_KINDS: dict[str, Kind] = {
    ".csv": "table", ".tsv": "table", ".md": "markdown", ".markdown": "markdown",
    ".srt": "subtitles", ".vtt": "subtitles", ".txt": "text", ".json": "json",
    ".jsonl": "lines", ".ndjson": "lines",
}  # fmt: skip


def look(path: Path) -> Input:
    """A file with what its beginning tells.

    Raises:
        UsageError: there is no such file.
        ContentError: it is empty, is not text, or breaks off at once.
    """
    if not path.exists():
        raise UsageError(f"'{path}' is not there")
    if not path.is_file():
        raise UsageError(f"'{path}' is no file; name the files that are in it")
    begin = head(path)
    if not begin.strip():
        refuse(path, "is empty")
    kind = _kind(path, begin.removeprefix(codecs.BOM_UTF8).lstrip())
    if kind == "table":
        return Input(path=path, kind=kind, columns=header(path))
    if kind in ("lines", "json"):
        first, kind = _first(path, kind)
        return Input(path=path, kind=kind, columns=tuple(first), first=first)
    text = begin.decode("utf-8", "replace") if kind in ("text", "markdown") else ""
    return Input(path=path, kind=kind, text=text)


def _kind(path: Path, begin: bytes) -> Kind:
    if begin.startswith(b"%PDF-"):
        return "pdf"
    if begin.startswith(b"PK\x03\x04") and suffix(path) == ".docx":
        return "docx"
    if begin.startswith(_WIDE):
        refuse(path, "is UTF-16 or UTF-32; save it as UTF-8")
    if b"\0" in begin:
        refuse(path, "is no text, PDF or .docx")
    if _SUBTITLES.match(begin):
        return "subtitles"
    known = _KINDS.get(suffix(path))
    if known in ("lines", "table", "markdown"):
        return known
    if _JSON.match(begin):
        return "json"
    return known or ("table" if _is_table(begin) else "text")


def _is_table(begin: bytes) -> bool:
    """Whether the first line of a file without an ending looks like names of columns."""
    first = begin.splitlines()[0].decode("utf-8", "replace")
    return bool(re.fullmatch(r"[\w .\"-]{1,30}(?:[,;\t][\w .\"-]{1,30}){1,}", first))


def _first(path: Path, kind: Kind) -> tuple[dict[str, Any], Kind]:
    """The first object of a file, and whether its objects are one a line."""
    first: dict[str, Any] | None = None
    for at, found in enumerate(objects(path)):
        first = None if isinstance(found, Reject) else found[1]
        if first is not None or at >= _LOOKED_AT or kind == "json":
            break
    if kind == "json" and first is None:
        return outline(path), kind
    return first or {}, "lines"


def form_of(file: Input) -> Form:
    """The form of a file.

    Raises:
        UsageError: it may be of several.
        ContentError: it is of none.
    """
    fitting = [form for form in FORMS.values() if file.kind in form.kinds and form.fits(file)]
    if len(fitting) > 1:
        names = one_of([form.name for form in fitting])
        raise UsageError(f"'{file.path}' may be of several forms; say --form {names}")
    if not fitting:
        said = f"is of no form that is known{showable(file.columns)}{_nearest(file)}"
        line = 1 if file.columns else 0
        refuse(file.path, f"{said}; say which with --form: {', '.join(FORMS)}", line=line)
    return fitting[0]


def _nearest(file: Input) -> str:
    """What the nearest form asks for that the file has not."""
    lacking = {
        form.name: missing(form.needs, file.columns)
        for form in FORMS.values()
        if file.kind in form.kinds and len(missing(form.needs, file.columns)) < len(form.needs)
    }
    if not lacking:
        return ""
    name = min(lacking, key=lambda name: len(lacking[name]) / len(FORMS[name].needs))
    return f"; for '{name}' it lacks {', '.join(lacking[name])}"


def as_form(file: Input, form: Form) -> Input:
    """A file read as a form that was asked for.

    Raises:
        ContentError: its bytes cannot be read so.
    """
    if file.kind in form.kinds:
        return file
    kind = next((kind for kind in _PLAIN if kind in form.kinds), None)
    if file.kind not in _PLAIN or kind is None:
        refuse(file.path, f"cannot be read as '{form.name}', which is {form.title}")
    return replace(file, kind=kind)
