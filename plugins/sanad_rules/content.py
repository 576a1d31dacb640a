"""The responder's texts, exercises and ways of saying back, as their files have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sanad_core.cache import cached
from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.replies import Reviewer, Script, Variant, scripts_of, text_problems
from sanad_core.schema import Name, Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sanad_core.yamlfile import YamlFile

__all__ = ["TEXTS", "Exercise", "Frame", "RulesFile", "SayingBack", "Texts", "load_texts"]

TEXTS = Path(__file__).parent / "texts"
# Without these the responder has nothing to say somewhere.
NEEDED = (
    "reflect/open", "ask/open", "reflect/short", "ask/short", "reflect/long", "ask/long",
    "answer/yes", "answer/no", "answer/unsure", "ask/recall", "ask/better", "ask/worse",
    "ask/after", "after/other", "odd/empty", "odd/huge", "odd/emoji", "odd/nonsense",
    "offer/choose", "offer/declined", "exercise/stopped", "exercise/resume", "exercise/paused",
    "exercise/instead",
)  # fmt: skip


class TextModel(Strict):
    """Wordings for one occasion."""

    key: Name
    variants: list[Variant] = Field(min_length=1)


class StepModel(Strict):
    """One step of an exercise, in one or more wordings."""

    id: Name
    variants: list[str] = Field(min_length=1)


class ExerciseModel(Strict):
    """An exercise, walked through one message at a time."""

    key: Name
    name: str = Field(min_length=1, description="as it is called in a sentence")
    source: str = Field(min_length=1)
    reviewed_by: list[Reviewer] = Field(default_factory=list)
    conditions: list[Name] = Field(default_factory=list, description="signals it fits")
    intents: list[Name] = Field(default_factory=list, description="signals that ask for it")
    steps: list[StepModel] = Field(min_length=1)
    close: list[str] = Field(min_length=1)


class FrameModel(Strict):
    """Clauses that may be said back, and the texts that they are put into."""

    frame: Name = Field(description="the texts: frame/<this>")
    begins: list[str] = Field(min_length=1, description="how such a clause begins")
    then: list[str] = Field(
        default_factory=list, description="the word that must follow; any if empty"
    )


class SayingBackModel(Strict):
    """How the person's own words are said back."""

    how: Literal["turn", "quote"] = "turn"
    swaps: dict[str, str] = Field(
        default_factory=dict, description="a word, and what it turns into"
    )
    openers: list[str] = Field(default_factory=list, description="words dropped from the beginning")
    closers: list[str] = Field(default_factory=list, description="words dropped from the end")
    ends: list[str] = Field(default_factory=list, description="words no clause may end with")
    past: dict[str, str] = Field(
        default_factory=dict, description="how a clause begins, and how when it is recalled later"
    )
    never: list[str] = Field(default_factory=list, description="no clause with one of these")
    times: list[str] = Field(default_factory=list, description="left out when recalled later")
    plans: list[str] = Field(default_factory=list, description="how a plan begins")
    plan: str = Field("", description="how a plan is recalled")
    frames: list[FrameModel] = Field(default_factory=list)


