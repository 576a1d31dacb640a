"""Conversations to read in a terminal: one by its id, or a sample."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_data.talks import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console
    from rich.text import Text

    from sanad_data.talks import Said, Talk

__all__ = ["named", "print_talk", "sample"]

WIDTH = 90
# What a terminal obeys rather than shows; a text from elsewhere may hold any of it.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def named(path: Path, ident: str) -> Talk:
    """The conversation of an id; wrong lines before it are passed over.

    Args:
        path: the file.
        ident: its id.

    Raises:
        ContentError: the file cannot be read, or holds none of that id.
    """
    wrong: list[Problem] = []
    found = next((talk for talk in _talks(path, wrong) if talk.id == ident), None)
    if found is None:
        lines = f"; {len(wrong):,} of its lines are no conversation" if wrong else ""
        message = f"holds no conversation '{ident}'{lines}; see ids with 'sanad data show {path}'"
        raise ContentError.about(path, message)
    return found


def sample(
    path: Path, count: int, seed: int, condition: str | None = None
) -> tuple[list[Talk], list[Problem]]:
    """Some conversations of a file, in its order, each as likely as any other.

    Args:
        path: the file, which may be larger than the memory.
        count: how many.
        seed: the same seed and file give the same ones.
        condition: only conversations that name it.

    Returns:
        The conversations, and what is wrong with lines that are none.

    Raises:
        ContentError: the file cannot be read.
    """
    wrong: list[Problem] = []
    chance = Random(seed)
    kept: list[tuple[int, Talk]] = []
    talks = (t for t in _talks(path, wrong) if condition is None or condition in t.conditions)
    for number, talk in enumerate(talks):
        if number < count:
            kept.append((number, talk))
        elif (place := chance.randint(0, number)) < count:
            kept[place] = (number, talk)
    return [talk for _, talk in sorted(kept, key=lambda item: item[0])], wrong


def _talks(path: Path, wrong: list[Problem]) -> Iterator[Talk]:
    """The conversations of a file; what is wrong with other lines goes to `wrong`."""
    try:
        for line in parsed(path):
            if line.talk is not None:
                yield line.talk
            else:
                wrong.append(
                    Problem(file=str(path), line=line.number, column=1, message=line.problem)
                )
    except OSError as err:
        raise ContentError.about(path, f"cannot be read: {err.strerror}") from None


def print_talk(console: Console, talk: Talk) -> None:
    """Print a conversation.

    Args:
        console: where to.
        talk: the conversation.
    """
    from rich.rule import Rule
    from rich.text import Text

    console.print(Rule(Text(_shown(talk.id), style="bold"), align="left", style="dim"))
    console.print(Text(" · ".join(_about(talk)), style="dim"))
    for said in talk.turns:
        console.print(_turn(said))
    console.print()


def _about(talk: Talk) -> Iterator[str]:
    yield _shown(talk.source)
    yield _shown(talk.licence) or "licence not known"
    if talk.topic:
        yield _shown(talk.topic)
    if talk.conditions:
        yield ", ".join(talk.conditions)
    for name, value in talk.labels.items():
        yield _shown(f"{name}: {value}")
    if talk.group:
        yield f"group {_shown(talk.group)}"
    yield f"read by {_shown(', '.join(talk.reviewed_by))}" if talk.reviewed_by else "not reviewed"
    if talk.crisis is not None:
        yield "crisis" if talk.crisis else "no crisis"


def _turn(said: Said) -> Text:
    from rich.text import Text

    style = "bold cyan" if said.role == "person" else "bold green"
    return Text.assemble("\n", (said.role, style), "\n", _shown(said.text))


def _shown(text: str) -> str:
    return _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n"))
