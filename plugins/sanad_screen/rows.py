"""Labelled messages: one JSON object a line, read strictly, every wrong line named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, model_validator

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.risk import Level, RiskKind
from sanad_core.schema import Strict, first_error
from sanad_screen.labels import CONDITIONS, EMOTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CORPUS", "Row", "Said", "read_rows", "write_rows"]

CORPUS = Path(__file__).parent / "corpus"
MOST_PROBLEMS = 50  # named before the rest are only counted


class Said(Strict):
    """An earlier turn of a row's conversation."""

    role: Literal["person", "bot"]
    text: str


class Row(Strict):
    """One labelled message. A label that is null is not known, which is not the same as none.

    Args:
        id: unique in its file.
        text: the message that the labels are about.
        context: what was said before it, oldest first.
        level: of the gravest risk, read with the context.
        kind: what that risk is; null where the level is none or not known.
        subject: who is in danger; likewise.
        time: `past` where the risk is told as history.
        conditions: those that a reader sees in the words; internal signals, never a diagnosis.
        sentiment: how it sounds.
        emotions: of GoEmotions' list.
        tags: slices to report by.
        hand: who wrote it; another hand wrote the test part.
        variant_of: the id of the row that this is a machine-made variant of.
    """

    id: str
    text: str
    context: list[Said] = Field(default_factory=list)
    level: Literal["none", "low", "moderate", "high", "imminent"] | None = None
    kind: (
        Literal[
            "suicide", "medical_emergency", "substance", "self_injury", "abuse_victim",
            "harm_to_others", "psychosis", "eating_disorder",
        ]
        | None
    ) = None  # fmt: skip
    subject: Literal["self", "other"] | None = None
    time: Literal["now", "past"] | None = None
    conditions: list[str] | None = None
    sentiment: Literal["negative", "neutral", "positive"] | None = None
    emotions: list[str] | None = None
    tags: list[str] = Field(default_factory=list)
    hand: str = ""
    variant_of: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Row:
        at_risk = self.level not in (None, "none")
        if (self.kind is not None or self.subject is not None) and not at_risk:
            raise ValueError("kind and subject go with a level above none")
        for name, known in (("conditions", CONDITIONS), ("emotions", EMOTIONS)):
            for label in getattr(self, name) or ():
                if label not in known:
                    raise ValueError(
                        f"one of the {name} is not known; known are {', '.join(known)}"
                    )
        return self

    @property
    def risk(self) -> Level | None:
        """The level as it is compared elsewhere."""
        return None if self.level is None else Level(self.level)

    @property
    def risk_kind(self) -> RiskKind | None:
        """The kind as it is compared elsewhere."""
        return None if self.kind is None else RiskKind(self.kind)


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSONL file.

    Args:
        path: the file, UTF-8.

    Returns:
        Its rows, in order; empty lines are passed over.

    Raises:
        ContentError: it cannot be read, holds no row, or lines are wrong; up to 50 are named.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as err:
        message = f"cannot be read: {err.strerror}"
        raise ContentError([Problem(file=str(path), message=message)]) from None
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(Row.model_validate(json.loads(line)))
        except (ValueError, RecursionError) as err:
            problems.append(Problem(file=str(path), line=number, column=1, message=_said(err)))
    if not rows and not problems:
        problems.append(Problem(file=str(path), message="holds no rows"))
    if problems:
        raise ContentError(problems[:MOST_PROBLEMS])
    return rows


def _said(err: Exception) -> str:
    """What is wrong with a line; never its text."""
    if isinstance(err, ValidationError):
        return first_error(err, Row, secret=("text", "context"))
    return 'is not a JSON object; write {"id": "…", "text": "…", "level": "…"}'


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as JSONL, leaving out what is not known."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            data = row.model_dump(exclude_none=True, exclude_defaults=True)
            file.write(json.dumps(data, ensure_ascii=False) + "\n")
