"""The lexicon's data files: their form, and the graph they compile to."""

from __future__ import annotations

import gc
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sanad_core.cache import cached
from sanad_core.errors import ContentError
from sanad_core.problems import Problem, did_you_mean
from sanad_core.replies import Reviewer
from sanad_core.risk import CONDITIONS, Level, RiskKind, Subject
from sanad_core.schema import Name, Strict, validate
from sanad_core.yamlfile import read_yaml
from sanad_lexicon.normalise import Spelling, fold, plain_words, tokens_of
from sanad_lexicon.patterns import Graph, Place
from sanad_lexicon.terms import TermError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sanad_core.yamlfile import Location, YamlFile

__all__ = ["DATA", "REPORTED", "Entry", "Language", "LexiconFile", "load_language"]

DATA = Path(__file__).parent / "data"
LevelName = Literal["none", "low", "moderate", "high", "imminent"]
# What an entry is for. Those of REPORTED are found and become signals of that kind; a probe is a
# question of the bot's, whose answer says something; the others change how what stands near them
# is read.
Role = Literal[
    "risk", "condition", "emotion", "intent", "topic", "fact", "probe",
    "idiom", "meant", "negation", "affirmed", "other", "self", "now", "context",
    "past", "present", "recent", "recovered", "settled", "troubled",
]  # fmt: skip
REPORTED = frozenset({"risk", "condition", "emotion", "intent", "topic", "fact"})
_NEED_KIND = REPORTED | {"probe"}


class Group(Strict):
    """Words that may stand for one another in a term."""

    name: Name
    words: list[str] = Field(min_length=1)


class Respelling(Strict):
    """How people write a word, and the words it stands for."""

    to: str = Field(min_length=1)
    written: list[str] = Field(min_length=1, description="one word, or two that stand for one")


class EntryModel(Strict):
    """One thing that people say, in all its wordings."""

    id: Name
    role: Role = "risk"
    kind: str | None = Field(None, description="what is found: the kind of risk, the condition, …")
    level: LevelName | None = Field(None, description="for risk; for a probe, what a yes means")
    now: LevelName | None = Field(
        None, description="the level beside a word for now; default: same"
    )
    past: LevelName | None = Field(
        None, description="the level when told as long ago; default: the same as now"
    )
    subject: Literal["self", "other"] | None = Field(
        None, description="whom it is always about; default: told from the words around it"
    )
    loose: bool = Field(
        False, description="does not count beside a word for games, songs, films, study or work"
    )
    denied: bool = Field(True, description="a negation before it takes it back")
    answer: Literal["yes", "no"] = Field("yes", description="for a probe, the answer that counts")
    short: bool = Field(False, description="only in a message of at most eight words")
    whole: bool = Field(False, description="only where it is all that the message says")
    terms: list[str] = Field(min_length=1)
    why: str = Field(min_length=1)
    source: str = ""
    reviewed_by: list[Reviewer] = Field(default_factory=list)
    match: list[str] = Field(default_factory=list, description="messages that must be found")
    reject: list[str] = Field(default_factory=list, description="messages that must not be")


class LexiconFile(Strict):
    """A lexicon file."""

    lexicon: Literal[1]
    locale: Name
    reviewed_by: list[Reviewer]
    source: str = Field(min_length=1)
    groups: list[Group] = Field(default_factory=list)
    respell: list[Respelling] = Field(default_factory=list)
    entries: list[EntryModel] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as the detector uses it."""

    id: str
    role: str
    kind: str
    level: Level
    now: Level
    past: Level | None
    subject: Subject | None
    loose: bool
    denied: bool
    answer: str
    short: bool
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language's lexicon, compiled.

    Args:
        locale: such as `en`.
        entries: what can be found.
        examples: entry id, message, and whether the entry must be found in it.
        graph: the terms.
        spelling: how the language is written.
    """

    locale: str
    entries: tuple[Entry, ...]
    examples: tuple[tuple[str, str, bool], ...]
    graph: Graph
    spelling: Spelling


def load_language(locale: str, folders: Iterable[Path]) -> Language:
    """Read and compile a language.

    Args:
        locale: such as `en`.
        folders: folders that may have a folder of that name with `.yml` files in it.

    Raises:
        ContentError: with every problem; or no folder has the language.
    """
    return _load(locale, tuple(dict.fromkeys(folder.resolve() for folder in folders)))


@cache
def _load(locale: str, folders: tuple[Path, ...]) -> Language:
    # Compiling makes many objects and drops none: collecting among them takes as long again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        paths = [path for folder in folders for path in sorted((folder / locale).glob("*.yml"))]
        return cached(
            Language, f"lexicon-{locale}", paths, lambda: _compiled(locale, folders, paths)
        )
    finally:
        if collecting:
            gc.enable()


