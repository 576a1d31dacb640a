"""A question and an answer in each row: CounselChat, and lists of questions such as an FAQ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanad_data.forms.form import Form, Input, alone, has_columns
from sanad_data.reading.tables import rows
from sanad_data.records import Draft, Reject, pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.records import Found, Place

__all__ = ["COUNSEL_CHAT", "FAQ", "asked"]

_COUNSEL_CHAT = {
    "title": ("questionTitle",),
    "question": ("questionText",),
    "answer": ("answerText",),
    "topic": ("topic", "topics"),
}
_THREAD = {"thread": ("questionID", "questionLink")}
_FAQ = {
    "question": ("Question", "Questions", "Context"),
    "answer": ("Answer", "Answers", "Response"),
}
_TOPIC = {"topic": ("topic", "category", "condition")}


def _counsel_chat(file: Input) -> Iterator[Found]:
    """Each answer with its question; the answers to one question are a group."""
    for found in rows(file.path, _COUNSEL_CHAT, _THREAD, as_json=file.kind == "lines"):
        yield found if isinstance(found, Reject) else _counselled(*found)


def _counselled(place: Place, row: dict[str, str]) -> Draft:
    return Draft(
        places=(place,),
        turns=(("person", asked(row["title"], row["question"])), ("supporter", row["answer"])),
        topic=row["topic"],
        group=pseudonym("counsel_chat", row["thread"] or row["title"].strip()),
    )


def asked(title: str, text: str) -> str:
    """A question with its title, unless that is how it begins."""
    title, text = title.strip(), text.strip()
    return text if text.startswith(title) else f"{title}\n\n{text}".strip()


def _faq(file: Input) -> Iterator[Found]:
    for found in rows(file.path, _FAQ, _TOPIC, as_json=file.kind == "lines"):
        yield found if isinstance(found, Reject) else _answered(*found)


def _answered(place: Place, row: dict[str, str]) -> Draft:
    return Draft(
        places=(place,),
        turns=(("person", row["question"]), ("supporter", row["answer"])),
        topic=row["topic"],
    )


COUNSEL_CHAT = Form(
    name="counsel_chat",
    title="CounselChat: CSV with questionTitle, questionText, answerText and topic",
    kinds=frozenset({"table", "lines"}),
    read=alone(_counsel_chat),
    fits=has_columns(_COUNSEL_CHAT),
    source="CounselChat",
    needs=_COUNSEL_CHAT,
)
FAQ = Form(
    name="faq",
    title="Mental Health FAQ, or any CSV with a question and an answer in each row",
    kinds=frozenset({"table", "lines"}),
    read=alone(_faq),
    fits=has_columns(_FAQ),
    needs=_FAQ,
)
