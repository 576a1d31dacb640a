"""Examples of intents: Sanad's own YAML form, and Rasa's nlu.yml as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sanad_core.errors import ContentError
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
_BULLET = re.compile(r"^\s*-\s+(.*\S)\s*$")


class IntentExamples(Strict):
    """One intent with its examples."""

    intent: str = Field(pattern=r"^[^\s/][^\s]*$", max_length=200)
    examples: list[str]


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
    rasa = isinstance(file.data, dict) and isinstance(file.data.get("nlu"), list)
    rows, problems = _rasa(file) if rasa else _own(file)
    problems = problems or list(_too_few(file, rows))
    if problems:
        raise ContentError(problems)
    return Examples(rows=tuple(rows), digest=file.digest)


def _own(file: YamlFile) -> tuple[list[tuple[str, str]], list[Problem]]:
    data, problems = validate(file, ExamplesFile)
    if data is None:
        return [], problems
    return [(text, item.intent) for item in data.intents for text in item.examples], problems


def _rasa(file: YamlFile) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Rasa's intents; synonyms, lookups and regular expressions are for entities: passed over."""
    rows: list[tuple[str, str]] = []
    problems = []
    for number, item in enumerate(file.data["nlu"]):
        if not isinstance(item, dict) or "intent" not in item:
            continue
        found = list(_bullets(item.get("examples")))
        if not found:
            message = f"the intent '{item['intent']}' has no examples; write them as '- …' lines"
            problems.append(file.problem(("nlu", number), message))
        rows += [(text, str(item["intent"])) for text in found]
    return rows, problems


def _bullets(examples: Any) -> Iterator[str]:
    if isinstance(examples, str):
        lines = [match[1] for line in examples.splitlines() if (match := _BULLET.match(line))]
    else:  # the long form: [{text: …, metadata: …}]
        items = examples if isinstance(examples, list) else []
        lines = [str(item.get("text", "")) for item in items if isinstance(item, dict)]
    for line in lines:
        text = _ENTITY.sub(r"\1", line).strip()
        if text:
            yield text


def _too_few(file: YamlFile, rows: list[tuple[str, str]]) -> Iterator[Problem]:
    counts: dict[str, int] = {}
    for _, intent in rows:
        counts[intent] = counts.get(intent, 0) + 1
    if len(counts) < 2:
        yield file.problem((), "needs examples of at least two intents")
    for intent, count in counts.items():
        if count < FEWEST:
            yield file.problem(
                (), f"the intent '{intent}' has {count} example; {FEWEST} are needed"
            )
