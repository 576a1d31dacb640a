"""Examples of intents: Sanad's own YAML form, and Rasa's nlu.yml as it is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sanad_core.errors import ContentError
from sanad_core.problems import did_you_mean
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.problems import Problem
    from sanad_core.yamlfile import YamlFile

__all__ = ["PACKAGED", "Examples", "ExamplesFile", "read_examples"]

PACKAGED = Path(__file__).parent / "data" / "support.yml"
FEWEST = 2  # examples of an intent
# Rasa marks entities inside an example: [Paris](city), [Paris]{"entity": "city"}.
_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")
_BULLET = re.compile(r"^\s*-\s*(.*\S)\s*$")
# What else stands in Rasa's list, for entities.
_PASSED_OVER = ("synonym", "lookup", "regex")


class IntentExamples(Strict):
    """One intent with its examples."""

    intent: str = Field(pattern=r"^[^\s/][^\s]*$", max_length=200)
    examples: list[Annotated[str, Field(pattern=r"\S")]] = Field(min_length=1)


class ExamplesFile(Strict):
    """Sanad's own form."""

    nlu: Literal[1] = Field(description="the version of this form")
    locale: str
    reviewed_by: list[str]
    source: str
    intents: list[IntentExamples]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What there is to learn from.

    Args:
        rows: each example with its intent, in the order of the file.
        digest: hex SHA-256 of the file.
    """

    rows: tuple[tuple[str, str], ...]
    digest: str

    @property
    def intents(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(sorted({intent for _, intent in self.rows}))


def read_examples(path: Path) -> Examples:
    """Read a file of examples.

    Args:
        path: in Sanad's form (`nlu: 1`, `intents: [...]`) or Rasa's (`nlu: [{intent, examples}]`).

    Raises:
        ContentError: it cannot be read or is wrong; every problem with its place.
    """
    file = read_yaml(path, ContentError)
    given = file.data.get("nlu") if isinstance(file.data, dict) else None
    rows, problems = _rasa(file, given) if isinstance(given, list) else _own(file)
    problems = problems or list(_too_few(file, rows))
    if problems:
        raise ContentError(problems)
    return Examples(rows=tuple((row.text, row.intent) for row in rows), digest=file.digest)


@dataclass(frozen=True, slots=True)
class _Row:
    """An example with its intent, and where that stands in the file."""

    text: str
    intent: str
    place: tuple[str, int]


def _own(file: YamlFile) -> tuple[list[_Row], list[Problem]]:
    if isinstance(file.data, dict) and file.data.get("nlu") != 1:
        place = ("nlu",) if "nlu" in file.data else ()
        message = "nlu must be 1, and 'intents' follow; or, in Rasa's form, a list of intents"
        return [], [file.problem(place, message)]
    data, problems = validate(file, ExamplesFile)
    if data is None:
        return [], problems
    found = enumerate(data.intents)
    return [
        _Row(text, item.intent, ("intents", at)) for at, item in found for text in item.examples
    ], problems


def _rasa(file: YamlFile, given: list[Any]) -> tuple[list[_Row], list[Problem]]:
    """Rasa's intents; synonyms, lookups and regular expressions are for entities: passed over."""
    rows: list[_Row] = []
    problems = []
    for number, item in enumerate(given):
        place = ("nlu", number)
        passed = isinstance(item, dict) and any(name in item for name in _PASSED_OVER)
        if passed and "intent" not in item:
            continue
        wrong = _wrong(item)
        if wrong:
            problems.append(file.problem(place, wrong))
            continue
        intent, examples = item["intent"], item.get("examples")
        found = list(_texts(examples))
        if not found:
            message = f"the intent '{intent}' has no examples; write 'examples: |' and '- …' lines"
            problems.append(file.problem(place, message))
        rows += [_Row(text, intent, place) for text in found]
    return rows, problems


def _wrong(item: Any) -> str:
    """What is wrong with an entry of Rasa's list; empty: nothing."""
    if not isinstance(item, dict) or "intent" not in item:
        names = ("intent", *_PASSED_OVER)
        keys = [key for key in item if isinstance(key, str)] if isinstance(item, dict) else []
        hint = next((hint for key in keys if (hint := did_you_mean(key, names))), "")
        return f"has no 'intent', and no {', '.join(map(repr, _PASSED_OVER))} either{hint}"
    if not isinstance(item["intent"], str) or not item["intent"].strip():
        return "the name of an intent must be text"
    examples = item.get("examples")
    if isinstance(examples, list):
        bare = [at for at, one in enumerate(examples, start=1) if not _is_example(one)]
        if bare:
            return f"example {bare[0]} of '{item['intent']}' has no text; write '- text: …'"
    lines = examples.splitlines() if isinstance(examples, str) else []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("-"):
            return (
                f"line {number} of the examples of '{item['intent']}' does not begin with '- '; "
                "each example is a line of its own"
            )
    return ""


def _is_example(given: Any) -> bool:
    text = given.get("text") if isinstance(given, dict) else given
    return isinstance(text, str) and bool(text.strip())


def _texts(examples: Any) -> Iterator[str]:
    if isinstance(examples, str):
        lines = [match[1] for line in examples.splitlines() if (match := _BULLET.match(line))]
    else:  # the long form: [{text: …, metadata: …}], or a plain list
        items = examples if isinstance(examples, list) else []
        lines = [item["text"] if isinstance(item, dict) else item for item in items]
    for line in lines:
        text = _ENTITY.sub(r"\1", line).strip()
        if text:
            yield text


def _too_few(file: YamlFile, rows: list[_Row]) -> Iterator[Problem]:
    counts = Counter(row.intent for row in rows)
    places = {row.intent: row.place for row in reversed(rows)}
    if len(counts) < 2:
        yield file.problem((), "needs examples of at least two intents")
    for intent, count in counts.items():
        if count < FEWEST:
            message = f"the intent '{intent}' has {count} example; {FEWEST} are needed"
            yield file.problem(places[intent], message)
