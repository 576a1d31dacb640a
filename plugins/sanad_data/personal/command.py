"""`sanad data scrub`: personal data out of texts and conversations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.personal.scrubber import Scrubber
    from sanad_data.talks import Talk

__all__ = ["command"]

_FORM = 'write {"id": "…", "text": "…"}, or a conversation of `sanad data import`'


@click.command(
    "scrub", epilog="""Example: echo '{"text": "I am Ann, 0161 496 0218"}' | sanad data scrub -"""
)
@click.argument("file", default="-", metavar="[FILE or -]")
@click.pass_context
def command(ctx: click.Context, file: str) -> None:
    """Put personal data of FILE, or of standard input, under pseudonyms such as [PERSON_1].

    JSON lines in: {"id"?, "text"}. JSON lines out, in order: {"id", "text", "spans": [{"start",
    "end", "type"}]}, offsets in code points of the input, ends exclusive. Types: PERSON, PHONE,
    EMAIL, ADDRESS, ID, DOB, AGE, URL, HANDLE, ORG, MRN, BANK, IP, GEO.

    A line may be a conversation of `sanad data import` instead: it comes out as one, and a person
    has the same pseudonym in all of its turns, its topic, its source and the values of its labels;
    its id and its group stay. Nothing is found with certainty: read a sample
    before you give data away. A row that is neither is named on standard error, comes out without
    text, and makes the exit code 1.
    """
    import gc

    from sanad_core.cli.open import open_input
    from sanad_core.cli.progress import progress
    from sanad_core.cli.rows import write
    from sanad_data.personal.scrubber import Scrubber

    gc.enable()
    bad = 0
    with open_input(file) as stream:
        scrubber = Scrubber()
        with progress("scrubbed", beside_output=True) as advance:
            for row in _rows(stream):
                write(_scrubbed(scrubber, row))
                advance(1)
                if row.bad:
                    bad += 1
                    click.echo(f"{file}:{row.id}: {row.bad}", err=True)
    ctx.exit(1 if bad else 0)


@dataclass(frozen=True, slots=True)
class _Row:
    """A text or a conversation; `bad` says what is wrong with its line."""

    id: str | int
    text: str = ""
    talk: Talk | None = None
    bad: str = ""


def _scrubbed(scrubber: Scrubber, row: _Row) -> dict[str, Any]:
    from sanad_data.personal.hiding import hidden
    from sanad_data.personal.pseudonyms import Pseudonyms

    if row.talk is not None:
        talk, _ = hidden(scrubber, row.talk)
        data: dict[str, Any] = json.loads(talk.line())
        return data
    spans = scrubber.find(row.text)
    return {
        "id": row.id,
        "text": Pseudonyms().scrubbed(row.text, spans),
        "spans": [{"start": s.start, "end": s.end, "type": s.type} for s in spans],
    }


def _rows(stream: BinaryIO) -> Iterator[_Row]:
    from sanad_data.talks import LONGEST, lines_of

    for number, raw in lines_of(stream):
        if raw is None:
            yield _Row(number, bad=f"is longer than {LONGEST} bytes")
        elif raw.strip():
            yield _row(number, raw.decode("utf-8", errors="replace"))


def _row(number: int, line: str) -> _Row:
    from sanad_core.text import clean

    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return _Row(number, bad=f"is not JSON; {_FORM}")
    if isinstance(data, dict) and "turns" in data:
        return _talk(number, line)
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        return _Row(number, bad=f"is not an object with a text in 'text'; {_FORM}")
    given = data.get("id", number)
    if isinstance(given, str):
        return _Row(clean(given), clean(text))
    whole = isinstance(given, int) and not isinstance(given, bool)
    return _Row(given if whole else number, clean(text))


def _talk(number: int, line: str) -> _Row:
    from pydantic import ValidationError

    from sanad_data.talks import Talk, wrong_in

    try:
        talk = Talk.model_validate_json(line)
    except ValidationError as err:
        return _Row(number, bad=wrong_in(err))
    return _Row(talk.id, talk=talk)
