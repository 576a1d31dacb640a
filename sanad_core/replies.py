"""Scripted texts: reviewed replies by key, kind and language, and how helplines are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import AfterValidator, Field

from sanad_core.cache import cached
from sanad_core.errors import ContentError
from sanad_core.problems import Problem, did_you_mean
from sanad_core.risk import RiskKind
from sanad_core.schema import Name, Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_core.helplines import Line, Resources
    from sanad_core.yamlfile import Location, YamlFile

__all__ = [
    "Filled",
    "Phrases",
    "ReplyBook",
    "Script",
    "fill",
    "load_replies",
    "next_script",
    "scripts_of",
    "text_problems",
]

PLACEHOLDERS = ("helplines", "helpline", "emergency")
_PLACEHOLDER = re.compile(r"\{\{\s*(helplines|helpline|emergency)\s*\}\}")
_ANY_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Reviewer(Strict):
    """A professional who approved a text."""

    name: str = Field(min_length=1)
    role: str = Field(min_length=1)
    on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


# What a text can ask about. Each is asked once in a conversation, however it is worded; only
# `story`, an open question about what happened, may come again in other words.
Probe = Literal[
    "suicide", "self_injury", "harm", "plan", "means", "safe", "done", "voices", "who", "obstacle",
    "step", "before", "change", "story",
]  # fmt: skip


class Variant(Strict):
    """One wording of a text."""

    id: Name
    text: str = Field(min_length=1)
    asks: list[Probe] = Field(default_factory=list, description="what it asks the person about")
    reviewed_by: list[Reviewer] = Field(default_factory=list)
    source: str = ""


class Text(Strict):
    """A text in all its wordings."""

    key: Name
    variants: list[Variant] = Field(min_length=1)


def _with(*names: str) -> AfterValidator:
    """A piece of text that has exactly these names in braces."""

    def check(text: str) -> str:
        if sorted(re.findall(r"\{(\w*)\}", text)) != sorted(names):
            wanted = " and ".join(f"{{{name}}}" for name in names)
            raise ValueError(f"'{text}' must hold {wanted}, once each, and no other braces")
        return text

    return AfterValidator(check)


class Phrases(Strict):
    """The small pieces that a list of helplines is written with."""

    emergency: Annotated[str, _with("number")]
    emergency_unknown: str
    line: Annotated[str, _with("name", "ways")]
    call: Annotated[str, _with("number")]
    text: Annotated[str, _with("number")]
    text_keyword: Annotated[str, _with("keyword", "number")]
    chat: Annotated[str, _with("url")]
    hours: Annotated[str, _with("hours")]
    join_ways: str
    directory: Annotated[str, _with("url")]


class RepliesFile(Strict):
    """A file of scripted texts in one language."""

    replies: Literal[1]
    locale: Name
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    phrases: Phrases | None = None
    texts: list[Text] = Field(min_length=1)


class TextLike(Protocol):
    """A text with a key, in one or more wordings."""

    @property
    def key(self) -> str:
        """The text's key."""
        ...

    @property
    def variants(self) -> list[Variant]:
        """Its wordings."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One wording, ready to be filled in; `id` is `key#variant`."""

    id: str
    text: str
    asks: tuple[str, ...] = ()


class ReplyBook:
    """The texts of one language.

    Args:
        locale: the language.
        phrases: pieces for helplines.
        texts: the wordings of each key, in the order of the file.
    """

    def __init__(self, locale: str, phrases: Phrases, texts: dict[str, tuple[Script, ...]]) -> None:
        self.locale = locale
        self.phrases = phrases
        self._texts = texts
        self._asks = {s.id: s.asks for scripts in texts.values() for s in scripts}

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that has a text."""
        return tuple(self._texts)

    def asks(self, script: str) -> tuple[str, ...]:
        """What a text asks the person about; nothing where the book does not have it."""
        return self._asks.get(script, ())

    def variants(self, key: str, kind: RiskKind | None = None) -> tuple[Script, ...]:
        """The wordings for a key: those for the kind if there are any, else the general ones.

        Where a rule fired without any risk, so that there is no kind, the texts about suicide
        serve: they ask openly and name whom to reach.
        """
        own = self._texts.get(f"{key}/{kind or RiskKind.SUICIDE}", ())
        general = self._texts.get(key, ())
        return own or general if kind is not None else general or own

    def choose(self, key: str, kind: RiskKind | None, used: Sequence[str]) -> Script:
        """The wording to say next.

        Args:
            key: the text's key.
            kind: the kind of risk.
            used: ids of the texts said in this conversation, oldest first.

        Returns:
            The first wording not yet used; when all are, the one used longest ago.

        Raises:
            KeyError: there is no such text; `sanad check` and the engine's start rule that out.
        """
        variants = self.variants(key, kind)
        if not variants:
            raise KeyError(key)
        return next_script(variants, used)


def next_script(variants: Sequence[Script], used: Sequence[str]) -> Script:
    """The first wording not yet used; when all are, the one used longest ago.

    Args:
        variants: the wordings; at least one.
        used: ids of the texts said in this conversation, oldest first.
    """
    last_use = {script_id: place for place, script_id in enumerate(used)}
    return min(variants, key=lambda script: last_use.get(script.id, -1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text with its helplines written in, and the numbers and addresses that it gives."""

    text: str
    given: tuple[str, ...]


