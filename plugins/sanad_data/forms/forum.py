"""Exports of forums: a post in each row, and the thread that it is of."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sanad_data.forms.answers import asked
from sanad_data.forms.form import Form, Input, alone, has_columns
from sanad_data.forms.reddit import REMOVED
from sanad_data.reading.spool import grouped
from sanad_data.reading.tables import rows
from sanad_data.records import Draft, Reject, pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sanad_data.reading.spool import Kept
    from sanad_data.records import Found

__all__ = ["FORUM"]

_NEEDS = {
    "thread": ("thread_id", "thread", "topic_id", "discussion_id", "conversation_id"),
    "author": ("author", "author_id", "user", "username", "user_id", "poster", "posted_by"),
    "text": ("text", "body", "content", "message", "post_text", "post", "comment"),
}
_TAKES = {
    "time": (
        "post_number", "position", "created_at", "created", "posted_at", "timestamp", "datetime",
        "date", "time",
    ),
    "topic": ("forum", "subforum", "board", "category", "topic", "condition"),
    "title": ("title", "subject", "thread_title"),
}  # fmt: skip


def _read(file: Input) -> Iterator[Found]:
    found = rows(file.path, _NEEDS, _TAKES, as_json=file.kind == "lines")
    for group in grouped(found, "thread"):
        yield from (group,) if isinstance(group, Reject) else _thread(group)


def _thread(group: list[Kept]) -> Iterator[Found]:
    """A thread; who began it is the person, and everybody else supports."""
    ordered = _ordered(group)
    if ordered is None:
        reason = "is of a thread with times that are neither ISO 8601 nor numbers"
        yield from _all(group, reason, by_rule=False)
        return
    author = ordered[0][1]["author"].strip()
    if not author or _removed(ordered[0]):
        yield from _all(ordered, "is of a thread whose first post was removed or deleted")
        return
    kept = [item for item in ordered if not _removed(item)]
    yield from _all(filter(_removed, ordered), "was removed or deleted")
    if all(row["author"].strip() == author for _, row in kept):
        yield from _all(kept, "is of a thread without an answer")
        return
    yield _draft(kept, author)


def _draft(kept: list[Kept], author: str) -> Draft:
    first = kept[0][1]
    texts = [asked(first["title"], first["text"]), *(row["text"] for _, row in kept[1:])]
    return Draft(
        places=tuple(place for place, _ in kept),
        turns=tuple(
            ("person" if row["author"].strip() == author else "supporter", text)
            for (_, row), text in zip(kept, texts, strict=True)
        ),
        topic=first["topic"],
        group=pseudonym("forum", author),
    )


def _ordered(group: list[Kept]) -> list[Kept] | None:
    """Posts by their times; as they stand where there are none; None where a time is no time."""
    if not any(row["time"].strip() for _, row in group):
        return group
    times = [_time(row["time"].strip()) for _, row in group]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return None
    return [item for _, item in sorted(zip(known, group, strict=True), key=lambda pair: pair[0])]


def _time(text: str) -> float | None:
    try:
        number = float(text)
        return number if math.isfinite(number) else None
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _removed(item: Kept) -> bool:
    return any(item[1][key].strip().lower() in REMOVED for key in ("text", "author"))


def _all(items: Iterable[Kept], reason: str, *, by_rule: bool = True) -> Iterator[Reject]:
    for place, _ in items:
        yield Reject(place=place, reason=reason, by_rule=by_rule)


FORUM = Form(
    name="forum",
    title="a forum's export: CSV with thread_id, author and text, one post a row",
    kinds=frozenset({"table", "lines"}),
    read=alone(_read),
    fits=has_columns(_NEEDS),
    needs=_NEEDS,
)
