"""Chooses a supportive text by what the person says and what the detectors found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.render import used_scripts
from sanad_core.replies import (
    Reviewer,
    Script,
    Variant,
    next_script,
    scripts_of,
    text_problems,
)
from sanad_core.schema import Name, Strict, validate
from sanad_core.types import Draft
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn

__all__ = ["TEXTS", "Rules", "RulesFile"]

TEXTS = Path(__file__).parent / "texts"
SHORT = 4  # words; a greeting in a longer message is not what the message is about
READ = 4000  # characters that are looked at for cues
_NOT_WORDS = re.compile(r"[^\w]+")


class TextModel(Strict):
    """Wordings for one occasion."""

    key: Name
    cues: list[str] = Field(default_factory=list, description="words that call for it")
    short: bool = Field(False, description="only where the message has at most four words")
    conditions: list[Name] = Field(default_factory=list, description="signals that call for it")
    variants: list[Variant] = Field(min_length=1)


class RulesFile(Strict):
    """Texts in one language; the first occasion that fits is taken, the last one always fits."""

    rules: Literal[1]
    locale: Name
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    texts: list[TextModel] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _Occasion:
    key: str
    cues: tuple[str, ...]
    short: bool
    conditions: frozenset[str]
    variants: tuple[Script, ...]

    def fits(self, words: str, count: int, found: frozenset[str]) -> bool:
        """Whether the message, as ` word word `, or the signals found call for it."""
        if self.conditions & found:
            return True
        if self.short and count > SHORT:
            return False
        return any(cue in words for cue in self.cues)


class Rules:
    """Answers from texts.

    Args:
        texts: a folder with `<locale>.yml`, relative to the policy; None: those that come with it.
    """

    def __init__(self, texts: str | None = None) -> None:
        self._folder = texts
        self._languages: dict[str, tuple[_Occasion, ...]] = {}

    def warm(self, setting: Setting) -> None:
        """Read the texts of the policy's languages.

        Raises:
            ContentError: a file is wrong, or a language has none.
        """
        own = [(setting.folder or Path()) / self._folder] if self._folder else []
        for locale in setting.locales:
            self._languages[locale] = _read(locale, [*own, TEXTS])

    def respond(self, turn: Turn, context: Context) -> Draft:
        """A supportive text, not said before while others are left."""
        occasions = self._languages[context.locale]
        words = _NOT_WORDS.sub(" ", turn.text[:READ].lower()).split()
        message = f" {' '.join(words)} "
        found = frozenset(s.label for s in context.assessment.signals if s.kind == "condition")
        fitting = (o for o in occasions if o.fits(message, len(words), found))
        occasion = next(fitting, occasions[-1])
        script = next_script(occasion.variants, used_scripts(context.conversation))
        return Draft(text=script.text, scripts=(script.id,))


def _read(locale: str, folders: Iterable[Path]) -> tuple[_Occasion, ...]:
    looked = list(folders)
    for folder in looked:
        path = folder / f"{locale}.yml"
        if path.is_file():
            return _compiled(path)
    message = f"the rules responder has no texts for the language '{locale}'"
    raise ContentError([Problem(file=str(looked[-1] / f"{locale}.yml"), message=message)])


def _compiled(path: Path) -> tuple[_Occasion, ...]:
    file = read_yaml(path, ContentError)
    content, problems = validate(file, RulesFile)
    if content is not None:
        problems = text_problems(file, content.texts)
    if content is None or problems:
        raise ContentError(problems)
    return tuple(
        _Occasion(
            key=text.key,
            cues=tuple(
                f" {' '.join(_NOT_WORDS.sub(' ', cue.lower()).split())} " for cue in text.cues
            ),
            short=text.short,
            conditions=frozenset(text.conditions),
            variants=scripts_of(text),
        )
        for text in content.texts
    )