def fill(text: str, phrases: Phrases, resources: Resources, *, attach: bool = False) -> Filled:
    """Write helplines into a text.

    Args:
        text: may hold `{{helplines}}` (all of them), `{{helpline}}` (the first) and
            `{{emergency}}` (the number alone).
        phrases: the language's pieces.
        resources: what may be given.
        attach: add the list at the end where the text has no place for it.

    Returns:
        The text, and what it gives, in the order in which it stands there.
    """
    given: dict[str, None] = {}
    emergency = resources.emergency or phrases.emergency_unknown
    rows = _rows(phrases, resources)
    # Where no line is known, what there is instead: the emergency number and a directory.
    first = [_row(phrases, resources.lines[0])] if resources.lines else rows

    def written(found: re.Match[str]) -> str:
        if found[1] == "emergency":
            given.update(dict.fromkeys([resources.emergency] if resources.emergency else []))
            return emergency
        chosen = rows if found[1] == "helplines" else first
        given.update(dict.fromkeys(item for row in chosen for item in row[1]))
        return ("\n" if found[1] == "helplines" else " · ").join(row[0] for row in chosen)

    full = _PLACEHOLDER.sub(written, text)
    if attach and rows and "{{helpline" not in re.sub(r"\s", "", text):
        given.update(dict.fromkeys(item for row in rows for item in row[1]))
        full = full.rstrip() + "\n\n" + "\n".join(row[0] for row in rows)
    return Filled(text=full.strip(), given=tuple(given))


_Row = tuple[str, tuple[str, ...]]


def _rows(phrases: Phrases, resources: Resources) -> list[_Row]:
    rows: list[_Row] = []
    if resources.urgent:
        number = resources.emergency or phrases.emergency_unknown
        given = (number,) if resources.emergency else ()
        rows.append((phrases.emergency.format(number=number), given))
    rows += [_row(phrases, line) for line in resources.lines]
    rows += [(phrases.directory.format(url=url), (url,)) for url in resources.directories]
    return rows


def _row(phrases: Phrases, line: Line) -> _Row:
    ways = []
    if line.call:
        ways.append(phrases.call.format(number=line.call))
    if line.text and line.keyword:
        ways.append(phrases.text_keyword.format(keyword=line.keyword, number=line.text))
    elif line.text:
        ways.append(phrases.text.format(number=line.text))
    if line.chat:
        ways.append(phrases.chat.format(url=line.chat))
    hours = phrases.hours.format(hours=line.hours) if line.hours != "unknown" else ""
    row = phrases.line.format(name=line.name, ways=phrases.join_ways.join(ways)) + hours
    return row, tuple(dict.fromkeys(way for way in (line.call, line.text, line.chat) if way))


def load_replies(folders: Iterable[Path], locale: str) -> ReplyBook:
    """Read the texts of a language.

    Args:
        folders: places of `<locale>.yml`, the strongest first: a key found there replaces the
            same key of a later folder, so that an integrator can change one text and keep the rest.
        locale: the language.

    Raises:
        ContentError: a file is wrong, or no folder has the language.
    """
    looked = list(folders)
    paths = [path for folder in looked if (path := folder / f"{locale}.yml").is_file()]
    return cached(ReplyBook, f"replies-{locale}", paths, lambda: _book(looked, paths, locale))


def _book(looked: Sequence[Path], paths: Sequence[Path], locale: str) -> ReplyBook:
    texts: dict[str, tuple[Script, ...]] = {}
    phrases: Phrases | None = None
    for path in paths:
        content = _read(path, locale)
        phrases = phrases or content.phrases
        for text in content.texts:
            texts.setdefault(text.key, scripts_of(text))
    if not texts or phrases is None:
        known = sorted({path.stem for folder in looked for path in folder.glob("*.yml")})
        hint = did_you_mean(locale, known) or f"; there are: {', '.join(known) or 'none'}"
        where = str(looked[0] / f"{locale}.yml") if looked else locale
        message = f"no scripted texts for the language '{locale}'{hint}"
        raise ContentError([Problem(file=where, message=message)])
    return ReplyBook(locale, phrases, texts)


def scripts_of(text: TextLike) -> tuple[Script, ...]:
    """The wordings of a text, each with its id."""
    return tuple(
        Script(id=f"{text.key}#{variant.id}", text=variant.text.strip(), asks=tuple(variant.asks))
        for variant in text.variants
    )


def _read(path: Path, locale: str) -> RepliesFile:
    file = read_yaml(path, ContentError)
    content, problems = validate(file, RepliesFile)
    if content is None:
        raise ContentError(problems)
    if content.locale != locale:
        problems.append(file.problem(("locale",), f"must be '{locale}', as the file's name says"))
    problems += text_problems(file, content.texts)
    if problems:
        raise ContentError(problems)
    return content


def text_problems(file: YamlFile, texts: Sequence[TextLike]) -> list[Problem]:
    """What is wrong with a list of texts: keys or ids that stand twice, unknown placeholders."""
    problems: list[Problem] = []
    keys: set[str] = set()
    for row, text in enumerate(texts):
        where: Location = ("texts", row)
        if text.key in keys:
            problems.append(file.problem((*where, "key"), f"'{text.key}' stands twice"))
        keys.add(text.key)
        ids: set[str] = set()
        for place, variant in enumerate(text.variants):
            if variant.id in ids:
                message = f"the id '{variant.id}' stands twice under '{text.key}'"
                problems.append(file.problem((*where, "variants", place, "id"), message))
            ids.add(variant.id)
            for found in _ANY_PLACEHOLDER.finditer(variant.text):
                if found[1] not in PLACEHOLDERS:
                    hint = did_you_mean(found[1], PLACEHOLDERS)
                    message = f"no such placeholder: '{found[0]}'{hint}"
                    problems.append(file.problem((*where, "variants", place, "text"), message))
    return problems
