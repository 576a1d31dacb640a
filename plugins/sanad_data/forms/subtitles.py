"""Subtitles of recorded sessions: .srt and .vtt whose pieces say who speaks."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from sanad_data.forms.form import Form, Input, alone
from sanad_data.forms.transcripts import numbered, talks_of
from sanad_data.records import Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.forms.transcripts import Numbered
    from sanad_data.records import Found

__all__ = ["SUBTITLES"]

_VOICE = re.compile(r"<v(?:\.[\w.-]{1,50})?\s([^>]{1,80})>")
_TAG = re.compile(r"</?[a-zA-Z][^>]{0,80}>|<[\d:.]{1,20}>|\{\\[^}]{0,80}\}")


def _read(file: Input) -> Iterator[Found]:
    yield from talks_of(file, _said(file), joined=True)


def _said(file: Input) -> Iterator[Numbered | Reject]:
    """What is said: the lines that follow a line of times, up to an empty one."""
    inside = False
    for item in numbered(file):
        if isinstance(item, Reject):
            yield item
        elif "-->" in item[1]:
            inside = True
        elif not item[1].strip():
            inside = False
        elif inside:
            yield item[0], _plain(item[1])


def _plain(text: str) -> str:
    """A line without its marks; a voice stands before it as a speaker does."""
    return html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", text)))


SUBTITLES = Form(
    name="subtitles",
    title="subtitles: .srt or .vtt whose pieces begin with Therapist: or <v Therapist>",
    kinds=frozenset({"subtitles"}),
    read=alone(_read),
    fits=lambda file: True,
)
