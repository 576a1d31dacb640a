"""Labelled messages from other people's files: which field holds the label, and what it means."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sanad_core.errors import ContentError, UsageError
from sanad_core.problems import Problem
from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.text import clean
from sanad_screen.labels import SEVERITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Labelled", "label_map", "read_labelled"]

_FIELDS = ("level", "severity", "severity_human", "expected", "label")
_KNOWN = {level.value: level.value for level in Level} | {"no_crisis": "none"}
SKIP = "skip"
_NOT_JSON = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
MOST_SHOWN = 20  # wrong lines that are named
_WORD = re.compile(
    r"[\w.+-]{1,30}", re.ASCII
)  # a label, and no message that stands under the wrong key
Name = TypeVar("Name", RiskKind, Subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One message and what is known of it.

    Args:
        id: of the row, or its number.
        text: the message.
        before: what was said before it, who (`person`, `bot`) and what.
        level: the least level that is right; None where the row only says how severe at least.
        least: the level that must be reached at least.
        kind: None: not known.
        subject: None: not known.
        conditions: None: not known.
        sentiment: None: not known.
        slices: what to report it under.
    """

    id: str
    text: str
    before: tuple[tuple[str, str], ...] = ()
    level: Level | None = None
    least: Level = Level.NONE
    kind: RiskKind | None = None
    subject: Subject | None = None
    conditions: tuple[str, ...] | None = None
    sentiment: str | None = None
    slices: tuple[str, ...] = ()


def label_map(pairs: tuple[str, ...]) -> dict[str, str]:
    """`VALUE=LEVEL` options as a mapping.

    Args:
        pairs: each a label of the file and a level, `LEVEL+` (at least), or `skip`.

    Raises:
        UsageError: one is not of this form.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        value, _, level = pair.rpartition("=")
        if not value or (level != SKIP and level.removesuffix("+") not in _KNOWN):
            levels = ", ".join(level.value for level in Level)
            raise UsageError(f"--label takes VALUE=LEVEL, not '{pair}'; levels: {levels}, or skip")
        if found.get(value, level) != level:
            raise UsageError(f"--label says twice what '{value}' means; leave one")
        found[value] = level
    return found


def read_labelled(path: Path, field: str | None, labels: Mapping[str, str]) -> list[Labelled]:
    """The rows of a labelled JSONL file.

    Args:
        path: the file.
        field: the key that holds the label; None: the first that is there of level, severity,
            severity_human, expected, label.
        labels: what the file's labels mean, where they are no levels.

    Raises:
        ContentError: lines are wrong or a label is not known; each is named by its line.
    """
    rows: list[Labelled] = []
    problems: list[Problem] = []
    for number, line in _lines(path):
        try:
            row = _row(json.loads(line), number, field, labels)
        except (ValueError, RecursionError) as err:
            said = "is not JSON in UTF-8" if isinstance(err, _NOT_JSON) else str(err)
            problems.append(Problem(file=str(path), line=number, column=1, message=said))
            continue
        if row is not None:
            rows.append(row)
    if not rows and not problems:
        problems.append(Problem(file=str(path), message="holds no labelled rows"))
    if problems:
        more = len(problems) - MOST_SHOWN
        told = [Problem(file=str(path), message=f"and {more} more like these")] if more > 0 else []
        raise ContentError([*problems[:MOST_SHOWN], *told])
    return rows


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        data = path.read_bytes()
    except OSError as err:
        message = f"cannot be read: {err.strerror}"
        raise ContentError([Problem(file=str(path), message=message)]) from None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _row(data: Any, number: int, field: str | None, labels: Mapping[str, str]) -> Labelled | None:
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise ValueError("is not an object with a text in 'text'")
    key = field or next((name for name in _FIELDS if name in data), None)
    if key is None or key not in data:
        raise ValueError(f"has no label; name its key with --field (looked for {field or 'level'})")
    meant = _meant(data[key], key, labels)
    if meant == SKIP:
        return None
    level = Level(meant.removesuffix("+"))
    return Labelled(
        id=clean(str(data.get("id", number))),
        text=clean(data["text"]),
        before=_context(data),
        level=None if meant.endswith("+") else level,
        least=level,
        kind=_one(data, "kind", RiskKind),
        subject=_one(data, "subject", Subject),
        conditions=None if data.get("conditions") is None else _texts(data, "conditions"),
        sentiment=None if data.get("sentiment") is None else str(data["sentiment"]),
        slices=(*_texts(data, "tags"), *([str(data["category"])] if "category" in data else [])),
    )


def _context(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    said = data.get("context") or ()
    fits = isinstance(said, list | tuple) and all(
        isinstance(turn, dict)
        and turn.get("role") in ("person", "bot")
        and isinstance(turn.get("text"), str)
        for turn in said
    )
    if not fits:
        raise ValueError('\'context\' is no list of {"role": "person" or "bot", "text": …}')
    return tuple((turn["role"], clean(turn["text"])) for turn in said)


def _texts(data: dict[str, Any], key: str) -> tuple[str, ...]:
    values = data.get(key) or ()
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"'{key}' is no list of texts")
    return tuple(values)


def _one(data: dict[str, Any], key: str, names: type[Name]) -> Name | None:
    value = data.get(key)
    if value is None:
        return None
    if value not in [name.value for name in names]:
        raise ValueError(f"'{key}' is none of {', '.join(names)}")
    return names(value)


def _meant(value: Any, key: str, labels: Mapping[str, str]) -> str:
    name = str(value)
    if name in labels:
        return labels[name]
    if name in _KNOWN:
        return _KNOWN[name]
    whole = name.removesuffix(".0")
    if key.startswith("severity") and whole.isdecimal() and int(whole) < len(SEVERITY):
        return SEVERITY[int(whole)]
    shown = f" '{name}', which is" if _WORD.fullmatch(name) else ""
    raise ValueError(
        f"'{key}' holds{shown} no level; say what it means with --label VALUE=LEVEL (or skip)"
    )
