"""Labels given for this project to answers that others published; the texts stay with them."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from sanad_core.schema import Strict
from sanad_guard.drafts import CORPUS, Item, Reply, Said
from sanad_screen.training.judged import labelled, one_line, read_judged, texts_of, unglued

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sanad_screen.rows import Row

__all__ = ["LABELS", "read_answers"]

LABELS = CORPUS / "labels-public.jsonl"
SET = "counsel_chat"
ASKED = 400  # characters of a question: its end, as much as the guard reads of a context


class _Label(Strict):
    """What was read in a part of an answer.

    Args:
        row: the question's number, a slash, and which of its answers it is, from 1.
        start: the first character that was read, of the answer in one line, …
        end: … and one past the last.
        rules: what it would break if a bot said it.
        spans: where, as in a draft.
    """

    row: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    rules: list[str] = Field(default_factory=list)
    spans: list[tuple[int, int]] = Field(default_factory=list)

    def of(self, answer: str, question: str, risk: Row | None) -> Item:
        """The item of this label."""
        reply = Reply(text=answer[self.start : self.end], rules=self.rules, spans=self.spans)
        return Item(
            id=f"{SET}-{self.row}:{self.start}",
            level=(risk.level if risk is not None else None) or "none",
            kind=None if risk is None else risk.risk_kind,
            context=[Said(role="person", text=question[-ASKED:])],
            replies=[reply],
            hand=SET,
            part=True,
        )


def read_answers(folder: Path) -> list[Item]:
    """The public answers that were labelled for this project, in parts, with those labels.

    Args:
        folder: holds the set in a folder of its name.

    Raises:
        ContentError: a label is wrong.
    """
    answers = dict(_answers(folder / SET)) if (folder / SET).is_dir() else {}
    questions = texts_of(folder, SET)
    risks = {row.id: row for row in read_judged(folder, (SET,))}

    def item(label: _Label) -> Item | None:
        if label.row not in answers:
            return None
        question = label.row.partition("/")[0]
        risk = risks.get(f"{SET}-{question}")
        return label.of(answers[label.row], unglued(questions[question]), risk)

    return labelled(LABELS, _Label, item)


def _answers(folder: Path) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    with (folder / "20200325_counsel_chat.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            question = line["questionID"]
            seen[question] += 1
            yield f"{question}/{seen[question]}", unglued(one_line(line["answerText"]))
