"""Labels given for this project to texts that others published; the texts stay with them."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field, ValidationError

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.schema import Strict, first_error
from sanad_screen.rows import CORPUS, Row
from sanad_screen.training.coded import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["JUDGED", "LABELS", "labelled", "one_line", "read_judged", "texts_of", "unglued"]

Label = TypeVar("Label", bound=Strict)
Made = TypeVar("Made")

CODED = "cssrs_reddit500"  # the set whose publishers replaced words
LABELS = CORPUS / "labels-public.jsonl"
# Some exports lost the space between sentences.
_GLUED = re.compile(r"(?<=[a-z)][.!?])(?=[A-Z])")


class _Label(Strict):
    """What was read in one text: the set it is in, its row there, and the part that was read."""

    set: str
    row: str
    start: int = Field(default=0, ge=0)
    end: int | None = Field(default=None, gt=0)
    level: Literal["none", "low", "moderate", "high", "imminent"]
    kind: str | None = None
    subject: str | None = None
    time: str = "now"
    conditions: list[str] | None = Field(None, description="None: not looked for")

    def of(self, text: str) -> Row:
        """The row of this label."""
        place = f"{self.set}-{self.row}"
        return Row.model_validate(
            {
                "id": place if self.end is None else f"{place}:{self.start}",
                "text": self._part(text),
                "hand": self.set,
                "tags": ["public"],
                **self.model_dump(include={"level", "kind", "subject", "time", "conditions"}),
            }
        )

    def _part(self, text: str) -> str:
        part = unglued(text[self.start : self.end]).strip()
        return spoken(part) if self.set == CODED else part


def one_line(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def unglued(text: str) -> str:
    """A text with the spaces between its sentences."""
    return _GLUED.sub(" ", text)


def _users(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / "users.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        for number, post in enumerate(data["posts"]):
            yield f"{data['user']}/{number}", one_line(post)


def _questions(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "20200325_counsel_chat.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            yield line["questionID"], one_line(f"{line['questionTitle']}\n{line['questionText']}")


def _comments(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "original_train.tsv").open(encoding="utf-8") as file:
        for line in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield line[2], line[0]


def _prompts(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / "humane_bench.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        yield data["id"], one_line(data["input"])


def _tests(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "test_cases.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            yield line["id"], one_line(line["prompts_final"])


def _posts(folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / "dev.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        yield str(data["id"]), one_line(data["text"])


JUDGED: dict[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "cssrs_reddit500": _users,
    "counsel_chat": _questions,
    "goemotions": _comments,
    "humanebench": _prompts,
    "simple_safety_tests": _tests,
    "suicidewatch_cssrs": _posts,
}


def texts_of(folder: Path, name: str) -> dict[str, str]:
    """The texts of a public set by the names of their rows; empty where the set is not there."""
    return dict(JUDGED[name](folder / name)) if (folder / name).is_dir() else {}


def read_judged(folder: Path, names: tuple[str, ...] = tuple(JUDGED)) -> list[Row]:
    """The public texts that were labelled for this project, with those labels.

    Args:
        folder: holds one folder per set, under the names of JUDGED.
        names: which sets to read.

    Raises:
        ContentError: a label is wrong.
    """
    found = {name: texts_of(folder, name) for name in names}

    def row(label: _Label) -> Row | None:
        text = found.get(label.set, {}).get(label.row)
        return None if text is None else label.of(text)

    return labelled(LABELS, _Label, row)


def labelled(path: Path, kind: type[Label], made: Callable[[Label], Made | None]) -> list[Made]:
    """What is made of the labels of a file.

    Args:
        path: a JSON object a line.
        kind: of label.
        made: what a label and its text make; None: the text is not there.

    Raises:
        ContentError: a label is wrong.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = made(kind.model_validate_json(line))
        except ValidationError as err:
            problem = Problem(file=str(path), line=number, message=first_error(err, kind))
            raise ContentError([problem]) from None
        if row is not None:
            rows.append(row)
    return rows