class RulesFile(Strict):
    """A file of the responder, in one language."""

    rules: Literal[1]
    locale: Name
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    texts: list[TextModel] = Field(default_factory=list)
    exercises: list[ExerciseModel] = Field(default_factory=list)
    saying_back: SayingBackModel | None = None
    languages: dict[str, str] = Field(default_factory=dict, description="what languages are called")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """An exercise: steps in several wordings, and what is said after the last."""

    key: str
    name: str
    conditions: frozenset[str]
    intents: frozenset[str]
    steps: tuple[tuple[Script, ...], ...]
    close: tuple[Script, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Clauses that are put into the texts `frame/<name>`; `begins` matches where one starts."""

    name: str
    begins: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SayingBack:
    """How the person's words are said back; docs/clinical-content.md says what each part does."""

    turn: bool
    swaps: Mapping[str, str]
    openers: re.Pattern[str]
    closers: re.Pattern[str]
    ends: re.Pattern[str]
    past: Mapping[str, str]
    never: re.Pattern[str]
    times: re.Pattern[str]
    plans: re.Pattern[str]
    plan: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Everything of one language."""

    scripts: Mapping[str, tuple[Script, ...]]
    exercises: Mapping[str, Exercise]
    saying_back: SayingBack
    languages: Mapping[str, str]

    def of(self, *keys: str) -> tuple[Script, ...]:
        """The wordings of the first of some keys that has any."""
        return next((self.scripts[key] for key in keys if key in self.scripts), ())


def load_texts(locale: str, folders: Iterable[Path]) -> Texts:
    """Read a language.

    Args:
        locale: such as `en`.
        folders: each may have a folder of that name; a text of an earlier one replaces the text
            with the same key of a later one.

    Raises:
        ContentError: with every problem; or no folder has the language.
    """
    looked = [folder / locale for folder in folders]
    files = [path for folder in looked for path in sorted(folder.glob("*.yml"))]
    if not files:
        message = f"the rules responder has no texts for the language '{locale}'"
        raise ContentError([Problem(file=str(looked[-1]), message=message)])
    return cached(Texts, f"rules-{locale}", files, lambda: _read(locale, files))


def _read(locale: str, files: Sequence[Path]) -> Texts:
    models: list[RulesFile] = []
    problems: list[Problem] = []
    for path in files:
        file = read_yaml(path, ContentError)
        model, found = validate(file, RulesFile)
        problems += found
        if model is not None:
            models.append(model)
            problems += text_problems(file, model.texts) + _locale_problems(file, model, locale)
    if problems:
        raise ContentError(problems)
    texts = _texts(models)
    missing = [key for key in NEEDED if key not in texts.scripts]
    if missing:
        message = f"there is no text '{missing[0]}' in the language '{locale}'"
        raise ContentError([Problem(file=str(files[-1].parent), message=message)])
    return texts


def _locale_problems(file: YamlFile, model: RulesFile, locale: str) -> list[Problem]:
    if model.locale == locale:
        return []
    return [file.problem(("locale",), f"must be '{locale}', as the folder's name says")]


def _texts(models: Iterable[RulesFile]) -> Texts:
    scripts: dict[str, tuple[Script, ...]] = {}
    exercises: dict[str, Exercise] = {}
    languages: dict[str, str] = {}
    back: SayingBackModel | None = None
    for model in models:
        for text in model.texts:
            scripts.setdefault(text.key, scripts_of(text))
        for exercise in model.exercises:
            exercises.setdefault(exercise.key, _exercise(exercise))
        languages = model.languages | languages
        back = back or model.saying_back
    return Texts(
        scripts=scripts,
        exercises=exercises,
        saying_back=_saying_back(back or SayingBackModel()),
        languages=languages,
    )


def _exercise(model: ExerciseModel) -> Exercise:
    def scripts(part: str, wordings: Iterable[str]) -> tuple[Script, ...]:
        ids = (f"exercise/{model.key}/{part}#{number}" for number in range(1, 100))
        return tuple(Script(id=i, text=t.strip()) for i, t in zip(ids, wordings, strict=False))

    return Exercise(
        key=model.key,
        name=model.name,
        conditions=frozenset(model.conditions),
        intents=frozenset(model.intents),
        steps=tuple(scripts(step.id, step.variants) for step in model.steps),
        close=scripts("close", model.close),
    )


def _saying_back(model: SayingBackModel) -> SayingBack:
    return SayingBack(
        turn=model.how == "turn",
        swaps=model.swaps,
        openers=re.compile(rf"(?:(?:{_any(model.openers)})[\s,]+)*", re.IGNORECASE),
        closers=re.compile(rf"(?:\s+(?:{_any(model.closers)}))+\Z", re.IGNORECASE),
        ends=re.compile(rf"(?<!\w)(?:{_any(model.ends)})\Z", re.IGNORECASE),
        past=model.past,
        never=_whole(model.never),
        times=re.compile(rf"\s+(?:{_any(model.times)})(?!\w)", re.IGNORECASE),
        plans=re.compile(rf"(?:{_any(model.plans)})\s+(?=\w)", re.IGNORECASE),
        plan=model.plan,
        frames=tuple(
            Frame(
                name=frame.frame,
                begins=re.compile(
                    rf"(?:{_any(frame.begins)})\s+"
                    + (rf"(?:{_any(frame.then)})(?!\w)" if frame.then else r"(?=\w)"),
                    re.IGNORECASE,
                ),
            )
            for frame in model.frames
        ),
    )


def _any(phrases: Iterable[str]) -> str:
    """One of some phrases, with any apostrophe or none; nothing where there are none."""
    ways = (r"\s+".join(map(re.escape, p.split())).replace("'", "['’]?") for p in phrases)
    longest_first = sorted(ways, key=len, reverse=True)
    return "|".join(longest_first) or r"(?!)"


def _whole(phrases: Iterable[str]) -> re.Pattern[str]:
    """Whole words; a phrase that ends in `*` matches every word that begins so."""
    stems = [p.removesuffix("*") for p in phrases if p.endswith("*")]
    words = [p for p in phrases if not p.endswith("*")]
    return re.compile(rf"(?<!\w)(?:(?:{_any(words)})(?!\w)|{_any(stems)})", re.IGNORECASE)
