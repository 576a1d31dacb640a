"""The persona file: what a model is told to be, read strictly and linted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sanad_core.errors import ContentError
from sanad_core.replies import Reviewer
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.problems import Problem
    from sanad_core.yamlfile import YamlFile

__all__ = ["PACKAGED", "Notes", "Persona", "chosen_persona", "read_persona"]

PACKAGED = Path(__file__).parent / "default.yml"
# Titles that only licensed people may bear; several places forbid a chatbot to use them.
_TITLE = re.compile(
    r"\b(?:psycho)?therapists?\b|\bcounsell?ors?\b|\bdoctors?\b|\bphysicians?\b|\bpsychologists?\b"
    r"|\bpsychiatrists?\b|\bclinicians?\b|\bnurses?\b|\bsocial workers?\b|\bDr\.",
    re.IGNORECASE,
)
# A title may be denied ("not a therapist") or be somebody else's ("their doctor").
_OTHERS = re.compile(
    r"(?:\b(?:not?|never|nor|without|isn't|aren't|their|your|to|by|with|for)\b(?:\s+\w+){0,3}\s*)$",
    re.IGNORECASE,
)


class Notes(Strict):
    """What is told about a turn."""

    heading: str = Field(min_length=1, description="stands before what was noticed")
    language: str = Field(description="the order to answer in {language}")
    languages: dict[str, str] = Field(default_factory=dict, description="a locale's name")
    signals: dict[str, str] = Field(
        default_factory=dict, description="`KIND LABEL`: what the model is told of it"
    )


class Persona(Strict):
    """A persona.

    Args:
        persona: version of this format.
        reviewed_by: professionals who read it.
        source: where the wording is from.
        name: what the bot calls itself.
        text: the instructions; `{name}` stands for the name.
        notes: what is told about a turn.
    """

    persona: Literal[1]
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    name: str = Field(min_length=1)
    text: str = Field(min_length=1)
    notes: Notes


def read_persona(path: Path = PACKAGED, *, titles: bool = False) -> Persona:
    """Read a persona.

    Args:
        path: the file.
        titles: whether it may call the bot a therapist, counsellor or doctor.

    Raises:
        ContentError: it cannot be read, is wrong, or takes a title that it may not.
    """
    file = read_yaml(path, ContentError)
    persona, problems = validate(file, Persona)
    if persona is not None and not titles:
        problems = list(_titles(file, persona))
    if persona is None or problems:
        raise ContentError(problems)
    return persona


def chosen_persona(name: str | None, folder: Path | None, *, titles: bool) -> Persona:
    """The persona that a responder's options choose; see `read_persona`.

    Args:
        name: a file, relative to the policy; None: the packaged one.
        folder: of the policy.
        titles: as for `read_persona`.
    """
    path = PACKAGED if name is None else (folder or Path()) / name
    return read_persona(path, titles=titles)


def _titles(file: YamlFile, persona: Persona) -> Iterator[Problem]:
    for key, text in (("name", persona.name), ("text", persona.text)):
        for found in _TITLE.finditer(text):
            if not _OTHERS.search(text[: found.start()]):
                message = (
                    f"a bot must not be called '{found[0]}', which is a licensed person's title; "
                    "write what it is not, or set 'allow_titles: true' where the law lets you"
                )
                yield file.problem((key,), message)
                break