def _compiled(locale: str, folders: tuple[Path, ...], paths: list[Path]) -> Language:
    if not paths:
        message = f"the lexicon has no files for the language '{locale}'"
        raise ContentError([Problem(file=str(folders[0] / locale), message=message)])
    files = [(read_yaml(path, ContentError)) for path in paths]
    models, problems = [], []
    for file in files:
        model, found = validate(file, LexiconFile)
        problems += found
        if model is not None:
            models.append((file, model))
    if not problems:
        compiling = _Compiling(models)
        language = compiling.language(locale)
        problems = compiling.problems
        if not problems:
            language.graph.find(())  # the index is made here, not at the first message
            return language
    raise ContentError(problems)


_LITERAL = re.compile(r"(?<![~<])[^\s()<>~|?*]+(?![\w*>])")  # a plain word of a term


class _Compiling:
    """One pass over the files of a language."""

    def __init__(self, models: list[tuple[YamlFile, LexiconFile]]) -> None:
        self.models = models
        self.problems: list[Problem] = []
        self.respell: dict[str, tuple[str, ...]] = {}
        self.joined: dict[tuple[str, str], str] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.examples: list[tuple[str, str, bool]] = []

    def language(self, locale: str) -> Language:
        for _, model in self.models:
            for respelling in model.respell:
                self.respelling(tuple(fold(respelling.to).split()), respelling.written)
        for file, model in self.models:
            for index, group in enumerate(model.groups):
                if group.name in self.groups:
                    message = f"the group '{group.name}' stands twice"
                    self.problems.append(file.problem(("groups", index, "name"), message))
                self.groups[group.name] = tuple(self.plain(word) for word in group.words)
        graph = Graph(self.groups)
        entries: list[Entry] = []
        seen: set[str] = set()
        for file, model in self.models:
            for index, entry in enumerate(model.entries):
                location: Location = ("entries", index)
                if entry.id in seen:
                    message = f"the id '{entry.id}' stands twice"
                    self.problems.append(file.problem((*location, "id"), message))
                seen.add(entry.id)
                self.check(file, location, entry)
                self.add(file, location, entry, graph, len(entries))
                entries.append(_entry(entry))
                self.examples += [(entry.id, message, True) for message in entry.match]
                self.examples += [(entry.id, message, False) for message in entry.reject]
        halves = {half for pair in self.joined for half in pair}
        known = graph.words | halves
        spelling = Spelling(known=known, respell=self.respell, joined=self.joined)
        messages = (message for _, message, _ in self.examples)
        graph.weigh(plain_words(tokens_of(message), spelling).words for message in messages)
        return Language(
            locale=locale,
            entries=tuple(entries),
            examples=tuple(self.examples),
            graph=graph,
            spelling=spelling,
        )

    def respelling(self, to: tuple[str, ...], written: Iterable[str]) -> None:
        for word in written:
            # With its apostrophe: "he'll" is not "hell".
            parts = fold(word).replace("’", "'").split()
            if len(parts) == 1:
                self.respell[parts[0]] = to
            elif len(parts) == 2 and len(to) == 1:
                self.joined[parts[0], parts[1]] = to[0]

    def plain(self, written: str) -> str:
        """A group's word or a term, its words respelled as messages are."""

        def respelled(found: re.Match[str]) -> str:
            bare = found[0].replace("'", "")
            return " ".join(self.respell.get(found[0]) or self.respell.get(bare) or (bare,))

        return _LITERAL.sub(respelled, fold(written).replace("’", "'"))

    def check(self, file: YamlFile, location: Location, entry: EntryModel) -> None:
        risks = [str(kind) for kind in RiskKind]
        kinds = {"risk": risks, "probe": risks, "condition": CONDITIONS}.get(entry.role)
        if kinds is not None and entry.kind not in kinds:
            hint = did_you_mean(entry.kind or "", kinds) or f"; one of {', '.join(kinds)}"
            message = f"a {entry.role} needs a 'kind'{hint}"
            self.problems.append(file.problem((*location, "kind"), message))
        elif entry.role in _NEED_KIND and entry.kind is None:
            message = f"{entry.role}: needs a 'kind', the name that the signal gets"
            self.problems.append(file.problem(location, message))
        if entry.role in ("risk", "probe") and entry.level is None:
            self.problems.append(file.problem(location, f"a {entry.role} needs a 'level'"))

    def add(
        self, file: YamlFile, location: Location, entry: EntryModel, graph: Graph, number: int
    ) -> None:
        for row, term in enumerate(entry.terms):
            try:
                graph.add(self.plain(term), number, _place(entry.role))
            except TermError as err:
                self.problems.append(file.problem((*location, "terms", row), f"'{term}' {err}"))


def _place(role: Role) -> Place:
    """Where the terms of a role are looked for."""
    if role in ("risk", "condition"):
        return Place.ANYWHERE
    return Place.BEGINNING if role in _NEED_KIND else Place.BESIDE


def _entry(model: EntryModel) -> Entry:
    level = Level(model.level or "none")
    return Entry(
        id=model.id,
        role=model.role,
        kind=model.kind or "",
        level=level,
        now=Level(model.now) if model.now else level,
        past=Level(model.past) if model.past else None,
        subject=Subject(model.subject) if model.subject else None,
        loose=model.loose,
        denied=model.denied,
        answer=model.answer,
        short=model.short,
        whole=model.whole,
    )
