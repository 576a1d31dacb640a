"""What a model learns from: each supporter's turn, after what was said before it."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_data.talks import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sanad_data.talks import Talk

__all__ = ["TEMPLATE", "check_lines", "digest_of", "examples", "read_talks"]

# For a model that brings no template of its own: the script that the in-process responder writes
# down for such models, so that what is learned is what is asked.
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'Person: ' + message['content'] + '\n' }}"
    "{% else %}{{ 'Supporter: ' + message['content'] + eos_token + '\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Supporter:' }}{% endif %}"
)
MOST_PROBLEMS = 20


def read_talks(path: Path, most: int | None = None) -> list[Talk]:
    """The conversations of a file.

    Args:
        path: the file.
        most: how many are read; None: all.

    Raises:
        ContentError: it cannot be read, lines are wrong, or it holds none.
    """
    try:
        found = list(islice(parsed(path), most))
    except OSError as err:
        raise ContentError.about(path, f"cannot be read: {err.strerror}") from None
    check_lines(path, [(line.number, line.problem) for line in found if line.talk is None])
    if not found:
        raise ContentError.about(path, "holds no conversation; make it with 'sanad data import'")
    return [line.talk for line in found if line.talk is not None]


def check_lines(path: Path, wrong: Sequence[tuple[int, str]]) -> None:
    """Name the first wrong lines of a file.

    Args:
        path: the file.
        wrong: their numbers, and what is wrong with each.

    Raises:
        ContentError: there are any.
    """
    if wrong:
        problems = (Problem(file=str(path), line=n, message=said) for n, said in wrong)
        raise ContentError(list(islice(problems, MOST_PROBLEMS)))


def examples(talks: Iterable[Talk], system: str = "") -> Iterator[dict[str, Any]]:
    """One example for each supporter's turn: the prompt, and what the supporter said.

    Args:
        talks: conversations.
        system: what the model is told first; empty: nothing.
    """
    for talk in talks:
        told = [{"role": "system", "content": system}] if system else []
        for said in talk.turns:
            role = "user" if said.role == "person" else "assistant"
            if role == "assistant" and told and told[-1]["role"] == "user":
                answer = [{"role": role, "content": said.text}]
                yield {"prompt": list(told), "completion": answer}
            if told and told[-1]["role"] == role:
                told[-1] = {"role": role, "content": f"{told[-1]['content']}\n{said.text}"}
            elif role == "user" or len(told) > bool(system):
                told.append({"role": role, "content": said.text})


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
